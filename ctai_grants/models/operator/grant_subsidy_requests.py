from odoo import fields, models

from .grant_date_request import KINDS


class GrantSubsidy(models.Model):
    """What an operator may ask for about its subsidy."""

    _inherit = "grant.subsidy"

    date_request_ids = fields.One2many(
        "grant.date.request", "subsidy_id", string="Requests of the Operator"
    )

    def _has_requests_page(self, user):
        """Whether ``user`` asks for something about this subsidy, or reads what was asked."""
        self.ensure_one()
        is_of_operator = self.kind == "operator" and self._can_submit(user)
        return is_of_operator and self.state in ("signed", "closed")

    def _get_request_kinds(self):
        """What can be asked for about this subsidy: kinds that its city takes."""
        self.ensure_one()
        if self.kind != "operator":
            return []
        possible = {
            "dates": bool(self.date_end),
            "split": bool(self.budget_line_ids),
            "tranche": bool(self.disbursement_ids),
        }
        # sudo: settings of the city
        company = self.company_id.sudo()
        return [
            kind
            for kind, _label in KINDS
            if possible.get(kind, True) and company[f"grant_asks_{kind}"]
        ]

    def _get_new_dates(self):
        """The requests for new dates, the last one first, but for those withdrawn."""
        return self.date_request_ids.filtered(
            lambda request: request.kind == "dates" and request.state != "withdrawn"
        )

    def _get_next_tranche(self):
        """The tranche that is paid next, as far as nobody has certified it: none, or one."""
        waiting = self.disbursement_ids.filtered(lambda one: one.state in ("planned", "ready"))
        # As they are listed: those without a date come last.
        last = fields.Date.to_date("9999-12-31")
        return waiting.sorted(lambda one: (one.due_date or last, one.sequence, one.id))[:1]

    def _get_release_preview(self):
        preview = super()._get_release_preview()
        waiting = self.date_request_ids.filtered(lambda request: request.state == "asked")
        if waiting:
            preview.append(
                {
                    "title": self.env._("Requests still to answer"),
                    "rows": [(request._get_kind_label(), None) for request in waiting],
                    "alert": False,
                }
            )
        return preview
