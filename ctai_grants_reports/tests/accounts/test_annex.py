import io
from unittest.mock import patch

import openpyxl

from odoo.exceptions import AccessError
from odoo.tests import HttpCase, freeze_time, tagged

from odoo.addons.ctai_grants.tests.common import make_siret

from .common import AccountsCase, day

MODELS = (
    "grant.annex.line", "grant.certified.accounts", "grant.year.end.line", "grant.cash.line",
    "grant.cash.month",
)  # fmt: skip
MONEY = ("ordered_amount", "reduced_amount", "money_amount", "in_kind_amount", "total_amount")


class AnnexCase(AccountsCase):
    def give(self, amount, **values):
        aid = self.env["grant.aid.in.kind"].create(
            {
                "name": "=Salle B", "partner_id": self.operator.id, "amount": amount,
                "date_start": "2021-01-01", "date_end": "2021-12-31",
                "decision_number": "2020-9", "decision_date": "2020-12-14", **values,
            }
        )  # fmt: skip
        aid.action_record()
        return aid

    def get_line(self, year=2021, partner=None, company=None):
        return self.find(
            "grant.annex.line",
            year=year,
            partner_id=(partner or self.operator).id,
            company_id=(company or self.company).id,
        )

    def assertLine(self, line, *amounts):
        self.assertEqual(self.get_sums(line, *MONEY), amounts)


class TestAnnex(AnnexCase):
    def test_money_and_kind_by_year(self):
        """1 000.10 € in 2021 and 2 000.25 € in 2022; 3 600 € in kind in 2021."""
        first, second = self.make_tranches(1000.10, 2000.25)
        self.order_on(first, "2021-12-31")
        self.pay_on(first, "2022-01-05")
        self.order_on(second, "2022-01-01")
        self.give(3600)
        self.assertLine(self.get_line(), 1000.10, 0, 1000.10, 3600, 4600.10)
        self.assertLine(self.get_line(2022), 2000.25, 0, 2000.25, 0, 2000.25)
        # Ordered in one year, paid in the next.
        self.assertEqual(self.get_line().paid_amount, 0)
        self.assertEqual(self.get_line(2022).paid_amount, 1000.10)
        self.assertFalse((self.get_line() | self.get_line(2022)).filtered("is_different"))

    def test_reduced_in_the_year(self):
        (tranche,) = self.make_tranches(1000)
        self.order_on(tranche, "2021-11-20")
        self.reduce_on(tranche, "2021-12-10", 150.55)
        line = self.get_line()
        self.assertLine(line, 1000, 150.55, 849.45, 0, 849.45)
        self.assertEqual((line.said_amount, line.difference), (849.45, 0))

    def test_reduced_in_a_later_year(self):
        """Revenue of the later year: the annex of the first stays, and says what differs."""
        (tranche,) = self.make_tranches(1000)
        self.order_on(tranche, "2021-11-20")
        self.reduce_on(tranche, "2022-02-10", 150.55)
        line = self.get_line()
        self.assertLine(line, 1000, 0, 1000, 0, 1000)
        self.assertEqual((line.said_amount, line.difference), (849.45, 150.55))
        self.assertIn(tranche.name, line.remark)
        self.assertIn("02/10/2022", line.remark)
        later = self.get_line(2022)
        self.assertLine(later, 0, 0, 0, 0, 0)
        self.assertEqual((later.prior_amount, later.is_different), (150.55, False))

    def test_withdrawn_and_cancelled(self):
        """An order that is taken back in its own period was none."""
        first, second = self.make_tranches(500, 700)
        self.order_on(first, "2021-11-20")
        with freeze_time("2021-11-25 10:00:00"):
            self.ask(first, "withdraw", self.finance_officer)
        self.order_on(second, "2021-12-01")
        aid = self.give(100)
        self.ask(aid, "cancel", self.coordinator)
        self.assertLine(self.get_line(), 700, 0, 700, 0, 700)
        self.assertFalse(self.get_line().is_different)

    def test_tampered(self):
        """What the tranche says otherwise than the books is named."""
        (tranche,) = self.make_tranches(500)
        self.order_on(tranche, "2021-11-20")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE grant_disbursement SET amount = 499.99 WHERE id = %s", [tranche.id]
        )
        line = self.get_line()
        self.assertEqual(line.difference, 0.01)
        self.assertIn("T0", line.remark)

    def test_direct_and_own_costs_are_none(self):
        direct = self.make_tranches(800, envelope_id=self.direct_envelope.id)
        with freeze_time("2021-11-20 10:00:00"):
            direct.with_user(self.coordinator).action_certify()
            direct.with_user(self.finance_officer)._do_pay(day("2021-11-20"), "E-1")
        self.sign(
            self.make_subsidy(kind="own_cost", partner_id=self.company.partner_id.id, amount=900)
        )
        self.book_cost(400, "2021-11-30")
        lines = self.env["grant.annex.line"].search([("company_id", "=", self.company.id)])
        self.assertFalse(lines)

    def test_one_body_two_records(self):
        self.operator.company_registry = make_siret(88)
        branch = self._make_organisation("Antenne", "operator")
        branch.company_registry = make_siret(88, nic=2)
        self.give(10)
        self.give(5.5, partner_id=branch.id)
        self.assertLine(self.get_line(), 0, 0, 0, 15.5, 15.5)

    def test_several_cities(self):
        other = self.env["res.company"].create({"name": "Autre ville"})
        self.give(10)
        self.give(20, company_id=other.id)
        self.assertLine(self.get_line(), 0, 0, 0, 10, 10)
        self.assertFalse(self.get_line(company=other), "a reader of one city sees its own")
        line = self.env["grant.annex.line"].search([("company_id", "=", other.id)])
        self.assertEqual(line.total_amount, 20)

    def test_what_is_behind(self):
        (tranche,) = self.make_tranches(500)
        self.order_on(tranche, "2021-11-20")
        self.pay_on(tranche, "2021-11-25")
        aid = self.give(10)
        line = self.get_line()
        for method, expected in (
            ("action_view_tranches", tranche),
            ("action_view_aids", aid),
            ("action_view_entries",
             tranche.subsidy_id.entry_ids.filtered(lambda entry: entry.kind == "payment")),
        ):  # fmt: skip
            action = getattr(line, method)()
            found = self.env[action["res_model"]].search(action["domain"])
            self.assertEqual(found.ids, expected.ids, method)

    def test_roles(self):
        for model in MODELS:
            for user in self.portal_users:
                with self.assertRefused(exception=AccessError):
                    self.env[model].with_user(user).search([])
            self.env[model].with_user(self.reader).search([])
            with self.assertRefused(exception=Exception):
                self.env[model].with_user(self.administrator).create({})


class TestCertifiedAccounts(AnnexCase):
    def get(self, **values):
        return self.find("grant.certified.accounts", partner_id=self.operator.id, **values)

    def test_threshold(self):
        """75 000 € are not above 75 000 €; a cent more is."""
        self.give(75000)
        self.assertFalse(self.get())
        self.give(0.01)
        with freeze_time("2022-06-30 10:00:00"):
            line = self.get()
            self.assertEqual((line.reason, line.state), ("amount", "awaited"))
            self.assertEqual(line.due_date, day("2022-06-30"))
        with freeze_time("2022-07-01 10:00:00"):
            self.assertEqual(self.get().state, "late")

    def test_half_of_the_budget(self):
        self.give(500.01)
        known = self.env["grant.operator.year"].create(
            {"partner_id": self.operator.id, "year": 2021, "income": 1000.02}
        )
        self.assertFalse(self.get(), "half is not above half")
        known.income = 1000
        self.assertEqual(self.get().reason, "share")
        self.assertAlmostEqual(self.get().share, 0.50001)
        known.accounts_date = "2022-05-01"
        line = self.get()
        self.assertEqual((line.state, line.received_date), ("received", day("2022-05-01")))

    def test_handed_in_on_the_portal(self):
        """Of a body whose financial year ends in August: due at the end of February."""
        self.operator.fiscalyear_end_month = "8"
        self.give(80000)
        subsidy = self.sign(self.make_subsidy())
        milestone = self.env["grant.milestone"].create(
            {"name": "Comptes", "subsidy_id": subsidy.id, "date": "2022-02-28"}
        )
        piece = self.env["grant.deliverable"].create(
            {
                "name": "Comptes 2021",
                "milestone_id": milestone.id,
                "type_id": self.env.ref("ctai_grants.deliverable_type_accounts").id,
            }
        )
        self.assertEqual(self.get().due_date, day("2022-02-28"))
        with patch.object(self.registry["grant.deliverable"], "_check_frozen_fields"):
            piece._transition(state="submitted")
        self.assertEqual(self.get().state, "review")
        piece._transition(state="accepted", answered_at="2022-02-20 10:00:00")
        line = self.get()
        self.assertEqual((line.state, line.received_date), ("received", day("2022-02-20")))


@tagged("post_install", "-at_install")
class TestFiles(AnnexCase, HttpCase):
    def make(self, what, file_format="xlsx", year=2021, user=None, **values):
        wizard = self.env["grant.accounts.wizard"].with_user(user or self.reader)
        return wizard.create(
            {"what": what, "year": year, "file_format": file_format, **values}
        )

    def open(self, what, **values):
        content, _name, _type = self.make(what, **values)._make()
        return openpyxl.load_workbook(io.BytesIO(content), data_only=True)

    def test_annex(self):
        (tranche,) = self.make_tranches(1000.10)
        self.order_on(tranche, "2021-11-20")
        self.give(3600)
        book = self.open("annex")
        rows = list(book.worksheets[0].iter_rows(values_only=True))
        self.assertEqual(rows[-2][3:6], (1000.1, 3600, 4600.1))
        self.assertEqual(rows[-1][3:6], (1000.1, 3600, 4600.1))
        texts = [cell.value for row in book.worksheets[1].iter_rows() for cell in row]
        self.assertIn("=Salle B", texts)
        formulas = [c for row in book.worksheets[1].iter_rows() for c in row if c.data_type == "f"]
        self.assertFalse([c for c in formulas if "Salle" in str(c.value)])

    def test_every_file_empty_and_full(self):
        for _full in range(2):
            for what in ("annex", "certified", "year_end", "cash"):
                for file_format, start in (("xlsx", b"PK"), ("pdf", b"%PDF")):
                    with self.subTest(what=what, file_format=file_format):
                        content, name, _type = self.make(what, file_format)._make()
                        self.assertTrue(content.startswith(start))
                        self.assertTrue(name.endswith(file_format))
            (tranche,) = self.make_tranches(60000.10)
            self.order_on(tranche, "2021-11-20")
            self.operator.name = '=HYPERLINK("x") \u202e‮ « é » ' + "x" * 250
            self.give(36000)

    def test_bad_years(self):
        for year in (0, 1999, 2999, -1):
            with self.assertRefused(str(year)):
                self.make("annex", year=year).action_download()

    def test_download(self):
        wizard = self.make("annex")
        url = wizard.action_download()["url"]
        self.env.flush_all()
        self.authenticate("test_reader", "test_reader")
        response = self.url_open(url)
        self.assertEqual(response.status_code, 200)
        self.assertTrue(response.content.startswith(b"PK"))
        for login in ("test_portal_operator", "test_portal_prefecture"):
            self.authenticate(login, login)
            self.assertEqual(self.url_open(url).status_code, 404, login)
        self.authenticate(None, None)
        self.assertNotEqual(self.url_open(url).content[:2], b"PK")

    def test_other_city(self):
        other = self.env["res.company"].create({"name": "Autre ville"})
        with self.assertRefused(exception=AccessError):
            self.make("annex", company_id=other.id)._make()
