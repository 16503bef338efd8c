from odoo import Command, fields, models


class GrantScheduleTemplate(models.Model):
    _inherit = "grant.schedule.template"

    tranche_ids = fields.One2many(
        "grant.schedule.tranche", "template_id", string="Tranches", copy=True
    )

    def _copy_to(self, subsidy):
        """Copy the tranches too; the last one takes what rounding leaves, so that they add up to
        the amount."""
        deliverables = super()._copy_to(subsidy)
        left = subsidy.amount
        for tranche in self.tranche_ids:
            amount = subsidy.currency_id.round(subsidy.amount * tranche.percentage / 100)
            if tranche == self.tranche_ids[-1]:
                amount = subsidy.currency_id.round(left)
            left -= amount
            self.env["grant.disbursement"].create(
                {
                    "name": tranche.name,
                    "kind": tranche.kind,
                    "subsidy_id": subsidy.id,
                    "amount": amount,
                    "due_date": self._get_date(subsidy, tranche.date_base, tranche.months),
                    "deliverable_ids": [
                        Command.set([deliverables[line].id for line in tranche.deliverable_ids])
                    ],
                }
            )
        return deliverables
