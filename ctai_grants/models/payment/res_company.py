from odoo import fields, models


class ResCompany(models.Model):
    # Said again, as Odoo wants it to add a mixin to a model that exists.
    _name = "res.company"
    _inherit = ["res.company", "grant.waking.mixin"]

    grant_convention_threshold = fields.Monetary(wakes="_get_waiting_tranches")
    grant_payment_days = fields.Integer(
        string="Days to Pay",
        default=60,
        help="From the notification of the award, unless the convention says otherwise (loi "
        "2000-321, art. 10).",
    )
    grant_late_interest_rate = fields.Float(
        string="Interest on Late Payment (% a Year)", default=0.0
    )

    def _get_waiting_tranches(self):
        """The tranches of these companies that wait for their conditions."""
        # sudo: who sets the threshold may not be allowed to see tranches
        tranches = self.env["grant.disbursement"].sudo()
        return tranches.search([
            ("company_id", "in", self.ids), ("state", "in", ("planned", "ready"))
        ])  # fmt: skip
