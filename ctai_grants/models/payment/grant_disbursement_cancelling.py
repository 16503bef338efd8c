from odoo import models
from odoo.tools import format_date

from ...lib.award.history import local_date


class GrantDisbursement(models.Model):
    """What cancelling tranches does, shown before."""

    _inherit = "grant.disbursement"

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        return preview + self._get_cancelling_preview() if action == "cancel" else preview

    def _get_cancelling_preview(self):
        rows = [(tranche.display_name, tranche.amount) for tranche in self]
        sections = [{"title": self.env._("Not paid any more"), "rows": rows, "alert": False}]
        if certificates := self._get_lost_certificates():
            title = self.env._("Was certified, and is not ordered")
            rows = [(sentence, None) for sentence in certificates]
            sections.append({"title": title, "rows": rows, "alert": True})
        rows = [
            (subsidy.display_name, left)
            for subsidy in self.subsidy_id
            if (left := subsidy._get_unplanned_amount(self))
        ]
        if rows:
            title = self.env._(
                "Still committed, without a tranche: given back to the envelope by an amendment, "
                "or when the subsidy is closed"
            )
            sections.append({"title": title, "rows": rows, "alert": False})
        return sections

    def _get_lost_certificates(self):
        return [
            self.env._(
                "%(tranche)s, by %(user)s on %(date)s",
                tranche=tranche.display_name,
                user=tranche.certified_by_id.name,
                date=format_date(
                    self.env,
                    local_date(tranche.certified_at, tranche.company_id._grant_timezone()),
                ),
            )
            for tranche in self.filtered("certified_at")
        ]
