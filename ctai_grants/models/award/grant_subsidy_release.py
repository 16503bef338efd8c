from odoo import models


class GrantSubsidy(models.Model):
    """What ending a subsidy gives back, by action, and what forbids it: shown before it is done."""

    _inherit = "grant.subsidy"

    def _get_owed(self, kind):
        if kind != "commitment":
            return super()._get_owed(kind)
        owed = 0.0
        if self.state == "signed":
            owed = self.amount
        elif self.state in ("closed", "cancelled"):
            owed = self.paid_amount - self.recovered_amount
        return owed, owed

    def _get_release_obstacles(self, owed=True):
        """What forbids to give back what is committed and not paid: a list of sentences.

        :param bool owed: whether what is still owed counts
        """
        self.ensure_one()
        return []

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        if action in ("cancel", "close", "close_unpaid"):
            for subsidy in self:
                preview += subsidy._get_release_preview()
        return preview

    def _get_release_preview(self):
        """What ending this subsidy gives back and cancels, and what is awaited: sections as
        :meth:`_get_reason_preview`."""
        self.ensure_one()
        rows = [
            (line["label"], line["amount"]) for line in self._split_by_action(self.to_pay_amount)
        ]
        if len(rows) > 1:
            rows.append((self.env._("Total"), self.to_pay_amount))
        title = self.env._(
            "Given back to envelope “%(envelope)s”", envelope=self.envelope_id.display_name
        )
        return [{"title": title, "rows": rows, "alert": False}] if rows else []

    def _split_by_action(self, amount):
        """Lines of a part of this subsidy's commitment, or of all of it, by action.

        Of a part, nothing says whose it is, as payments name no action: it is one line, of the only
        action where there is only one.
        """
        compare = self.currency_id.compare_amounts
        # sudo: it is committed, or released, by all of its actions, whoever sees which
        actions = self.sudo().action_ids.filtered("amount")
        parts = {action: action.amount for action in actions}
        if compare(abs(amount), self.amount):
            whole = len(actions) == 1 and not compare(actions.amount, self.amount)
            parts = {actions: abs(amount)} if whole else {}
        sign = -1 if amount < 0 else 1
        rest = self.currency_id.round(abs(amount) - sum(parts.values()))
        lines = [
            {"action_id": action.id, "amount": sign * part, "label": action.name}
            for action, part in parts.items()
            if not self.currency_id.is_zero(part)
        ]
        if not self.currency_id.is_zero(rest):
            label = self.env._("Of no action in particular") if actions else self.name
            lines.append({"action_id": False, "amount": sign * rest, "label": label})
        return lines
