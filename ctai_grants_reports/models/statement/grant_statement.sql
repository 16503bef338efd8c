-- What was issued is kept (R8): of such a statement only the state moves, and it is never deleted.
-- Run at each install and upgrade, as guard/append_only.sql.
CREATE OR REPLACE FUNCTION grant_statement_keep() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moving text[] := ARRAY['state', 'write_uid', 'write_date'];
BEGIN
    IF TG_OP = 'DELETE' OR NEW.state = 'draft'
       OR to_jsonb(NEW) - moving <> to_jsonb(OLD) - moving THEN
        PERFORM grant_entry_refuse('append_only', json_build_object('table', TG_TABLE_NAME));
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER grant_statement_keep BEFORE UPDATE OR DELETE ON grant_statement
    FOR EACH ROW WHEN (old.state <> 'draft') EXECUTE FUNCTION grant_statement_keep();
CREATE OR REPLACE TRIGGER grant_statement_keep_all BEFORE TRUNCATE ON grant_statement
    FOR EACH STATEMENT EXECUTE FUNCTION grant_append_only();
