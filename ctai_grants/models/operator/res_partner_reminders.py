from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    grant_unreminded_reason = fields.Char(
        string="Not Reminded Because",
        groups="ctai_grants.group_reader",
        tracking=True,
        help="As long as there is a reason, this operator is not mailed about pieces that are due.",
    )

    def _get_grant_representatives(self):
        """Who may act for these operators on the portal and has a mail address: dict {operator
        (the commercial contact): users}."""
        # sudo: who has a login is not everybody's to read
        users = self.env["res.users"].sudo().search_fetch(
            [
                ("all_group_ids", "in", self.env.ref("ctai_grants.group_portal_operator").ids),
                ("partner_id.commercial_partner_id", "in", self.ids),
                ("partner_id.email_normalized", "!=", False),
            ],
            ["partner_id"],
        )  # fmt: skip
        users.partner_id.fetch(["commercial_partner_id", "email_normalized", "lang", "name"])
        return users.grouped(lambda user: user.partner_id.commercial_partner_id)
