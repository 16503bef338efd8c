from collections import defaultdict
from decimal import Decimal

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.ctai_grants.lib.guard.money import ZERO, euros
from odoo.addons.ctai_grants.models.award.res_partner_body import get_digits

from ...lib.open_data.scdl import MONEY, ONCE, SPREAD


class GrantSubsidy(models.Model):
    """What is published of a subsidy: its amount and dates as the ledger has them, names and
    numbers as they were on the day of its convention."""

    _inherit = "grant.subsidy"

    publication_line_ids = fields.One2many(
        "grant.publication.line", "subsidy_id", string="Published Data"
    )
    publication_state = fields.Selection(
        [("none", "Not to publish"), ("due", "To publish"), ("published", "Published")],
        string="Open Data",
        compute="_compute_publication_state",
        search="_search_publication_state",
    )

    @api.depends(
        "state", "signature_date", "publication_line_ids", "amount", "partner_id.grant_body",
        "company_id.grant_open_data_all",
    )  # fmt: skip
    def _compute_publication_state(self):
        published = self.env["grant.publication.line"]._get_published(self)
        due = self._filter_publishable()._filter_to_publish()
        for subsidy in self:
            if subsidy._origin in published:
                subsidy.publication_state = "published"
            else:
                subsidy.publication_state = "due" if subsidy in due else "none"

    @api.model
    def _search_publication_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        candidates = self.search(self._get_publishable_domain())
        last = self.env["grant.publication.line"].search([("is_current", "=", True)])
        concerned = candidates | last.subsidy_id
        found = concerned.filtered(lambda subsidy: subsidy.publication_state in value)
        domain = Domain("id", "in", found.ids)
        return domain | Domain("id", "not in", concerned.ids) if "none" in value else domain

    @api.model
    def _get_publishable_domain(self):
        """Conventions of the city with a body. What the State pays itself, it publishes itself;
        what was signed before the decree came into force is not concerned (décret 2017-779,
        art. 7)."""
        return (
            Domain("kind", "=", "operator")
            & Domain("state", "in", ("signed", "closed"))
            & Domain("envelope_id.payment_path", "=", "city")
            & Domain("signature_date", ">=", "2017-08-01")
        )

    def _filter_publishable(self):
        return self.filtered_domain(self._get_publishable_domain())

    def _filter_to_publish(self):
        """Also those that the city publishes though no law asks for it."""
        every = self.filtered("company_id.grant_open_data_all")
        return every | super(GrantSubsidy, self - every)._filter_to_publish()

    # ------------------------------------------------------------------
    # The lines
    # ------------------------------------------------------------------

    def _get_open_data_lines(self):
        """What is published of these subsidies: dicts of values of ``grant.publication.line``."""
        awarded, payments = self._get_awarded(), self._get_payment_dates()
        lines = []
        for day, subsidies in self.grouped("signature_date").items():
            partners = subsidies.partner_id.commercial_partner_id
            identities = (partners | self.company_id.partner_id)._get_identities(day)
            lines += [
                subsidy._prepare_open_data(identities, awarded[subsidy.id], payments[subsidy.id])
                for subsidy in subsidies
            ]
        return lines

    def _prepare_open_data(self, identities, amount, dates):
        parties = self._prepare_open_data_parties(
            identities[self.company_id.partner_id],
            identities[self.partner_id.commercial_partner_id],
        )
        is_known = dates and all(dates)
        return {
            **parties,
            "source": f"{self._name},{self.id}",
            "subsidy_id": self.id,
            "exercise": (self.decision_date or self.signature_date).year,
            "convention_date": self.signature_date,
            "decision": self.decision_number or "",
            "purpose": self.name or "",
            "amount": float(amount),
            "nature": MONEY,
            "terms": ONCE if len(dates) == 1 else SPREAD,
            "paid_from": is_known and min(dates),
            "paid_to": is_known and max(dates),
        }

    @api.model
    def _prepare_open_data_parties(self, city, operator):
        """Who gives and who gets, by their names and numbers of that day."""
        return {
            "grantor": city.name or "",
            "grantor_siret": self._get_published_siret(city),
            "beneficiary": operator.name or "",
            "beneficiary_siret": self._get_published_siret(operator),
            "beneficiary_rna": operator.rna or "",
        }

    @api.model
    def _get_published_siret(self, identity):
        number = get_digits(identity.company_registry)
        return number if len(number) == 14 and identity._is_french() else ""

    def _get_awarded(self):
        """Euros awarded to each of these, as the ledger has them: what was committed at the
        signature and by amendments. What a report or the end left unspent was awarded all the same.

        :return: dict {id: Decimal}
        """
        entries = self.env["grant.entry"].search_fetch(
            [("subsidy_id", "in", self.ids), ("kind", "=", "commitment")],
            ["subsidy_id", "amount", "origin_model"],
            order="id",
        )
        totals, released = defaultdict(lambda: ZERO), defaultdict(lambda: ZERO)
        for entry in entries:
            amount, key = euros(entry.amount), entry.subsidy_id.id
            if entry.origin_model == "grant.financial.report":
                continue
            totals[key] += amount
            if entry.origin_model == self._name:
                # Given back at the end, unless it was committed again since: a cancelled one that
                # was signed once more, or a date corrected.
                released[key] = released[key] - amount if amount < 0 else ZERO
        return defaultdict(
            lambda: Decimal(0), {key: total + released[key] for key, total in totals.items()}
        )

    def _get_payment_dates(self):
        """Dates on which each of these is paid: those of the ledger, and of tranches to come their
        due dates (None for one that has none).

        :return: dict {id: list}
        """
        tranches = self.env["grant.disbursement"].search(
            [("subsidy_id", "in", self.ids), ("state", "!=", "cancelled")]
        )
        paid = self._get_paid_dates(tranches)
        dates = defaultdict(list)
        for tranche in tranches:
            own = dates[tranche.subsidy_id.id]
            own += [day for day in paid[tranche.id] if day not in own]
            if tranche.state != "paid":
                own.append(tranche.due_date or None)
        return dates

    @api.model
    def _get_paid_dates(self, tranches):
        """Dates of payments that stayed paid: dict {id of the tranche: list}."""
        entries = self.env["grant.entry"].search_fetch(
            [
                ("origin_model", "=", tranches._name), ("origin_id", "in", tranches.ids),
                ("kind", "=", "payment"),
            ],
            ["origin_id", "date", "amount"],
            order="date, id",
        )  # fmt: skip
        standing = defaultdict(list)
        for entry in entries:
            amount, payments = euros(entry.amount), standing[entry.origin_id]
            if amount > 0:
                payments.append([entry.date, amount])
                continue
            # What came back takes the last payments away.
            while payments and amount < 0:
                taken = min(payments[-1][1], -amount)
                payments[-1][1] -= taken
                amount += taken
                if not payments[-1][1]:
                    payments.pop()
        return defaultdict(
            list, {key: [day for day, _left in left] for key, left in standing.items()}
        )
