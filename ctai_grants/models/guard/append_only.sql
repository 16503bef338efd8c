-- What holds whoever writes, Odoo or not: lines that are never changed or deleted (R3, R5).
-- Run at each install and upgrade: every statement can be repeated. The triggers are made for each
-- table by grant_append_only_mixin.py.

CREATE OR REPLACE FUNCTION grant_entry_refuse(code text, about json) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    -- With how to write the amounts: nothing can be read any more when it is put into words.
    about := COALESCE(
        (SELECT about::jsonb || jsonb_build_object('currency', jsonb_build_object(
                    'symbol', symbol, 'position', position, 'rounding', rounding))
           FROM res_currency WHERE id = (about ->> 'currency_id')::integer)::json,
        about);
    RAISE EXCEPTION 'grant ledger: %', code
        -- As a CHECK would fail: Odoo does not try the transaction again. That it is ours,
        -- grant.entry knows by the name of the constraint (_get_refusal).
        USING ERRCODE = 'check_violation', CONSTRAINT = 'grant_ledger_' || code, DETAIL = about::text;
END $$;

CREATE OR REPLACE FUNCTION grant_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM grant_entry_refuse('append_only', json_build_object('table', TG_TABLE_NAME));
    -- Never reached: the refusal has been raised.
    RETURN NULL;
END $$;

-- Lines are chained as well, those of one document after each other: whoever writes. What a line says
-- is hashed with the hash of the line before it; the head of each chain says how many there are, so
-- that the last one is missed too. Two documents never wait for each other.
CREATE TABLE IF NOT EXISTS grant_chain (
    name text PRIMARY KEY, number integer NOT NULL, hash text NOT NULL
);

-- Heads move only with a line: depth 0 is a statement from outside.
CREATE OR REPLACE TRIGGER grant_chain_keep BEFORE UPDATE OR DELETE ON grant_chain
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION grant_append_only();

-- A line as it is hashed. Nothing is left out, as it is in lines from before a column was added.
CREATE OR REPLACE FUNCTION grant_line_text(line jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT jsonb_object_agg(key, value)::text FROM jsonb_each(line - 'chain_hash')
     WHERE value <> 'null'
$$;

-- Its arguments: the columns that say which document a line is of, empty ones left out.
CREATE OR REPLACE FUNCTION grant_line_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    line jsonb := to_jsonb(NEW);
    own text;
    head record;
BEGIN
    NEW.chain := TG_TABLE_NAME;
    FOREACH own IN ARRAY TG_ARGV LOOP
        IF line ->> own IS NOT NULL THEN
            NEW.chain := NEW.chain || ' ' || own || '=' || (line ->> own);
        END IF;
    END LOOP;
    -- When, whatever the line says: what is old enough to leave as a head (ledger/grant_heads.py).
    NEW.chain_time := clock_timestamp();
    LOOP
        SELECT number, hash INTO head FROM grant_chain WHERE name = NEW.chain;
        NEW.chain_number := COALESCE(head.number, 0) + 1;
        NEW.chain_previous := COALESCE(head.hash, repeat('0', 64));
        NEW.chain_hash := encode(
            sha256(convert_to(grant_line_text(to_jsonb(NEW)), 'UTF8')), 'hex');
        -- Written once, if it is still that head: else another line came meanwhile, and this one is
        -- the next (read committed), or the transaction fails (repeatable read).
        IF head.number IS NULL THEN
            INSERT INTO grant_chain VALUES (NEW.chain, 1, NEW.chain_hash) ON CONFLICT DO NOTHING;
        ELSE
            UPDATE grant_chain SET number = NEW.chain_number, hash = NEW.chain_hash
             WHERE name = NEW.chain AND number = head.number;
        END IF;
        EXIT WHEN FOUND;
    END LOOP;
    RETURN NEW;
END $$;
