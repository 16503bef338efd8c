from odoo import models

from ...lib.award.renewal import move


class GrantSubsidy(models.Model):
    """A copy of a subsidy has its schedule, moved with its start; nothing of it is handed in."""

    _inherit = "grant.subsidy"

    def copy(self, default=None):
        """Duplicate, schedule included."""
        copies = super().copy(default)
        for subsidy, copied in zip(self, copies, strict=True):
            subsidy._copy_schedule(copied)
        return copies

    def _get_years_until(self, copied):
        starts = copied.date_start, self.date_start
        return starts[0].year - starts[1].year if all(starts) else 0

    def _copy_schedule(self, copied):
        """Copy milestones and pieces into ``copied``.

        :return: dict {piece: its copy}
        """
        pieces, years = {}, self._get_years_until(copied)
        for milestone in self.milestone_ids:
            date = move(milestone.date, years)
            # What was due at the signature, before the start, has no signature yet.
            date = max(date, copied.date_start or date)
            own = milestone.copy({"subsidy_id": copied.id, "date": date})
            for piece in milestone.deliverable_ids:
                pieces[piece] = piece.copy({"milestone_id": own.id})
        return pieces
