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
        self.ensure_one()
        what = self.env._("Cancelling a payment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_unpayable(what)
        self._check_taken_back()
        self._take_payment_back(reason)

    def _check_taken_back(self):
        """Refuse to take back what was paid of a subsidy that is not open: what it released then
        rests on it. Asked by our own button, and by whatever door accounting undoes it through.

        :raise UserError: naming the tranche, the subsidy and its state
        """
        for disbursement in self:
            subsidy = disbursement.subsidy_id
            if subsidy.state != "signed":
                raise UserError(
                    self.env._(
                        "%(tranche)s: what was paid of it is not taken back, subsidy “%(subsidy)s” "
                        "is in the state “%(state)s”. A finance manager reopens that subsidy "
                        "first; the payment is cancelled then.",
                        tranche=disbursement.display_name,
                        subsidy=subsidy.display_name,
                        state=subsidy._get_state_label(),
                    )
                )

    def _check_unpayable(self, what):
        """Refuse to cancel a payment that there is not.

        :raise UserError: naming the tranche and its state
        """
        self._check_state(("paid",), what)

    def _take_payment_back(self, reason):
        """Record that the State's payment was none, with the opposite entry of the same date."""
        date = self.paid_date
        self._decide(
            "unpaid",
            reason,
            ordered_by_id=False,
            paid_by_id=False,
            paid_date=False,
            payment_reference=False,
        )
        self._post_payment(-self.amount, date, reason)
