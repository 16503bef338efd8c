from odoo import api, models


class GrantDisbursement(models.Model):
    _inherit = "grant.disbursement"

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "reduced": None}

    def _do_reduce(self, amount, report):
        """Reduce a planned tranche to what a financial report leaves to pay; to nothing: cancel.

        :param float amount: euros left
        """
        self.ensure_one()
        reason = self.env._(
            "%(report)s: %(before)s planned, %(after)s left to pay",
            report=report.display_name,
            before=self.currency_id.format(self.amount),
            after=self.currency_id.format(amount),
        )
        if self.currency_id.is_zero(amount):
            self._decide("cancelled", reason)
        else:
            self._decide("reduced", reason, amount=self.currency_id.round(amount))

    def _get_cancelling_preview(self):
        preview = super()._get_cancelling_preview()
        rows = [
            (subsidy.display_name, owed)
            for subsidy in self.subsidy_id
            if (owed := min(subsidy.still_owed_amount, subsidy._get_unplanned_amount(self)))
        ]
        if rows:
            title = self.env._("Owed by the accepted financial report, and not planned any more")
            preview.append({"title": title, "rows": rows, "alert": True})
        return preview
