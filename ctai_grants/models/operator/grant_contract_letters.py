from odoo import fields, models


class GrantContract(models.Model):
    """Which letters the acts themselves send; the others somebody sends."""

    _inherit = "grant.contract"

    # Named after the kinds of letters.
    sends_payment = fields.Boolean(
        string="Payment Made: Sent by Itself",
        help="The notice of payment leaves once a tranche is paid.",
    )
    sends_closing = fields.Boolean(
        string="Closing: Sent by Itself", help="The letter leaves once a subsidy is closed."
    )
