-- Versions of an identity are never changed, and deleted only together with a partner that no
-- document of the ledger names. Run at each install and upgrade.

CREATE OR REPLACE FUNCTION grant_identity_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT FROM grant_entry WHERE partner_id = OLD.partner_id)
           AND NOT EXISTS (SELECT FROM grant_contract WHERE funder_id = OLD.partner_id)
           AND NOT EXISTS (SELECT FROM res_company WHERE partner_id = OLD.partner_id) THEN
            -- Its chain goes as well: what is left of one is found.
            DELETE FROM grant_chain WHERE name = OLD.chain;
            RETURN OLD;
        END IF;
    END IF;
    PERFORM grant_entry_refuse('append_only', json_build_object('table', TG_TABLE_NAME));
    -- Never reached: the refusal has been raised.
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER grant_identity_append_only BEFORE UPDATE OR DELETE ON grant_identity
    FOR EACH ROW EXECUTE FUNCTION grant_identity_keep();

CREATE OR REPLACE TRIGGER grant_identity_keep BEFORE TRUNCATE ON grant_identity
    FOR EACH STATEMENT EXECUTE FUNCTION grant_identity_keep();
