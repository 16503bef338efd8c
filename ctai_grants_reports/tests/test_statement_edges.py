import datetime
import io
from unittest.mock import patch

import openpyxl

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..lib import xlsx
from ..lib.statement import TieOutError
from .common import LEDGER, OPERATORS, PIECES, SUMMARY, TRANCHES, StatementCase, day

NOTHING = "Nothing at this date."


@tagged("post_install", "-at_install")
class TestNothing(StatementCase):
    """Statements of contracts in which there is nothing yet, or not at that date."""

    def make_contract(self, **values):
        return self.env["grant.contract"].create(
            {"name": "Vide", "code": "VIDE", "funder_id": self.prefecture.id, **values}
        )

    def test_no_envelope(self):
        contract = self.make_contract()
        book = self.open(contract=contract)
        for number in (OPERATORS, TRANCHES, PIECES, LEDGER):
            self.assertEqual(book.worksheets[number]["A2"].value, NOTHING)
        cover = {row[0]: row[1] for row in book.worksheets[SUMMARY].values}
        self.assertEqual((cover["Signed on"], cover["Period"]), ("–", "– – –"))
        self.assertEqual(cover["Ledger"], "empty")
        files = self.read_zip(contract=contract)
        for number in (OPERATORS, TRANCHES, PIECES, LEDGER):
            self.assertEqual(len(self.read_csv(files, number)), 1)
        self.assertEqual(len(files["ledger.csv"].splitlines()), 1)
        again = self.make(contract=contract)
        self.assertEqual(again, self.make(contract=contract))

    def test_nothing_posted(self):
        """A draft: envelopes that nobody has allotted anything to."""
        contract = self.make_contract(
            envelope_ids=[Command.create({"name": "Une", "code": "A", "amount": 100})]
        )
        for values in (True, False):
            line, total = self.get_block(
                self.open(contract=contract, values=values), contract.envelope_ids
            )
            self.assertEqual(line["Allocated"], 0 if values else "=0")
        self.assertEqual(self.open(contract=contract).worksheets[LEDGER]["A2"].value, NOTHING)

    def test_only_the_state_pays(self):
        contract = self.make_contract(
            envelope_ids=[Command.create(
                {"name": "Une", "code": "A", "amount": 100, "payment_path": "direct"}
            )]
        )  # fmt: skip
        texts = self.get_texts(self.open(contract=contract))
        self.assertIn("Paid to the operators by the State itself", texts)
        self.assertNotIn("Through the city's accounts", texts)
        self.assertNotIn("Total through the city's accounts", texts)

    def test_only_the_city_pays(self):
        contract = self.make_contract(
            envelope_ids=[Command.create({"name": "Une", "code": "A", "amount": 100})]
        )
        texts = self.get_texts(self.open(contract=contract))
        self.assertFalse([text for text in texts if "by the State itself" in text])
        self.assertFalse([text for text in texts if "the operators itself" in text])

    def test_before_the_contract(self):
        """Each envelope is there with zeros; its chain stands where it stands."""
        for as_at in (datetime.date.min, day("2021-10-20")):
            book = self.open(as_at)
            for envelope in self.contract.envelope_ids:
                line, total = self.get_block(book, envelope)
                amounts = [value for value in line.values() if isinstance(value, (int, float))]
                self.assertEqual(amounts, [envelope.id, *[0] * 9])
            for number in (OPERATORS, TRANCHES, PIECES, LEDGER):
                self.assertEqual(book.worksheets[number]["A2"].value, NOTHING)
            positions = [
                row for row in book.worksheets[SUMMARY].values if row[5] == self.envelope.chain_head
            ]
            self.assertEqual(positions[0][2:5], (0, 0, self.envelope.entry_count))

    def test_the_first_day(self):
        line, _total = self.get_block(self.open(day("2021-10-21")), self.envelope)
        self.assertEqual((line["Allocated"], line["Available"]), (150000, 150000))


@tagged("post_install", "-at_install")
class TestDamaged(StatementCase):
    """Whoever owns the tables can do what the ledger refuses: no statement hides it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(code="S-CITY", amount=1000)
        cls.tranche = cls.make_tranche(cls.subsidy, name="Avance", amount=400)
        cls.sign(cls.subsidy)
        cls.pay(cls.tranche)

    def damage(self, *statements):
        """As the owner of the tables, with the guards off."""
        self.env.flush_all()
        for table in ("grant_entry", "grant_envelope", "grant_subsidy"):
            self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            self.env.cr.execute(statement, {"s": self.subsidy.id, "e": self.envelope.id})
        self.env.invalidate_all()

    def assertNothingMade(self, text, *formats):
        for file_format in formats or ("xlsx", "csv"):
            with self.assertRaisesRegex(UserError, f"does not tie out.*{text}"):
                self.make(file_format=file_format)

    def test_an_amount_changed(self):
        self.damage("UPDATE grant_entry SET amount = 401 WHERE subsidy_id = %(s)s AND amount = 400")
        self.assertNothingMade("says.*400.00.*the ledger.*401.00")

    def test_an_amount_and_the_counters_changed(self):
        """The sums agree again; the chain does not, and the files to verify say so."""
        self.damage(
            "UPDATE grant_entry SET amount = 401 WHERE subsidy_id = %(s)s AND amount = 400",
            "UPDATE grant_envelope SET paid_amount = 401 WHERE id = %(e)s",
            "UPDATE grant_subsidy SET paid_amount = 401 WHERE id = %(s)s",
        )
        self.assertNothingMade("was altered", "csv")

    def test_the_last_entry_removed(self):
        self.damage(
            "DELETE FROM grant_entry WHERE subsidy_id = %(s)s AND amount = 400",
            "UPDATE grant_envelope SET paid_amount = 0 WHERE id = %(e)s",
            "UPDATE grant_subsidy SET paid_amount = 0 WHERE id = %(s)s",
        )
        self.assertNothingMade("“Entries” says 3, the ledger 2", "csv")
        self.damage("UPDATE grant_envelope SET entry_count = 2 WHERE id = %(e)s")
        self.assertNothingMade("not the head", "csv")

    def test_a_counter_of_a_subsidy(self):
        self.damage("UPDATE grant_subsidy SET justified_amount = 0.01 WHERE id = %(s)s")
        self.assertNothingMade("S-CITY.*Justified.*0.01")

    def test_an_entry_of_another_contract_s_subsidy(self):
        """Money of a subsidy that is not among those of the contract is in no row of them."""
        other = self.env["grant.contract"].create({
            "name": "Autre", "code": "OTHER", "funder_id": self.prefecture.id,
            "envelope_ids": [Command.create({"name": "Une", "code": "A", "amount": 5000})],
        })  # fmt: skip
        self.damage(
            f"UPDATE grant_subsidy SET contract_id = {other.id} WHERE id = %(s)s",
        )
        self.assertNothingMade("Committed: 0.00 ≠ 1000.00")

    def test_a_state_changed_behind_the_buttons(self):
        """A state comes from what was decided, not from what the column says."""
        self.damage("UPDATE grant_subsidy SET state = 'closed' WHERE id = %(s)s")
        row = self.get_rows(self.open(), OPERATORS)[0]
        self.assertEqual(row["State"], "Signed")

    def test_nothing_is_left_behind(self):
        """A statement that is given up half-way closes its file, and the next one is made."""
        opened = []

        def write(_statement, stream):
            opened.append(stream)
            stream.write(b"half")
            raise TieOutError("Payment: 1 in the lines, 2 in the summary.")

        with patch.object(xlsx, "write", write):
            self.assertNothingMade("2 in the summary", "xlsx")
        self.assertTrue(opened[0].closed)
        self.assertTrue(openpyxl.load_workbook(io.BytesIO(self.make())))


@tagged("post_install", "-at_install")
class TestIncomplete(StatementCase):
    """What is not filled in leaves an empty cell, and holds nothing back."""

    def test_a_foreign_operator_and_no_dates(self):
        abroad = self.env["res.partner"].create({
            "name": "Verein", "is_company": True, "grant_role": "operator",
            "country_id": self.env.ref("base.de").id,
        })  # fmt: skip
        subsidy = self.make_subsidy(code="S-DE", partner_id=abroad.id, amount=100)
        self.make_tranche(subsidy, name="Sans date", amount=50, due_date=False)
        self.sign(subsidy)
        row = next(r for r in self.get_rows(self.open(), OPERATORS) if r["Subsidy"] == "S-DE")
        self.assertEqual((row["SIRET"], row["RNA"], row["Themes"]), (None, None, None))
        self.assertEqual(row["Action"], "Ateliers", "without an action, the subsidy's object")
        row = self.get_rows(self.open(), TRANCHES)[0]
        self.assertEqual((row["Due on"], row["Order no."], row["Paid on"]), (None, None, None))
        written = self.read_csv(self.read_zip(), TRANCHES)
        self.assertEqual(written[1][6:], ["50,00", "", "Planned", "", "", "0,00", "", ""])

    def test_two_actions_of_one_name(self):
        subsidy = self.make_subsidy(
            code="S-2", amount=100,
            action_ids=[Command.create({"name": "Même", "amount": n}) for n in (60, 40)],
        )  # fmt: skip
        self.sign(subsidy)
        rows = self.get_rows(self.open(), OPERATORS)
        found = [(r["Action"], r["Committed"]) for r in rows if r["Subsidy"] == "S-2"]
        self.assertEqual(found, [("Même", 60), ("Même", 40)])

    def test_one_operator_twice_in_order(self):
        """By payment path, envelope, operator, then code: the same order in each file."""
        first, second = self.operator, self.other_operator
        for code, partner in (("Z", first), ("B", second), ("A", first)):
            self.sign(self.make_subsidy(code=code, amount=10, partner_id=partner.id))
        direct = self.make_subsidy(
            code="0", amount=10, envelope_id=self.direct_envelope.id, partner_id=self.operator.id
        )
        self.sign(direct)
        rows = self.get_rows(self.open(), OPERATORS)
        self.assertEqual([r["Subsidy"] for r in rows if r["Subsidy"]], ["A", "Z", "B", "0"])
        written = self.read_csv(self.read_zip(), OPERATORS)
        self.assertEqual([row[3] for row in written[1:] if row[3]], ["A", "Z", "B", "0"])

    def test_the_programme_of_an_envelope(self):
        self.env.flush_all()
        for programme, action, shown in (
            ("104", "15", "104-15"), ("104", None, "104"), (None, None, None),
        ):  # fmt: skip
            self.env.cr.execute(
                "UPDATE grant_envelope SET programme = %s, programme_action = %s WHERE id = %s",
                [programme, action, self.envelope.id],
            )
            self.env.invalidate_all()
            line, _total = self.get_block(self.open(), self.envelope)
            self.assertEqual(line["Programme"] or None, shown)
