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
    moved record;
    counted record;
    broken record;
BEGIN
    -- First what is smaller, as the words of a refusal should be. Plans are kept, or made for one
    -- transaction: they must suit few lines and many, and rows are looked up, not joined.
    FOR moved IN
        SELECT envelope_id, subsidy_id, grouping(subsidy_id) AS is_envelope,
               min(number) AS first, max(number) AS last, min(date) AS date,
               bool_or(kind IN ('allocation', 'commitment')) AS is_judged,
               COALESCE(sum(amount) FILTER (WHERE kind = 'allocation'), 0) AS allocation,
               COALESCE(sum(amount) FILTER (WHERE kind = 'receipt'), 0) AS receipt,
               COALESCE(sum(amount) FILTER (WHERE kind = 'commitment'), 0) AS commitment,
               COALESCE(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS payment,
               COALESCE(sum(amount) FILTER (WHERE kind = 'justification'), 0) AS justification,
               COALESCE(sum(amount) FILTER (WHERE kind = 'recovery'), 0) AS recovery
          FROM inserted GROUP BY GROUPING SETS ((envelope_id, subsidy_id), envelope_id)
        HAVING grouping(subsidy_id) = 1 OR subsidy_id IS NOT NULL
      ORDER BY is_envelope
    LOOP
        IF moved.is_envelope = 0 THEN
            -- Before the CHECKs of the table would: what follows says what is left and was asked.
            UPDATE grant_subsidy
               SET committed_amount = committed_amount + moved.commitment,
                   paid_amount = paid_amount + moved.payment,
                   justified_amount = justified_amount + moved.justification,
                   recovered_amount = recovered_amount + moved.recovery
             WHERE id = moved.subsidy_id
               AND recovered_amount + moved.recovery BETWEEN 0 AND paid_amount + moved.payment
               AND paid_amount + moved.payment - recovered_amount - moved.recovery
                   <= committed_amount + moved.commitment
         RETURNING committed_amount AS committed, paid_amount AS paid,
                   recovered_amount AS recovered,
                   -- The last day is the first that an index gives; EXISTS may read the table.
                   (SELECT max(entry.date) FROM grant_entry entry
                     WHERE entry.subsidy_id = moved.subsidy_id) > moved.date AS is_past
              INTO counted;
            IF NOT FOUND THEN
                -- There is no other reason: its counters are those of before.
                SELECT rule, held + own AS room, own INTO broken
                  FROM grant_subsidy, LATERAL (VALUES
                      ('committed', committed_amount - paid_amount + recovered_amount,
                       moved.commitment - moved.payment + moved.recovery),
                      ('paid', paid_amount - recovered_amount, moved.payment - moved.recovery),
                      ('recovered', recovered_amount, moved.recovery)) rules (rule, held, own)
                 WHERE id = moved.subsidy_id AND held + own < 0 LIMIT 1;
                PERFORM grant_entry_overrun(
                    moved.envelope_id, moved.subsidy_id, moved.first,
                    broken.rule, NULL, broken.room, broken.own);
            ELSIF counted.is_past THEN
                -- Back from the counters: a day left what is left now, without what came after it.
                SELECT * INTO broken FROM (
                    SELECT rule, date, sum(own) OVER (PARTITION BY rule ORDER BY date) AS own,
                           total + change - sum(change) OVER (PARTITION BY rule ORDER BY date DESC)
                           AS room
                      FROM (SELECT rule, total, date,
                                   sum(grant_entry_sign(rule, kind) * amount) AS change,
                                   sum(CASE WHEN number >= moved.first
                                       THEN grant_entry_sign(rule, kind) * amount ELSE 0 END) AS own
                              FROM grant_entry, (VALUES
                                  ('committed', counted.committed - counted.paid + counted.recovered),
                                  ('paid', counted.paid - counted.recovered),
                                  ('recovered', counted.recovered)) rules (rule, total)
                             WHERE subsidy_id = moved.subsidy_id AND date >= moved.date
                          GROUP BY rule, total, date) moves) day
                 WHERE room < 0 AND own < 0 ORDER BY date, rule LIMIT 1;
                IF FOUND THEN
                    PERFORM grant_entry_overrun(
                        moved.envelope_id, moved.subsidy_id, moved.first,
                        broken.rule, broken.date, broken.room, broken.own);
                END IF;
            END IF;
            CONTINUE;
        END IF;

        UPDATE grant_envelope
           SET allocated_amount = allocated_amount + moved.allocation,
               received_amount = received_amount + moved.receipt,
               committed_amount = committed_amount + moved.commitment,
               paid_amount = paid_amount + moved.payment,
               justified_amount = justified_amount + moved.justification,
               recovered_amount = recovered_amount + moved.recovery,
               entry_count = moved.last,
               chain_head = (SELECT hash FROM inserted
                              WHERE envelope_id = moved.envelope_id AND number = moved.last)
         WHERE id = moved.envelope_id
           AND (NOT moved.is_judged
                OR committed_amount + moved.commitment <= allocated_amount + moved.allocation)
     RETURNING allocated_amount - committed_amount AS room,
               -- What came in after that day: hardly ever anything, where commitments are many.
               CASE WHEN moved.is_judged THEN (
                   SELECT COALESCE(sum(abs(amount)), 0) FROM grant_entry entry
                    WHERE entry.envelope_id = moved.envelope_id AND entry.date > moved.date
                      AND (kind = 'allocation' AND amount > 0 OR kind = 'commitment' AND amount < 0)
               ) END AS came_in
          INTO counted;
        IF NOT FOUND THEN
            PERFORM grant_entry_overrun(
                moved.envelope_id, NULL, moved.first, 'allocated', NULL,
                moved.allocation - moved.commitment
                + (SELECT allocated_amount - committed_amount FROM grant_envelope
                    WHERE id = moved.envelope_id),
                moved.allocation - moved.commitment);
        ELSIF counted.room < counted.came_in THEN
            SELECT * INTO broken FROM (
                SELECT date, sum(own) OVER (ORDER BY date) AS own,
                       counted.room + change - sum(change) OVER (ORDER BY date DESC) AS room
                  FROM (SELECT date, sum(grant_entry_sign('allocated', kind) * amount) AS change,
                               sum(CASE WHEN number >= moved.first
                                   THEN grant_entry_sign('allocated', kind) * amount
                                   ELSE 0 END) AS own
                          FROM grant_entry
                         WHERE envelope_id = moved.envelope_id AND date >= moved.date
                           AND kind IN ('allocation', 'commitment')
                      GROUP BY date) moves) day
             WHERE room < 0 AND own < 0 ORDER BY date LIMIT 1;
            IF FOUND THEN
                PERFORM grant_entry_overrun(
                    moved.envelope_id, NULL, moved.first,
                    'allocated', broken.date, broken.room, broken.own);
            END IF;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER grant_entry_count AFTER INSERT ON grant_entry
    REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION grant_entry_count();
