from odoo.tests import TransactionCase, tagged

from .commands import CommandMixin
from .common import GrantsCommon


class TestGrantsVerify(CommandMixin, GrantsCommon):
    """`odoo grants_verify`: exit codes, and what is said in which language."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sign(cls.make_subsidy())

    def verify(self, *words):
        return self.run_command("grants_verify", *words)

    def tamper(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE grant_entry SET amount = amount + 0.01 WHERE envelope_id = %s AND number = 2",
            [self.envelope.id],
        )
        self.env.invalidate_all()

    def test_all_holds(self):
        code, said = self.verify()
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"^\d+ envelopes, \d+ entries: chains, counters, .* hold\.$")

    def test_in_french(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        for code in ("fr", "fr_FR"):
            self.assertRegex(self.verify("--lang", code)[1], "enveloppes, .* tout concorde")

    def test_a_tampered_entry_is_named(self):
        self.tamper()
        code, said = self.verify()
        self.assertEqual(code, 1)
        self.assertIn("entry 2 was altered", said)
        self.assertEqual(len(said.splitlines()), 1, "the first thing only")

    def test_nothing_can_be_written(self):
        with self.assertLogs("odoo.sql_db", "ERROR"):
            with self.assertRaisesRegex(Exception, "read-only transaction"):
                self.patch(
                    self.registry["grant.entry"],
                    "_verify",
                    lambda entries, envelopes: entries.env.cr.execute(
                        "UPDATE res_company SET name = name"
                    ),
                )
                self.verify()

    def test_usage(self):
        for words in (("--lang", "tlh"), ("--dance",)):
            code, said = self.verify(*words)
            self.assertEqual(code, 2)
            self.assertIn(words[-1], said)


@tagged("post_install", "-at_install")
class TestGrantsVerifyProgram(CommandMixin, TransactionCase):
    """The same as a program of its own, on what is really in the database."""

    def test_program(self):
        code, said = self.run_program("grants_verify", "-d", self.env.cr.dbname)
        self.assertEqual(code, 0, said)
        self.assertRegex(said, r"\d+ envelopes, \d+ entries")

    def test_no_such_database(self):
        code, said = self.run_program("grants_verify", "-d", "no_such_database")
        self.assertEqual(code, 2, said)
        self.assertIn("no_such_database", said)

    def test_a_database_of_something_else(self):
        code, said = self.run_program("grants_verify", "-d", "postgres")
        self.assertEqual(code, 2, said)
        self.assertIn("postgres is not a database of Odoo", said)

    def test_help(self):
        code, said = self.run_program("grants_verify", "--help")
        self.assertEqual(code, 0)
        self.assertIn("Exit codes", said)
