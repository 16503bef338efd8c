from odoo import models
from odoo.exceptions import UserError

NUMBERS = ("company_registry", "rna")


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge_bank_accounts(self, src_partners, dst_partner):
        # First of all that a merge does: what is refused about accounts would mislead.
        self._check_in_ledger(src_partners, dst_partner)
        self._check_budgets(src_partners | dst_partner)
        for partner in src_partners:
            # Merged away, it would be another organisation on the papers of other cities.
            partner._check_cities(partner._get_cities(), "name")
        return super()._merge_bank_accounts(src_partners, dst_partner)

    def _check_in_ledger(self, src_partners, dst_partner):
        """Refuse to merge away what the ledger names.

        :raise UserError: naming it, and what to do
        """
        # sudo: all companies, whatever those of the user
        companies = self.env["res.company"].sudo().with_context(active_test=False)
        cities = companies.search([("partner_id", "in", src_partners.ids)]).partner_id
        # A city keeps its record too, with the history of its names.
        if named := src_partners._get_in_ledger() | cities.with_env(self.env):
            raise UserError(self._get_ledger_refusal(named[0], dst_partner))

    def _check_budgets(self, partners):
        """Refuse to merge two budgets of one year into one that nobody entered.

        :raise UserError: naming both organisations and the year
        """
        # sudo: those of all cities, whoever merges; only the year is told
        years = self.env["grant.operator.year"].sudo()
        known = years.search([("partner_id", "in", partners.ids)], order="id")
        for twice in known.grouped(lambda one: (one.company_id, one.year)).values():
            if len(twice) > 1:
                first, second = twice[:2]
                raise UserError(
                    self.env._(
                        "%(partner)s and %(other)s both have a budget of %(year)s entered: delete "
                        "the wrong one on the form of its organisation, then merge. Nothing was "
                        "changed.",
                        partner=first.partner_id.name,
                        other=second.partner_id.name,
                        year=first.year,
                    )
                )

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Leave behind the history of what is merged away."""
        self._check_in_ledger(src_partners, dst_partner)
        # sudo: contracts of all cities, in draft still, which who merges may not write. First: a
        # history stays as long as a contract names whose it is.
        contracts = self.env["grant.contract"].sudo().with_context(active_test=False)
        contracts.search([("funder_id", "in", src_partners.ids)]).funder_id = dst_partner
        self.env.flush_all()
        # sudo: who merges contacts does not read histories; they go with the records they are of
        identities = self.env["grant.identity"].sudo()
        self.env.cr.execute(
            "DELETE FROM grant_identity WHERE partner_id = ANY(%s)", [src_partners.ids]
        )
        identities.invalidate_model()
        return super()._update_foreign_keys(src_partners, dst_partner)

    def _get_ledger_refusal(self, named, dst_partner):
        about = {"partner": named.name, "other": dst_partner.name}
        if dst_partner._get_in_ledger():
            return self.env._(
                "%(partner)s and %(other)s are both in the grant ledger, which keeps what it "
                "names: they cannot be merged. With the same SIREN (or RNA) they count as one body "
                "all the same; give new subsidies to one of them.",
                **about,
            )
        return self.env._(
            "%(partner)s is in the grant ledger, which keeps what it names: choose it as the "
            "destination of the merge, and %(other)s becomes part of it.",
            **about,
        )

    def _update_values(self, src_partners, dst_partner):
        """Of two records of a body, one may have the SIRET alone: it is kept, and at no time have
        both the same."""
        records = dst_partner | src_partners
        kept = {
            name: next(filter(None, records.mapped(name)), False)
            for name in NUMBERS
        }  # fmt: skip
        src_partners.write(dict.fromkeys(NUMBERS, False))
        result = super()._update_values(src_partners, dst_partner)
        missing = {name: kept[name] for name in NUMBERS if not dst_partner[name]}
        if any(missing.values()):
            dst_partner.write(missing)
        return result
