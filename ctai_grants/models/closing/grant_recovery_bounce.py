from collections import defaultdict

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantRecovery(models.Model):
    """A repayment that is none after all: the cheque bounced, or it was somebody else's."""

    _inherit = "grant.recovery"

    def action_uncollect(self):
        """Ask for the reason, then cancel a repayment recorded by mistake."""
        return self._ask_reason("uncollect")

    @asks_reason("uncollect", _lt("Cancel the Repayment"))
    def _do_uncollect(self, reason):
        """Cancel what was recorded as paid back, whole or in part, by mistake or since it bounced,
        with the opposite entries of the same dates. A subsidy that was closed on it is open again.

        :raise UserError: nothing is paid back, or the envelope has no room for it any more
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Cancelling a repayment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        # Paid back in part, it is still claimed, or the rest was given up.
        parts = ("claimed", "waived") if self.collected_amount else ()
        states = ("collected", *parts)
        self._check_state(states, what)
        self.subsidy_id._check_state(("signed", "closed"), what)
        self._take_repayment_back(reason)

    def _take_repayment_back(self, reason):
        """Record that what the State collected was not paid, with the opposite entries."""
        self.env.flush_all()
        paid = self.env["grant.entry"]._read_group(
            [("origin_model", "=", self._name), ("origin_id", "=", self.id)],
            ["date:day"],
            ["amount:sum"],
        )
        paid = [(day, self.currency_id.round(amount)) for day, amount in paid if amount > 0]
        self._decide("unpaid", reason, collected_amount=0.0, collected_date=False)
        self._hold_again(paid)
        for day, amount in paid:
            self._post_recovery(-amount, day, reason)

    def _hold_again(self, taken_back):
        """Commit again what the operator holds again, where the commitment was released on the
        repayment; a subsidy that was closed on it is open again. Before the repayment goes.

        :param list taken_back: (accounting date, euros)
        :raise UserError: the contract is closed, or its envelope has no room for it any more
        """
        self.ensure_one()
        if not taken_back:
            return
        # sudo: the ledger follows accounting, whoever took the repayment back there
        subsidy = self.sudo().subsidy_id
        self._check_in_force(subsidy)
        date, missing = self._get_uncovered(subsidy, taken_back)
        if missing:
            self._check_room_again(subsidy, missing)
        about = self.env._("%(recovery)s is not paid back after all", recovery=self.display_name)
        if subsidy.state == "closed":
            subsidy._decide("reopened", about)
        if missing:
            subsidy._post_commitment(missing, date, about)

    def _check_in_force(self, subsidy):
        if subsidy.contract_id.state == "closed":
            raise UserError(
                self.env._(
                    "%(recovery)s: its repayment cannot be taken back while %(contract)s is "
                    "closed. A finance manager puts that contract in force again first; subsidy "
                    "“%(subsidy)s” is then open again until it is repaid.",
                    recovery=self.display_name,
                    contract=subsidy.contract_id.display_name,
                    subsidy=subsidy.display_name,
                )
            )

    def _check_room_again(self, subsidy, missing):
        envelope = subsidy.envelope_id
        if envelope.currency_id.compare_amounts(missing, envelope.available_amount) > 0:
            raise UserError(
                self.env._(
                    "%(recovery)s: its repayment was released when “%(subsidy)s” was settled. "
                    "Without it, %(missing)s are to be committed again, and envelope "
                    "“%(envelope)s” has %(left)s left. Release that much there, or raise it by an "
                    "amendment, then take the repayment back.",
                    recovery=self.display_name,
                    subsidy=subsidy.display_name,
                    missing=envelope.currency_id.format(missing),
                    envelope=envelope.display_name,
                    left=envelope.currency_id.format(envelope.available_amount),
                )
            )

    def _get_uncovered(self, subsidy, taken_back):
        """From which day on, and by how much at most, less is committed than what the operator
        holds without these repayments: (date, euros), nothing where it is covered."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT date, sum(CASE kind WHEN 'payment' THEN -amount ELSE amount END)
                     FROM grant_entry
                    WHERE subsidy_id = %s AND kind IN ('commitment', 'payment', 'recovery')
                 GROUP BY date""",
                subsidy.id,
            )
        )
        steps = defaultdict(float)
        for day, amount in [*((d, float(a)) for d, a in rows), *((d, -a) for d, a in taken_back)]:
            steps[day] += amount
        since, worst, covered = None, 0.0, 0.0
        for day in sorted(steps):
            covered = subsidy.currency_id.round(covered + steps[day])
            if covered < 0:
                since = since or day
                worst = min(worst, covered)
        return since, -worst
