from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantAmendment(models.Model):
    """An amendment of what the city spends itself: what it adds covers costs from its date on, and
    they follow when that date is corrected."""

    _inherit = "grant.amendment"

    def _apply(self):
        before = self._get_paid_costs()
        result = super()._apply()
        after = self._get_paid_costs()
        taken = [day for day, amount in before.items() if after.get(day, 0.0) < amount]
        # A shorter period covers less of what was booked already.
        self.subsidy_id._check_costs_stay(taken)
        return result

    def _get_paid_costs(self):
        """What the ledger paid of the costs of the city that this amends: dict {date: euros}."""
        if self.kind != "own_cost":
            return {}
        self.env.flush_all()
        # sudo: compared, whoever signs
        entries = self.sudo().env["grant.entry"]
        paid = [("subsidy_id", "=", self.subsidy_id.id), ("kind", "=", "payment")]
        return {
            day: self.currency_id.round(amount)
            for day, amount in entries._read_group(paid, ["date:day"], ["amount:sum"])
        }

    def _post_moved(self, lines):
        if self._is_covering_later(lines):
            # What it covered in between leaves first: it is not committed then.
            self.env["grant.own.cost"]._sync(self.subsidy_id.envelope_id, lines)
        return super()._post_moved(lines)

    def _is_covering_later(self, lines):
        """Whether these lines move what it adds to a later day; what it takes is not moved to an
        earlier one below what was paid then."""
        anew = sum(line["amount"] for line in lines if line["date"] == self.signature_date)
        last = max(line["date"] for line in lines)
        return self.kind == "own_cost" and anew > 0 and last == self.signature_date

    def _get_moved_payments(self, date):
        """What the ledger would pay of own costs otherwise, if this amendment was signed on
        ``date``: list of (accounting date, euros)."""
        if self.kind != "own_cost" or not date or date == self.signature_date:
            return []
        # sudo: as in grant.own.cost._sync
        subsidy = self.sudo().subsidy_id
        costs = subsidy.env["grant.own.cost"]
        return costs._get_differences(subsidy, moved=self._get_moved_lines(date)).get(subsidy, [])

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        journal = self.company_id.grant_payroll_journal_id
        for day, _amount in self._get_moved_payments(date) if name == "signature_date" else ():
            if locks := self.company_id._get_grant_locks(day, journal):
                raise UserError(
                    self.env._(
                        "%(amendment)s: dated so, what is paid of the costs of %(subsidy)s "
                        "changes on %(date)s, in a closed period, %(lock)s. Nothing was changed.",
                        amendment=self.display_name,
                        subsidy=self.subsidy_id.display_name,
                        date=format_date(self.env, day),
                        lock=self.company_id._format_lock_dates(locks),
                    )
                )
        return result

    def _get_consequences(self, name, date):
        consequences = super()._get_consequences(name, date)
        moved = self._get_moved_payments(date) if name == "signature_date" else []
        return consequences + [
            self.env._(
                "Costs that it pays on %(date)s: %(amount)s.",
                date=format_date(self.env, day),
                amount=("+" if amount > 0 else "") + self.currency_id.format(amount),
            )
            for day, amount in moved
        ]
