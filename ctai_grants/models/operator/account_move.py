from odoo import api, fields, models

#: Who sees that something is to be asked; whole numbers of accounts are for finance officers.
BOOKKEEPERS = (
    "account.group_account_invoice,account.group_account_readonly,ctai_grants.group_finance_officer"
)


class AccountMove(models.Model):
    """Where an order is paid, it is said that the RIB handed in has another account."""

    _inherit = "account.move"

    grant_rib_warning = fields.Text(
        string="Account of the RIB", compute="_compute_grant_rib_warning", groups=BOOKKEEPERS
    )

    @api.depends("payment_state", "state")
    def _compute_grant_rib_warning(self):
        for move in self:
            move.grant_rib_warning = move._get_grant_rib_warning()

    def _get_grant_rib_warning(self):
        self.ensure_one()
        is_order = self.grant_origin_model == "grant.disbursement" and self.state != "cancel"
        if not is_order or self.payment_state not in ("not_paid", "partial"):
            return False
        # sudo: who keeps the books need not read tranches; numbers are masked by who the user is
        tranche = self.env["grant.disbursement"].sudo().browse(self.grant_origin_id).exists()
        return tranche.subsidy_id._get_rib_warning()


class GrantOrderBatch(models.Model):
    _inherit = "grant.order.batch"

    rib_warning = fields.Text(
        string="Account of the RIB",
        compute="_compute_rib_warning",
        groups="ctai_grants.group_finance_officer",
    )

    def _compute_rib_warning(self):
        for batch in self:
            warnings = [
                self.env._("%(order)s: %(warning)s", order=tranche.display_name, warning=warning)
                for tranche in batch.disbursement_ids
                if (warning := tranche.rib_warning)
            ]
            batch.rib_warning = "\n".join(warnings) or False


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    grant_rib_warning = fields.Text(
        string="Account of the RIB", compute="_compute_grant_rib_warning", groups=BOOKKEEPERS
    )

    @api.depends("line_ids")
    def _compute_grant_rib_warning(self):
        for wizard in self:
            moves = wizard.line_ids.move_id
            warnings = filter(None, (move._get_grant_rib_warning() for move in moves))
            wizard.grant_rib_warning = "\n".join(dict.fromkeys(warnings)) or False
