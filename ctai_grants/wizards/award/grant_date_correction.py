from odoo import api, fields, models

from ...models.award.grant_subsidy_dates import CORRECTABLE


class GrantDateCorrection(models.TransientModel):
    """Asks which legal date of a subsidy is wrong, the right day and the reason; shows what the
    correction changes."""

    _name = "grant.date.correction"
    _description = "Correction of a Date"

    subsidy_id = fields.Many2one("grant.subsidy", required=True, readonly=True)
    date_name = fields.Selection(selection="_get_date_names", string="Date", required=True)
    date_before = fields.Date(string="Until Now", compute="_compute_changes", compute_sudo=False)
    date = fields.Date(
        string="Right Day", help="Empty: it was not done, or nobody knows when."
    )
    reason = fields.Text(required=True)
    # Not in sudo: over RPC, a wizard can be opened on any subsidy.
    changes = fields.Text(
        string="What It Changes", compute="_compute_changes", compute_sudo=False
    )

    @api.model
    def _get_date_names(self):
        dates = self.env["grant.subsidy"].fields_get(CORRECTABLE, ["string"])
        return [(name, dates[name]["string"]) for name in CORRECTABLE]

    @api.depends("subsidy_id", "date_name", "date")
    def _compute_changes(self):
        for wizard in self:
            subsidy, name = wizard.subsidy_id, wizard.date_name
            before = subsidy[name] if name else False
            wizard.date_before = before
            changes = []
            if name and wizard.date != before:
                changes = [
                    subsidy._get_correction_sentence(name, wizard.date),
                    *subsidy._get_consequences(name, wizard.date),
                ]
            wizard.changes = "\n".join(f"• {sentence}" for sentence in changes)

    def action_confirm(self):
        """Correct the date; see :meth:`grant.subsidy._do_correct_date` for what it refuses."""
        self.ensure_one()
        self.subsidy_id._do_correct_date(self.date_name, self.date, self.reason)
        return {"type": "ir.actions.act_window_close"}
