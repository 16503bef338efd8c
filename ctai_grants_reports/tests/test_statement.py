import csv
import datetime
import io
import re
from decimal import Decimal

import openpyxl

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, freeze_time, tagged

from odoo.addons.ctai_grants.lib.ledger.chain import first_break
from odoo.addons.ctai_grants.tests.common import PDF

from .common import LEDGER, OPERATORS, PIECES, SUMMARY, TRANCHES, YEAR_END, StatementCase

SIRET = "33417522100012"


@tagged("post_install", "-at_install")
class TestStatement(StatementCase):
    """The files of a small contract, opened again and compared with the ledger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Before the contract: a statement calls everybody as on its date.
        with freeze_time("2021-01-04 12:00:00"):
            cls.operator.write({"company_registry": SIRET, "rna": "W863001234", "name": "=cmd()"})
        cls.subsidy = cls.make_subsidy(
            code="S-CITY",
            amount=10000,
            action_ids=[
                (0, 0, {"name": "+Ateliers", "amount": 6000}),
                (0, 0, {"name": "Permanences", "amount": 3000}),
            ],
        )
        cls.advance = cls.make_tranche(cls.subsidy, name="Avance", amount=4000.10)
        cls.balance = cls.make_tranche(cls.subsidy, name="Solde", amount=2000)
        cls.piece = cls.make_deliverable(cls.subsidy, name="@Bilan")
        cls.direct = cls.make_subsidy(
            code="S-STATE",
            envelope_id=cls.direct_envelope.id,
            partner_id=cls.other_operator.id,
            amount=50000,
        )
        cls.state_tranche = cls.make_tranche(cls.direct, name="Versement", amount=20000)
        cls.sign(cls.subsidy)
        cls.sign(cls.direct)
        cls.pay(cls.advance, datetime.date(2021, 11, 25))
        cls.pay(cls.state_tranche, datetime.date(2021, 12, 2))
        cls.order(cls.balance, "M-2")
        cls.balance.with_user(cls.finance_officer)._do_pay(datetime.date(2022, 2, 1), "P-2")
        cls.version = cls.piece.with_user(cls.operator_user)._do_submit("bilan.pdf", PDF)
        cls.piece.with_user(cls.coordinator).action_accept()

    # ------------------------------------------------------------------

    def test_summary_equals_the_ledger(self):
        labels = {
            "allocation": "Allocated",
            "commitment": "Committed",
            "payment": "Paid",
            "justification": "Justified",
            "receipt": "Received",
            "recovery": "Recovered",
        }
        for as_at in (datetime.date(2021, 10, 21), YEAR_END, datetime.date(2022, 2, 1)):
            book = self.open(as_at)
            for envelope in self.contract.envelope_ids:
                sums = self.get_ledger_sums(envelope, as_at)
                line, total = self.get_block(book, envelope)
                for kind, label in labels.items():
                    with self.subTest(as_at=as_at, envelope=envelope.name, kind=kind):
                        expected = sums.get(kind, Decimal(0))
                        self.assertEqual(Decimal(str(line[label])), expected)
                        self.assertEqual(Decimal(str(total[label])), expected)
                self.assertAlmostEqual(line["Available"], line["Allocated"] - line["Committed"])

    def test_as_at_before_and_after_a_payment(self):
        for as_at, paid, state in (
            (datetime.date(2022, 1, 31), 4000.10, "Ordered"),
            (datetime.date(2022, 2, 1), 6000.10, "Paid Out"),
        ):
            book = self.open(as_at)
            self.assertEqual(self.get_block(book, self.envelope)[0]["Paid"], paid)
            tranche = next(r for r in self.get_rows(book, 2) if r["Tranche"] == "Solde")
            self.assertEqual(tranche["State"], state)
            self.assertEqual(tranche["Order no."], "M-2")
            ordered = self.subsidy.disbursement_ids.filtered(lambda t: t.order_number == "M-2")
            self.assertEqual(tranche["Batch no."], ordered.order_batch_id.number)
            self.assertTrue(tranche["Batch no."])
            self.assertEqual(tranche["Paid on"] is not None, state == "Paid Out")
        before = self.open(datetime.date(2021, 11, 19))
        tranche = next(r for r in self.get_rows(before, 2) if r["Tranche"] == "Solde")
        self.assertEqual((tranche["State"], tranche["Order no."]), ("Planned", None))

    def test_an_order_not_paid_yet_is_ordered(self):
        book = self.open(datetime.date(2021, 11, 20))
        states = {row["Tranche"]: row["State"] for row in self.get_rows(book, 2)[:3]}
        self.assertEqual(states, {"Avance": "Ordered", "Solde": "Ordered", "Versement": "Planned"})

    def test_a_cancelled_payment_is_not_paid(self):
        self.advance.with_user(self.finance_manager)._do_unpay("Erreur de saisie")
        book = self.open()
        tranche = next(r for r in self.get_rows(book, 2) if r["Tranche"] == "Avance")
        self.assertEqual((tranche["State"], tranche["Paid"]), ("Ordered", 0))
        self.assertEqual(self.get_block(book, self.envelope)[0]["Paid"], 0)

    def test_sums_are_formulas(self):
        book = self.open(values=False)
        cached = self.open()
        names = [
            "Summary", "Operators and actions", "Tranches", "Month by month", "Costs of the city",
            "Financial reports", "Indicators", "Amendments", "Pieces", "Ledger",
        ]  # fmt: skip
        self.assertEqual(book.sheetnames, names)
        line, total = self.get_block(book, self.envelope)
        self.assertRegex(
            line["Paid"], r"^=SUMIFS\('Ledger'!\$I\$2:\$I\$\d+,.*,B\d+,.*,\"Payment\"\)$"
        )
        self.assertRegex(total["Paid"], r"^=SUM\(\$G\$\d+\)$")
        self.assertRegex(line["To pay"], r"^=F\d+-G\d+\+J\d+$")
        for number, column in ((1, "Committed"), (1, "Paid"), (2, "Amount"), (2, "Paid")):
            rows, values = self.get_rows(book, number), self.get_rows(cached, number)
            for who, label in (("City", "Total, city"), ("State", "Total, State")):
                formula = next(r for r in rows if next(iter(r.values())) == label)[column]
                self.assertTrue(formula.startswith("=SUMIFS("), formula)
                total = next(r for r in values if next(iter(r.values())) == label)[column]
                parts = [
                    Decimal(str(row[column]))
                    for row in values
                    if row["Paid by"] == who and not row["Operator"].startswith("Total, ")
                ]
                self.assertEqual(Decimal(str(total)), sum(parts))

    def test_direct_money_is_in_no_total_of_the_city(self):
        book = self.open()
        texts = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]
        self.assertIn("Paid to the operators by the State itself", texts)
        self.assertTrue([t for t in texts if "in no total of what the city paid" in str(t)])
        self.assertNotIn(24000.10, texts)
        self.assertEqual(self.get_block(book, self.envelope)[1]["Paid"], 4000.10)
        self.assertEqual(self.get_block(book, self.direct_envelope)[1]["Paid"], 20000)
        totals = {r["Operator"]: r["Paid"] for r in self.get_rows(book, 1)}
        self.assertEqual((totals["Total, city"], totals["Total, State"]), (4000.10, 20000))

    def test_operators_and_actions(self):
        rows = [r for r in self.get_rows(self.open(), 1) if r["Subsidy"] == "S-CITY"]
        self.assertEqual(
            [(row["Action"], row["Amount"], row["Committed"], row["Paid"]) for row in rows],
            [
                ("+Ateliers", 6000, 6000, 0),
                ("Permanences", 3000, 3000, 0),
                ("All actions together", 1000, 1000, 4000.10),
            ],
        )
        self.assertEqual(rows[0]["SIRET"], SIRET)
        self.assertEqual(rows[0]["RNA"], "W863001234")
        self.assertEqual(rows[0]["State"], "Signed")

    def test_an_amendment_signed_later_changes_nothing_before(self):
        """As at the end of 2021, cell by cell; from its signature on, what it says."""
        planned = self.make_tranche(self.subsidy, name="Reste", amount=1000, due_date="2022-04-30")
        before = self.make()
        draft = self.env["grant.amendment"].with_user(self.coordinator).create(
            {
                "subsidy_id": self.subsidy.id, "amount": 12000, "reason": "Suite",
                "decision_number": "D-2", "decision_date": "2022-02-01",
                "executory_date": "2022-02-10", "signature_date": "2022-03-01",
                "attachment_ids": [(0, 0, {"name": "avenant.pdf", "raw": PDF})],
                "action_line_ids": [
                    (0, 0, {"item_model": "grant.action", "name": "Forum", "amount": 2000})
                ],
                "tranche_line_ids": [
                    (0, 0, {"item_model": "grant.disbursement", "name": "Plus", "amount": 1500})
                ],
                "milestone_line_ids": [
                    (0, 0, {
                        "item_model": "grant.milestone", "name": "Suite", "date": "2022-12-31",
                    })
                ],
            }
        )  # fmt: skip
        draft.attachment_ids.write({"res_model": draft._name, "res_id": draft.id})
        line = draft.tranche_line_ids.filtered(lambda line: line.name == "Reste")
        line.write({"amount": 1500, "date": "2022-06-30"})
        draft.with_user(self.finance_manager).action_sign()
        self.env.invalidate_all()
        self.assertEqual(planned.amount, 1500)
        for as_at, amounts, actions, pieces in (
            (YEAR_END, [1000, 2000, 4000.1], [1000, 3000, 6000], ["@Bilan"]),
            (
                datetime.date(2022, 3, 1), [1500, 1500, 2000, 4000.1], [1000, 2000, 3000, 6000],
                ["@Bilan", "Suite"],
            ),
        ):  # fmt: skip
            book = self.open(as_at)
            _envelopes, subsidies, tranches, of_pieces = (
                [r for r in self.get_rows(book, n) if r.get("Subsidy") == "S-CITY"]
                for n in (SUMMARY, OPERATORS, TRANCHES, PIECES)
            )
            with self.subTest(as_at=as_at):
                self.assertEqual(sorted(row["Amount"] for row in tranches), amounts)
                self.assertEqual(sorted(row["Amount"] for row in subsidies), actions)
                self.assertEqual(sum(row["Committed"] for row in subsidies), sum(actions))
                self.assertEqual(sorted(row["Piece"] for row in of_pieces), pieces)
        sheets = [openpyxl.load_workbook(io.BytesIO(c)).worksheets for c in (before, self.make())]
        for old, new in zip(*(book[1:4] for book in sheets), strict=True):
            self.assertEqual(list(old.values), list(new.values))

    def test_what_people_typed_is_never_a_formula(self):
        book = self.open(values=False)
        typed = [
            cell
            for sheet in book.worksheets
            for row in sheet.iter_rows()
            for cell in row
            if cell.value in ("=cmd()", "+Ateliers", "@Bilan", SIRET)
        ]
        self.assertEqual({cell.data_type for cell in typed}, {"s"})
        self.assertEqual({cell.value for cell in typed}, {"=cmd()", "+Ateliers", "@Bilan", SIRET})

    def test_pieces(self):
        row = self.get_rows(self.open(datetime.date.today()), PIECES)[0]
        self.assertEqual((row["Piece"], row["Version"]), ("@Bilan", 1))
        self.assertEqual((row["File"], row["SHA-256"]), ("bilan.pdf", self.version.sha256))
        self.assertEqual((row["State as at " + self.day], row["Last decision"]), ("Accepted",) * 2)
        later = self.get_rows(self.open(), PIECES)[0]
        self.assertEqual(later["State as at 31/12/2021"], "Handed in later")

    @property
    def day(self):
        return datetime.date.today().strftime("%d/%m/%Y")

    def test_a_piece_not_handed_in_is_expected(self):
        self.make_deliverable(self.direct, name="Rapport")
        row = next(r for r in self.get_rows(self.open(), PIECES) if r["Piece"] == "Rapport")
        self.assertEqual((row["State as at 31/12/2021"], row["SHA-256"]), ("Expected", None))

    def test_ledger_lines(self):
        rows = self.get_rows(self.open(), LEDGER)
        entries = self.env["grant.entry"].search(
            [("contract_id", "=", self.contract.id), ("date", "<=", YEAR_END)],
            order="envelope_id, number",
        )
        self.assertEqual(
            [(row["Chain"], row["Number"], row["Amount"], row["SHA-256"]) for row in rows],
            [(e.envelope_id.id, e.number, e.amount, e.hash) for e in entries],
        )
        self.assertEqual(rows[0]["Date"], datetime.datetime(2021, 10, 21))

    def test_position_of_the_ledger(self):
        book = self.open()
        texts = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]
        for envelope in self.contract.envelope_ids:
            self.assertIn(envelope.chain_head, texts)
            self.assertIn(envelope.entry_count, texts)

    def test_formats_and_print_set_up(self):
        book = self.open()
        for sheet in book.worksheets:
            self.assertEqual(sheet.page_setup.orientation, "landscape")
            self.assertEqual(sheet.page_setup.fitToHeight, 0)
            self.assertTrue(sheet.sheet_properties.pageSetUpPr.fitToPage)
            self.assertIn("TEST-2021", sheet.oddHeader.left.text)
            self.assertEqual(sheet.oddFooter.right.text, "&P / &N")
        for sheet in book.worksheets[1:]:
            self.assertEqual(sheet.freeze_panes, "A2")
            self.assertEqual(sheet.print_title_rows, "$1:$1")
            self.assertTrue(sheet.auto_filter.ref)
        ledger = book.worksheets[LEDGER]
        self.assertEqual(ledger["C2"].number_format, "dd/mm/yyyy")
        symbol = self.contract.currency_id.symbol
        self.assertEqual(ledger["I2"].number_format, f'#,##0.00\\ "{symbol}"')
        self.assertEqual(len(book.worksheets[0]._charts), 1)

    def test_same_ledger_same_bytes(self):
        for file_format in ("xlsx", "csv"):
            first = self.make(file_format=file_format)
            self.env.invalidate_all()
            self.assertEqual(first, self.make(file_format=file_format))
            self.assertEqual(first, self.make(file_format=file_format, user=self.prefecture_user))

    # ------------------------------------------------------------------

    def test_csv_for_french_spreadsheets(self):
        files = self.read_zip()
        self.assertEqual(
            sorted(files),
            [
                "1-summary.csv",
                "10-ledger.csv",
                "2-operators-and-actions.csv",
                "3-tranches.csv",
                "4-month-by-month.csv",
                "5-costs-of-the-city.csv",
                "6-financial-reports.csv",
                "7-indicators.csv",
                "8-amendments.csv",
                "9-pieces.csv",
                "ledger.csv",
            ],
        )
        for name, content in files.items():
            self.assertEqual(content.startswith("\ufeff".encode()), name != "ledger.csv", name)
        operators = files["2-operators-and-actions.csv"].decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(operators, newline=""), delimiter=";"))
        self.assertEqual(rows[0]["Operator"], "'=cmd()")
        self.assertEqual(rows[0]["SIRET"], "334 175 221 00012")
        self.assertEqual(rows[0]["Action"], "'+Ateliers")
        self.assertEqual(rows[2]["Paid"], "4000,10")
        tranches = files["3-tranches.csv"].decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(tranches, newline=""), delimiter=";"))
        self.assertEqual(rows[0]["Paid on"], "25/11/2021")

    def test_no_csv_cell_begins_like_a_formula(self):
        for name, content in self.read_zip().items():
            if name == "ledger.csv":
                continue
            text = content.decode("utf-8-sig")
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=";"):
                for cell in row:
                    number = re.fullmatch(r"-\d+,\d\d", cell)
                    self.assertFalse(cell.startswith(tuple("=+-@\t\r")) and not number, cell)

    def test_ledger_csv_verifies_without_odoo(self):
        content = self.read_zip()["ledger.csv"].decode()
        rows = list(csv.DictReader(io.StringIO(content, newline="")))
        self.assertEqual(len(rows), sum(self.contract.envelope_ids.mapped("entry_count")))
        for envelope in self.contract.envelope_ids:
            entries = [row for row in rows if row["envelope_id"] == str(envelope.id)]
            self.assertIsNone(first_break(entries, envelope.chain_head))
            changed = [dict(entry) for entry in entries]
            changed[1]["amount"] = "1.00"
            self.assertIn("entry 2 was altered", first_break(changed, envelope.chain_head))
            self.assertIn("not the head", first_break(entries[:-1], envelope.chain_head))
            paid = sum(
                Decimal(entry["amount"])
                for entry in entries
                if entry["kind"] == "payment" and entry["date"] <= "2021-12-31"
            )
            self.assertEqual(paid, self.get_ledger_sums(envelope, YEAR_END)["payment"])

    # ------------------------------------------------------------------

    def test_empty_contract(self):
        contract = self.env["grant.contract"].create(
            {"name": "Vide", "code": "VIDE/2022", "funder_id": self.prefecture.id}
        )
        book = self.open(contract=contract)
        self.assertEqual(self.name, "statement_VIDE-2022_2021-12-31.xlsx")
        self.assertEqual(book.worksheets[LEDGER]["A2"].value, "Nothing at this date.")
        self.assertEqual(len(self.read_zip(contract=contract)["ledger.csv"].splitlines()), 1)

    def test_before_the_contract(self):
        line, total = self.get_block(self.open(datetime.date(2021, 1, 1)), self.envelope)
        self.assertEqual((line["Allocated"], total["Allocated"]), (0, 0))

    def test_closed_contract(self):
        for subsidy in (self.subsidy, self.direct):
            subsidy.with_user(self.finance_manager)._do_close("Terminé")
        self.contract.with_user(self.finance_manager).action_close()
        before = self.open()
        today = datetime.date.today()
        after = self.open(today)
        self.assertEqual(self.get_block(before, self.envelope)[0]["Committed"], 10000)
        self.assertEqual(self.get_block(after, self.envelope)[0]["Committed"], 6000.10)
        self.assertEqual(self.get_rows(before, 1)[0]["State"], "Signed")
        self.assertEqual(self.get_rows(after, 1)[0]["State"], "Closed Out")

    def test_what_is_not_granted_yet_is_not_shown(self):
        self.make_subsidy(code="S-DRAFT")
        later = self.make_subsidy(code="S-LATER", decision_date="2022-03-01")
        later.with_user(self.coordinator).action_grant()
        granted = self.make_subsidy(code="S-GRANTED", amount=500)
        granted.with_user(self.coordinator).action_grant()
        rows = self.get_rows(self.open(), 1)
        states = {row["Subsidy"]: row["State"] for row in rows if row["Subsidy"]}
        self.assertEqual(states.get("S-GRANTED"), "Granted")
        self.assertNotIn("S-DRAFT", states)
        self.assertNotIn("S-LATER", states)

    def test_a_future_date_is_refused(self):
        tomorrow = datetime.date.today() + datetime.timedelta(days=1)
        with self.assertRaisesRegex(UserError, "after today"):
            self.make(tomorrow)

    def test_nothing_is_handed_out_when_a_counter_is_wrong(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE grant_envelope DISABLE TRIGGER grant_envelope_counters")
        self.env.cr.execute(
            "UPDATE grant_envelope SET paid_amount = paid_amount + 1 WHERE id = %s",
            [self.envelope.id],
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "does not tie out"):
            self.make()

    def test_other_prefectures_and_operators_get_nothing(self):
        other = self._make_organisation("Autre préfecture", "prefecture")
        stranger = self._make_portal_user("prefecture", other, "stranger_")
        for user in (stranger, self.operator_user):
            with self.assertRaises(AccessError):
                self.make(user=user)
        for user in (self.reader, self.finance_officer, self.prefecture_user):
            self.assertTrue(self.make(user=user))

    def test_wizard(self):
        form = Form(
            self.env["grant.statement.wizard"]
            .with_user(self.reader)
            .with_context(default_contract_id=self.contract.id)
        )
        form.as_at = "2021-12-31"
        form.file_format = "csv"
        action = form.save().action_download()
        self.assertEqual(
            action["url"],
            f"/grants/contracts/{self.contract.id}/statement?as_at=2021-12-31&file_format=csv",
        )

    def test_wizard_refuses_the_future(self):
        with self.assertRaisesRegex(UserError, "after today"):
            self.env["grant.statement.wizard"].create(
                {"contract_id": self.contract.id, "as_at": "2999-01-01"}
            )
