from odoo import models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantDisbursement(models.Model):
    """A payment that was none: recorded by mistake, or rejected."""

    _inherit = "grant.disbursement"

    def action_unpay(self):
        """Ask for the reason, then cancel a payment recorded by mistake."""
        return self._ask_reason("unpay")

    @asks_reason("unpay", _lt("Cancel the Payment"))
    def _do_unpay(self, reason):
        """Cancel a payment recorded by mistake, with the opposite entry of the same date.

        :raise UserError: not paid, or the subsidy is closed
        :raise AccessError: the user is not a finance manager
        """
        self._undo_payment(reason)

    def _undo_payment(self, reason, day=None):
        """Take back what was paid.

        :param day: on which the money came back; by default it never left, and the payment is
            taken back on its own date
        :raise UserError: as :meth:`_do_unpay`
        """
        self.ensure_one()
        what = self.env._("Cancelling a payment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_unpayable(what)
        self._check_taken_back()
        self._take_payment_back(reason, day)

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        obstacles = self._get_taken_back_obstacles() if action == "unpay" else []
        if obstacles:
            rows = [(obstacle, None) for obstacle in obstacles]
            preview.append({"title": self.env._("What forbids it"), "rows": rows, "alert": True})
        return preview

    def _get_taken_back_obstacles(self):
        """What forbids to take back what was paid of these tranches: a list of sentences. What a
        subsidy released when it was closed rests on it."""
        return [
            self.env._(
                "%(tranche)s: what was paid of it is not taken back, subsidy “%(subsidy)s” is in "
                "the state “%(state)s”. A finance manager reopens that subsidy first; the payment "
                "is cancelled then.",
                tranche=disbursement.display_name,
                subsidy=disbursement.subsidy_id.display_name,
                state=disbursement.subsidy_id._get_state_label(),
            )
            for disbursement in self
            if disbursement.subsidy_id.state != "signed"
        ]

    def _check_taken_back(self):
        # Asked by our own button, and by whatever door accounting undoes it through.
        if obstacles := self._get_taken_back_obstacles():
            raise UserError("\n".join(obstacles))

    def _check_unpayable(self, what):
        """Refuse to cancel a payment that there is not.

        :raise UserError: naming the tranche and its state
        """
        self._check_state(("paid",), what)

    def _take_payment_back(self, reason, day=None):
        """Record that the State's payment was none, or came back, with the opposite entry."""
        date = max(self.paid_date, day or self.paid_date)
        self._decide(
            "unpaid",
            reason,
            ordered_by_id=False,
            paid_by_id=False,
            paid_date=False,
            payment_reference=False,
        )
        self._post_payment(-self.amount, date, reason)
