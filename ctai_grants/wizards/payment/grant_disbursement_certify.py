from odoo import api, fields, models


class GrantDisbursementCertify(models.TransientModel):
    """Asks for the date and comment of the certificate that the work was done."""

    _name = "grant.disbursement.certify"
    _description = "Certify the Work Done"
    _inherit = ["grant.text.mixin"]

    disbursement_ids = fields.Many2many(
        "grant.disbursement", string="Tranches", required=True, readonly=True
    )
    service_date = fields.Date(
        string="Work Done On",
        required=True,
        compute="_compute_service_date",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    comment = fields.Text(help="Printed on the certificate.")

    @api.depends("disbursement_ids")
    def _compute_service_date(self):
        for wizard in self:
            # The day of the city whose documents they are, whichever one works for now.
            company = wizard.disbursement_ids[:1].company_id or self.env.company
            wizard.service_date = company._grant_today()

    def action_confirm(self):
        """Certify, and make the certificates; see :meth:`grant.disbursement._do_certify` for what
        it refuses."""
        self.ensure_one()
        self.disbursement_ids._do_certify(self.service_date, (self.comment or "").strip())
        self.disbursement_ids._make_certificates()
        return {"type": "ir.actions.act_window_close"}
