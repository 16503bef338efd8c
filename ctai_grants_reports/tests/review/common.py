import datetime

from odoo import Command
from odoo.tests import freeze_time

from odoo.addons.ctai_grants.tests.common import GrantsCommon

DAY = datetime.date.fromisoformat


class ReviewCase(GrantsCommon):
    """A contract of which one subsidy of two actions is signed and paid in part."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.health, cls.housing = cls.env["grant.theme"].create(
            [{"name": "Test health", "sequence": 901}, {"name": "Test housing", "sequence": 902}]
        )
        cls.subsidy = cls.make_subsidy(
            amount=10000,
            action_ids=[
                Command.create({"name": "Soins", "amount": 6000, "theme_ids": cls.health.ids}),
                Command.create({"name": "Toits", "amount": 4000, "theme_ids": cls.housing.ids}),
            ],
        )
        cls.indicator = cls.env["grant.indicator"].create(
            {"name": "Test people", "code": "tp", "kind": "count", "aggregation": "sum",
             "frequency": "quarter"}
        )  # fmt: skip
        cls.target = cls.env["grant.indicator.target"].create(
            {"subsidy_id": cls.subsidy.id, "indicator_id": cls.indicator.id, "target": 50,
             "frequency": "quarter"}
        )  # fmt: skip
        cls.tranches = cls.make_tranche(cls.subsidy, amount=1000)
        cls.tranches |= cls.make_tranche(cls.subsidy, amount=2500, name="Solde")
        cls.sign(cls.subsidy)
        cls.pay(cls.tranches[0])
        cls.pay(cls.tranches[1], DAY("2022-02-10"))
        cls.direct = cls.sign(
            cls.make_subsidy(
                amount=5000, envelope_id=cls.direct_envelope.id, partner_id=cls.other_operator.id
            )
        )
        cls.pay(cls.make_tranche_beyond(cls.direct, amount=700))
        cls.review = cls.make_review()

    @classmethod
    def make_review(cls, user=None, **values):
        reviews = cls.env["grant.annual.review"].with_user(user or cls.coordinator)
        return reviews.create({"contract_id": cls.contract.id, "year": 2021, **values})

    def paragraph(self, section, review=None):
        review = review or self.review
        return review.paragraph_ids.filtered(lambda one: one.section == section)

    def issue(self, review=None, moment="2022-03-01 09:00:00"):
        review = review or self.review
        with freeze_time(moment):
            review.action_issue()
        return review

    def tell(self, code, value):
        """The operator tells a figure, after the period has ended."""
        with freeze_time("2022-07-10"):
            subsidy = self.subsidy.with_user(self.operator_user)
            errors = subsidy._enter_figures([{
                "target": self.target, "period": code, "known": 0, "value": value, "base": None,
                "comment": "",
            }])  # fmt: skip
        self.assertFalse(errors)
