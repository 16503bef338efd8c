import datetime

from odoo.tests import freeze_time, tagged

from .common import LEDGER, OPERATORS, TRANCHES, YEAR_END, StatementCase


@tagged("post_install", "-at_install")
class TestStatementIdentity(StatementCase):
    """A statement calls everybody as they were called on its date."""

    def test_names_of_the_date(self):
        with freeze_time("2021-10-25 12:00:00"):
            subsidy = self.sign(self.make_subsidy())
            self.make_tranche(subsidy, name="Avance")
        city, siret = self.company.name, self.operator.company_registry
        prefecture = self.prefecture.name
        before = self.make()
        with freeze_time("2022-03-01 12:00:00"):
            self.operator.with_user(self.coordinator).write(
                {"name": "Nouveau nom", "company_registry": "33417522100012"}
            )
            self.company.name = "Commune nouvelle"
            self.prefecture.name = "Préfecture nouvelle"
        self.assertEqual(self.make(), before, "the same bytes as before")
        for as_at, name, number, called in (
            (YEAR_END, "Association de test", siret, (city, prefecture)),
            (datetime.date(2022, 2, 28), "Association de test", siret, (city, prefecture)),
            (datetime.date(2022, 3, 1), "Nouveau nom", "33417522100012",
             ("Commune nouvelle", "Préfecture nouvelle")),
        ):  # fmt: skip
            with self.subTest(as_at=as_at):
                book = self.open(as_at)
                row = self.get_rows(book, OPERATORS)[0]
                self.assertEqual((row["Operator"], row["SIRET"]), (name, number))
                self.assertEqual(self.get_rows(book, TRANCHES)[0]["Operator"], name)
                names = {row["Operator"] for row in self.get_rows(book, LEDGER)}
                self.assertEqual(names - {None}, {name})
                self.assertLessEqual(set(called), self.get_texts(book))
