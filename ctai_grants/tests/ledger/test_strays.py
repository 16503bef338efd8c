"""A raw INSERT into the ledger passes the database's rules; without its document it is named."""

from odoo.tests import freeze_time
from odoo.tools import SQL

from ..common import GrantsCommon


class TestStrays(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.sign(cls.subsidy)
        cls.other = cls.sign(cls.make_subsidy())

    def insert(self, kind, origin, amount=10, subsidy=None, date="2021-11-01", **values):
        """As psql does, with all triggers on."""
        model, origin_id = origin if isinstance(origin, tuple) else (origin._name, origin.id)
        values = {
            "kind": kind, "envelope_id": self.envelope.id, "amount": amount, "date": date,
            "subsidy_id": subsidy and subsidy.id, "origin_model": model, "origin_id": origin_id,
            "user_id": self.env.uid, **values,
        }  # fmt: skip
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "INSERT INTO grant_entry (%s) VALUES %s",
                SQL(", ").join(map(SQL.identifier, values)),
                tuple(values.values()),
            )
        )
        self.env.invalidate_all()

    def assertNamed(self, *parts):
        found = self.verify()
        self.assertTrue(
            any(all(str(part) in sentence for part in parts) for sentence in found), found
        )

    def test_no_such_document(self):
        for kind, origin, subsidy in (
            ("allocation", ("res.partner", self.operator.id), None),
            ("allocation", ("no.model", 1), None),
            ("allocation", ("grant.contract", 0), None),
            ("receipt", ("grant.funding", 999999), None),
            ("commitment", ("grant.amendment", 999999), self.subsidy),
            ("justification", ("grant.financial.report", 999999), self.subsidy),
            # Not of this kind.
            ("receipt", self.contract, None),
            ("allocation", self.subsidy, None),
            ("justification", self.subsidy, self.subsidy),
            ("justification", self.tranche, self.subsidy),
            # Not of this subsidy.
            ("commitment", self.other, self.subsidy),
            ("payment", self.tranche, self.other),
        ):
            with self.subTest(kind=kind, origin=origin), self.env.cr.savepoint() as savepoint:
                self.insert(kind, origin, subsidy=subsidy)
                number = self.envelope.entry_count
                self.assertNamed(self.envelope.display_name, f"entry {number} ", "comes from")
                savepoint.rollback()

    def test_more_than_the_document_says(self):
        for kind, origin, subsidy, name in (
            ("allocation", self.contract, None, "Amount"),
            ("commitment", self.subsidy, self.subsidy, "Amount"),
            ("payment", self.tranche, self.subsidy, "State"),
        ):
            document = self.envelope if kind == "allocation" else origin
            with self.subTest(kind=kind), self.env.cr.savepoint() as savepoint:
                self.insert(kind, origin, subsidy=subsidy, date="2021-10-25")
                self.assertNamed(document.display_name, name)
                savepoint.rollback()

    def test_promised_on_another_day(self):
        """More, or less, than a signed subsidy says, on whatever day."""
        for amount in (10, -10):
            with self.subTest(amount=amount), self.env.cr.savepoint() as savepoint:
                self.insert("commitment", self.subsidy, amount, self.subsidy, "2021-11-15")
                self.assertNamed(self.subsidy.display_name, "Amount")
                savepoint.rollback()

    def test_days(self):
        """The trigger refuses them; who switches it off is found."""
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        for date in ("2021-10-20", "2022-06-02"):
            with self.subTest(date=date), self.env.cr.savepoint() as savepoint:
                self.env.cr.execute("UPDATE grant_entry SET date = %s WHERE number = 2", [date])
                self.env.invalidate_all()
                with freeze_time("2022-06-01"):
                    found = self.env["grant.entry"]._get_postdated(self.envelope)
                self.assertIn("entry 2 is dated", found[0])
                savepoint.rollback()
        self.env.invalidate_all()
        self.assertEqual(self.env["grant.entry"]._get_postdated(self.envelope), [])

    def test_number_of_entries(self):
        self.env.cr.execute("ALTER TABLE grant_envelope DISABLE TRIGGER USER")
        self.env.cr.execute("UPDATE grant_envelope SET entry_count = entry_count + 1")
        self.env.invalidate_all()
        self.assertNamed(self.envelope.display_name, "Entries", self.envelope.entry_count)
