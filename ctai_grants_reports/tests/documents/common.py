import io

from pypdf import PdfReader

from odoo import Command, fields

from odoo.addons.ctai_grants.tests.common import GrantsCommon
from odoo.addons.ctai_grants.tests.pdf_rules import find_faults

HOSTILE = '#panic("x") $x$ *gras* _e_ @ref <b> \\ = titre #include "/main.typ"'


class DocumentsCase(GrantsCommon):
    """One of each document that is printed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.city = cls.env.company
        cls.operator.legal_representative = "Anne Martin, présidente"
        cls.subsidy = cls.make_subsidy()
        cls.add_budget(cls.subsidy, ("604", 4000), ("641", 6000), ("74com", 10000))
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.piece = cls.make_deliverable(cls.subsidy, name="Bilan")
        cls.sign(cls.subsidy)
        cls.pay(cls.tranche)

    @classmethod
    def add_budget(cls, subsidy, *lines):
        accounts = cls.env["grant.budget.account"]
        subsidy.budget_line_ids = [
            Command.create(
                {
                    "account_id": accounts.search([("code", "=", code)]).id,
                    "amount": amount,
                    "is_subsidy": code == "74com",
                }
            )
            for code, amount in lines
        ]

    @classmethod
    def make_financial_report(cls, subsidy=None):
        report = cls.env["grant.financial.report"].with_user(cls.coordinator)
        return report.create(
            {
                "subsidy_id": (subsidy or cls.subsidy).id,
                "exercise_start": "2021-01-01",
                "exercise_end": "2021-12-31",
            }
        )

    @classmethod
    def make_recovery(cls, **values):
        recovery = (
            cls.env["grant.recovery"]
            .with_user(cls.coordinator)
            .create(
                {"subsidy_id": cls.subsidy.id, "amount": 100, "facts": "Atelier annulé", **values}
            )
        )
        recovery.action_write_letter()
        return recovery

    @classmethod
    def make_amendment(cls, **values):
        amendment = cls.env["grant.amendment"].with_user(cls.coordinator)
        return amendment.create(
            {
                "subsidy_id": cls.subsidy.id,
                "reason": "Plus long",
                "date_end": "2022-12-31",
                **values,
            }
        )

    def render(self, name, record, user=None, module="ctai_grants_reports"):
        """The PDF of a report, judged."""
        reports = self.env["ir.actions.report"].with_user(user or self.coordinator)
        content, kind = reports._render(f"{module}.report_{name}", record.ids)
        self.assertEqual(kind, "pdf")
        self.assertEqual(find_faults(content), [])
        return content

    @staticmethod
    def extract(content):
        text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
        return " ".join(text.replace("\u202f", " ").replace("\xa0", " ").split())

    def assertOrder(self, text, *parts):
        """These stand in a text, in this order."""
        place = 0
        for part in parts:
            found = text.find(part, place)
            self.assertNotEqual(
                found, -1, f"{part!r} not after {text[max(0, place - 60) : place]!r}"
            )
            place = found

    @staticmethod
    def today():
        return fields.Date.today()
