import csv
import datetime
import io
import re
import zipfile
from unittest.mock import patch

import openpyxl

from odoo import Command
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.ctai_grants.models.ledger.grant_source_mixin import Accounted
from odoo.addons.ctai_grants.tests.common import PDF

from ..lib import xlsx
from ..models import grant_statement_ledger
from .common import LEDGER, OPERATORS, PIECES, SUMMARY, TRANCHES, YEAR_END, day
from .test_statement_sums import SumsCase

# Each begins like a formula, for some spreadsheet.
FORMULAS = ("=1+1", "+33 6", "-2", "@SUM(A1)", "\t=1", "＝1+1", "＋1", "－1", "＠A1")


@tagged("post_install", "-at_install")
class TestCells(SumsCase):
    """The workbook and the CSV files say the same, cell by cell, and nothing in them runs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator.write({"rna": "W863001234", "name": 'Asso "A"; fils\net Cie'})
        cls.piece = cls.make_deliverable(cls.city, name="Bilan")
        cls.piece.with_user(cls.operator_user)._do_submit("=cmd.pdf", PDF)

    def test_any_sign(self):
        """Chinese, Arabic, emoji, controls, and names that only look different."""
        signs = "团结 مؤسسة 😀 👨‍👩‍👧 \ue000\u200b [a]:*?/\\ '"
        self.operator.name = f"Maison {signs}"
        self.contract.name = f"Contrat {signs}"
        for envelope in self.contract.envelope_ids:
            envelope.name = f"Enveloppe {signs}"
        for as_at in (day("2021-11-25"), YEAR_END):
            book, files = self.open(as_at), self.read_zip(as_at)
            for number in (OPERATORS, TRANCHES, PIECES):
                self.compare(book.worksheets[number], self.read_csv(files, number), book)
            texts = " ".join(str(text) for text in self.get_texts(book))
            for part in ("团结", "مؤسسة", "😀"):
                self.assertIn(part, texts)
        # What a spreadsheet writes in a way of its own.
        self.operator.name = "Maison \x07\x0b\ufffe _x0041_"
        self.assertTrue(self.open() and self.read_zip())

    def to_text(self, cell, column):
        """A cell of the workbook as a French spreadsheet would write it."""
        value = cell.value
        if value is None:
            return ""
        if isinstance(value, datetime.datetime):
            has_time = "hh" in cell.number_format
            return value.strftime("%d/%m/%Y %H:%M" if has_time else "%d/%m/%Y")
        if cell.number_format.startswith("#,##0.00"):
            return f"{value:.2f}".replace(".", ",")
        if "%" in cell.number_format:
            return f"{100 * value:.1f} %".replace(".", ",")
        if column == "SIRET":
            return re.sub(r"^(\d{3})(\d{3})(\d{3})(\d{5})$", r"\1 \2 \3 \4", value)
        return f"'{value}" if str(value).startswith("=") else str(value)

    def test_every_list_at_every_date(self):
        for as_at in (day("2021-10-20"), day("2021-11-25"), YEAR_END, datetime.date.today()):
            book, files = self.open(as_at), self.read_zip(as_at)
            for number in (OPERATORS, TRANCHES, PIECES, LEDGER):
                with self.subTest(as_at=as_at, sheet=number):
                    self.compare(book.worksheets[number], self.read_csv(files, number), book)

    def compare(self, sheet, written, book):
        header = [cell.value for cell in sheet[1]]
        lines = [
            [self.to_text(cell, column) for cell, column in zip(row, header, strict=True)]
            for row in sheet.iter_rows(min_row=2)
        ]
        lines = [line for line in lines if any(line)]
        if lines and lines[0][0] == "Nothing at this date.":
            lines = []
        self.assertEqual(written[0], header)
        # openpyxl gives line breaks back as they are in XML.
        self.assertEqual([[text.replace("\r", "") for text in row] for row in written[1:]], lines)

    def test_the_summary(self):
        book, files = self.open(), self.read_zip()
        rows = [
            [self.to_text(cell, None) for cell in row]
            for row in book.worksheets[SUMMARY].iter_rows()
        ]
        rows = [[text for text in row if text] for row in rows]
        written = [[text for text in row if text] for row in self.read_csv(files, SUMMARY)]
        # The notes come before the chart there, and at the end here.
        self.assertCountEqual([row for row in written if row], [row for row in rows if row])

    def test_both_have_the_same_lists(self):
        book, files = self.open(), self.read_zip()
        self.assertEqual(len(files), len(book.sheetnames) + 1)
        for number, title in enumerate(book.sheetnames, 1):
            name = f"{number}-{title.lower().replace(' ', '-')}.csv"
            self.assertIn(name, files)

    def test_the_ledger_to_verify_holds_what_the_sheet_shows(self):
        """And what is later: chains are verified whole."""
        text = self.read_zip()["ledger.csv"].decode()
        chain = {row["hash"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
        shown = self.get_rows(self.open(), LEDGER)
        for row in shown:
            entry = chain[row["SHA-256"]]
            self.assertEqual(int(entry["number"]), row["Number"])
            self.assertEqual(float(entry["amount"]), row["Amount"])
            self.assertEqual(entry["date"], row["Date"].date().isoformat())
        later = [entry for entry in chain.values() if entry["date"] > "2021-12-31"]
        self.assertEqual(len(chain), len(shown) + len(later))
        self.assertTrue(later)

    # --- what people typed is text, whatever it begins with ---------------------------------

    def rename(self, text):
        """Everything that has a name a person can choose, called so."""
        self.env.flush_all()
        for table, column, record in (
            ("res_partner", "name", self.operator),
            ("grant_subsidy", "code", self.city),
            ("grant_action", "name", self.city.action_ids[0]),
            ("grant_disbursement", "name", self.advance),
            ("grant_disbursement", "order_number", self.advance),
            ("grant_deliverable", "name", self.piece),
            ("grant_envelope", "code", self.envelope),
            ("grant_contract", "name", self.contract),
        ):
            query = f"UPDATE {table} SET {column} = %s WHERE id = %s"
            self.env.cr.execute(query, [text, record.id])
        self.env.invalidate_all()

    def test_no_formula_of_theirs(self):
        for text in FORMULAS:
            self.rename(text)
            with self.subTest(text=text):
                self.check_workbook(text)
                self.check_files(text)

    def check_workbook(self, text):
        book = self.open(values=False)
        typed = 0
        for sheet in book.worksheets:
            for row in sheet.iter_rows():
                for cell in row:
                    if cell.data_type == "f":
                        self.assertRegex(cell.value, r"^=(SUM(IFS)?\(|IF\(|[A-Z]+\d+[-+])")
                    elif isinstance(cell.value, str) and text.strip() in cell.value:
                        self.assertEqual((cell.data_type, cell.hyperlink), ("s", None))
                        typed += 1
        self.assertGreaterEqual(typed, 8)

    def check_files(self, text):
        files = self.read_zip()
        typed = 0
        for number in range(5):
            for row in self.read_csv(files, number):
                for cell in row:
                    is_number = re.fullmatch(r"-\d+,\d\d", cell)
                    self.assertFalse(cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) and not is_number)
                    typed += cell == f"'{text}"
        self.assertGreaterEqual(typed, 8)

    def test_the_file_of_a_hand_in(self):
        files = [row["File"] for row in self.get_rows(self.open(datetime.date.today()), PIECES)]
        self.assertIn("=cmd.pdf", files)
        self.assertIn("'=cmd.pdf", [row[5] for row in self.read_csv(self.read_zip(), PIECES)])

    def test_the_ledger_to_verify_is_as_it_is(self):
        """A machine reads it: an apostrophe more, and no hash is right."""
        self.env["grant.entry"]._post(self.city, Accounted([{
            "kind": "commitment", "envelope_id": self.envelope.id, "subsidy_id": self.city.id,
            "date": YEAR_END, "amount": 0.5, "memo": '=1+1;"\n,',
        }]))  # fmt: skip
        text = self.read_zip()["ledger.csv"].decode()
        memos = [row["memo"] for row in csv.DictReader(io.StringIO(text, newline=""))]
        self.assertIn('=1+1;"\n,', memos)
        shown = [row["Reference"] for row in self.get_rows(self.open(), LEDGER)]
        self.assertIn('=1+1;"\n,', shown)

    def test_what_no_cell_can_hold(self):
        """Signs that XML has no place for, and more text than a cell takes."""
        for text, shown in (
            ("a\x0bb", "a\x0bb"),
            ("x" * 40_000, "x" * 32_766 + "…"),
            ("&<>\"'", "&<>\"'"),
            ("a\ufffeb", "ab"),
            ("Été 🎉", "Été 🎉"),
        ):
            self.rename(text)
            rows = self.get_rows(self.open(), TRANCHES)
            with self.subTest(text=text[:9]):
                names = [openpyxl.utils.escape.unescape(row["Tranche"]) for row in rows]
                self.assertIn(shown, names)
                self.assertIn(text, [row[4] for row in self.read_csv(self.read_zip(), TRANCHES)])

    def test_a_code_that_is_no_file_name(self):
        for code, name in (
            ("../../etc/passwd", "statement_etc-passwd_2021-12-31.xlsx"),
            ("É 21\r\nX: y", "statement_21-X-y_2021-12-31.xlsx"),
            ("///", "statement_{id}_2021-12-31.xlsx"),
        ):
            contract = self.env["grant.contract"].create(
                {"name": "Projet", "code": code, "funder_id": self.prefecture.id}
            )
            self.make(contract=contract)
            self.assertEqual(self.name, name.format(id=contract.id))


@tagged("post_install", "-at_install")
class TestFiles(SumsCase):
    """The same ledger and the same date give the same bytes, whoever asks and whenever; their
    words are those of who reads them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make_deliverable(cls.city, name="Bilan")
        theme = cls.env["grant.theme"].search([], limit=1)
        cls.city.action_ids[0].theme_ids = [Command.link(theme.id)]

    def test_on_another_day_in_another_place(self):
        for file_format in ("xlsx", "csv"):
            first = self.make(file_format=file_format)
            self.finance_officer.tz = "Pacific/Auckland"
            for moment in ("2027-02-03 04:05:06", "2030-12-31 23:59:59"):
                self.env.invalidate_all()
                with self.frozen(moment):
                    again = self.make(file_format=file_format, user=self.finance_officer)
                self.assertEqual(first, again)

    def test_a_later_entry_changes_the_position_alone(self):
        """What was posted since, at a later date, is in no figure of the statement."""
        before = self.open(day("2021-12-10"))
        self.env["grant.entry"]._post(self.city, Accounted([{
            "kind": "commitment", "envelope_id": self.envelope.id, "subsidy_id": self.city.id,
            "date": YEAR_END, "amount": 1,
        }]))  # fmt: skip
        after = self.open(day("2021-12-10"))
        for old, new in zip(before.worksheets[1:], after.worksheets[1:], strict=True):
            self.assertEqual(list(old.values), list(new.values))
        old, new = (list(book.worksheets[SUMMARY].values) for book in (before, after))
        changed = [row for row, other in zip(new, old, strict=True) if row != other]
        # And the time of the last posting, when a second has passed.
        changed = [row for row in changed if row[0] != "Ledger"]
        self.assertEqual(
            [row[0] for row in changed], [f"{self.envelope.code} – {self.envelope.name}"]
        )
        self.assertEqual(changed[0][4:6], (self.envelope.entry_count, self.envelope.chain_head))

    def test_the_size_of_the_batches_does_not_show(self):
        whole = {kind: self.make(file_format=kind) for kind in ("xlsx", "csv")}
        for size in (1, 3):
            with patch.object(grant_statement_ledger, "BATCH", size):
                for kind, content in whole.items():
                    self.assertEqual(self.make(file_format=kind), content, (size, kind))

    def test_the_zip_says_nothing_of_the_machine(self):
        archive = zipfile.ZipFile(io.BytesIO(self.make(file_format="csv")))
        posted = max(
            self.env["grant.entry"].search([("contract_id", "=", self.contract.id)])
            .mapped("posted_at")
        )  # fmt: skip
        for info in archive.infolist():
            self.assertNotIn("/", info.filename)
            self.assertEqual(info.external_attr >> 16, 0o644)
            seconds = posted.replace(microsecond=0, second=posted.second // 2 * 2)
            self.assertEqual(datetime.datetime(*info.date_time), seconds)

    def test_too_long_for_a_workbook(self):
        size = sum(self.contract.envelope_ids.mapped("entry_count"))
        with patch.object(xlsx, "MAX_LINES", size - 1):
            with self.assertRaisesRegex(UserError, "take the CSV files"):
                self.make(datetime.date.today())
            self.assertTrue(self.make(datetime.date.today(), "csv"))
        with patch.object(xlsx, "MAX_LINES", size):
            self.assertTrue(self.make(datetime.date.today()))

    # --- a line of the ledger names the document it comes from ------------------------------

    def test_every_document_by_its_name(self):
        rows = self.get_rows(self.open(datetime.date.today()), LEDGER)
        recovery = self.city.recovery_ids
        self.assertEqual(
            {row["Document"] for row in rows},
            {"Grant Contract – TEST-2021", "Subsidy – S-CITY", "Subsidy – S-ONE",
             "Subsidy – S-STATE", "Tranche – Avance", "Tranche – Tout",
             "Tranche – Versement", "State Instalment – Acompte", "Financial Report – S-CITY",
             f"Recovery – {recovery.name}"},
        )  # fmt: skip

    def test_whatever_posts_has_a_name(self):
        """Every model that can be the source of entries, whichever add-on it comes from."""
        sources = self.env["grant.entry"]._get_sources()
        self.assertGreaterEqual(len(sources), 7)
        for source in sources:
            with self.subTest(source=source._name):
                self.assertTrue(source._entry_name)
                record = source.search([], limit=1)
                self.assertTrue(not record or record._get_entry_names()[record.id])

    def test_a_new_kind_of_document_is_not_forgotten(self):
        """It cannot post before somebody says how statements call it."""
        line = {
            "kind": "commitment", "envelope_id": self.envelope.id, "date": YEAR_END,
            "subsidy_id": self.city.id, "amount": 1,
        }  # fmt: skip
        with (
            patch.object(type(self.city), "_entry_name", None),
            self.assertRaisesRegex(ValueError, "no name for statements"),
        ):
            self.env["grant.entry"]._post(self.city, [line])
        with self.assertRaisesRegex(ValueError, "posts no entries of the kind receipt"):
            self.env["grant.entry"]._post(self.city, [{**line, "kind": "receipt"}])
        with self.assertRaises(AttributeError):
            self.env["grant.entry"]._post(self.operator, [line])

    def test_a_document_that_is_gone(self):
        """Brought in by SQL: named as well as can be, and no reason to hold the rest back."""
        self.env.flush_all()
        for model, number in (("grant.recovery", 999999999), ("x.unknown", 7)):
            self.env.cr.execute(
                """INSERT INTO grant_entry (envelope_id, subsidy_id, date, kind, amount,
                                            origin_model, origin_id, user_id)
                   VALUES (%s, %s, '2021-12-30', 'commitment', 1, %s, %s, 1)""",
                [self.envelope.id, self.city.id, model, number],
            )
        self.env.invalidate_all()
        documents = {row["Document"] for row in self.get_rows(self.open(), LEDGER)}
        self.assertLessEqual({"Recovery – 999999999", "x.unknown – 7"}, documents)

    # --- French, to the last word that is ours ----------------------------------------------

    def test_words(self):
        book = self.open(lang="fr_FR")
        self.assertTrue(self.name.startswith("etat_financier_TEST-2021_"), self.name)
        self.assertEqual(
            [*book.sheetnames[:3], *book.sheetnames[-2:]],
            ["Synthèse", "Opérateurs et actions", "Tranches", "Pièces", "Registre"],
        )
        texts = self.get_texts(book)
        for word in (
            "État financier au 31/12/2021", "Alloué", "Engagé", "Payé", "Justifié", "Mandatée",
            "Toutes actions ensemble", "Disponible", "Attendue", "Signée",
        ):  # fmt: skip
            self.assertIn(word, texts)
        self.assertTrue(any(text.startswith("Compte rendu financier – S-CITY")
                            for text in self.get_texts(self.open(datetime.date.today(),
                                                                 lang="fr_FR"))))  # fmt: skip

    def test_no_english_is_left(self):
        """But for what is written alike: whatever differs between the languages is translated."""
        for as_at in (day("2021-10-20"), YEAR_END, datetime.date.today()):
            english, french = (
                self.open(as_at, lang=lang).worksheets for lang in ("en_US", "fr_FR")
            )
            same = set()
            for ours, theirs in zip(english, french, strict=True):
                self.assertEqual(ours.dimensions, theirs.dimensions)
                for row, other in zip(ours.values, theirs.values, strict=True):
                    for text, word in zip(row, other, strict=True):
                        if isinstance(text, str):
                            same |= {text} if text == word else set()
                        else:
                            self.assertEqual(text, word)
            ours = {
                text for text in same
                if text in {"Envelope", "Operator", "Subsidy", "State", "Amount", "Date", "Kind",
                            "Paid", "Ledger", "Payment", "Commitment", "Ordered", "Paid Out",
                            "Signed", "Expected", "Piece", "Chain", "Number", "Document",
                            "Reference", "City", "Contract", "Funder"}
            }  # fmt: skip
            self.assertLessEqual(ours, {"Date", "Document"}, as_at)

    def test_the_same_money(self):
        for envelope in self.contract.envelope_ids:
            rows = [
                row
                for row in self.open(lang="fr_FR").worksheets[SUMMARY].values
                if row[1] == envelope.id and row[4] is not None
            ]
            line, _total = self.get_block(self.open(), envelope)
            self.assertEqual(list(rows[0][4:13]), list(line.values())[4:13])

    def test_refusals(self):
        with self.assertRaisesRegex(UserError, "postérieure à aujourd’hui"):
            self.make(day("2999-01-01"), lang="fr_FR")
