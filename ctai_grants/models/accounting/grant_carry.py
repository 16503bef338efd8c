from odoo import api, fields, models


class GrantCarry(models.Model):
    """What accounting undid of a day that it had closed, or by an entry of a later day: the ledger
    takes it back on that day, and the closed one stays as it was sent.

    Accounting's matches have no date of their own, and leave no trace when they are undone: this is
    it. Without it, the ledger of a closed period would have to change.
    """

    _name = "grant.carry"
    _description = "Correction of a Later Day"
    _inherit = ["grant.append.only.mixin"]
    _order = "id desc"

    origin_model = fields.Char(required=True, readonly=True)
    origin_id = fields.Many2oneReference(
        model_field="origin_model", required=True, readonly=True, index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(required=True, readonly=True)
    from_date = fields.Date(string="Of", required=True, readonly=True)
    date = fields.Date(string="Booked On", required=True, readonly=True)
    _later = models.Constraint(
        "CHECK (date > from_date AND amount <> 0 AND amount = round(amount, 2))",
        "A correction is carried to a later day.",
    )

    @api.model
    def _get_chained_fields(self):
        return ["origin_model", "origin_id"]
