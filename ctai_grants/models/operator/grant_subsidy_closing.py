from odoo import models

from .grant_closing_mixin import ACTIVITY


class GrantSubsidy(models.Model):
    _name = "grant.subsidy"
    _inherit = ["grant.subsidy", "grant.closing.mixin"]

    _closing_state = "signed"

    def _get_closing_tasks(self):
        self.ensure_one()
        if self.state != "signed":
            return []
        coordinator, officer = self._get_coordinator(), self._get_finance_officer()
        tranches = self.disbursement_ids
        settled = ("accepted", "waived")
        tasks = self._say_open(
            [
                (
                    self.deliverable_ids.filtered(lambda piece: piece.state not in settled),
                    self.env._("Pieces to receive, review or waive: %(documents)s."),
                    coordinator,
                ),
                (
                    tranches.filtered(lambda t: t.state in ("planned", "ready")),
                    self.env._("Tranches to certify, or to leave unpaid: %(documents)s."),
                    coordinator,
                ),
                (
                    tranches.filtered(lambda t: t.state in ("certified", "ordered")),
                    self.env._("Payments to order or record: %(documents)s."),
                    officer,
                ),
                (
                    self.recovery_ids.filtered(lambda recovery: recovery._is_open()),
                    self.env._("Recoveries to collect or waive: %(documents)s."),
                    officer,
                ),
            ]
        )
        if self.report_required and not self._get_report():
            sentence = self.env._("The financial report, to receive and accept or do without.")
            tasks.append((sentence, coordinator))
        return [*tasks, (self.env._("Then a finance manager closes the subsidy."), officer)]

    def _release(self, state, reason):
        result = super()._release(state, reason)
        self.activity_unlink([ACTIVITY])
        return result
