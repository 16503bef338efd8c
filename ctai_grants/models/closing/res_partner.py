from odoo import api, fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    grant_recovery_ids = fields.One2many("grant.recovery", "partner_id", string="Recoveries")

    @api.depends("grant_recovery_ids.state")
    def _compute_grant_debts(self):
        return super()._compute_grant_debts()

    def _get_grant_debts(self):
        debts = super()._get_grant_debts()
        recoveries = self.env["grant.recovery"]
        if not recoveries.has_access("read"):
            return debts
        claimed = [
            ("partner_id.grant_body", "in", self.mapped("grant_body")), ("state", "=", "claimed")
        ]  # fmt: skip
        for recovery in recoveries.search(claimed):
            sentence = self.env._(
                "To pay back: %(amount)s (%(recovery)s of %(subsidy)s).",
                amount=recovery.currency_id.format(recovery.residual_amount),
                recovery=recovery.display_name,
                subsidy=recovery.subsidy_id.code,
            )
            debts[recovery.partner_id.grant_body].append((None, recovery.company_id, sentence))
        return debts
