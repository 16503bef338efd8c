from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..ledger.grant_source_mixin import Accounted
from .account_payment import NO_MONEY
from .grant_settlement import SETTLED

# Decisions that take back what was ordered, claimed or paid.
UNDOING = ("unpaid", "order_withdrawn", "claim_withdrawn")

# What accounting says was paid on our documents, by accounting date: money and set-offs; and what
# was undone on a later day than it was paid.
ACCOUNTED = SQL(
    """SELECT origin_model, origin_id, date, amount FROM (%s) settled
        WHERE how IN ('money', 'set_off')
        UNION ALL
       SELECT origin_model, origin_id, date, amount FROM grant_carry
        UNION ALL
       SELECT origin_model, origin_id, from_date, -amount FROM grant_carry""",
    SETTLED,
)


class GrantAccountedMixin(models.AbstractModel):
    """The ledger follows accounting: amounts by accounting date, closed periods left alone (R6)."""

    _inherit = "grant.accounted.mixin"

    def _sync_ledger(self, undone=None):
        """Bring the ledger to what accounting says of these documents, and their state with it.

        :param dict undone: {accounting date: that of the entry which undoes what was paid then}
        :raise UserError: the ledger refuses (R1), so accounting does not change either
        """
        if not self:
            return
        # sudo: accounting has decided, whoever may do that; the ledger and the documents follow
        documents = self.sudo()
        documents.env["grant.entry"]._begin_posting(documents.envelope_id)
        differences = documents._get_differences()
        for document in documents:
            own = document._carry(differences.get(document.id, ()), undone or {})
            if any(amount < 0 for amount, _date in own):
                document._check_taken_back()
            for amount, date in own:
                if amount > 0:
                    document._check_accounted_date(date)
            lines = Accounted(
                {
                    "kind": document._accounted_kind,
                    "envelope_id": document.envelope_id.id,
                    "subsidy_id": document._get_accounted_subsidy().id,
                    "date": date,
                    "amount": amount,
                    "memo": document._get_accounted_memo(amount),
                }
                # What is taken back first: it makes room.
                for amount, date in sorted(own)
            )
            if lines:
                document._make_room(lines)
                document._post_entries(lines)
        documents._follow_accounting()

    def _carry(self, differences, undone):
        """The differences of this document, each at the accounting date on which the ledger books
        it: what is undone, on the day of the entry that undoes it, or the first one that is open;
        and back to that day, when it is matched again.

        :return: list of (euros, date)
        """
        self.ensure_one()
        journal = self.company_id.grant_payment_journal_id
        booked = []
        for amount, date in differences:
            if amount < 0:
                carried, day = amount, undone.get(date) or self.company_id._get_grant_undo_day(
                    self.display_name, date, journal
                )
            else:
                carried, day = self._get_carried_back(amount, date, journal)
            if day > date and carried:
                self._append_carry(carried, date, day)
                booked.append((carried, day))
                amount = self.currency_id.round(amount - carried)
            if amount:
                booked.append((amount, date))
        return booked

    def _get_carried_back(self, amount, date, journal):
        """What of money of that day was taken back on a later one, and the day on which it comes
        back: (euros, date)."""
        # sudo: as in _sync_ledger
        carries = self.env["grant.carry"].sudo().search([
            ("origin_model", "=", self._name), ("origin_id", "=", self.id),
            ("from_date", "=", date),
        ])  # fmt: skip
        taken = self.currency_id.round(-sum(carries.mapped("amount")))
        if taken <= 0:
            return 0.0, date
        last = max(carries.mapped("date"))
        return min(amount, taken), self.company_id._get_grant_open_day(last, journal)

    def _append_carry(self, amount, from_date, date):
        # sudo: as in _sync_ledger
        self.env["grant.carry"].sudo()._append(
            {
                "origin_model": self._name,
                "origin_id": self.id,
                "company_id": self.company_id.id,
                "amount": amount,
                "from_date": from_date,
                "date": date,
            }
        )

    def _make_room(self, lines):
        """What the ledger has to say before these entries of this document; nothing by default."""

    def _check_accounted_date(self, date):
        """Refuse money at a date that makes no sense for this document; by default none does not.

        :raise UserError: naming the document and the date
        """

    def _get_accounted_memo(self, amount):
        """What the ledger says of money that moved on the entries of this document.

        :param float amount: euros; below zero, what was paid is taken back, for the reason of the
            act that does it
        """
        reason = self._get_undo_reason() if amount < 0 else False
        return reason or self._get_entry_memo()

    def _get_entry_memo(self):
        return self.display_name

    def _get_undo_reason(self):
        """Why what was paid is being taken back: the reason of the act that does it, which is
        this document's last decision by then; none when somebody undoes it in accounting."""
        last = self.decision_ids.sorted("id")[-1:]
        return last.reason if last.decision in UNDOING else False

    def _get_differences(self):
        """What accounting says beyond the ledger, or the other way round.

        :return: dict {id: list of (euros to post, accounting date)}
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT origin_id, date, sum(amount)
                     FROM (SELECT origin_id, date, amount FROM (%s) accounted
                            WHERE origin_model = %s AND origin_id = ANY(%s)
                            UNION ALL
                           SELECT origin_id, date, -amount FROM grant_entry
                            WHERE origin_model = %s AND origin_id = ANY(%s) AND kind = %s) sides
                 GROUP BY origin_id, date HAVING sum(amount) <> 0""",
                ACCOUNTED,
                self._name,
                self.ids,
                self._name,
                self.ids,
                self._accounted_kind,
            )
        )
        differences = {}
        for origin_id, date, amount in rows:
            differences.setdefault(origin_id, []).append((float(amount), date))
        return differences

    def _is_written_off(self, _settlements):
        """Whether what settles the entry of this document, and moves no money, gives it up as such:
        an order is never given up like that."""
        return False

    def _check_money(self, settlement):
        """Refuse money that is not this document's, or that Odoo has moved to another day.

        :raise UserError: naming the document and the payment
        """
        self.ensure_one()
        payment = settlement.other_move_id.origin_payment_id
        # Of a draft, the entry is posted first.
        if payment.state in NO_MONEY and payment.state != "draft":
            labels = dict(payment._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(document)s: %(payment)s is “%(state)s”, and pays nothing. Match it with a "
                    "payment that was made.",
                    document=self.display_name,
                    payment=payment.display_name,
                    state=labels[payment.state],
                )
            )
        if payment and payment.date != settlement.date:
            journal = payment.journal_id
            journal.company_id._check_grant_open(self.display_name, payment.date, journal)
