from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import new_test_user, tagged

from ..common import GrantsCommon


@tagged("post_install", "-at_install")
class TestCityCompany(GrantsCommon):
    """What a company has to be before grants are set up, and before a contract is in force."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.city = cls.env["res.company"].create(
            {"name": "Neuve", "country_id": cls.env.ref("base.us").id,
             "currency_id": cls.env.ref("base.USD").id}
        )  # fmt: skip
        cls.env.user.company_ids |= cls.city
        cls.clerk = new_test_user(
            cls.env, "test_new_city", "ctai_grants.group_finance_manager",
            company_id=cls.city.id, company_ids=[Command.set(cls.city.ids)],
        )  # fmt: skip
        cls.draft = cls.env["grant.contract"].create({
            "name": "Contrat", "code": "NEW-1", "funder_id": cls.prefecture.id,
            "company_id": cls.city.id, "signature_date": "2021-10-21",
            "date_start": "2021-10-21", "date_end": "2022-12-31",
            "envelope_ids": [Command.create({"name": "A", "code": "A", "amount": 10})],
        })  # fmt: skip

    def make_chart(self):
        for code, side in (("T401", "liability_payable"), ("T411", "asset_receivable")):
            self.env["account.account"].with_company(self.city).create(
                {"code": code, "name": code, "account_type": side,
                 "company_ids": self.city.ids}
            )  # fmt: skip

    def press_set_up(self):
        settings = self.env["res.config.settings"].with_company(self.city).create({})
        return settings.action_set_up_grant_accounting()["params"]

    def test_all_is_named_and_nothing_made(self):
        accounts = self.env["account.account"].search_count([])
        for refused in (self.city._set_up_grant_accounting, self.press_set_up):
            with self.assertRefused(
                "Neuve", "United States", "USD", "chart of accounts", exception=RedirectWarning
            ):
                refused()
        with self.assertRefused("Neuve", "United States", "USD", "chart", exception=UserError):
            self.draft.with_user(self.clerk).action_put_in_force()
        self.assertEqual(self.draft.state, "draft")
        self.assertFalse(self.draft.envelope_ids.entry_ids)
        self.assertEqual(self.env["account.account"].search_count([]), accounts)
        self.assertFalse(self.city.grant_purchase_journal_id)
        self.assertFalse(self.city.grant_analytic_plan_id)

    def test_one_after_the_other(self):
        """Each alone forbids it; overseas is France, its francs are not euros."""
        polynesia = {"country_id": self.env.ref("base.pf").id}
        for values, still in (
            (polynesia | {"currency_id": self.env.ref("base.XPF").id}, ("XPF", "chart")),
            ({"country_id": self.env.ref("base.be").id,
              "currency_id": self.env.ref("base.EUR").id}, ("Belgium", "chart")),
            (polynesia, ("chart",)),
        ):  # fmt: skip
            self.city.write(values)
            said = " ".join(sentence for sentence, _action in self.city._get_grant_obstacles())
            for word in still:
                self.assertIn(word, said)
            self.assertEqual(len(self.city._get_grant_obstacles()), len(still))
        self.make_chart()
        self.assertFalse(self.city._get_grant_obstacles())
        self.city.chart_template = "generic_coa"
        with self.assertRefused("Generic Chart", "Fiscal Localization"):
            self.draft.with_user(self.clerk).action_put_in_force()
        self.city.chart_template = False
        self.draft.with_user(self.clerk).action_put_in_force()
        self.assertEqual(self.draft.envelope_ids.entry_ids.currency_id.name, "EUR")

    def test_missing_journals_are_named(self):
        self.city.write(
            {"country_id": self.env.ref("base.fr").id, "currency_id": self.env.ref("base.EUR").id}
        )
        self.make_chart()
        # Odoo's own journals of a new company.
        self.env["account.journal"].search([("company_id", "=", self.city.id)]).unlink()
        said = self.press_set_up()
        self.assertEqual(said["type"], "warning")
        self.assertTrue(said["message"].startswith("Still missing: Journal of Orders, Journal of"))
        self.env["account.journal"].create([
            {"name": kind, "code": kind[:4].upper(), "type": kind, "company_id": self.city.id}
            for kind in ("purchase", "sale", "bank", "general")
        ])  # fmt: skip
        said = self.press_set_up()
        self.assertEqual((said["type"], said["message"]), ("success", "Nothing was missing."))
        self.assertTrue(self.city.grant_purchase_journal_id)

    def test_a_belgian_company_goes_on(self):
        """Refused in words, its own bills are booked as before."""
        self.city.write(
            {"country_id": self.env.ref("base.be").id, "currency_id": self.env.ref("base.EUR").id}
        )
        self.make_chart()
        account = self.env["account.account"].with_company(self.city)
        chairs = account.create(
            {"code": "T610", "name": "Chairs", "account_type": "expense",
             "company_ids": self.city.ids}
        )  # fmt: skip
        payable = account.search([("code", "=", "T401")])
        supplier = self.env["res.partner"].with_company(self.city).create(
            {"name": "Supplier", "property_account_payable_id": payable.id}
        )
        journal = self.env["account.journal"].create(
            {"name": "Bills", "code": "BBE", "type": "purchase", "company_id": self.city.id}
        )
        with self.assertRefused("Belgium", exception=RedirectWarning):
            self.city._set_up_grant_accounting()
        line = {"name": "Chairs", "account_id": chairs.id, "price_unit": 120, "tax_ids": False}
        bill = self.env["account.move"].with_company(self.city).create({
            "move_type": "in_invoice", "journal_id": journal.id, "partner_id": supplier.id,
            "invoice_date": "2021-05-05", "invoice_line_ids": [Command.create(line)],
        })  # fmt: skip
        bill.action_post()
        self.assertEqual((bill.state, bill.amount_total), ("posted", 120))
