from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantContract(models.Model):
    """The day on which a contract was signed: its ledger begins there. To correct it is an act,
    with its reason."""

    _inherit = "grant.contract"

    _correction_states = ("in_force",)

    def _get_correctable_dates(self):
        return ("signature_date",)

    def _get_dated_envelopes(self):
        return self.envelope_ids

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        # The allocations move; what else is in the ledger has its own day.
        first = self.env["grant.entry"].search(
            [
                ("contract_id", "=", self.id), ("kind", "!=", "allocation"), ("date", "<", date)
            ], order="date, id", limit=1,
        )  # fmt: skip
        if first:
            raise UserError(
                self.env._(
                    "%(contract)s: its ledger says of %(day)s: %(kind)s, %(amount)s. It was signed "
                    "on that day or before, not on %(date)s.",
                    contract=self.display_name,
                    day=format_date(self.env, first.date),
                    kind=dict(first._fields["kind"]._description_selection(self.env))[first.kind],
                    amount=self.currency_id.format(first.amount),
                    date=format_date(self.env, date),
                )
            )
        return result

    def _post_moved(self, lines):
        # Nothing is posted before the day since which it is in force: both days are in it.
        self._transition(force_date=min(self.force_date, self.signature_date))
        result = super()._post_moved(lines)
        self._transition(force_date=self.signature_date)
        return result
