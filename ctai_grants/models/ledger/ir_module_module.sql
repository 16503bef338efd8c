-- While the ledger holds entries, the add-ons that it stands on stay installed, whoever writes: the
-- triggers are made by grant_entry_keeper.py, with the names of these add-ons.
CREATE OR REPLACE FUNCTION grant_module_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Given up: by the one command that writes it out first.
    IF current_setting('ctai_grants.given_up', true) IS DISTINCT FROM current_database()
       AND EXISTS (SELECT FROM grant_entry)
    THEN
        PERFORM grant_entry_refuse('uninstall', json_build_object('module', OLD.name));
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
