from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Whoever becomes another organisation's contact by a merge acts for that one (R7)."""
        # sudo: logins of the contacts that move, whoever merges; only their accesses follow
        users = self.env["res.users"].sudo().with_context(active_test=False)
        users = users.search([("partner_id", "child_of", list(partner_ids))])
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        users.invalidate_recordset()
        self.env["grant.access"]._follow(users)
        return result

    def _update_foreign_keys(self, src_partners, dst_partner):
        """Who is invited by each of two records of an operator is invited once."""
        # sudo: as above
        accesses = self.env["grant.access"].sudo()
        invited = accesses.search(
            [("operator_id", "in", (src_partners | dst_partner).ids), ("state", "=", "invited")],
            order="id",
        )
        for _email, doubles in invited.grouped("email").items():
            kept = doubles.filtered(lambda access: access.operator_id == dst_partner) or doubles
            for access in doubles - kept[:1]:
                access._transition(state="ended")
                access._note("withdrawn")
        # Odoo goes on by SQL.
        accesses.flush_model()
        return super()._update_foreign_keys(src_partners, dst_partner)
