# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pages of the portal in a real browser (Chromium, by Playwright), on the data of a test."""

import resource
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

from odoo import Command, fields
from odoo.tests.common import TEST_CURSOR_COOKIE_NAME, _find_executable

from odoo.addons.ctai_grants.tests.common import PDF
from odoo.addons.ctai_grants.tests.portal.test_portal import PortalCase

#: A telephone and a desk.
WIDTHS = (375, 1280)


@contextmanager
def unlimited_memory():
    """Odoo limits the addresses of its process, which Chromium reserves by the terabyte."""
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limits[1], limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


class BrowserCase(PortalCase):
    """An operator with a subsidy in each state that it sees, a prefecture, all in French."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        french = cls.env["res.lang"]._activate_lang("fr_FR")
        cls.env["ir.default"].set("res.partner", "lang", french.code)
        (cls.portal_users | cls.env.ref("base.public_user")).partner_id.lang = french.code
        cls.company.partner_id.write({"phone": "05 49 00 00 01", "email": "mairie@ville.example"})
        cls.coordinator.partner_id.phone = "05 49 00 00 00"
        cls.mine.user_id = cls.contract.user_id = cls.coordinator
        newcomers = cls._make_organisation("Nouvelle association", "operator")
        cls.newcomer_user = cls._make_portal_user("operator", newcomers, "new_")
        cls.newcomer_user.password = cls.newcomer_user.login
        cls._fill()

    @classmethod
    def _fill(cls):
        """What the pages show: pieces in each state, payments, a report begun, money to return."""
        operator, coordinator = cls.operator_user, cls.coordinator
        accepted = cls.make_deliverable(cls.mine, name="Statuts")
        handed_in = cls.make_deliverable(cls.mine, name="Budget")
        sent_back = cls.make_deliverable(cls.mine, name="Attestation")
        for piece in (accepted, handed_in, sent_back):
            piece.with_user(operator)._do_submit("piece.pdf", PDF, comment="Voici la pièce")
        cls.accepted, cls.handed_in, cls.sent_back = accepted, handed_in, sent_back
        accepted.with_user(coordinator).action_accept()
        cls.ask(sent_back, "send_back", coordinator, "Il manque la signature")
        cls.pay(cls.make_tranche(cls.mine, name="Premier versement", amount=500))
        cls.theme = cls.env["grant.theme"].create({"name": "Logement d’essai"})
        action = {"name": "Loger", "amount": 3000, "theme_ids": cls.theme.ids}
        cls.begun = cls.make_subsidy(
            name="Rapport commencé", action_ids=[Command.create(action)]
        )
        cls.make_deliverable(
            cls.begun, name="Compte rendu financier",
            type_id=cls.env.ref("ctai_grants.deliverable_type_financial_report").id,
        )  # fmt: skip
        cls.awaited = cls.make_deliverable(cls.begun, name="Liste des ateliers")
        cls._plan_begun()
        cls.sign(cls.begun)
        cls.env["grant.financial.report"].with_user(operator)._begin(cls.begun.sudo(), "report")
        cls.empty = cls.make_subsidy(name="Sans rien")
        cls.empty.with_user(coordinator).action_grant()
        recovery = cls.env["grant.recovery"].with_user(coordinator).create(
            {"subsidy_id": cls.mine.id, "reason": "condition", "facts": "Rien.", "amount": 100}
        )  # fmt: skip
        recovery.action_write_letter()
        recovery.with_user(cls.finance_officer)._do_notify(fields.Date.today())
        cls.recovery = recovery
        cls._write_and_ask()
        cls.env.flush_all()

    @classmethod
    def _plan_begun(cls):
        """What its convention says more: a budget, tranches, figures to tell."""
        cls.env["grant.budget.line"].create([
            {
                "subsidy_id": cls.begun.id, "amount": amount, "is_subsidy": code == "74com",
                "account_id": cls.env.ref(f"ctai_grants.budget_account_{code}").id,
            }
            for code, amount in (("641", 12000), ("74com", 10000), ("756", 2000))
        ])  # fmt: skip
        cls.make_tranche(cls.begun, name="Acompte", kind="interim", due_date="2022-03-01")
        cls.begun.with_user(cls.coordinator).indicator_target_ids = [
            Command.create({"indicator_id": indicator.id, "target": 60})
            for indicator in cls.env["grant.indicator"].search([], limit=3)
        ]

    @classmethod
    def _write_and_ask(cls):
        """Messages both ways, a request that waits and one answered, people who may act."""
        begun, operator = cls.begun.with_user(cls.operator_user), cls.operator_user
        begun._write_to_city("Qui doit signer ?")
        cls.ask(cls.begun, "write_to_operator", cls.coordinator, "La présidente")
        requests = cls.env["grant.date.request"].with_user(operator)
        question = requests._ask(begun.sudo(), "question", {"reason": "Quel budget ?"})
        cls.ask(question.with_env(cls.env), "answer_request", cls.coordinator, "Le dernier")
        requests._ask(begun.sudo(), "tranche", {})
        access = cls.env["grant.access"].search(
            [("user_id", "=", operator.id), ("state", "=", "active")]
        )
        access.with_user(cls.coordinator).action_name_representative()
        access.with_user(operator)._invite(cls.operator.sudo(), "Nadia", "nadia@asso.example")

    @contextmanager
    def browser_pages(self):
        """Yield a function that opens a page of a browser as a user, or as nobody: its session is
        its own, its language French."""
        with (
            unlimited_memory(),
            sync_playwright() as playwright,
            playwright.chromium.launch(
                executable_path=_find_executable(), args=["--no-sandbox"]
            ) as browser,
            self.allow_requests(),
        ):

            def open_page(user=None, **options):
                context = browser.new_context(
                    base_url=self.base_url(), locale="fr-FR", timezone_id="Europe/Paris", **options
                )
                context.set_default_timeout(20000)
                cookies = {TEST_CURSOR_COOKIE_NAME: self.http_request_key, "frontend_lang": "fr_FR"}
                if user:
                    cookies["session_id"] = self.authenticate(user.login, user.login).sid
                context.add_cookies(
                    [
                        {"name": name, "value": value, "url": self.base_url()}
                        for name, value in cookies.items()
                    ]
                )
                return context.new_page()

            yield open_page
