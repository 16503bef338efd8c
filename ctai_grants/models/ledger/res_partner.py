from odoo import api, models
from odoo.exceptions import ValidationError

# What decides which organisation a partner belongs to.
ORGANISATION_FIELDS = {"parent_id", "is_company"}


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.constrains("active")
    def _check_active(self):
        archived = self.filtered(lambda partner: not partner.active)
        if in_ledger := archived._get_in_ledger():
            raise ValidationError(
                self.env._(
                    "%(partner)s is in the grant ledger and cannot be archived.",
                    partner=in_ledger[0].display_name,
                )
            )

    def _get_in_ledger(self):
        """Those of these partners that the ledger names."""
        # sudo: who edits organisations may not read the ledger
        entries = self.env["grant.entry"].sudo()
        named = entries._read_group([("partner_id", "in", self.ids)], ["partner_id"])
        return self.filtered(lambda partner: (partner,) in named)

    def write(self, vals):
        organisations = self._get_organisations() if vals.keys() & ORGANISATION_FIELDS else {}
        result = super().write(vals)
        for partner, organisation in organisations.items():
            if partner.commercial_partner_id != organisation:
                raise ValidationError(
                    self.env._(
                        "%(partner)s is in the grant ledger: it stays with its organisation.",
                        partner=partner.display_name,
                    )
                )
        return result

    def _get_organisations(self):
        """The organisation of each partner of the ledger among these and their contacts: whose
        portal users see its subsidies, and whose account gets the money."""
        family = self.with_context(active_test=False).search([("id", "child_of", self.ids)])
        return {partner: partner.commercial_partner_id for partner in family._get_in_ledger()}
