from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.award.history import local_date

# Which legal dates a condition looks at.
LOOKED_AT = {
    "signed": ("signature_date",),
    "executory": ("executory_date",),
    "cer": ("request_date", "cer_date"),
}


class GrantSubsidy(models.Model):
    """What rests on the legal dates of a subsidy: the conditions of its tranches, and the day
    before which they are to be paid."""

    _inherit = "grant.subsidy"

    @api.depends(
        "disbursement_ids.state", "disbursement_ids.condition_ids.state",
        "disbursement_ids.payment_deadline",
    )  # fmt: skip
    def _compute_locked_dates(self):
        return super()._compute_locked_dates()

    def _get_relying_tranches(self):
        """Those that are certified, ordered or paid."""
        return self.disbursement_ids.filtered(
            lambda tranche: tranche.state in ("certified", "ordered", "paid")
        )

    def _get_locked_dates(self):
        tranches = self._get_relying_tranches()
        # What a finance manager did without was not looked at.
        looked_at = tranches.condition_ids.filtered(
            lambda condition: condition.state in ("met", "not_required")
        )
        used = {
            name for condition in looked_at for name in LOOKED_AT.get(condition.code, ())
        }
        if any(tranches.mapped("payment_deadline")):
            used.add("notification_date")
        if "convention" in looked_at.mapped("code"):
            used.add("convention_reference")
        # What is still empty was not used: it can be completed.
        return super()._get_locked_dates() | {name for name in used if self[name]}

    def _check_frozen_fields(self, vals):
        name = "convention_reference"
        if (
            name in vals
            and self._is_changed(self, name, vals[name])
            and name in self._get_locked_dates()
        ):
            raise UserError(
                self.env._(
                    "%(subsidy)s: “%(field)s” (%(reference)s) is what %(tranches)s was certified "
                    "with. Return the tranche first, while it is not ordered; once ordered, the "
                    "reference stays as the treasury was told.",
                    subsidy=self.display_name,
                    field=self._fields[name]._description_string(self.env),
                    reference=self.convention_reference,
                    tranches=", ".join(self._get_relying_tranches().mapped("name")),
                )
            )
        return super()._check_frozen_fields(vals)

    def _lock_dates(self):
        # Nor is one certified meanwhile.
        self.disbursement_ids.lock_for_update(allow_referencing=True)
        return super()._lock_dates()

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        paid = self.disbursement_ids.filtered("paid_date").sorted("paid_date")[:1]
        if not date or name not in ("decision_date", "signature_date"):
            return result
        about = {"subsidy": self.display_name, "date": format_date(self.env, date)}
        if paid and paid.paid_date < date:
            about["tranche"] = paid.display_name
            about["paid"] = format_date(self.env, paid.paid_date)
            if name == "decision_date":
                raise UserError(
                    self.env._(
                        "%(tranche)s was paid on %(paid)s: the award cannot be of %(date)s, after "
                        "it.",
                        **about,
                    )
                )
            raise UserError(
                self.env._(
                    "%(tranche)s was paid on %(paid)s: %(subsidy)s cannot have been signed on "
                    "%(date)s, after it.",
                    **about,
                )
            )
        if name == "signature_date":
            self._check_certified_since(date)
        return result

    def _check_certified_since(self, date):
        """Refuse a signature after the day on which a tranche was certified for it."""
        for tranche in self._get_relying_tranches().filtered("certified_at").sorted("certified_at"):
            day = local_date(tranche.certified_at, self.company_id._grant_timezone())
            if day < date and tranche.condition_ids.filtered(
                lambda row: row.code == "signed" and row.state == "met"
            ):
                raise UserError(
                    self.env._(
                        "%(tranche)s was certified on %(certified)s, as of a signed subsidy: "
                        "%(subsidy)s cannot have been signed on %(date)s, after it.",
                        tranche=tranche.display_name,
                        certified=format_date(self.env, day),
                        subsidy=self.display_name,
                        date=format_date(self.env, date),
                    )
                )

    def _get_consequences(self, name, date):
        tranches = self.disbursement_ids.filtered(lambda tranche: tranche.state != "cancelled")
        supposed = self.new({}, origin=self)
        supposed[name] = date
        amounts = supposed._get_yearly_amounts()
        return [
            *super()._get_consequences(name, date),
            *(
                sentence
                for tranche in tranches
                for sentence in tranche._get_date_consequences(supposed, amounts[supposed])
            ),
        ]
