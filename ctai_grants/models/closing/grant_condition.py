from odoo import fields, models

# Between those of the payment: what is owed to the operator in the end, and by it.
CONDITIONS = [
    # Without a label: one that is there, to say where the next ones go.
    ("bank",),
    ("repayment", "No repayment outstanding"),
    ("report", "Financial report accepted"),
    ("due", "Within what is due"),
    ("deliverable",),
]
ONDELETE = dict.fromkeys(("repayment", "report", "due"), "cascade")


class GrantCondition(models.Model):
    _inherit = "grant.condition"

    code = fields.Selection(selection_add=CONDITIONS, ondelete=ONDELETE)

    def _is_absolute(self):
        # Nothing is owed beyond what is due.
        return super()._is_absolute() or self.code == "due"

    def _get_met_sentence(self, facts):
        match self.code:
            case "report":
                return self.env._("Accepted, %(amount)s due.", **facts)
            case "due":
                return self.env._("%(amount)s left to pay.", **facts)
            case "repayment":
                return self.env._("Nothing to pay back.")
        return super()._get_met_sentence(facts)

    def _say_no_report(self):
        return self.env._("The financial report is not accepted.")

    def _say_no_due(self):
        return self.env._(
            "The accepted financial report leaves %(left)s to pay.",
            left=self.currency_id.format(self.amount),
        )

    def _say_no_repayment(self):
        return self.env._(
            "The operator still has to pay %(owed)s back to the city.",
            owed=self.currency_id.format(self.amount),
        )

    def _get_lifted_by(self):
        if self.code in ("report", "due") and (report := self.subsidy_id.report_ids[:1]):
            return report, None
        if self.code == "repayment" and (claims := self._get_claims()):
            return claims[0], None
        return super()._get_lifted_by()

    def _get_claims(self):
        """The repayments that the operator of this tranche still owes, the oldest first."""
        return self.env["grant.recovery"].search(
            [("partner_id.grant_body", "=", self.partner_id.grant_body),
             ("company_id", "=", self.company_id.id), ("state", "=", "claimed")], order="id",
        )  # fmt: skip

    def _get_facts(self, disbursement, yearly_amounts):
        return [
            *super()._get_facts(disbursement, yearly_amounts),
            self._get_repayment(disbursement.subsidy_id),
            *self._get_report(disbursement),
        ]

    def _get_repayment(self, subsidy):
        owes = subsidy.currency_id.compare_amounts(subsidy.owed_amount, 0) > 0
        return {
            "code": "repayment",
            "state": "unmet" if owes else "met",
            "amount": subsidy.owed_amount,
        }

    def _get_report(self, disbursement):
        """What the financial report forbids: the balance before it, more than is due after it."""
        subsidy = disbursement.subsidy_id
        left = subsidy._get_due_left()
        if left is None:
            waits = disbursement.kind == "balance" and subsidy.report_required
            return [{"code": "report", "state": "unmet"}] if waits else []
        within = disbursement.currency_id.compare_amounts(disbursement.amount, left) <= 0
        return [
            {"code": "report", "state": "met", "amount": subsidy._get_report().due_amount},
            {
                "code": "due",
                "state": "met" if within else "unmet",
                "amount": max(0.0, left),
            },
        ]
