from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain

from ...lib.open_data.scdl import IN_KIND, LENT


class GrantAidInKind(models.Model):
    """What is published of aid in kind: it is a subsidy to the law (loi 2000-321, art. 9-1)."""

    _inherit = "grant.aid.in.kind"

    @api.model
    def _get_publishable_domain(self):
        """What was recorded, by a convention or a decision since the decree came into force."""
        return Domain("state", "=", "recorded") & (
            Domain("convention_date", ">=", "2017-08-01")
            | (Domain("convention_date", "=", False) & Domain("decision_date", ">=", "2017-08-01"))
        )

    def _filter_to_publish(self):
        """What goes to a body that gets more than the threshold in the year, money included; all of
        it where the city publishes everything."""
        totals = self._get_yearly_totals()
        return self.filtered(
            lambda aid: aid.company_id.grant_open_data_all
            or aid.currency_id.compare_amounts(
                totals[aid._get_year()], aid.company_id.grant_convention_threshold
            ) > 0
        )  # fmt: skip

    def _get_year(self):
        return self.partner_id.grant_body, self.company_id.id, self.date_start.year

    def _get_yearly_totals(self):
        """What the bodies of these get, in kind and in money: dict {(body, id of the city, year):
        euros}."""
        bodies = self.partner_id.mapped("grant_body")
        totals = defaultdict(float, self._get_yearly_valuations(bodies))
        for partner, company, year, amount in self.env["grant.subsidy"]._read_group(
            [
                ("partner_id.grant_body", "in", bodies), ("kind", "=", "operator"),
                ("state", "!=", "cancelled"), ("decision_date", "!=", False),
            ],
            ["partner_id", "company_id", "decision_date:year"],
            ["amount:sum"],
        ):  # fmt: skip
            totals[partner.grant_body, company.id, year.year] += amount
        return totals

    def _get_open_data_lines(self):
        """As of a subsidy: dicts of values of ``grant.publication.line``."""
        lines = []
        for day, aids in self.grouped(lambda a: a.convention_date or a.decision_date).items():
            partners = aids.partner_id.commercial_partner_id | aids.company_id.partner_id
            identities = partners._get_identities(day)
            lines += [aid._prepare_open_data(identities, day) for aid in aids]
        return lines

    def _prepare_open_data(self, identities, day):
        parties = self.env["grant.subsidy"]._prepare_open_data_parties(
            identities[self.company_id.partner_id],
            identities[self.partner_id.commercial_partner_id],
        )
        return {
            **parties,
            "source": f"{self._name},{self.id}",
            "subsidy_id": False,
            "exercise": self.date_start.year,
            "convention_date": day,
            "decision": self.decision_number or self.convention_reference or "",
            "purpose": self.name,
            "amount": self.amount,
            "nature": IN_KIND,
            "terms": LENT,
            "paid_from": self.date_start,
            "paid_to": self.date_end,
        }
