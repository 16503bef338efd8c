from odoo import models
from odoo.exceptions import UserError


class GrantDeliverable(models.Model):
    """A piece that is the paper of a report handed in online: both are reviewed as one."""

    _inherit = "grant.deliverable"

    def _decide(self, decision, reason=None, *args, **kwargs):
        if decision == "released":
            # Of its files, whatever it is the paper of.
            return super()._decide(decision, reason, *args, **kwargs)
        # Taken back, nothing is handed in any more: neither is a report whose paper another version
        # followed.
        versions = self.version_ids if decision == "taken_back" else self.last_version_id
        reports = self._get_online_reports(versions)
        if reports and decision not in ("taken_back", "purged"):
            raise UserError(
                self.env._(
                    "“%(piece)s” is the paper of a financial report that was handed in online: "
                    "accept %(report)s or send it back, the piece follows.",
                    piece=reports[0].version_id.deliverable_id.name,
                    report=reports[0].display_name,
                )
            )
        result = super()._decide(decision, reason, *args, **kwargs)
        reports._follow_paper(decision, reason)
        if decision == "purged":
            self.env["grant.reminder"]._tell_decided(self)
        return result

    def _get_online_reports(self, versions=None):
        """Reports that wait for the city, whose paper is among these versions of the pieces; the
        last ones unless said otherwise."""
        versions = self.last_version_id if versions is None else versions
        # sudo: an operator takes its own paper back, and may read no report
        reports = self.env["grant.financial.report"].sudo()
        return reports.search(
            [
                ("version_id", "in", versions.ids),
                ("hand_in", "=", "submitted"),
                ("state", "=", "draft"),
            ]
        )
