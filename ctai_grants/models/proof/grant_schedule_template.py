from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError

BASES = [
    ("signature", "Signature"),
    ("start", "Start"),
    ("end", "End"),
    ("fiscalyear_end", "End of the Operator's Financial Year"),
]


class GrantScheduleTemplate(models.Model):
    """Tranches and pieces usual for a kind of subsidy, copied into a subsidy."""

    _name = "grant.schedule.template"
    _description = "Schedule Template"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    deliverable_ids = fields.One2many(
        "grant.schedule.deliverable", "template_id", string="Pieces", copy=True
    )

    def _get_date(self, subsidy, base, months):
        """The date ``months`` after the subsidy's ``base`` date.

        :raise UserError: the subsidy lacks that date
        """
        reference = {
            "signature": subsidy.signature_date or subsidy.decision_date,
            "start": subsidy.date_start,
            "end": subsidy.date_end,
            "fiscalyear_end": subsidy._get_fiscalyear_end(),
        }[base]
        if not reference:
            raise UserError(
                self.env._(
                    "%(subsidy)s: enter the dates (signature or decision, start, end) first, the "
                    "schedule is counted from them.",
                    subsidy=subsidy.display_name,
                )
            )
        months_later = reference + relativedelta(months=months)
        # Six months after 30 June or 28 February is the last day of that month too.
        if base in ("end", "fiscalyear_end") and (reference + relativedelta(days=1)).day == 1:
            months_later += relativedelta(day=31)
        return months_later

    def _copy_to(self, subsidy):
        """Copy milestones and pieces into ``subsidy``.

        :return: dict {line of this template: the piece that it became}
        """
        self.ensure_one()
        milestones = {}
        deliverables = {}
        for line in self.deliverable_ids:
            date = self._get_date(subsidy, line.date_base, line.months)
            # Lines of one name and date are pieces of one milestone.
            key = (line.milestone, date)
            if key not in milestones:
                vals = {"name": line.milestone, "subsidy_id": subsidy.id, "date": date}
                milestones[key] = self.env["grant.milestone"].create(vals)
            vals = {"name": line.name or line.type_id.name, "type_id": line.type_id.id}
            vals["milestone_id"] = milestones[key].id
            deliverables[line] = self.env["grant.deliverable"].create(vals)
        return deliverables
