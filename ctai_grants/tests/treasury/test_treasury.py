import base64
import datetime
import io
import zipfile
from decimal import Decimal
from xml.sax.saxutils import escape

import xlsxwriter
from psycopg2.errors import CheckViolation

from odoo import fields
from odoo.exceptions import AccessError
from odoo.service.model import call_kw
from odoo.tests import freeze_time, new_test_user
from odoo.tools import mute_logger

from ...lib.accounting import spreadsheet
from ...lib.accounting.spreadsheet import read_sheets
from ...lib.treasury.extract import read_extract
from ..common import GrantsCommon

# Invented: their keys are right, nobody has them.
CITY, SIRET, OTHER_SIRET, STRANGER = (
    "90000000100017", "91000000900019", "92000000700012", "93000000500015"
)  # fmt: skip
HEAD = [
    "ID", "CODE_INSEE_BC", "COLLEC", "TYPE MANDAT", "DATE_EMISSION", "NUM_MANDAT", "NUMERO_LIGNE",
    "OBJET_MANDAT", "MONTANT_PAIEMENT", "DATE_PAIEMENT", "NOM", "TYPE_IMMATRICULATION",
    "IMMATRICULATION",
]  # fmt: skip
STATE_HEAD = [
    "N° EJ", "N° poste EJ", "Fournisseur payé (DP)", "", "Code taxe 1", "Exercice comptable",
    "N° DP", "N° poste DP", "Date de dernière opération sur la DP", "Montant payé",
]  # fmt: skip
EJ = "0002102661"
PAID = datetime.date(2021, 12, 3)
TODAY = datetime.date(2022, 3, 1)


def _read(content):
    return read_extract(read_sheets(content), TODAY)


def order_row(number=1, amount=1000.0, paid="03/12/2021", siret=SIRET, **values):
    """A row of the treasury's extract, like those of its own layout."""
    row = {
        "ID": "", "CODE_INSEE_BC": CITY, "COLLEC": "VILLE", "DATE_EMISSION": "20/11/2021",
        "TYPE MANDAT": "1-Mandat(s) ordinaire(s)", "NUM_MANDAT": number, "NUMERO_LIGNE": 1.0,
        "OBJET_MANDAT": "SUBVENTION", "MONTANT_PAIEMENT": amount, "DATE_PAIEMENT": paid,
        "NOM": "ASSO", "TYPE_IMMATRICULATION": "SIRET", "IMMATRICULATION": siret, **values,
    }  # fmt: skip
    return [row[name] for name in HEAD]


def state_row(amount, ej=EJ, siret=SIRET, dp="000195567", part="1", paid=PAID):
    """A row of the State's extract."""
    return [ej, "1", "1000011111", "ASSO", siret, "2021", dp, part, paid, amount]


def make_xlsx(*sheets):
    """A workbook of sheets (name, rows)."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"default_date_format": "dd/mm/yyyy"}) as book:
        for name, rows in sheets:
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return stream.getvalue()


def make_ods(rows):
    """The smallest workbook that is one: numbers are numbers, the rest is text."""

    def cell(value):
        if isinstance(value, (int, float)):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return (
            '<table:table-cell office:value-type="string">'
            f"<text:p>{escape(str(value))}</text:p></table:table-cell>"
        )

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", spreadsheet.ODS)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
            "/>",
        )
        archive.writestr(
            "content.xml",
            f'<?xml version="1.0"?><office:document-content{names}><office:body>'
            f'<office:spreadsheet><table:table table:name="Extrait">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return stream.getvalue()


def make_csv(rows, delimiter=";", encoding="utf-8"):
    """Text as a spreadsheet in French saves it."""

    def cell(value):
        text = str(value).replace(".", ",") if isinstance(value, float) else str(value)
        quoted = delimiter in text or '"' in text or "\n" in text
        return '"' + text.replace('"', '""') + '"' if quoted else text

    return "\r\n".join(delimiter.join(map(cell, row)) for row in rows).encode(encoding)


def read(rows, **values):
    """The lines of an extract of orders."""
    return _read(make_xlsx(("A", [HEAD, *rows]))).lines


class TreasuryCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        clock = freeze_time(TODAY)
        clock.start()
        cls.addClassCleanup(clock.stop)
        france = cls.env.ref("base.fr")
        cls.company.partner_id.write(
            {"country_id": france.id, "company_registry": CITY, "vat": False}
        )
        cls.operator.company_registry = SIRET
        cls.other_operator.write({"company_registry": OTHER_SIRET, "rna": "W861234567"})
        cls.subsidy = cls.sign(cls.make_subsidy())
        cls.tranche = cls.make_tranche(cls.subsidy).with_env(cls.env)
        cls.second = cls.make_tranche(cls.subsidy, amount=700).with_env(cls.env)
        cls.others = cls.sign(cls.make_subsidy(partner_id=cls.other_operator.id))
        cls.third = cls.make_tranche(cls.others, amount=500).with_env(cls.env)
        cls.order(cls.tranche, "1")
        cls.order(cls.second, "2")
        cls.order(cls.third, "3")
        direct = cls.make_subsidy(envelope_id=cls.direct_envelope.id)
        direct.commitment_number = EJ
        cls.direct = cls.make_tranche(direct, amount=75000 / 10).with_env(cls.env)
        cls.sign(direct)
        cls.certify(cls.direct)

    def upload(self, content, name="extrait.xlsx", user=None):
        imports = self.env["grant.treasury.import"].with_user(user or self.finance_officer)
        return imports._import(name, content)

    def preview(self, *rows):
        return self.upload(make_xlsx(("A", [HEAD, *rows])))

    def statuses(self, treasury_import):
        return [
            (line.row_number, line.status, line.reason or None)
            for line in treasury_import.line_ids.sorted("row_number")
        ]

    def assertRefusedLine(self, reason, *parts, rows):
        """The last row is refused for ``reason``, in a sentence with all of ``parts``."""
        self.env["grant.treasury.import"].search([("state", "=", "preview")]).unlink()
        line = self.preview(*rows).line_ids.sorted("row_number")[-1]
        self.assertEqual((line.status, line.reason), ("refused", reason))
        for part in parts:
            self.assertIn(part, line.message)


class TestTreasuryAmounts(GrantsCommon):
    """Amounts as the French write them are never misread: read rightly, or refused."""

    def test_right(self):
        for text, amount in {
            "10 000,50": "10000.50",
            "10\u202f000,50": "10000.50",
            "10\u00a0000,50 €": "10000.50",
            "€ 10\u2009000": "10000.00",
            "10000,5": "10000.50",
            "10000.50": "10000.50",
            "1.234,56": "1234.56",
            "1,234.56": "1234.56",
            "1.234.567": "1234567.00",
            "1 234 567,8 EUR": "1234567.80",
            "0,5": "0.50",
            "(123,45)": "-123.45",
            "123,45-": "-123.45",
            "\u2212123,45": "-123.45",
            "+5": "5.00",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(str(spreadsheet.parse_amount(text)), amount)

    def test_numbers(self):
        for number, amount in ((1000, "1000.00"), (0.1 + 0.2, "0.30"), (-12.34, "-12.34")):
            self.assertEqual(str(spreadsheet.parse_amount(number)), amount)
        for number in (1.234, float("nan"), float("inf"), 1e13, True, None, TODAY):
            with self.subTest(number=number), self.assertRaises(spreadsheet.Refusal):
                spreadsheet.parse_amount(number)

    def test_refused(self):
        for text in ("1.234", "1,234", "12.500", "999,999"):
            with self.subTest(text=text), self.assertRaises(spreadsheet.Refusal) as caught:
                spreadsheet.parse_amount(text)
            self.assertEqual(caught.exception.code, "ambiguous_amount")
        for text in (
            "", "abc", "0,123", "1 0000", "12 34", "1 234.567", "1.234 567,89", "1€50", "5,", ",5",
            "1E5", "(-5)", "--5", "1,2,3", "10.000.00", "1'000,50", "\u0661\u0662", "5 $",
            "1.234,567",
        ):  # fmt: skip
            with self.subTest(text=text), self.assertRaises(spreadsheet.Refusal) as caught:
                spreadsheet.parse_amount(text)
            self.assertEqual(caught.exception.code, "bad_amount")

    def test_dates(self):
        day = datetime.date(2025, 6, 11)
        for cell in (
            day, datetime.datetime(2025, 6, 11, 23, 59), 45819, 45819.7, "11/06/2025", "11/6/25",
            "11.06.2025", "11-06-2025", "2025-06-11", "2025-06-11T10:00:00Z", "20250611", 20250611,
            "2025/06/11", "2025/6/11", "2025.06.11 08:15",
            " '11/06/2025 08:15",
        ):  # fmt: skip
            with self.subTest(cell=cell):
                self.assertEqual(spreadsheet.parse_date(cell), day)
        for cell in (
            "31/02/2025", "06/13/2025", "11/06", "11/06-2025", "2025/06-11", "", "hier", 12,
            99999.0, True, float("nan"), None,
        ):  # fmt: skip
            with self.subTest(cell=cell), self.assertRaises(spreadsheet.Refusal):
                spreadsheet.parse_date(cell)

    def test_identifiers(self):
        for cell, length, expected in (
            (526.0, 0, "526"), ("526,00", 0, "526"), ("1.000", 0, "1.000"), ("M-1 ", 0, "M-1"),
            (1821732.0, 10, "0001821732"), ("732 829 320\u00a000074", 0, "73282932000074"),
            ("'49", 0, "49"), (73282932000074.0, 0, "73282932000074"),
        ):  # fmt: skip
            self.assertEqual(spreadsheet.parse_identifier(cell, length), expected)
        for cell in ("2,43E+13", "7.3282932E13", 1.5, 1e16, float("nan"), True, TODAY):
            with self.subTest(cell=cell), self.assertRaises(spreadsheet.Refusal):
                spreadsheet.parse_identifier(cell)


class TestTreasuryFiles(GrantsCommon):
    """The same lines whatever the file is, and a refusal of what is no extract."""

    def facts(self, lines):
        return [
            (line.number, line.amount, line.date, line.identifier, line.city, line.reason)
            for line in lines
        ]

    def test_same_whatever_the_form(self):
        rows = [
            HEAD,
            order_row(526.0, 10000.5),
            order_row(527.0, "1 000,00", OBJET_MANDAT='ATELIER "ÉTÉ"; ŒUVRES'),
        ]
        expected = [
            ("526", Decimal("10000.50"), PAID, SIRET, CITY, None),
            ("527", Decimal("1000.00"), PAID, SIRET, CITY, None),
        ]
        titles = [["Direction générale des finances publiques"], [], ["Extrait", "", "Mars"]]
        files = {
            "xlsx": make_xlsx(("A", rows)),
            "ods": make_ods(rows),
            "titles": make_xlsx(("A", titles + rows)),
            "second sheet": make_xlsx(("Résumé", [["Tableau 1"]]), ("Extrait", rows)),
            "utf-8": make_csv(rows),
            "utf-16": make_csv(rows, encoding="utf-16"),
            "utf-16, big end first": b"\xfe\xff" + make_csv(rows, "\t", encoding="utf-16-be"),
            "utf-16, no mark": make_csv(rows, "\t", encoding="utf-16-le"),
            "utf-16, big end first, no mark": make_csv(rows, encoding="utf-16-be"),
            "utf-32": make_csv(rows, encoding="utf-32"),
            "utf-32, big end first": b"\0\0\xfe\xff" + make_csv(rows, encoding="utf-32-be"),
            "utf-32, no mark": make_csv(rows, "\t", encoding="utf-32-le"),
            "utf-32, big end first, no mark": make_csv(rows, encoding="utf-32-be"),
            "with a mark": make_csv(rows, encoding="utf-8-sig"),
            "Windows": make_csv(rows, encoding="cp1252"),
            "comma": make_csv(rows, ","),
            "tab": make_csv(rows, "\t"),
            "titles, comma": make_csv(titles + rows, ",", "cp1252"),
        }
        for name, content in files.items():
            with self.subTest(file=name):
                lines = _read(content).lines
                self.assertEqual(self.facts(lines), expected)

    def test_merged_titles(self):
        stream = io.BytesIO()
        with xlsxwriter.Workbook(stream) as book:
            sheet = book.add_worksheet()
            sheet.merge_range("A1:M2", "Paiements des mandats de subvention")
            for number, row in enumerate((HEAD, order_row()), 3):
                sheet.write_row(number, 0, row)
        (line,) = _read(stream.getvalue()).lines
        self.assertEqual((line.row, line.amount), (5, 1000))

    def test_other_names_of_columns(self):
        for head in (
            ["N° mandat", "Montant payé", "Date de paiement", "SIRET"],
            ["Numéro de mandat", "MONTANT  RÉGLÉ", "Date règlement", "Siret bénéficiaire"],
            ["mandat", "Montant", "payé le", "n° siret"],
        ):
            content = make_csv([head, ["12", "1 000,50", "3/12/2021", SIRET]])
            with self.subTest(head=head):
                (line,) = _read(content).lines
                self.assertEqual(
                    (line.number, line.amount, line.date, line.identifier),
                    ("12", Decimal("1000.50"), PAID, SIRET),
                )

    def test_refused_files(self):
        rows = [HEAD, order_row()]
        whole = make_xlsx(("A", rows))
        for code, content in (
            ("empty", b" \n"),
            ("not_a_spreadsheet", b"%PDF-1.7"),
            ("not_a_spreadsheet", b"<html><table>"),
            ("not_a_spreadsheet", b"\x00\x01binary"),
            ("not_a_spreadsheet", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
            ("not_a_spreadsheet", whole[: len(whole) // 2]),
            ("damaged", _broken(whole)),
            ("no_columns", make_xlsx(("A", [["Nom", "Ville"], ["x", "y"]]))),
            ("no_columns", make_csv([HEAD[:8], order_row()[:8]])),
            ("empty", make_xlsx(("A", []))),
            ("empty", make_xlsx(("A", [["", " "]]), ("B", []))),
            ("empty", b""),
            ("empty", b"\xef\xbb\xbf\r\n"),
            ("empty", "\ufeff \n".encode("utf-16-le")),
            ("no_rows", make_xlsx(("A", [HEAD]))),
            ("double_column", make_csv([[*HEAD, "MONTANT_PAIEMENT"], [*order_row(), 5]])),
            ("two_kinds", make_xlsx(("A", rows), ("B", [STATE_HEAD, state_row(5)]))),
            ("quotes", make_csv(rows) + b'\r\n"123;4\r\n5;6'),
        ):
            with self.subTest(code=code), self.assertRaises(spreadsheet.Refusal) as caught:
                _read(content)
            self.assertEqual(caught.exception.code, code)
            message = self.env["grant.treasury.import"]._get_file_message(
                code, caught.exception.about
            )
            self.assertTrue(message)
        with self.assertRaises(spreadsheet.Refusal) as caught:
            _read(make_csv([HEAD[:8], order_row()[:8]]))
        message = self.env["grant.treasury.import"]._get_file_message(
            "no_columns", caught.exception.about
        )
        self.assertIn("MONTANT_PAIEMENT, DATE_PAIEMENT", message)
        self.assertNotIn("NUM_MANDAT", message)

    def test_hidden_sheets_are_not_read(self):
        stream = io.BytesIO()
        with xlsxwriter.Workbook(stream) as book:
            book.add_worksheet("Vu").write_row(0, 0, ["rien"])
            hidden = book.add_worksheet("Caché")
            for number, row in enumerate((HEAD, order_row())):
                hidden.write_row(number, 0, row)
            hidden.hide()
        with self.assertRaises(spreadsheet.Refusal):
            _read(stream.getvalue())

    def test_a_comma_in_an_amount_without_quotation_marks(self):
        """40000,50 is two cells in a text with commas: 40 000 € must not be read."""
        ends = ["NUM_MANDAT", "DATE_PAIEMENT", "MONTANT_PAIEMENT"]
        for head, row in (
            (ends, "12,03/12/2021,40000,50"),
            ([*ends, ""], "12,03/12/2021,40000,50"),
            (["NUM_MANDAT", "MONTANT_PAIEMENT", "DATE_PAIEMENT"], "12,40000,50,03/12/2021"),
        ):
            content = (",".join(head) + "\n" + row).encode()
            with self.subTest(row=row):
                (line,) = _read(content).lines
                self.assertEqual(line.status, "refused")

    def test_rows_swallowed_by_quotation_marks(self):
        text = make_csv([HEAD, order_row(1), order_row(2), order_row(3)]).decode()
        rows = text.split("\r\n")
        rows[1] = rows[1].replace("SUBVENTION", '"SUBVENTION')
        rows[3] = rows[3].replace("SUBVENTION", 'SUBVENTION"')
        (line,) = _read("\r\n".join(rows).encode()).lines
        self.assertEqual(line.reason, "shifted")

    def test_notes_and_totals(self):
        note = [""] * len(HEAD)
        rows = [order_row(1), note, ["Édité le 3 mars", *note[1:]], order_row(2, 500.0)]
        for label, amount, reason in (
            ("Total", 1500.0, None),
            ("TOTAL GÉNÉRAL", "1 500,00 €", None),
            ("Total", 500.0, "wrong_total"),
            ("Total", "?", "wrong_total"),
            ("Somme", 1500.0, None),
            ("Montant total", "1 500,00", None),
            ("Somme des paiements", 1400.0, "wrong_total"),
            ("Montant total", 1400.0, "wrong_total"),
            # A formula: without a label, or never calculated.
            ("", 1500.0, None),
            ("", 1400.0, "wrong_total"),
            ("Total", 0, "unread_total"),
            ("Total", "", "unread_total"),
        ):
            total = [label, *note[1:]]
            total[HEAD.index("MONTANT_PAIEMENT")] = amount
            with self.subTest(label=label, amount=amount):
                lines = read([*rows, total])
                self.assertEqual([line.row for line in lines][:2], [2, 5])
                self.assertEqual([line.reason for line in lines[2:]], [reason] if reason else [])

    def test_totals_with_a_date(self):
        """The day on which the file was made may stand in the row of its total; a payee may be
        called like one."""
        names = {"CODE_INSEE_BC": "", "NOM": "", "IMMATRICULATION": "", "TYPE MANDAT": "",
                 "COLLEC": "", "NUMERO_LIGNE": "", "OBJET_MANDAT": "", "DATE_EMISSION": "",
                 "TYPE_IMMATRICULATION": ""}  # fmt: skip
        for label, amount, reason in (("Total", 1500.0, None), ("Somme", 1400.0, "wrong_total")):
            total = order_row("", amount, paid="03/03/2022", ID=label, **names)
            with self.subTest(label=label):
                lines = read([order_row(1), order_row(2, 500.0), total])
                self.assertEqual([line.reason for line in lines[2:]], [reason] if reason else [])
        payee = order_row("", 500.0, **{**names, "NOM": "Ensemble vocal"})
        lines = read([order_row(1), payee])
        self.assertEqual((lines[1].reason, lines[1].amount), (None, 500))

    def test_formulas_shown_in_a_text(self):
        """A formula is right when it adds up the lines."""
        for formula, reason in (
            ("=SOMME(I2:I3)", None),
            ("=SUBTOTAL(9,$I$2:$I$3)", None),
            ("=SUM(I3:I3)", "wrong_total"),
            ("=I2", "wrong_total"),
        ):
            total = ["Total", *[""] * (len(HEAD) - 1)]
            total[HEAD.index("MONTANT_PAIEMENT")] = formula
            content = make_csv([HEAD, order_row(1), order_row(2, 500.0), total])
            with self.subTest(formula=formula):
                lines = _read(content).lines
                self.assertEqual([line.reason for line in lines[2:]], [reason] if reason else [])

    def test_subtotals(self):
        def total(amount):
            row = [""] * len(HEAD)
            row[0], row[HEAD.index("MONTANT_PAIEMENT")] = "Sous-total", amount
            return row

        rows = [order_row(1), total(1000), order_row(2, 500), total(500), total(1500)]
        self.assertEqual([line.reason for line in read(rows)], [None, None])

    def test_bad_cells_name_their_column(self):
        for values, reason, about in (
            ({"amount": "1.234"}, "ambiguous_amount", "MONTANT_PAIEMENT: 1.234"),
            ({"amount": "mille"}, "bad_amount", "MONTANT_PAIEMENT: mille"),
            ({"amount": ""}, "missing", "MONTANT_PAIEMENT"),
            ({"paid": "31/02/2022"}, "bad_date", "DATE_PAIEMENT: 31/02/2022"),
            ({"paid": ""}, "missing", "DATE_PAIEMENT"),
            ({"siret": "2,43E+13"}, "bad_number", "IMMATRICULATION: 2,43E+13"),
            ({"number": 1.5}, "bad_number", "NUM_MANDAT: 1.5"),
            ({"DATE_EMISSION": "?"}, "bad_date", "DATE_EMISSION: ?"),
            ({"amount": -5}, "reversal", ""),
            ({"TYPE MANDAT": "2-Annulation ou réduction"}, "reversal", ""),
            ({"paid": "02/03/2022"}, "future", ""),
            ({"amount": -5, "paid": "01/01/2099"}, "future", ""),
            ({"TYPE MANDAT": "2-Titre de recette"}, "not_a_payment", "2 titre de recette"),
        ):
            with self.subTest(values=values):
                (line,) = read([order_row(**values)])
                self.assertEqual((line.status, line.reason, line.about), ("refused", reason, about))

    def test_twice_in_a_file(self):
        lines = read([order_row(1), order_row(1), order_row(1, NUMERO_LIGNE=2.0)])
        self.assertEqual([line.reason for line in lines], [None, "duplicate", None])
        self.assertEqual(lines[1].about, "A 2")

    def test_state(self):
        rows = [STATE_HEAD, state_row(40000), state_row("35 000,00", part="2", siret="#")]
        found = _read(make_xlsx(("Tab 1", [["Tableau 1"]]), ("1", rows)))
        self.assertEqual(found.kind, "state")
        self.assertEqual(
            [(line.number, line.amount, line.identifier, line.name) for line in found.lines],
            [(EJ, 40000, SIRET, "ASSO"), (EJ, 35000, "", "ASSO")],
        )


def _broken(content):
    """A workbook whose sheets are no XML any more."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, b"<worksheet><" if name.startswith("xl/worksheets/") else data)
    return stream.getvalue()


class TestTreasuryImport(TreasuryCase):
    def test_preview_then_book(self):
        treasury_import = self.preview(order_row(1), order_row(9, 33, siret=STRANGER))
        self.assertEqual(
            self.statuses(treasury_import),
            [(2, "to_book", None), (3, "refused", "unknown_operator")],
        )
        self.assertEqual(self.tranche.state, "ordered", "A preview books nothing")
        self.assertEqual(treasury_import.to_book_amount, 1000)
        treasury_import.action_book()
        self.assertEqual((self.tranche.state, self.tranche.paid_date), ("paid", PAID))
        self.assertEqual(self.tranche.payment_reference, "1/2021")
        self.assertEqual(treasury_import.state, "booked")
        self.assertEqual(treasury_import.booked_by_id, self.finance_officer)
        self.assertEqual((treasury_import.booked_count, treasury_import.to_book_count), (1, 0))
        self.assertEqual(treasury_import.refused_count, 1)
        entry = self.subsidy.entry_ids.filtered(lambda entry: entry.kind == "payment")
        self.assertEqual((entry.amount, entry.date), (1000, PAID))
        self.assertFalse(self.verify())

    def test_same_file_again(self):
        content = make_csv([HEAD, order_row(1)])
        first = self.upload(content, "mars.csv")
        self.assertEqual(self.upload(content, "copie.csv"), first, "Not booked: the same preview")
        first.action_book()
        before = self.subsidy.entry_ids
        with self.assertRefused("mars.csv", "nothing was done", "test_finance_officer"):
            self.upload(content, "copie.csv")
        self.assertEqual(self.subsidy.entry_ids, before)
        with self.assertRefused("nothing to book"):
            first.action_book()

    def test_same_line_in_another_file(self):
        self.preview(order_row(1)).action_book()
        again = self.upload(make_csv([HEAD, order_row(1), order_row(2, 700.0)]))
        self.assertEqual(self.statuses(again), [(2, "already", "recorded"), (3, "to_book", None)])
        again.action_book()
        self.assertEqual(self.subsidy.paid_amount, 1700)
        self.assertEqual(self.second.state, "paid")

    def test_recorded_by_hand_before(self):
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "P-1")
        self.assertEqual(self.statuses(self.preview(order_row(1))), [(2, "already", "recorded")])

    def test_in_parts(self):
        """Two lines of an order are one payment; parts on other days are others."""
        first = self.preview(
            order_row(1, 300.0), order_row(1, 200.0, NUMERO_LIGNE=2.0),
            order_row(1, 300.0, paid="10/12/2021"),
        )  # fmt: skip
        self.assertEqual(
            [line.status for line in first.line_ids], ["to_book", "to_book", "to_book"]
        )
        self.assertIn("200", first.line_ids[-1].message)
        first.action_book()
        self.assertEqual((self.tranche.state, self.tranche.residual_amount), ("ordered", 200))
        payments = self.subsidy.entry_ids.filtered(lambda entry: entry.kind == "payment")
        self.assertEqual(
            {(entry.date.isoformat(), entry.amount) for entry in payments},
            {("2021-12-03", 500), ("2021-12-10", 300)},
        )
        # A later, cumulative extract: without the column of lines, and with the rest.
        head = ["NUM_MANDAT", "MONTANT_PAIEMENT", "DATE_PAIEMENT", "SIRET"]
        last = self.upload(
            make_csv(
                [
                    head,
                    [1, "300,00", "03/12/2021", SIRET],
                    [1, "200,00", "03/12/2021", SIRET],
                    [1, "300,00", "10/12/2021", SIRET],
                    [1, "200,00", "17/12/2021", SIRET],
                ]
            )
        )
        self.assertEqual(
            [line.status for line in last.line_ids], ["already", "already", "already", "to_book"]
        )
        last.action_book()
        self.assertEqual(self.tranche.state, "paid")
        self.assertFalse(self.verify())

    def test_match_again_after_a_part(self):
        """What is booked of a file counts when the rest of it is matched again."""
        rows = [order_row(1, 500.0), order_row(1, 500.0, NUMERO_LIGNE=2.0)]
        treasury_import = self.preview(*rows)
        treasury_import.line_ids[1].with_user(self.finance_officer).action_leave_out()
        treasury_import.action_book()
        self.assertEqual(self.statuses(treasury_import), [
            (2, "booked", "partial"), (3, "left_out", None)
        ])  # fmt: skip
        treasury_import.line_ids[-1].with_user(self.finance_officer).action_put_back()
        treasury_import.action_refresh()
        treasury_import.action_book()
        self.assertEqual(self.tranche.state, "paid")
        self.assertEqual(treasury_import.booked_amount, 1000)

    def test_by_siret_and_amount(self):
        """An order without its number: operator, amount and year."""
        treasury_import = self.preview(
            order_row("", 700.0), order_row("", 500.0, siret=OTHER_SIRET)
        )
        self.assertEqual(
            [(line.method, line.disbursement_id, line.status) for line in treasury_import.line_ids],
            [("amount", self.second, "to_book"), ("amount", self.third, "to_book")],
        )
        treasury_import.action_book()
        self.assertEqual((self.second.state, self.third.state), ("paid", "paid"))
        again = self.upload(make_csv([HEAD, order_row("", 500.0, siret=OTHER_SIRET)]))
        self.assertEqual(self.statuses(again), [(2, "already", "recorded")])

    def test_by_rna_and_siren(self):
        treasury_import = self.preview(
            order_row("", 500.0, siret="W861234567"),
            # Another establishment of the same association.
            order_row(1, siret=SIRET[:9] + "00022"),
        )
        self.assertEqual(treasury_import.line_ids.mapped("status"), ["to_book", "to_book"])
        self.assertEqual(treasury_import.line_ids.disbursement_id, self.third | self.tranche)

    def test_by_any_number_of_the_body(self):
        """Another record of the operator's SIREN has its RNA; and one has a VAT number alone."""
        self.other_operator.rna = False
        self.env["res.partner"].create({
            "name": "Branch", "is_company": True, "company_registry": OTHER_SIRET[:9] + "00020",
            "rna": "W861234567",
        })  # fmt: skip
        self.operator.with_context(no_vat_validation=True).write(
            {"company_registry": False, "vat": f"FR83{SIRET[:9]}"}
        )
        self.assertEqual(self.operator.grant_body, SIRET[:9])
        rows = order_row("", 500.0, siret="W861234567"), order_row("", 700.0)
        lines = self.preview(*rows).line_ids
        self.assertEqual(lines.disbursement_id, self.third | self.second)
        self.assertEqual(lines.mapped("status"), ["to_book", "to_book"])

    def test_not_by_amount(self):
        """The wrong year, an order that another line names, two orders of the same amount."""
        self.assertRefusedLine("unknown_order", rows=[
            order_row("", 700.0, DATE_EMISSION="03/05/2020")
        ])  # fmt: skip
        self.assertRefusedLine("unknown_order", rows=[
            order_row(2, 700.0), order_row(77, 700.0)
        ])  # fmt: skip
        twin = self.make_tranche(self.subsidy, amount=700)
        self.order(twin, "8")
        self.assertRefusedLine("several", "2, 8", rows=[order_row("", 700.0)])

    def test_refused_lines(self):
        self.assertRefusedLine("unknown_operator", STRANGER, rows=[order_row(9, siret=STRANGER)])
        self.assertRefusedLine("unknown_order", "99", "ASSO", rows=[order_row(99, 12.0)])
        self.assertRefusedLine("other_operator", "3", "ASSO", rows=[order_row(3, 500.0)])
        self.assertRefusedLine("too_much", "1,000.01", "1,000.00", rows=[order_row(1, 1000.01)])
        self.assertRefusedLine(
            "too_much", "400", rows=[order_row(1, 600), order_row(1, 500, paid="04/12/2021")]
        )
        self.assertRefusedLine("before_order", "11/20/2021", rows=[order_row(1, paid="19/11/2021")])
        self.assertRefusedLine("future", rows=[order_row(1, paid="02/03/2022")])
        self.assertRefusedLine("reversal", rows=[order_row(1, -1000.0)])
        self.assertRefusedLine("ambiguous_amount", "1.000", rows=[order_row(1, "1.000")])
        self.assertRefusedLine("duplicate", "line A 2", rows=[order_row(1)] * 2)
        self.assertEqual(self.tranche.state, "ordered")

    def test_number_of_another_year(self):
        self.assertRefusedLine("unknown_order", rows=[
            order_row(1, 999.0, DATE_EMISSION="10/02/2022", paid="12/02/2022")
        ])  # fmt: skip
        # Issued in January for the year before.
        line = self.preview(order_row(1, DATE_EMISSION="10/01/2022", paid="12/01/2022")).line_ids
        self.assertEqual(line.disbursement_id, self.tranche)

    def test_paid_on_another_date(self):
        self.preview(order_row(1)).action_book()
        self.assertRefusedLine("paid_before", "twice", rows=[order_row(1, paid="07/12/2021")])

    def test_cancelled_since(self):
        self.preview(order_row(1)).action_book()
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertEqual(self.tranche.state, "ordered")
        self.assertRefusedLine("cancelled_since", "by hand", rows=[order_row(1, NOM="A")])

    def test_wrong_total(self):
        total = [""] * len(HEAD)
        total[0], total[HEAD.index("MONTANT_PAIEMENT")] = "Total", "10 000,00"
        treasury_import = self.preview(order_row(1), total)
        self.assertIn("1,000.00", treasury_import.wrong_total)
        self.assertIn("3", treasury_import.wrong_total)
        with self.assertRefused("whole file"):
            treasury_import.action_book()
        self.assertEqual(self.tranche.state, "ordered")

    def test_other_cities(self):
        other = {"CODE_INSEE_BC": STRANGER}
        with self.assertRefused("another city", STRANGER, CITY):
            self.preview(order_row(1, **other))
        treasury_import = self.preview(order_row(1, **other), order_row(2, 700.0))
        self.assertEqual(self.statuses(treasury_import), [(3, "to_book", None)])
        self.assertEqual((treasury_import.row_count, treasury_import.ignored_count), (2, 1))
        self.assertTrue(treasury_import.names_city)
        lost_zero = self.preview(order_row(1, CODE_INSEE_BC=float(CITY)))
        self.assertTrue(lost_zero.names_city)
        self.assertFalse(self.preview(order_row(1, CODE_INSEE_BC="86194")).names_city)
        self.company.partner_id.company_registry = False
        with self.assertRefused("has no SIRET"):
            self.preview(order_row(1), order_row(2))

    def test_a_rule_refuses_one_line(self):
        """One line is refused by its tranche, and said so; the others are booked."""
        journal = self.company.grant_payment_journal_id
        treasury_import = self.preview(order_row(1), order_row(2, 700.0))
        bill = self.second._get_live_move()
        # Matched with a draft: accounting refuses to pay it once more.
        payment = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=bill.ids
        ).create({"journal_id": journal.id, "payment_date": PAID})._create_payments()  # fmt: skip
        payment.move_id.button_draft()
        said = treasury_import.action_book()
        self.assertIn("A 3", said["params"]["message"])
        self.assertIn("draft", said["params"]["message"])
        self.assertEqual(
            self.statuses(treasury_import), [(2, "booked", None), (3, "refused", "rule")]
        )
        self.assertIn("draft", treasury_import.line_ids[-1].message)
        self.assertEqual((self.tranche.state, self.second.state), ("paid", "ordered"))
        self.assertFalse(self.verify())

    def test_a_rule_refuses_all_lines(self):
        """Nothing is booked: the extract stays open, the caller is told, the file can come back."""
        content = make_csv([HEAD, order_row(1)])
        treasury_import = self.upload(content)
        self.company.grant_payment_journal_id = False
        for _time in range(2):
            with self.assertRefused("Line 2", "Journal"):
                call_kw(treasury_import, "action_book", [treasury_import.ids], {})
            self.assertEqual(treasury_import.state, "preview")
        self.assertEqual(self.upload(content), treasury_import)
        self.assertEqual(self.tranche.state, "ordered")

    def test_all_paid_between_preview_and_booking(self):
        treasury_import = self.preview(order_row(1))
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "P-1")
        with self.assertRefused("Match Again"):
            treasury_import.action_book()
        self.assertEqual(treasury_import.state, "preview")

    def test_paid_between_preview_and_booking(self):
        treasury_import = self.preview(order_row(1), order_row(2, 700.0))
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "P-1")
        treasury_import.action_book()
        self.assertEqual(
            self.statuses(treasury_import), [(2, "already", "recorded"), (3, "booked", None)]
        )
        self.assertEqual(self.subsidy.paid_amount, 1700)

    def test_only_what_was_seen_is_booked(self):
        """An order made after the preview is not booked with it, but matched the next time."""
        late = self.make_tranche(self.subsidy, amount=250)
        treasury_import = self.preview(order_row(1), order_row(8, 250.0))
        self.assertEqual(treasury_import.line_ids[-1].reason, "unknown_order")
        self.order(late, "8")
        treasury_import.action_book()
        self.assertEqual(self.statuses(treasury_import), [
            (2, "booked", None), (3, "to_book", None)
        ])  # fmt: skip
        self.assertEqual(late.state, "ordered")
        treasury_import.action_book()
        self.assertEqual(late.state, "paid")

    def test_wizard(self):
        wizard = self.env["grant.treasury.upload"].with_user(self.finance_officer)
        content = base64.b64encode(make_csv([HEAD, order_row(1)]))
        action = wizard.create({"file": content, "filename": "mars.csv"}).action_confirm()
        treasury_import = self.env[action["res_model"]].browse(action["res_id"])
        self.assertEqual((treasury_import.name, treasury_import.state), ("mars.csv", "preview"))
        self.assertEqual(treasury_import.user_id, self.finance_officer)
        with self.assertRefused("ODS, XLSX or CSV"):
            self.upload(b"%PDF-1.7")
        # What a client sends that does not encode files as Odoo expects.
        with self.assertRefused("empty"):
            wizard.create({"file": "é", "filename": "x.csv"}).action_confirm()

    def test_queries(self):
        """As many queries for many lines as for few."""

        def count(rows):
            content = make_xlsx(("A", [HEAD, *rows]))
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.upload(content).line_ids.mapped("status")
            return self.env.cr.sql_log_count - before

        few = count([order_row(1), order_row(50, 1.0)])
        many = count(
            [order_row(2, 700.0), order_row(1), *(order_row(n, 1.0) for n in range(50, 3000))]
        )
        self.assertLessEqual(many, few)


class TestTreasuryState(TreasuryCase):
    def preview(self, *rows):
        return self.upload(make_xlsx(("1. Extraction", [STATE_HEAD, *rows])))

    def test_book(self):
        """The lines of one payment (DP) are one tranche; others' are counted only."""
        treasury_import = self.preview(
            state_row(4000),
            state_row(3500, part="2"),
            state_row(9, ej="9999999999", siret=STRANGER),
        )
        self.assertEqual(treasury_import.kind, "state")
        self.assertEqual((treasury_import.row_count, treasury_import.ignored_count), (3, 1))
        self.assertEqual(
            self.statuses(treasury_import), [(2, "to_book", None), (3, "to_book", None)]
        )
        treasury_import.action_book()
        self.assertEqual((self.direct.state, self.direct.paid_date), ("paid", PAID))
        self.assertEqual(self.direct.payment_reference, "000195567")
        self.assertEqual(self.direct_envelope.paid_amount, 7500)
        self.assertFalse(self.direct.move_ids)
        again = self.preview(state_row(7500, part="#"))
        self.assertEqual(self.statuses(again), [(2, "already", "recorded")])
        self.assertFalse(self.verify())

    def test_refused(self):
        for rows, reason in (
            ([state_row(7499)], "amount_differs"),
            ([state_row(7500, siret=STRANGER)], "other_operator"),
            ([state_row(7500, paid=TODAY + datetime.timedelta(days=1))], "future"),
            ([state_row(-7500)], "reversal"),
            ([state_row("7.500")], "ambiguous_amount"),
            ([state_row(7500), state_row(7500, dp="2")], "amount_differs"),
        ):
            with self.subTest(reason=reason):
                self.assertRefusedLine(reason, rows=rows)
        self.assertEqual(self.direct.state, "certified")

    def test_not_certified(self):
        self.ask(self.direct, "return", self.coordinator)
        self.assertRefusedLine("not_certified", "not certified", rows=[state_row(7500)])

    def test_commitment_not_entered(self):
        self.direct.subsidy_id.commitment_number = False
        self.assertRefusedLine("no_commitment", EJ, rows=[state_row(7500)])
        other = self.preview(state_row(7501))
        self.assertEqual((other.ignored_count, len(other.line_ids)), (1, 0))

    def test_numbers_that_lost_their_zeros(self):
        self.assertEqual(
            self.statuses(self.preview(state_row(7500, ej=2102661, siret="#"))),
            [(2, "to_book", None)],
        )

    def test_equal_tranches(self):
        """Each payment declares one tranche, the earliest due first."""
        later = self.make_tranche_beyond(
            self.direct.subsidy_id, amount=7500, due_date="2022-02-01"
        )
        self.direct._transition(due_date="2021-12-01")
        self.certify(later)
        self.preview(state_row(7500)).action_book()
        self.assertEqual((self.direct.state, later.state), ("paid", "certified"))
        treasury_import = self.preview(state_row(7500), state_row(7500, dp="000200000"))
        self.assertEqual(
            self.statuses(treasury_import), [(2, "already", "recorded"), (3, "to_book", None)]
        )
        self.assertEqual(treasury_import.line_ids[-1].disbursement_id, later)

    def test_certified_by_the_same_person(self):
        """R5 holds: the line is refused, with the reason."""
        self.ask(self.direct, "return", self.coordinator)
        self.certify(self.direct, self.both_roles)
        treasury_import = self.preview(state_row(7500))
        with self.assertRefused("1. Extraction 2", "somebody else"):
            treasury_import.with_user(self.both_roles).action_book()
        self.assertEqual(treasury_import.state, "preview")
        treasury_import.action_book()
        self.assertEqual(self.direct.state, "paid")

    @mute_logger("odoo.sql_db")
    def test_commitment_digits(self):
        for wrong in ("2102661", "21026617321", "210266173A"):
            with self.subTest(number=wrong), self.assertRaises(CheckViolation), self.cr.savepoint():
                self.direct.subsidy_id.commitment_number = wrong
                self.env.flush_all()


class TestTreasuryRoles(TreasuryCase):
    def test_who_imports(self):
        for user in (self.reader, self.coordinator):
            with self.subTest(user=user.login), self.assertRefused(exception=AccessError):
                self.upload(make_csv([HEAD, order_row(1)]), user=user)
        treasury_import = self.preview(order_row(1))
        for user in (self.reader, self.coordinator):
            as_user = treasury_import.with_user(user)
            self.assertEqual(as_user.line_ids.amount, 1000)
            for act in (
                as_user.action_book, as_user.action_refresh, as_user.line_ids.action_leave_out,
                as_user.unlink,
            ):  # fmt: skip
                with self.subTest(user=user.login, act=act.__name__):
                    with self.assertRefused(exception=AccessError):
                        act()
        self.assertEqual(self.tranche.state, "ordered")

    def test_nothing_is_typed_in(self):
        treasury_import = self.preview(order_row(1))
        line = treasury_import.line_ids
        for user in (self.finance_manager, self.administrator, self.env.ref("base.user_root")):
            for record, values in (
                (line, {"amount": 5}), (line, {"status": "booked"}),
                (line, {"disbursement_id": self.second.id}),
                (treasury_import, {"state": "booked"}), (treasury_import, {"sha256": "0"}),
                (treasury_import, {"line_ids": [(5,)]}),
            ):  # fmt: skip
                with self.subTest(user=user.login, values=values):
                    with self.assertRefused(exception=AccessError):
                        call_kw(record.with_user(user).browse(), "write", [record.ids, values], {})
            with self.assertRefused(exception=AccessError):
                self.env["grant.treasury.import"].with_user(user).create(
                    {"name": "x", "file": b"eA==", "sha256": "0", "state": "booked"}
                )

    def test_private_methods(self):
        with self.assertRaises(AccessError):
            call_kw(
                self.env["grant.treasury.import"].with_user(self.finance_officer),
                "_refresh", [[1]], {},
            )  # fmt: skip

    def test_a_booked_extract_is_kept(self):
        treasury_import = self.preview(order_row(1))
        spare = self.preview(order_row(2, 700.0))
        spare.with_user(self.finance_officer).unlink()
        treasury_import.action_book()
        with self.assertRefused("Booked"):
            treasury_import.with_user(self.finance_officer).unlink()

    def test_other_company(self):
        other = self.env["res.company"].create({"name": "Autre ville"})
        stranger = new_test_user(
            self.env, "test_other_city", "ctai_grants.group_finance_manager",
            company_id=other.id, company_ids=[fields.Command.set(other.ids)],
        )  # fmt: skip
        treasury_import = self.preview(order_row(1))
        with self.assertRefused(exception=AccessError):
            treasury_import.with_user(stranger).action_book()
        other.partner_id.write({"country_id": self.env.ref("base.fr").id, "company_registry": CITY})
        theirs = self.upload(make_xlsx(("A", [HEAD, order_row(1)])), user=stranger)
        self.assertNotEqual(theirs, treasury_import)
        self.assertEqual(self.statuses(theirs), [(2, "refused", "unknown_operator")])


class TestLinesStay(TreasuryCase):
    def test_by_nobody(self):
        """The superuser, too: what was booked says of what line of which extract."""
        extract = self.preview(order_row(), order_row(2, 700.0))
        extract.with_user(self.finance_officer).action_book()
        with self.assertRefused("comes and goes with its document", exception=AccessError):
            extract.line_ids.sudo().unlink()
        self.assertEqual(len(extract.line_ids.exists()), 2)
