from odoo import models
from odoo.exceptions import UserError

NUMBERS = ("company_registry", "rna")


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge_bank_accounts(self, src_partners, dst_partner):
        # First of all that a merge does: what is refused about accounts would mislead.
        self._check_in_ledger(src_partners, dst_partner)
        return super()._merge_bank_accounts(src_partners, dst_partner)

    def _check_in_ledger(self, src_partners, dst_partner):
        """Refuse to merge away what the ledger names.

        :raise UserError: naming it, and what to do
        """
        if named := src_partners._get_in_ledger():
            raise UserError(self._get_ledger_refusal(named[0], dst_partner))

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Leave behind the history of what is merged away."""
        self._check_in_ledger(src_partners, dst_partner)
        # sudo: who merges contacts does not read histories; they go with the records they are of
        identities = self.env["grant.identity"].sudo()
        identities.flush_model()
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
