import csv
import datetime
import doctest
import io
import json
from decimal import Decimal

from odoo.tests import BaseCase

from ...lib.open_data import awards, report, rules, scdl, three_sixty
from .common import find_shared

TODAY = datetime.date(2021, 12, 31)
LINE = scdl.Line(
    exercise=2021,
    grantor="Ville de test",
    grantor_siret="00090004300019",
    convention_date=datetime.date(2021, 10, 25),
    decision="2021-0042",
    beneficiary="Association « Les Amis », \"quai 9\"",
    beneficiary_siret="00090001900019",
    beneficiary_rna="W863001234",
    purpose="Ateliers; de français, l'après-midi",
    amount=Decimal("30000.50"),
    nature=scdl.MONEY,
    terms=scdl.SPREAD,
    paid_from=datetime.date(2021, 11, 15),
    paid_to=datetime.date(2022, 3, 15),
)


def find(name="scdl", **values):
    """Codes of what is wrong with one line, by column."""
    content = scdl.write([LINE._replace(**values)], name)
    return {problem.column: problem.code for problem in rules.check(content, name, TODAY)}


def find_in(column, cell, name="scdl"):
    """The same of a cell that our own writer would not write."""
    dialect = scdl.DIALECTS[name]
    cells = {**scdl.get_cells(LINE, dialect.separator), column: cell}
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([dialect.columns, [cells[name] for name in dialect.columns]])
    problems = rules.check(stream.getvalue().encode(), name, TODAY)
    return {problem.column: problem.code for problem in problems}


class TestRules(BaseCase):
    def test_examples(self):
        for module in (scdl, awards, report):
            result = doctest.testmod(module)
            self.assertTrue(result.attempted, module.__name__)
            self.assertFalse(result.failed, module.__name__)

    def test_dialects(self):
        for name, columns, period in (
            ("scdl", 16, "2021-11-15/2022-03-15"),
            ("city", 14, "2021-11-15/2022-03-15"),
            ("etalab", 14, "2021-11-15_2022-03-15"),
        ):
            content = scdl.write([LINE], name)
            self.assertEqual(rules.check(content, name, TODAY), [])
            heading, row = content.decode().splitlines()
            self.assertEqual(len(heading.split(",")), columns)
            self.assertIn(period, row)
            self.assertIn('"Association « Les Amis », ""quai 9"""', row)
        self.assertTrue(scdl.write([], "city").startswith(b"exercice,nomAttribuant,"))

    def test_what_the_schema_lets_through(self):
        later = datetime.date(2021, 11, 1)
        self.assertEqual(find(paid_to=later), {"datesPeriodeVersement": "order"})
        self.assertEqual(find(terms=scdl.ONCE), {"datesPeriodeVersement": "single"})
        self.assertEqual(find(amount=Decimal(0)), {"montant": "nothing"})
        soon = TODAY + datetime.timedelta(days=1)
        self.assertEqual(find(convention_date=soon), {"dateConvention": "future"})
        for cell in ("2021-02-30/2021-03-01", "2021-13-01", "0021-01-01", "2021-11-15/"):
            self.assertEqual(
                find_in("datesPeriodeVersement", cell), {"datesPeriodeVersement": "period"}, cell
            )
        self.assertEqual(
            find_in("datesPeriodeVersement", "2021-11-15_2022-01-15"),
            {"datesPeriodeVersement": "period"},
        )

    def test_what_the_schema_asks(self):
        self.assertEqual(find(grantor_siret="00090004300010"), {"idAttribuant": "siret"})
        self.assertEqual(find(beneficiary_siret="000900019"), {"idBeneficiaire": "siret"})
        self.assertEqual(find(beneficiary=" = "), {"nomBeneficiaire": "required"})
        self.assertEqual(find(purpose=""), {"objet": "required"})
        self.assertEqual(
            find(paid_from=None, paid_to=None), {"datesPeriodeVersement": "required"}
        )
        share = "pourcentageSubvention"
        self.assertEqual(find_in(share, "100"), {share: "share"})
        self.assertEqual(find_in("notificationUE", "NON"), {"notificationUE": "yes_no"})
        self.assertEqual(find_in("montant", "30 000,50"), {"montant": "amount"})
        self.assertEqual(find_in("nature", "numéraire"), {"nature": "nature"})
        self.assertEqual(find_in("objet", "a" * 257), {"objet": "length"})
        self.assertEqual(find_in("dateConvention", "25/10/2021"), {"dateConvention": "date"})

    def test_no_siret(self):
        """Only an association that is helped in kind may have none."""
        self.assertEqual(find(beneficiary_siret=""), {"idBeneficiaire": "required"})
        self.assertEqual(find(beneficiary_siret="", nature=scdl.IN_KIND), {})
        gone = {"beneficiary_siret": "", "beneficiary_rna": "", "nature": scdl.IN_KIND}
        self.assertEqual(find(**gone), {"idBeneficiaire": "one_of"})
        # Overseas numbers have letters, which the schema does not know: the SIRET is enough.
        self.assertEqual(find(beneficiary_rna="W9R1001234"), {})

    def test_whole_file(self):
        for content, code in (
            (b"", "columns"),
            (b"a,b\n1,2", "columns"),
            (b"\xff\xfe", "file"),
            (b'"nomAttribuant', "file"),
            (scdl.write([LINE], "etalab"), "columns"),
            (scdl.write([LINE], "scdl") + b"one,two", "cells"),
        ):
            self.assertEqual([p.code for p in rules.check(content, "scdl", TODAY)], [code])

    def test_hostile_names(self):
        nasty = "=HYPERLINK(\"x\")\r\n\u202eevil\x00" + "é" * 300
        content = scdl.write([LINE._replace(beneficiary=nasty, purpose=nasty)], "scdl")
        self.assertEqual(rules.check(content, "scdl", TODAY), [])
        text = content.decode()
        for mark in ("\u202e", "\x00", ",=", ',"='):
            self.assertNotIn(mark, text)
        self.assertEqual(len(text.splitlines()), 2)

    def test_official_examples(self):
        """The schema's own files: the one that it calls good has a 5th of a 30th month, periods
        that end before they begin, and single payments over months."""
        good = find_shared("scdl/exemples/exemple_valide.csv").read_bytes()
        found = {problem.code for problem in rules.check(good, "scdl", TODAY)}
        self.assertEqual(found, {"period", "order", "single", "required"})
        bad = find_shared("scdl/exemples/exemple_invalide_erreurs_cellules.csv").read_bytes()
        self.assertTrue(rules.check(bad, "scdl", TODAY))

    def test_three_sixty(self):
        content = three_sixty.write([LINE, LINE], ["grant.subsidy-1", "grant.subsidy-2"])
        self.assertEqual(three_sixty.check(content), [])
        grant = json.loads(content)["grants"][0]
        self.assertEqual(grant["id"], "360G-FR-000900043-grant.subsidy-1")
        self.assertEqual(grant["amountAwarded"], 30000.5)
        self.assertEqual(grant["recipientOrganization"][0]["id"], "FR-INSEE-00090001900019")
        twice = three_sixty.write([LINE, LINE._replace(purpose="")], ["a", "a"])
        self.assertEqual(three_sixty.check(twice), [(2, "title"), (2, "id")])


class TestReport(BaseCase):
    def read_text(self, text):
        return [(a.line, a.verdict, a.message) for a in report.read_report(text.encode())]

    def test_report_of_errors(self):
        text = "Ligne;Champ;Message\n3;idBeneficiaire;SIRET inconnu\n;;\n4;;OK\n"
        self.assertEqual(
            self.read_text(text),
            [(3, "refused", "idBeneficiaire: SIRET inconnu"), (4, "taken", "OK")],
        )

    def test_verdicts(self):
        text = "N° ligne,Statut\n2,Acceptée\n3,refusé\n4,peut-être\n"
        self.assertEqual(
            self.read_text(text), [(2, "taken", "Acceptée"), (3, "refused", "refusé"),
                              (4, None, "peut-être")]
        )  # fmt: skip
