import datetime
import io
import zipfile
from decimal import Decimal

import openpyxl

from odoo.tests import BaseCase

from odoo.addons.ctai_grants.lib.accounting.spreadsheet import Refusal

from ...lib.open_data import template
from ...lib.open_data.awards import read_awards
from ...lib.open_data.scdl import IN_KIND, OFFICIAL
from .common import find_shared

TODAY = datetime.date(2022, 6, 30)
GOOD = {
    "nomAttribuant": "Ville de test",
    "idAttribuant": "00090004300019",
    "dateConvention": "2021-10-25",
    "referenceDecision": "2021-0042",
    "nomBeneficiaire": "Les Amis",
    "idBeneficiaire": "00090001900019",
    "rnaBeneficiaire": "",
    "objet": "Ateliers de français",
    "montant": "30000.50",
    "nature": "aide en numéraire",
    "conditionsVersement": "unique",
    "datesPeriodeVersement": "2021-11-15",
    "notificationUE": "non",
    "pourcentageSubvention": "1.00",
}


def make_text(rows=({},), delimiter=",", above="", titles=None):
    """A file of these rows, each said by what differs from a good one."""
    names = list(GOOD)
    lines = [delimiter.join((titles or {}).get(name, name) for name in names)]
    for row in rows:
        cells = {**GOOD, **row}
        lines.append(delimiter.join(f'"{cells[name]}"' for name in names))
    return above + "\n".join(lines) + "\n"


def read(text, encoding="utf-8"):
    return read_awards(text.encode(encoding), TODAY)


class TestFiles(BaseCase):
    def check_good(self, awards):
        (award,) = awards
        self.assertEqual(award.faults, [])
        self.assertEqual(award.number, "00090001900019")
        self.assertEqual(award.amount, Decimal("30000.50"))
        self.assertEqual(award.purpose, "Ateliers de français")
        self.assertEqual(award.convention_date, datetime.date(2021, 10, 25))

    def test_encodings_and_delimiters(self):
        for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
            for delimiter in (",", ";", "\t"):
                with self.subTest(encoding=encoding, delimiter=delimiter):
                    self.check_good(read(make_text(delimiter=delimiter), encoding))

    def test_titles_above(self):
        above = "Ville de test;;;\nSubventions 2021;;;\n;;;\n"
        self.check_good(read(make_text(delimiter=";", above=above)))

    def test_headings(self):
        for titles in (
            {"idBeneficiaire": "idBeneficiaire*", "montant": " montant * ", "objet": "OBJET"},
            {"idBeneficiaire": "SIRET du bénéficiaire", "objet": "Objet de la subvention",
             "montant": "Montant attribué (€)", "dateConvention": "Date de la convention"},
            {"idBeneficiaire": "SIRET du bÃ©nÃ©ficiaire", "montant": "Montant attribuÃ©"},
            {"idBeneficiaire": "SIRET du b?n?ficiaire", "montant": "Montant attribu\ufffd"},
            {"idBeneficiaire": "id_beneficiaire", "objet": "object"},
        ):  # fmt: skip
            with self.subTest(titles=titles):
                self.check_good(read(make_text(titles=titles)))

    def test_columns_more_or_less(self):
        text = "id;objet;siret;foo;montant\n1;Ateliers;000 900 019 00019;x;1 234,50 €\n"
        (award,) = read(text)
        self.assertEqual((award.faults, award.amount), ([], Decimal("1234.50")))
        with self.assertRaises(Refusal) as refusal:
            read("objet;siret\nAteliers;00090001900019\n")
        self.assertEqual(refusal.exception.code, "no_columns")
        self.assertEqual(refusal.exception.about["missing"], ["amount"])

    def test_by_rna_alone(self):
        (award,) = read("objet;rna;montant\nAteliers;w863001234;100\n")
        self.assertEqual((award.faults, award.rna), ([], "W863001234"))

    def test_totals_and_notes(self):
        text = make_text([{}, {}]) + "Total,,,,,,,,60001.00\n,,,,,,,,\n"
        self.assertEqual(len(read(text)), 2)

    def test_two_alike_are_two(self):
        first, second = read(make_text([{}, {}]))
        self.assertNotEqual(first.key, second.key)
        # In whatever shape the same file comes again.
        again = read(make_text([{"montant": "30 000,50", "dateConvention": "25/10/2021"}, {}],
                               delimiter=";"))  # fmt: skip
        self.assertEqual([a.key for a in again], [first.key, second.key])

    def test_workbooks(self):
        for cells in (
            {},
            {"idBeneficiaire": 12345678200010, "montant": 30000.5,
             "dateConvention": datetime.date(2021, 10, 25), "pourcentageSubvention": 1},
            {"dateConvention": 44494},
        ):  # fmt: skip
            with self.subTest(cells=cells):
                book = openpyxl.Workbook()
                book.active.append(list(GOOD))
                book.active.append(list({**GOOD, "montant": 30000.5, **cells}.values()))
                stream = io.BytesIO()
                book.save(stream)
                (award,) = read_awards(stream.getvalue(), TODAY)
                codes = {fault.code for fault in award.faults}
                # An invented number of 14 digits that a spreadsheet holds whole.
                self.assertLessEqual(codes, {"siret_key"})
                self.assertEqual(award.convention_date, datetime.date(2021, 10, 25))
                self.assertEqual(award.amount, Decimal("30000.50"))

    def test_opendocument(self):
        cells = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{text}</text:p>'
            "</table:table-cell>"
            for text in ("siret", "objet", "montant")
        )
        values = (
            '<table:table-cell office:value-type="string"><text:p>00090001900019</text:p>'
            '</table:table-cell><table:table-cell office:value-type="string"><text:p>Ateliers'
            '</text:p></table:table-cell><table:table-cell office:value-type="float" '
            'office:value="30000.5"><text:p>30 000,50</text:p></table:table-cell>'
        )
        names = " ".join(
            f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
            for name in ("office", "table", "text")
        )
        content = (
            f'<?xml version="1.0"?><office:document-content {names}><office:body>'
            f'<office:spreadsheet><table:table table:name="A"><table:table-row>{cells}'
            f"</table:table-row><table:table-row>{values}</table:table-row></table:table>"
            "</office:spreadsheet></office:body></office:document-content>"
        )
        kind = "application/vnd.oasis.opendocument.spreadsheet"
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr("mimetype", kind)
            archive.writestr("content.xml", content)
            archive.writestr(
                "META-INF/manifest.xml",
                '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:'
                f'1.0"><manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
                "</manifest:manifest>",
            )
        (award,) = read_awards(stream.getvalue(), TODAY)
        self.assertEqual((award.faults, award.amount), ([], Decimal("30000.50")))

    def test_broken_files(self):
        for content, code in (
            (b"", "empty"),
            (b"\xef\xbb\xbf", "empty"),
            (b"%PDF-1.7", "not_a_spreadsheet"),
            (b"PK\x03\x04" + b"\x00" * 40, "not_a_spreadsheet"),
            (b"siret;objet;montant\n", "no_rows"),
            (b"a;b\n1;2\n", "no_columns"),
            (b"siret;siret;objet;montant\n1;2;3;4\n", "double_column"),
            (b'siret;objet;montant\n1;"x;3\n4;5;6\n', "quotes"),
        ):
            with self.subTest(content=content), self.assertRaises(Refusal) as refusal:
                read_awards(content, TODAY)
            self.assertEqual(refusal.exception.code, code)

    def test_templates(self):
        for make, _kind in template.MAKERS.values():
            with self.assertRaises(Refusal) as refusal:
                read_awards(make(), TODAY)
            # Its columns are those that are read; there is nothing below them.
            self.assertEqual(refusal.exception.code, "no_rows")

    def test_official_example(self):
        content = find_shared("scdl/exemples/exemple_valide.csv").read_bytes()
        awards = read_awards(content, datetime.date(2026, 1, 1))
        self.assertEqual(len(awards), 29)
        codes = {fault.code for award in awards for fault in award.faults}
        self.assertEqual(codes, {"order", "bad_period", "both"})
        self.assertEqual(set(OFFICIAL) - set(GOOD), {"idRAE", "dispositifAide"})


class TestCells(BaseCase):
    def find(self, **cells):
        (award,) = read(make_text([cells], delimiter=";"))
        return award, [(fault.column, fault.code) for fault in award.faults]

    def test_siret(self):
        for cell, code in (
            ("2,43E+13", "siret_rounded"),
            ("2.18602E+13", "siret_rounded"),
            ("840690.0", "siret_decimals"),
            ("840690,5", "siret_decimals"),
            ("0000001800010", "siret_zero"),
            ("00090001900010", "siret_key"),
            ("1234", "siret_length"),
            ("FR12345", "siret_letters"),
            ("n/a", "siret_letters"),
        ):
            with self.subTest(cell=cell):
                self.assertEqual(self.find(idBeneficiaire=cell)[1], [("idBeneficiaire", code)])
        for cell in ("000 900 019 00019", "000\u00a0900\u202f01900019", "'00090001900019",
                     "00090001900019.0"):  # fmt: skip
            self.assertEqual(self.find(idBeneficiaire=cell)[0].number, "00090001900019")
        self.assertEqual(self.find(idBeneficiaire="000900019")[0].number, "000900019")
        self.assertEqual(self.find(idBeneficiaire="#")[1], [("idBeneficiaire", "missing")])
        self.assertEqual(self.find(idBeneficiaire="#", rnaBeneficiaire="W863001234")[1], [])

    def test_dates(self):
        for cell in ("2021/10/25", "25/10/2021", "25.10.21", "44494", "20211025",
                     "2021-10-25T00:00:00Z"):  # fmt: skip
            with self.subTest(cell=cell):
                found = self.find(dateConvention=cell)
                if cell == "44494":
                    # In a text it is a number like another.
                    self.assertEqual(found[1], [("dateConvention", "bad_date")])
                else:
                    self.assertEqual(found[0].convention_date, datetime.date(2021, 10, 25))
        for cell in ("2021-02-30", "hier", "0021-10-25"):
            self.assertEqual(self.find(dateConvention=cell)[1], [("dateConvention", "bad_date")])
        self.assertEqual(self.find(dateConvention="2022-07-01")[1], [("dateConvention", "future")])

    def test_periods(self):
        period = (datetime.date(2021, 11, 15), datetime.date(2022, 3, 15))
        for cell in ("2021-11-15/2022-03-15", "2021-11-15_2022-03-15", "15/11/2021/15/03/2022",
                     "15/11/2021 au 15/03/2022", "du 15/11/2021 au 15/03/2022",
                     "15/11/2021-15/03/2022", "2021/11/15_2022/03/15"):  # fmt: skip
            with self.subTest(cell=cell):
                award, faults = self.find(datesPeriodeVersement=cell)
                self.assertEqual((faults, (award.paid_from, award.paid_to)), ([], period))
        for cell, code in (("2022-03-15/2021-11-15", "order"), ("2021", "bad_period"),
                           ("2021-11-15/", "bad_period")):  # fmt: skip
            found = self.find(datesPeriodeVersement=cell)[1]
            self.assertEqual(found, [("datesPeriodeVersement", code)])

    def test_amounts(self):
        for cell, amount in (("30 000,50 €", "30000.50"), ("1.234,56", "1234.56"), ("12", "12")):
            self.assertEqual(self.find(montant=cell)[0].amount, Decimal(amount))
        for cell, code in (
            ("1.234", "ambiguous_amount"),
            ("beaucoup", "bad_amount"),
            ("0", "nothing"),
            ("-5", "nothing"),
            ("1e400", "bad_amount"),
        ):
            self.assertEqual(self.find(montant=cell)[1], [("montant", code)], cell)

    def test_shares_and_kinds(self):
        self.assertEqual(self.find(pourcentageSubvention="0,45")[0].amount, Decimal("13500.23"))
        self.assertEqual(self.find(pourcentageSubvention="100")[1],
                         [("pourcentageSubvention", "share")])  # fmt: skip
        self.assertEqual(self.find(nature="Aide en nature")[0].nature, IN_KIND)
        found = self.find(nature="aide en numéraire;aide en nature")[1]
        self.assertEqual(found, [("nature", "both")])
        self.assertEqual(self.find(nature="prêt")[1], [("nature", "nature")])

    def test_unseen_is_nothing(self):
        for text in ("\u200b", "\u2060\u00ad", "\u3164", "\u2800", "\u0301", "\u202e\u202c"):
            (award,) = read(make_text([{"nomBeneficiaire": text}]))
            self.assertFalse(award.beneficiary, ascii(text))
            (award,) = read(make_text([{"objet": text}]))
            self.assertEqual([fault.code for fault in award.faults], ["missing"], ascii(text))
        (award,) = read(make_text([{"nomBeneficiaire": "جمعية\u200b"}]))
        self.assertTrue(award.beneficiary)

    def test_shifted(self):
        (award,) = read("siret,objet,montant\n00090001900019,Ateliers,40000,50\n")
        self.assertEqual([fault.code for fault in award.faults], ["shifted"])
