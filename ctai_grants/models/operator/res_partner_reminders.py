from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    grant_unreminded_reason = fields.Char(
        string="Not Reminded Because",
        groups="ctai_grants.group_reader",
        tracking=True,
        help="As long as there is a reason, this operator is not mailed about pieces that are due.",
    )

    grant_mails = fields.Selection(
        [
            ("money", "Award, convention, payments and closing only"),
            ("pieces", "Pieces, reports and figures only"),
        ],
        string="Mails about Subsidies",
        groups="ctai_grants.group_reader",
        help="Which mails this person of an operator takes; empty: all of them. A mail that nobody "
        "takes goes to everybody.",
    )

    def _get_takers(self, about):
        """Those of these persons who take mails about ``about`` (a value of ``grant_mails``, or
        nothing); all when none does."""
        # sudo: what a colleague chose, to address a mail
        takers = self.filtered(lambda one: one.sudo().grant_mails in (False, about))
        return takers if about and takers else self

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
        users.partner_id.fetch(
            ["commercial_partner_id", "email_normalized", "lang", "name", "grant_mails"]
        )
        return users.grouped(lambda user: user.partner_id.commercial_partner_id)
