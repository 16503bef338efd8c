from odoo import api, fields, models


class GrantAccessAct(models.Model):
    """Who let whom in, or out: written once."""

    _name = "grant.access.act"
    _description = "Act about an Access"
    _inherit = ["grant.append.only.mixin"]
    _order = "id desc"
    _rec_name = "what"
    # Who, and when, are fields of its own.
    _log_access = False

    access_id = fields.Many2one(
        "grant.access", string="Person", required=True, readonly=True, ondelete="restrict",
        index=True,
    )  # fmt: skip
    what = fields.Selection(
        [
            ("invited", "Invited"),
            ("sent_again", "Invitation Sent Again"),
            ("withdrawn", "Invitation Withdrawn"),
            ("accepted", "Accepted the Invitation"),
            ("found", "Login Made in Odoo"),
            ("representative", "Named Representative"),
            ("not_representative", "No Longer Representative"),
            ("removed", "Removed"),
            ("left", "Left"),
            ("ended", "Login Closed or Moved in Odoo"),
        ],
        string="Act", required=True, readonly=True,
    )  # fmt: skip
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    user_name = fields.Char(string="By", required=True, readonly=True)
    by_city = fields.Boolean(string="By the City", required=True, readonly=True)
    done_at = fields.Datetime(string="When", required=True, readonly=True)

    @api.model
    def _get_chained_fields(self):
        return ["access_id"]
