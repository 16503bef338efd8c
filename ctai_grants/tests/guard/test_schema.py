from pathlib import Path

from psycopg2.errors import InsufficientPrivilege

from odoo.tests import TransactionCase
from odoo.tools import SQL, mute_logger

from ...lib.guard import schema


class TestSchema(TransactionCase):
    """Guards of the database that are switched off, dropped or replaced are named."""

    def find(self):
        return self.env["grant.schema"]._get_broken_guards()

    def assertNamed(self, sql, *parts):
        with self.subTest(sql=sql), self.env.cr.savepoint() as savepoint:
            self.env.cr.execute(sql)
            (*_others, sentence) = found = self.find()
            for part in parts:
                self.assertIn(part, sentence, found)
            savepoint.rollback()

    def test_all_is_there(self):
        self.assertEqual(self.find(), [])

    def test_missing_tables(self):
        """Said before anything is read: what is not there cannot be verified."""
        missing = self.env["grant.schema"]._get_missing_tables
        self.assertEqual(missing(), [])
        self.env.cr.execute("ALTER TABLE grant_seal RENAME TO grant_seal_gone")
        (sentence,) = missing()
        self.assertIn("grant_seal", sentence)

    def test_another_version(self):
        """A database that was not upgraded is named as that, and nothing else is said of it."""
        self.assertEqual(self.env["grant.schema"]._get_outdated(), [])
        self.env.cr.execute(
            "UPDATE ir_module_module SET latest_version = '19.0.1.0.1' WHERE name = 'ctai_grants'"
        )
        (sentence,) = self.env["grant.entry"]._verify_database()
        self.assertIn("ctai_grants 19.0.1.0.1", sentence)
        self.assertIn("-u ctai_grants", sentence)

    def test_all_of_the_sources_is_read(self):
        """Whatever is added to a file in another form is not left out unseen."""
        paths = sorted((Path(__file__).parents[2] / "models").rglob("*.sql"))
        self.assertGreater(len(paths), 3)
        for path in paths:
            sql = path.read_text(encoding="utf-8")
            read = len(schema.functions(sql)) + len(schema.triggers(sql))
            self.assertEqual(read, schema.count(sql), path.name)

    def test_each_trigger(self):
        for table, name in schema.triggers(self.env["grant.schema"]._get_source()):
            table, name = SQL.identifier(table), SQL.identifier(name)
            for sql in (
                SQL("ALTER TABLE %s DISABLE TRIGGER %s", table, name),
                SQL("ALTER TABLE %s ENABLE REPLICA TRIGGER %s", table, name),
                SQL("DROP TRIGGER %s ON %s", name, table),
            ):
                self.assertNamed(sql, str(name.code).strip('"'))

    def test_triggers_that_are_replaced(self):
        for sql, name in (
            (("CREATE OR REPLACE TRIGGER grant_entry_append_only BEFORE UPDATE ON grant_entry "
             "FOR EACH ROW EXECUTE FUNCTION grant_append_only()"), "grant_entry_append_only"),
            (("CREATE OR REPLACE TRIGGER grant_entry_append_only BEFORE UPDATE OR DELETE ON "
             "grant_entry FOR EACH ROW WHEN (OLD.amount > 1000) EXECUTE FUNCTION "
             "grant_append_only()"), "grant_entry_append_only"),
            (("CREATE OR REPLACE TRIGGER grant_subsidy_counters BEFORE UPDATE ON grant_subsidy FOR "
             "EACH ROW WHEN (pg_trigger_depth() < 1 AND OLD.paid_amount <> NEW.paid_amount) "
             "EXECUTE FUNCTION grant_counters_guard()"), "grant_subsidy_counters"),
            (("CREATE OR REPLACE TRIGGER grant_decision_chain BEFORE INSERT ON grant_decision "
             "FOR EACH ROW EXECUTE FUNCTION grant_line_chain('subsidy_id')"),
             "grant_decision_chain"),
        ):  # fmt: skip
            self.assertNamed(sql, name, "not the one of this version")

    def test_each_function(self):
        for name in schema.functions(self.env["grant.schema"]._get_source()):
            ((definition,),) = self.env.execute_query(
                SQL("SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname = %s", name)
            )
            for other in (
                definition.replace("AS $function$", "AS $function$ "),
                definition.replace("AS $function$", "SECURITY DEFINER AS $function$"),
            ):
                self.assertNamed(SQL(other.replace("%", "%%")), name)
        self.assertNamed(
            "CREATE FUNCTION grant_entry_sign(rule text, kind varchar) RETURNS integer "
            "LANGUAGE sql AS $$ SELECT 0 $$",
            "grant_entry_sign",
        )

    def test_each_constraint(self):
        rows = self.env.execute_query(
            SQL(
                """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
                     FROM pg_constraint WHERE contype = 'c' AND conname LIKE 'grant\\_%%'"""
            )
        )
        # Those of an add-on that is loaded later are not looked at yet.
        tables = {model._table for model in self.registry.values()}
        rows = [row for row in rows if row[0] in tables]
        self.assertGreater(len(rows), 25)
        # The others take long, a hundred times.
        for other in ("_check_triggers", "_check_functions"):
            self.patch(self.registry["grant.schema"], other, lambda *_: ())
        for table, name, definition in rows:
            table, name = SQL.identifier(table), SQL.identifier(name)
            drop = SQL("ALTER TABLE %s DROP CONSTRAINT %s", table, name)
            self.assertNamed(drop, str(name.code).strip('"'), "missing")
            for other in ("CHECK (TRUE)", f"{definition[:-1]} OR TRUE)", f"{definition} NOT VALID"):
                add = SQL("ALTER TABLE %s ADD CONSTRAINT %s", table, name)
                self.assertNamed(
                    SQL("%s; %s %s", drop, add, SQL(other.replace("%", "%%"))),
                    str(name.code).strip('"'), "not the one of this version",
                )  # fmt: skip

    def test_indexes_and_columns(self):
        for sql, *parts in (
            ("DROP INDEX grant_entry_number_uniq", "grant_entry_number_uniq", "missing"),
            (("DROP INDEX grant_entry_number_uniq; CREATE INDEX grant_entry_number_uniq "
             "ON grant_entry (envelope_id, number)"), "grant_entry_number_uniq"),
            (("DROP INDEX grant_entry_number_uniq; CREATE UNIQUE INDEX grant_entry_number_uniq "
             "ON grant_entry (envelope_id, number) WHERE number > 3"), "grant_entry_number_uniq"),
            ("ALTER TABLE grant_entry ALTER origin_id DROP NOT NULL", "origin_id"),
        ):  # fmt: skip
            self.assertNamed(sql, *parts)

    def test_what_else_acts(self):
        for sql, *parts in (
            ("CREATE RULE sly AS ON DELETE TO grant_entry DO INSTEAD NOTHING", "sly"),
            ("ALTER TABLE grant_decision ENABLE ROW LEVEL SECURITY", "ROW LEVEL"),
            (("CREATE TRIGGER sly BEFORE UPDATE ON grant_entry FOR EACH ROW "
             "EXECUTE FUNCTION suppress_redundant_updates_trigger()"), "sly"),
        ):  # fmt: skip
            self.assertNamed(sql, *parts)

    @mute_logger("odoo.sql_db")
    def test_no_triggers_at_all(self):
        """That is for superusers of PostgreSQL, which Odoo is not."""
        with self.assertRaises(InsufficientPrivilege), self.env.cr.savepoint():
            self.env.cr.execute("SET session_replication_role = replica")
