from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_upload_max_mb = fields.Integer(
        string="Largest Upload (MB)",
        default=15,
        help="Files that operators hand in on the portal cannot be larger.",
    )
    _grant_upload_max_positive = models.Constraint(
        "CHECK (grant_upload_max_mb BETWEEN 1 AND 100)",
        "The largest upload is between 1 and 100 MB.",
    )
