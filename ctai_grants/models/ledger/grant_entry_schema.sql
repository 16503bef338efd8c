-- The grant ledger's own guards. They hold whoever writes, Odoo or not:
-- * an entry is numbered and chained by the database when it is inserted, under the row locks of its
--   envelope and subsidy;
-- * what a statement adds up to is then counted, and judged at each date (grant_entry_dates.sql);
-- * counters move only with an entry.
-- Run at each install and upgrade, after append_only.sql: every statement can be repeated.

CREATE OR REPLACE FUNCTION grant_entry_text(
    previous text, entry grant_entry
) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT array_to_string(ARRAY[
        previous, entry.number::text, entry.envelope_id::text,
        to_char(entry.date, 'YYYY-MM-DD'), entry.kind, (entry.amount::numeric(16, 2))::text,
        entry.subsidy_id::text, entry.action_id::text, entry.partner_id::text,
        entry.origin_model, entry.origin_id::text, entry.user_id::text,
        to_char(entry.posted_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'), entry.memo
    ], E'\n', '')
$$;

-- The turn of a transaction on the ledgers of these envelopes (grant_entry_queue.py); before it, those
-- of earlier versions.
DROP FUNCTION IF EXISTS grant_entry_queue(integer, integer[], boolean);
DROP FUNCTION IF EXISTS grant_entry_queue(integer[], timestamptz);
CREATE OR REPLACE FUNCTION grant_entry_queue(
    envelope_ids integer[], now timestamptz, is_restartable boolean
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    envelope_id integer;
    done text;
    -- Whether something is written, before this transaction was restartable or since, is for the
    -- database to say: then a restart could lose it, and the entry itself will fail.
    is_written boolean := pg_current_xact_id_if_assigned() IS NOT NULL;
BEGIN
    -- Assigned: what is performed is a query.
    done := set_config('ctai_grants.now', now::text, true);
    FOREACH envelope_id IN ARRAY envelope_ids LOOP
        IF is_written OR NOT is_restartable THEN
            done := pg_advisory_xact_lock(18258, envelope_id);
        ELSIF NOT pg_try_advisory_xact_lock(18258, envelope_id) THEN
            -- Whoever is before us changes the envelope: waited for with no snapshot of before it.
            RAISE EXCEPTION 'grant ledger: others post' USING ERRCODE = 'serialization_failure';
        END IF;
    END LOOP;
    IF NOT is_written THEN
        FOREACH envelope_id IN ARRAY envelope_ids LOOP
            PERFORM FROM grant_envelope WHERE id = envelope_id FOR NO KEY UPDATE;
        END LOOP;
    END IF;
END $$;

-- Of before it was part of grant_entry_post.
DROP FUNCTION IF EXISTS grant_entry_check_date(grant_entry, grant_envelope);

-- Odoo's pool of connections discards the plans of functions before each transaction: statements of
-- one table each are planned fastest.
CREATE OR REPLACE FUNCTION grant_entry_post() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- By the clock of Odoo where it is Odoo who posts.
    now timestamptz := COALESCE(
        NULLIF(current_setting('ctai_grants.now', true), '')::timestamptz, clock_timestamp());
    timezone text;
    envelope record;
    contract record;
    subsidy record;
    last record;
BEGIN
    -- Not FOR UPDATE: documents that only refer to the envelope must not wait.
    SELECT name, state, contract_id, company_id, currency_id, entry_count, chain_head
      INTO envelope FROM grant_envelope WHERE id = NEW.envelope_id FOR NO KEY UPDATE;
    SELECT company_id, force_date INTO contract FROM grant_contract
     WHERE id = envelope.contract_id;
    IF envelope.state IS DISTINCT FROM 'in_force' THEN
        PERFORM grant_entry_refuse('not_in_force', json_build_object('envelope', envelope.name));
    ELSIF NEW.date > (now AT TIME ZONE 'UTC' - interval '12 hours')::date THEN
        -- Not begun yet everywhere on Earth: today as in guard/res_company.py.
        SELECT tz INTO timezone FROM res_partner
         WHERE id = (SELECT partner_id FROM res_company WHERE id = contract.company_id);
        IF NEW.date > (now AT TIME ZONE COALESCE(NULLIF(timezone, ''), 'Europe/Paris'))::date THEN
            PERFORM grant_entry_refuse('future', json_build_object(
                'envelope', envelope.name, 'date', NEW.date));
        END IF;
    END IF;
    IF NEW.date < contract.force_date THEN
        PERFORM grant_entry_refuse('before_force', json_build_object(
            'contract', (SELECT concat(code, ' – ', name) FROM grant_contract
                          WHERE id = envelope.contract_id),
            'date', contract.force_date));
    END IF;

    -- Whatever the INSERT says: a line cannot name another contract, company or operator.
    NEW.contract_id := envelope.contract_id;
    NEW.company_id := envelope.company_id;
    NEW.currency_id := envelope.currency_id;
    NEW.partner_id := NULL;
    IF NEW.subsidy_id IS NOT NULL THEN
        -- Always after its envelope: in another order, two postings would wait for each other.
        SELECT name, envelope_id, partner_id INTO subsidy
          FROM grant_subsidy WHERE id = NEW.subsidy_id FOR NO KEY UPDATE;
        IF subsidy.envelope_id IS DISTINCT FROM NEW.envelope_id THEN
            PERFORM grant_entry_refuse('other_envelope', json_build_object(
                'envelope', envelope.name, 'subsidy', subsidy.name));
        END IF;
        NEW.partner_id := subsidy.partner_id;
    END IF;

    -- The head of the envelope is that of before this statement, at whose end it moves with the
    -- counters (grant_entry_dates.sql): a line follows those inserted before it.
    SELECT number, hash INTO last FROM grant_entry
     WHERE envelope_id = NEW.envelope_id AND number > envelope.entry_count
  ORDER BY number DESC LIMIT 1;
    NEW.number := COALESCE(last.number, envelope.entry_count) + 1;
    -- Not now(), which is when the transaction began: it may have queued since.
    NEW.posted_at := clock_timestamp() AT TIME ZONE 'UTC';
    NEW.previous_hash := COALESCE(last.hash, envelope.chain_head);
    NEW.hash := encode(
        sha256(convert_to(grant_entry_text(NEW.previous_hash, NEW), 'UTF8')), 'hex');
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION grant_counters_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM grant_entry_refuse('counters', json_build_object('table', TG_TABLE_NAME));
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION grant_envelope_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.allocated_amount, OLD.received_amount, OLD.committed_amount, OLD.paid_amount,
        OLD.justified_amount, OLD.recovered_amount, OLD.entry_count, OLD.chain_head)
       IS DISTINCT FROM
       (NEW.allocated_amount, NEW.received_amount, NEW.committed_amount, NEW.paid_amount,
        NEW.justified_amount, NEW.recovered_amount, NEW.entry_count, NEW.chain_head)
    THEN
        PERFORM grant_entry_refuse('counters', json_build_object('table', TG_TABLE_NAME));
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION grant_subsidy_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.committed_amount, OLD.paid_amount, OLD.justified_amount, OLD.recovered_amount)
       IS DISTINCT FROM
       (NEW.committed_amount, NEW.paid_amount, NEW.justified_amount, NEW.recovered_amount)
    THEN
        PERFORM grant_entry_refuse('counters', json_build_object('table', TG_TABLE_NAME));
    END IF;
    RETURN NEW;
END $$;

-- Before: it fills in the row. The CHECKs of the table come after it.
CREATE OR REPLACE TRIGGER grant_entry_post BEFORE INSERT ON grant_entry
    FOR EACH ROW EXECUTE FUNCTION grant_entry_post();
-- In WHEN, no trigger runs yet: depth 0 is a statement from outside, 1 an update by the counting
-- trigger. The columns are compared in the function: PostgreSQL reads a WHEN anew for each statement.
CREATE OR REPLACE TRIGGER grant_envelope_counters BEFORE UPDATE ON grant_envelope
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION grant_envelope_guard();
CREATE OR REPLACE TRIGGER grant_envelope_birth BEFORE INSERT ON grant_envelope
    FOR EACH ROW WHEN (
        (NEW.allocated_amount, NEW.received_amount, NEW.committed_amount, NEW.paid_amount,
         NEW.justified_amount, NEW.recovered_amount, NEW.entry_count, NEW.chain_head)
        IS DISTINCT FROM (0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0::numeric, 0,
                          repeat('0', 64)))
    EXECUTE FUNCTION grant_counters_guard();
CREATE OR REPLACE TRIGGER grant_subsidy_counters BEFORE UPDATE ON grant_subsidy
    FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION grant_subsidy_guard();
CREATE OR REPLACE TRIGGER grant_subsidy_birth BEFORE INSERT ON grant_subsidy
    FOR EACH ROW WHEN (
        (NEW.committed_amount, NEW.paid_amount, NEW.justified_amount, NEW.recovered_amount)
        IS DISTINCT FROM (0::numeric, 0::numeric, 0::numeric, 0::numeric))
    EXECUTE FUNCTION grant_counters_guard();
