from odoo import models
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantRecovery(models.Model):
    """Giving a recovery up: what is left to the operator is shown before."""

    _inherit = "grant.recovery"

    def action_waive(self):
        """Ask for the reason, then give the recovery up."""
        return self._ask_reason("waive_recovery")

    @asks_reason("waive_recovery", _lt("Waive the Recovery"))
    def _do_waive(self, reason):
        """Give up a recovery that is not claimed yet; of the State's, also the claim itself, which
        no entry of the city's accounting takes back.

        :raise UserError: claimed by the city already, collected, or waived
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Waiving a recovery")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        for recovery in self:
            claimed = ("claimed",) if recovery.payment_path == "direct" else ()
            recovery._check_state(("identified", "notified", "decided", *claimed), what)
        self._waive(reason)

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        if action == "waive_recovery":
            rows = [(recovery.display_name, recovery.residual_amount) for recovery in self]
            title = self.env._("Left to the operator, and not asked for any more")
            preview.append({"title": title, "rows": rows, "alert": False})
        return preview

    def _waive(self, reason):
        for recovery in self:
            recovery._decide("waived", reason)
