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
