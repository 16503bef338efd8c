from odoo import models

from ...lib.award.renewal import move


class GrantAmendment(models.Model):
    """What the evaluation of an action makes of the next year's amendment."""

    _inherit = "grant.amendment"

    def _renew(self, evaluation):
        """Draft what follows from an evaluation: to continue is the action once more for the next
        year, for the same amount; what to amend is written, and left to who drafts it."""
        self.ensure_one()
        action, year = evaluation.action_id, evaluation.year + 1
        if evaluation.conclusion == "amend":
            self.reason = self.env._(
                "After the evaluation of “%(action)s” for %(year)s: %(change)s",
                action=action.name, year=evaluation.year, change=evaluation.next_year,
            )  # fmt: skip
            return
        self.reason = self.env._(
            "“%(action)s” continues in %(year)s, after its evaluation: %(reason)s",
            action=action.name, year=year, reason=evaluation.conclusion_reason,
        )  # fmt: skip
        self.date_end = move(self.date_end, 1)
        self.amount = self.currency_id.round(self.amount + action.amount)
        self.line_ids.create(
            {
                "amendment_id": self.id,
                "item_model": "grant.action",
                "name": f"{action.name} ({year})",
                "amount": action.amount,
            }
        )
