from odoo import api, fields, models


class GrantMessage(models.Model):
    """What an operator and the city write to each other about a subsidy: written once, read by
    both.

    Not Odoo's discussion of the subsidy, which is the staff's own: whoever reads a document reads
    over RPC what is logged on it and who follows it, a message may carry files and mentions, can
    be changed, and is made by any mail that says it is from somebody (R7). Here is nothing that
    the other side must not read.
    """

    _name = "grant.message"
    _description = "Message between City and Operator"
    _inherit = ["grant.append.only.mixin"]
    _mails_about = None
    _order = "id"
    _rec_name = "sent_at"
    # Who wrote, and when, are fields of its own.
    _log_access = False

    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True
    )
    partner_id = fields.Many2one(related="subsidy_id.partner_id", string="Operator")
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    author = fields.Char(string="From", required=True, readonly=True)
    by_city = fields.Boolean(string="From the City", required=True, readonly=True)
    text = fields.Text(required=True, readonly=True)
    sent_at = fields.Datetime(string="When", required=True, readonly=True)

    @api.model
    def _get_chained_fields(self):
        return ["subsidy_id"]
