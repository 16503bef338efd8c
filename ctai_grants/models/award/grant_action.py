from odoo import api, fields, models


class GrantAction(models.Model):
    """One action that a subsidy pays for."""

    _inherit = "grant.action"

    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    envelope_id = fields.Many2one(related="subsidy_id.envelope_id", store=True)
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    # Those archived since stay: a statement made again says the same.
    theme_ids = fields.Many2many(
        "grant.theme", string="Themes", ondelete="restrict", context={"active_test": False}
    )
    audience_ids = fields.Many2many(
        "grant.audience", string="Audiences", ondelete="restrict", context={"active_test": False}
    )
    amount = fields.Monetary(amendable=True, portal=True)
    places = fields.Integer(help="How many people the action can take.")
    description = fields.Text()
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amount of an action cannot be negative."
    )

    def _is_amendable(self):
        return self.subsidy_id.state == "signed"

    def _get_frozen_fields(self):
        if self.subsidy_id.state in ("draft", "granted"):
            # A cancelled subsidy can be a draft again: its entries name its actions.
            return frozenset({"subsidy_id"} if self.subsidy_id.entry_ids else ())
        return frozenset({"subsidy_id", "amount"})

    def _get_state_label(self):
        # It has no state of its own: messages say its subsidy's.
        return self.subsidy_id._get_state_label()

    @api.constrains("amount", "subsidy_id")
    def _check_total(self):
        self.subsidy_id._check_actions_total()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_committed(self):
        self.subsidy_id._check_state(
            ("draft", "granted"), self.env._("Deleting an action of a subsidy")
        )
