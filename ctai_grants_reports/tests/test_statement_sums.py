import datetime
import random
import re
from decimal import Decimal

import openpyxl

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.ctai_grants.models.ledger.grant_source_mixin import Accounted
from odoo.addons.ctai_grants.tests.common import PDF, set_up_accounting

from .common import LEDGER, OPERATORS, SUMMARY, TRANCHES, YEAR_END, StatementCase, day

LABELS = {
    "allocation": "Allocated",
    "commitment": "Committed",
    "payment": "Paid",
    "justification": "Justified",
    "receipt": "Received",
    "recovery": "Recovered",
}
ZERO = Decimal(0)


def exact(value):
    """A cell as the sum of cents that it stands for."""
    return Decimal(repr(value or 0)).quantize(Decimal("0.01"))


class SumsCase(StatementCase):
    """A contract in which every kind of entry was posted, by every kind of document."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.partner_id.tz = "Europe/Paris"
        cls.city = cls.make_subsidy(
            code="S-CITY",
            amount=10000.10,
            due_rule="pro_rata",
            action_ids=[
                Command.create({"name": "Ateliers", "amount": 6000.03}),
                Command.create({"name": "Permanences", "amount": 3000.04}),
            ],
        )
        cls.one = cls.make_subsidy(
            code="S-ONE", amount=777.77, action_ids=[Command.create({"name": "Sortie"})],
            partner_id=cls.other_operator.id,
        )  # fmt: skip
        cls.direct = cls.make_subsidy(
            code="S-STATE", amount=50000, envelope_id=cls.direct_envelope.id,
            partner_id=cls.other_operator.id,
        )  # fmt: skip
        cls.advance = cls.make_tranche(cls.city, name="Avance", amount=8000.01)
        cls.make_tranche(cls.city, name="Solde", kind="balance", amount=2000.09)
        cls.only = cls.make_tranche(cls.one, name="Tout", amount=777.77)
        cls.versement = cls.make_tranche(cls.direct, name="Versement", amount=20000.99)
        for subsidy in (cls.city, cls.one, cls.direct):
            cls.sign(subsidy)
        cls.post_everything()

    @classmethod
    def post_everything(cls):
        officer, manager = cls.finance_officer, cls.finance_manager
        funding = cls.env["grant.funding"].create(
            {"name": "Acompte", "envelope_id": cls.envelope.id, "amount": 75000}
        )
        funding.with_user(officer)._do_receive(day("2021-11-10"), 74999.99, "DRFIP")
        cls.order(cls.advance, "M-1")
        payments = (("2021-11-25", 0.01), ("2021-12-01", 5000.33), ("2022-01-07", 2999.67))
        for date, amount in payments:
            cls.advance.with_user(officer)._register_payment(day(date), amount, "P")
        cls.pay(cls.only, day("2021-11-30"))
        cls.pay(cls.versement, day("2021-12-15"))
        cls.ask(cls.only, "unpay", manager)
        cls.only.with_user(officer)._do_pay(day("2021-12-02"), "P-2")
        cls.report = cls.env["grant.financial.report"].with_user(cls.both_roles).create({
            "subsidy_id": cls.city.id, "exercise_start": "2021-10-25",
            "exercise_end": "2022-06-30", "budget_amount": 20000, "actual_amount": 15000.5,
            "eligible_amount": 14000.37, "acceptance_date": "2022-07-01",
            "version_id": cls.make_report_file(cls.city).id,
        })  # fmt: skip
        cls.report.with_user(cls.coordinator).action_accept()
        cls.collect(cls.city.recovery_ids)

    @classmethod
    def collect(cls, recovery):
        """A repayment through all its steps, the money in two parts."""
        officer = recovery.with_user(cls.finance_officer)
        with cls.frozen(day("2022-08-01")):
            recovery.with_user(cls.coordinator).action_write_letter()
            officer._do_notify(day("2022-08-01"))
        with cls.frozen(day("2022-08-31")):
            recovery.with_user(cls.finance_manager)._do_decide("Fondé")
        officer._do_claim(day("2022-09-01"))
        officer._do_collect(day("2022-09-10"), "VIR", 99.99)
        officer._do_collect(day("2022-09-20"), "VIR")

    def get_dates(self):
        """Each day on which the ledger moves, the days before, and today."""
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT DISTINCT date FROM grant_entry WHERE contract_id = %s", [self.contract.id]
        )
        days = {date for (date,) in self.env.cr.fetchall()}
        before = {date - datetime.timedelta(days=1) for date in days}
        return sorted(days | before | {datetime.date.today()})


@tagged("post_install", "-at_install")
class TestSums(SumsCase):
    def test_every_kind_of_entry_and_document_is_there(self):
        """Or what follows would judge less than it says."""
        entries = self.env["grant.entry"].search([("contract_id", "=", self.contract.id)])
        self.assertEqual(set(entries.mapped("kind")), set(LABELS))
        self.assertLessEqual(
            {"grant.contract", "grant.subsidy", "grant.disbursement", "grant.funding",
             "grant.financial.report", "grant.recovery"},
            set(entries.mapped("origin_model")),
        )  # fmt: skip

    def test_to_the_cent_at_every_date(self):
        for as_at in self.get_dates():
            book = self.open(as_at)
            with self.subTest(as_at=as_at):
                self.check_summary(book, as_at)
                self.check_operators(book, as_at)
                self.check_tranches(book, as_at)
                self.check_ledger(book, as_at)

    def check_summary(self, book, as_at):
        for envelope in self.contract.envelope_ids:
            sums = self.get_ledger_sums(envelope, as_at)
            own = {kind: sums.get(kind, ZERO) for kind in LABELS}
            expected = {label: own[kind] for kind, label in LABELS.items()}
            held = own["payment"] - own["recovery"]
            expected |= {
                "Available": own["allocation"] - own["commitment"],
                "To pay": own["commitment"] - held,
                "Unjustified": held - own["justification"],
            }
            for line in self.get_block(book, envelope):
                self.assertEqual({label: exact(line[label]) for label in expected}, expected)

    def check_operators(self, book, as_at):
        rows = self.get_rows(book, OPERATORS)
        for kind in ("commitment", "payment", "recovery", "justification"):
            sums = self.sum_ledger(
                "(SELECT code FROM grant_subsidy s WHERE s.id = subsidy_id)",
                "contract_id = %s AND date <= %s AND kind = %s", self.contract.id, as_at, kind,
            )  # fmt: skip
            found = {}
            for row in rows:
                if row["Subsidy"]:
                    found.setdefault(row["Subsidy"], ZERO)
                    found[row["Subsidy"]] += exact(row[LABELS[kind]])
            self.assertEqual({code: n for code, n in found.items() if n},
                             {code: n for code, n in sums.items() if n}, kind)  # fmt: skip
        for row in rows:
            held = exact(row["Paid"]) - exact(row["Recovered"])
            if not held:
                self.assertFalse(row["Justified, %"])
            else:
                rate = exact(row["Justified"]) / held
                self.assertAlmostEqual(row["Justified, %"], float(rate), places=12)

    def check_tranches(self, book, as_at):
        paid = self.sum_ledger(
            "origin_id", "contract_id = %s AND date <= %s AND kind = 'payment' "
            "AND origin_model = 'grant.disbursement'", self.contract.id, as_at,
        )  # fmt: skip
        tranches = self.env["grant.disbursement"].browse(paid)
        expected = {tranche.name: paid[tranche.id] for tranche in tranches}
        rows = self.get_rows(book, TRANCHES)
        found = {row["Tranche"]: exact(row["Paid"]) for row in rows if row["Tranche"]}
        self.assertEqual({name: found.get(name, ZERO) for name in expected}, expected)
        self.assertFalse({n for n, amount in found.items() if amount} - set(expected))

    def check_ledger(self, book, as_at):
        rows = self.get_rows(book, LEDGER)
        if rows[0]["Number"] is None:
            rows = []
        found = {}
        for row in rows:
            key = (row["Chain"], row["Kind"])
            found[key] = found.get(key, ZERO) + exact(row["Amount"])
        expected = {}
        for envelope in self.contract.envelope_ids:
            for kind, total in self.get_ledger_sums(envelope, as_at).items():
                expected[envelope.id, kind.title()] = total
        self.assertEqual(found, expected)

    def test_split_by_action(self):
        """What the ledger knows of an action is in its row, the rest in one row of its own; the
        only action of a subsidy takes all."""
        rows = self.get_rows(self.open(), OPERATORS)
        keys = ("Action", "Amount", "Committed", "Paid")
        found = [tuple(row[k] for k in keys) for row in rows if row["Subsidy"] == "S-CITY"]
        self.assertEqual(
            found,
            [("Ateliers", 6000.03, 6000.03, 0), ("Permanences", 3000.04, 3000.04, 0),
             ("All actions together", 1000.03, 1000.03, 5000.34)],
        )  # fmt: skip
        found = [tuple(row[k] for k in keys) for row in rows if row["Subsidy"] == "S-ONE"]
        self.assertEqual(found, [("Sortie", 777.77, 777.77, 777.77)])
        found = [tuple(row[k] for k in keys) for row in rows if row["Subsidy"] == "S-STATE"]
        self.assertEqual(found, [("Ateliers", 50000, 50000, 20000.99)])

    def test_a_payment_without_a_tranche(self):
        """What the city spends itself: in a row of its own, in the totals too."""
        own = self.make_subsidy(
            code="S-OWN", kind="own_cost", partner_id=self.company.partner_id.id, amount=1200,
        )  # fmt: skip
        self.sign(own)
        self.env["grant.entry"]._post(own, Accounted([{
            "kind": "payment", "envelope_id": self.envelope.id, "subsidy_id": own.id,
            "date": day("2021-11-30"), "amount": 1000.55,
        }]))  # fmt: skip
        rows = self.get_rows(self.open(), TRANCHES)
        row = next(row for row in rows if row["Subsidy"] == "S-OWN")
        self.assertEqual(
            (row["Tranche"], row["Paid"], row["State"]),
            ("Payments without a tranche", 1000.55, None),
        )
        total = next(row for row in rows if row["Operator"] == "Total, city")
        paid = self.get_ledger_sums(self.envelope, YEAR_END)["payment"]
        self.assertEqual(exact(total["Paid"]), paid)

    def test_an_archived_subsidy_still_counts(self):
        """No button does that to what has money; who does it by SQL hides none of it."""
        self.env.flush_all()
        self.env.cr.execute("UPDATE grant_subsidy SET active = false WHERE id = %s", [self.one.id])
        self.env.invalidate_all()
        rows = self.get_rows(self.open(), OPERATORS)
        self.assertEqual([r["Paid"] for r in rows if r["Subsidy"] == "S-ONE"], [777.77])

    def test_a_thousand_random_cents(self):
        """No rounding of floats adds up to a cent: 300 amounts, each of some cents."""
        chance = random.Random(2021)
        lines = [
            {
                "kind": "payment", "envelope_id": self.direct_envelope.id,
                "subsidy_id": self.direct.id, "date": day("2021-12-20"),
                "amount": chance.randint(1, 9999) / 100,
            }
            for _line in range(300)
        ]  # fmt: skip
        self.env["grant.entry"]._post(self.direct, Accounted(lines))
        cents = sum(round(line["amount"] * 100) for line in lines) + 2000099
        line, total = self.get_block(self.open(), self.direct_envelope)
        self.assertEqual(exact(line["Paid"]), Decimal(cents) / 100)
        self.assertEqual(exact(total["Paid"]), Decimal(cents) / 100)
        written = self.read_csv(self.read_zip(), SUMMARY)
        self.assertTrue(any(f"{cents / 100:.2f}".replace(".", ",") in row for row in written))

    # --- Excel computes the sums again, whatever we wrote beside them: so do we -------------

    def test_formulas_come_to_what_is_written(self):
        for as_at in (day("2021-10-20"), YEAR_END, datetime.date.today()):
            book, written = self.open(as_at, values=False), self.open(as_at)
            count = 0
            for sheet, values in zip(book.worksheets, written.worksheets, strict=True):
                for row in sheet.iter_rows():
                    for cell in row:
                        if cell.data_type != "f":
                            continue
                        value = values[cell.coordinate].value
                        with self.subTest(as_at=as_at, cell=f"{sheet.title}!{cell.coordinate}"):
                            computed = self.compute(book, sheet, cell.value)
                            if value in (None, ""):
                                self.assertIsNone(computed)
                            else:
                                self.assertAlmostEqual(computed, value, places=6)
                        count += 1
            self.assertGreater(count, 30)

    def compute(self, book, sheet, formula):
        """What a formula of ours comes to, its cells computed too; None for an empty text."""
        text = formula.removeprefix("=")
        if match := re.fullmatch(r"SUMIFS\((.*)\)", text):
            return self.compute_sumifs(book, sheet, match[1].split(","))
        if match := re.fullmatch(r"SUM\((.*)\)", text):
            return sum(self.get_cells(book, sheet, match[1]))
        if match := re.fullmatch(r'IF\((.*)=0,"",\((.*)\)/\((.*)\)\)', text):
            base = round(self.compute(book, sheet, match[1]), 6)
            return self.compute(book, sheet, match[2]) / base if base else None
        total = 0
        for sign, cell in re.findall(r"([+-]?)([A-Z]+\d+|0)", text):
            value = 0 if cell == "0" else self.get_cells(book, sheet, cell)[0]
            total += -value if sign == "-" else value
        return total

    def compute_sumifs(self, book, sheet, arguments):
        amounts = self.get_cells(book, sheet, arguments[0])
        keep = [True] * len(amounts)
        for cells, wanted in zip(arguments[1::2], arguments[2::2], strict=True):
            wanted = (
                wanted.strip('"')
                if wanted.startswith('"')
                else self.get_cells(book, sheet, wanted)[0]
            )
            values = self.get_cells(book, sheet, cells)
            keep = [k and value == wanted for k, value in zip(keep, values, strict=True)]
        return sum(amount for amount, kept in zip(amounts, keep, strict=True) if kept)

    def get_cells(self, book, sheet, address):
        name, _sign, cells = address.rpartition("!")
        if name:
            sheet = book[name.strip("'").replace("''", "'")]
        found = sheet[cells.replace("$", "")]
        rows = found if isinstance(found, tuple) else ((found,),)
        return [
            self.compute(book, sheet, cell.value) if cell.data_type == "f" else cell.value or 0
            for row in rows
            for cell in row
        ]


@tagged("post_install", "-at_install")
class TestCompanies(StatementCase):
    """Two cities in one database: each one's statement is its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(code="S-1", amount=1000)
        cls.sign(cls.subsidy)
        cls.other_city = cls.env["res.company"].create({"name": "Autre ville"})
        cls.other_city.partner_id.tz = "America/Martinique"
        cls.theirs = cls.env["grant.contract"].create({
            "name": "Leur contrat", "code": "TEST-2021", "funder_id": cls.prefecture.id,
            "signature_date": "2021-10-21", "company_id": cls.other_city.id,
            "date_start": "2021-10-21", "date_end": "2022-12-31",
            "envelope_ids": [Command.create({"name": "Leurs", "code": "A", "amount": 333.33})],
        })  # fmt: skip
        cls.both = new_test_user(
            cls.env, "test_both_cities", "ctai_grants.group_finance_manager",
            company_ids=[Command.set((cls.company | cls.other_city).ids)],
        )  # fmt: skip
        set_up_accounting(cls.other_city)
        cls.theirs.with_user(cls.both).with_company(cls.other_city).action_put_in_force()
        cls.clerk = new_test_user(
            cls.env, "test_their_clerk", "ctai_grants.group_coordinator",
            company_id=cls.other_city.id, company_ids=[Command.set(cls.other_city.ids)],
        )  # fmt: skip

    def test_each_one_s_own_money(self):
        mine = self.open()
        theirs = self.open(contract=self.theirs, user=self.clerk)
        self.assertEqual(self.get_block(mine, self.envelope)[1]["Allocated"], 150000)
        self.assertEqual(
            self.get_block(theirs, self.theirs.envelope_ids)[1]["Allocated"], 333.33
        )
        texts = self.get_texts(theirs)
        self.assertIn("Autre ville", texts)
        self.assertNotIn("S-1", texts)
        self.assertTrue([t for t in texts if "America/Martinique" in t])
        self.assertIn(self.company.name, self.get_texts(mine))
        self.assertTrue([text for text in self.get_texts(mine) if "S-1" in text])

    def test_nobody_gets_the_other_one_s(self):
        for user, contract in ((self.clerk, self.contract), (self.coordinator, self.theirs)):
            with self.assertRaises(AccessError):
                self.make(user=user, contract=contract)

    def test_who_works_for_both_gets_both(self):
        """The company that is switched on does not matter to what a statement holds."""
        both = self.both.with_context(allowed_company_ids=(self.company | self.other_city).ids)
        for contract, clerk in ((self.contract, self.coordinator), (self.theirs, self.clerk)):
            mine = self.make(contract=contract.with_env(both.env), user=self.both)
            self.assertEqual(mine, self.make(contract=contract, user=clerk))

    def test_their_currency(self):
        currency = self.env.ref("base.CHF")
        currency.active = True
        other = self.env["res.company"].create({"name": "Genève", "currency_id": currency.id})
        contract = self.env["grant.contract"].create(
            {
                "name": "À eux",
                "code": "CHF",
                "funder_id": self.prefecture.id,
                "company_id": other.id,
                "envelope_ids": [Command.create({"name": "Une", "code": "A", "amount": 5})],
            }
        )
        stream, *_rest = self.env["grant.statement.data"]._make(contract, YEAR_END, "xlsx")
        with stream:
            book = openpyxl.load_workbook(stream)
        cells = [cell for row in book.worksheets[SUMMARY].iter_rows() for cell in row]
        formats = {cell.number_format for cell in cells}
        self.assertIn(f'#,##0.00\\ "{currency.symbol}"', formats)
        self.assertFalse([text for text in formats if "€" in text])


@tagged("post_install", "-at_install")
class TestContractAmended(StatementCase):
    """What an amendment allots counts from its signature, in the sums as in the ceilings."""

    def test_before_and_after(self):
        today = day("2022-03-01")
        with self.frozen("2022-03-01 12:00"):
            draft = self.env["grant.amendment"].with_user(self.coordinator).create({
                "contract_id": self.contract.id, "reason": "Plus", "decision_number": "D-2",
                "decision_date": "2022-02-01", "executory_date": "2022-02-10",
                "signature_date": today, "date_end": "2023-06-30",
                "attachment_ids": [Command.create({"name": "avenant.pdf", "raw": PDF})],
            })  # fmt: skip
            draft.attachment_ids.write({"res_model": draft._name, "res_id": draft.id})
            line = draft.envelope_line_ids.filtered(lambda row: row.item_id == self.envelope.id)
            line.amount = 160000.50
            draft.with_user(self.finance_manager).action_sign()
        for as_at, allotted, end in (
            (day("2022-02-28"), 150000, "31/12/2022"), (today, 160000.50, "30/06/2023")
        ):  # fmt: skip
            book = self.open(as_at)
            cover = {row[0]: row[1] for row in book.worksheets[SUMMARY].values}
            self.assertEqual(cover["Period"], f"21/10/2021 – {end}")
            self.assertEqual(self.get_block(book, self.envelope)[0]["Allocated"], allotted)
            documents = [row["Document"] for row in self.get_rows(book, LEDGER)]
            self.assertEqual("Amendment – 1" in documents, as_at == today)
