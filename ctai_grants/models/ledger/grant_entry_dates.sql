-- What an INSERT into the ledger adds up to: its lines are counted and judged together, so that what
-- nets together passes together. The counters move here, under the locks that grant_entry_post took,
-- and each ceiling (R1) holds at the end of every day:
-- * of an envelope, allocated: committed <= allocated;
-- * of a subsidy, committed: paid - recovered <= committed; paid: recovered <= paid;
--   recovered: not below nothing.
-- The counters say what holds after the last day, which is all that most postings need. On a day before
-- it there was at least as much room, less what came in since: where that is not enough to tell, the
-- entries of the days that follow are read. A day on which a rule was broken already, in data from
-- before, can be mended in part and is not made worse.
-- Run at each install and upgrade: every statement can be repeated.

-- What one euro of a kind adds to the room that a rule leaves.
CREATE OR REPLACE FUNCTION grant_entry_sign(rule text, kind text) RETURNS integer
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE rule || ' ' || kind
        WHEN 'allocated allocation' THEN 1 WHEN 'allocated commitment' THEN -1
        WHEN 'committed commitment' THEN 1 WHEN 'committed payment' THEN -1
        WHEN 'committed recovery' THEN 1
        WHEN 'paid payment' THEN 1 WHEN 'paid recovery' THEN -1
        WHEN 'recovered recovery' THEN 1
        ELSE 0 END
$$;

-- Refuse what was inserted from this number on, for a rule that leaves less than nothing: on a day, or
-- after the last one.
CREATE OR REPLACE FUNCTION grant_entry_overrun(
    envelope_id integer, subsidy_id integer, first integer,
    rule text, day date, room numeric, own numeric
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    envelope grant_envelope;
    subsidy grant_subsidy;
BEGIN
    SELECT * INTO envelope FROM grant_envelope WHERE id = grant_entry_overrun.envelope_id;
    SELECT * INTO subsidy FROM grant_subsidy WHERE id = grant_entry_overrun.subsidy_id;
    PERFORM grant_entry_refuse(rule || '_ceiling', json_build_object(
        'envelope', envelope.name, 'subsidy', subsidy.name, 'currency_id', envelope.currency_id,
        'date', day, 'asked', -own, 'left', room - own,
        -- The kind that takes most of the room is what it is about.
        'kind', (SELECT kind FROM grant_entry entry
                  WHERE entry.envelope_id = envelope.id AND number >= first
                    AND (subsidy.id IS NULL OR entry.subsidy_id = subsidy.id)
               GROUP BY kind ORDER BY sum(grant_entry_sign(rule, kind) * amount) LIMIT 1)));
END $$;

CREATE OR REPLACE FUNCTION grant_entry_count() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    posted record;
    broken record;
BEGIN
    -- First what is smaller, as the words of a refusal should be. Plans are kept, and must suit few
    -- lines and many: rows are looked up (LIMIT), and not joined; the last day is the first that an
    -- index gives, where EXISTS may read the table.
    FOR posted IN
        SELECT moved.*, counted.*,
               (SELECT max(entry.date) FROM grant_entry entry
                 WHERE entry.subsidy_id = moved.subsidy_id) > moved.date AS is_past
          FROM (SELECT envelope_id, subsidy_id, min(number) AS number, min(date) AS date,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'commitment'), 0) AS commitment,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS payment,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'justification'), 0)
                       AS justification,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'recovery'), 0) AS recovery
                  FROM inserted WHERE subsidy_id IS NOT NULL
              GROUP BY envelope_id, subsidy_id) moved,
               LATERAL (SELECT committed_amount + moved.commitment AS committed,
                               paid_amount + moved.payment AS paid,
                               recovered_amount + moved.recovery AS recovered
                          FROM grant_subsidy WHERE id = moved.subsidy_id LIMIT 1) counted
    LOOP
        -- Before the CHECKs of the tables would: these say what is left and what was asked.
        IF least(posted.committed - posted.paid + posted.recovered,
                 posted.paid - posted.recovered, posted.recovered) < 0
        THEN
            SELECT * INTO broken FROM (VALUES
                ('committed', posted.committed - posted.paid + posted.recovered,
                 posted.commitment - posted.payment + posted.recovery),
                ('paid', posted.paid - posted.recovered, posted.payment - posted.recovery),
                ('recovered', posted.recovered, posted.recovery)
            ) rules (rule, room, own) WHERE room < 0 AND own < 0 LIMIT 1;
            IF FOUND THEN
                PERFORM grant_entry_overrun(
                    posted.envelope_id, posted.subsidy_id, posted.number,
                    broken.rule, NULL, broken.room, broken.own);
            END IF;
        END IF;
        IF posted.is_past THEN
            -- Back from the counters: a day left what is left now, without what came after it.
            SELECT * INTO broken FROM (
                SELECT rule, date, sum(own) OVER (PARTITION BY rule ORDER BY date) AS own,
                       total + change - sum(change) OVER (PARTITION BY rule ORDER BY date DESC)
                       AS room
                  FROM (SELECT rule, total, date,
                               sum(grant_entry_sign(rule, kind) * amount) AS change,
                               sum(CASE WHEN number >= posted.number
                                   THEN grant_entry_sign(rule, kind) * amount ELSE 0 END) AS own
                          FROM grant_entry, (VALUES
                              ('committed', posted.committed - posted.paid + posted.recovered),
                              ('paid', posted.paid - posted.recovered),
                              ('recovered', posted.recovered)) rules (rule, total)
                         WHERE subsidy_id = posted.subsidy_id AND date >= posted.date
                      GROUP BY rule, total, date) moved) day
             WHERE room < 0 AND own < 0 ORDER BY date, rule LIMIT 1;
            IF FOUND THEN
                PERFORM grant_entry_overrun(
                    posted.envelope_id, posted.subsidy_id, posted.number,
                    broken.rule, broken.date, broken.room, broken.own);
            END IF;
        END IF;
        UPDATE grant_subsidy
           SET committed_amount = posted.committed, paid_amount = posted.paid,
               justified_amount = justified_amount + posted.justification,
               recovered_amount = posted.recovered
         WHERE id = posted.subsidy_id;
    END LOOP;

    FOR posted IN
        SELECT moved.*, counted.*,
               -- What came in after that day: hardly ever anything, where commitments are many.
               CASE WHEN is_judged THEN (
                   SELECT COALESCE(sum(abs(amount)), 0) FROM grant_entry entry
                    WHERE entry.envelope_id = moved.envelope_id AND entry.date > moved.date
                      AND (kind = 'allocation' AND amount > 0 OR kind = 'commitment' AND amount < 0)
               ) END AS came_in
          FROM (SELECT envelope_id, min(number) AS number, max(number) AS last, min(date) AS date,
                       bool_or(kind IN ('allocation', 'commitment')) AS is_judged,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'allocation'), 0) AS allocation,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'receipt'), 0) AS receipt,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'commitment'), 0) AS commitment,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS payment,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'justification'), 0)
                       AS justification,
                       COALESCE(sum(amount) FILTER (WHERE kind = 'recovery'), 0) AS recovery
                  FROM inserted GROUP BY envelope_id) moved,
               LATERAL (SELECT allocated_amount - committed_amount + moved.allocation
                               - moved.commitment AS room
                          FROM grant_envelope WHERE id = moved.envelope_id LIMIT 1) counted
    LOOP
        IF posted.is_judged THEN
            IF posted.room < 0 AND posted.allocation < posted.commitment THEN
                PERFORM grant_entry_overrun(
                    posted.envelope_id, NULL, posted.number,
                    'allocated', NULL, posted.room, posted.allocation - posted.commitment);
            END IF;
            IF posted.room < posted.came_in THEN
                SELECT * INTO broken FROM (
                    SELECT date, sum(own) OVER (ORDER BY date) AS own,
                           posted.room + change - sum(change) OVER (ORDER BY date DESC) AS room
                      FROM (SELECT date, sum(grant_entry_sign('allocated', kind) * amount) AS change,
                                   sum(CASE WHEN number >= posted.number
                                       THEN grant_entry_sign('allocated', kind) * amount
                                       ELSE 0 END) AS own
                              FROM grant_entry
                             WHERE envelope_id = posted.envelope_id AND date >= posted.date
                               AND kind IN ('allocation', 'commitment')
                          GROUP BY date) moved) day
                 WHERE room < 0 AND own < 0 ORDER BY date LIMIT 1;
                IF FOUND THEN
                    PERFORM grant_entry_overrun(
                        posted.envelope_id, NULL, posted.number,
                        'allocated', broken.date, broken.room, broken.own);
                END IF;
            END IF;
        END IF;
        UPDATE grant_envelope
           SET allocated_amount = allocated_amount + posted.allocation,
               received_amount = received_amount + posted.receipt,
               committed_amount = committed_amount + posted.commitment,
               paid_amount = paid_amount + posted.payment,
               justified_amount = justified_amount + posted.justification,
               recovered_amount = recovered_amount + posted.recovery,
               entry_count = posted.last,
               chain_head = (SELECT hash FROM inserted
                              WHERE envelope_id = posted.envelope_id AND number = posted.last)
         WHERE id = posted.envelope_id;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER grant_entry_count AFTER INSERT ON grant_entry
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION grant_entry_count();
