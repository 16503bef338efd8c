from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

# What a correction may change once it is granted; once it is signed, the day of the signature too.
CORRECTABLE = ("request_date", "cer_date", "decision_date", "executory_date", "notification_date")


class GrantSubsidy(models.Model):
    """The days on which a subsidy was requested, decided, executory, notified and signed: in order,
    and locked once something rests on them. To correct one is an act, with its reason."""

    _name = "grant.subsidy"
    _inherit = ["grant.subsidy", "grant.corrected.mixin"]

    _correction_states = ("granted", "signed", "closed")

    _legal_orders = (
        # CGCT L2131-1: executory once decided, transmitted and published; then it is notified.
        ("request_date", "decision_date", "executory_date", "notification_date"),
        ("decision_date", "signature_date"),
    )
    # It may be signed for several requests: before this one, or after it.
    _legal_others = ("cer_date",)

    locked_dates = fields.Char(
        compute="_compute_locked_dates",
        help="Names of the fields that something rests on: legal dates, which are corrected with a "
        "reason, and the reference of the convention.",
    )

    @api.depends("state")
    def _compute_locked_dates(self):
        for subsidy in self:
            subsidy.locked_dates = " ".join(sorted(subsidy._get_locked_dates()))

    def _get_locked_dates(self):
        """Names of the legal dates, and what counts like them, that nobody types in any more."""
        self.ensure_one()
        match self.state:
            case "draft":
                return frozenset()
            case "granted":
                # The convention is on its way, its date is still to come.
                return frozenset({"decision_date"})
            case "signed":
                return frozenset({"decision_date", "signature_date"})
        return frozenset(self._get_legal_dates())

    def _check_frozen_fields(self, vals):
        # Looked up where a date is written, and not at each write.
        if dates := [name for name in self._get_legal_dates() if name in vals]:
            for name in sorted(self._get_locked_dates().intersection(dates)):
                if self._is_changed(self, name, vals[name]):
                    raise UserError(self._get_locked_message(name))
        return super()._check_frozen_fields(vals)

    def _get_locked_message(self, name):
        about = {
            "subsidy": self.display_name,
            "field": self._fields[name]._description_string(self.env),
            "day": format_date(self.env, self[name]) if self[name] else self.env._("no date"),
        }
        return self.env._(
            "%(subsidy)s: “%(field)s” (%(day)s) cannot be changed any more, something rests on it. "
            "A finance manager corrects it with a reason: “Correct a Date”.",
            **about,
        )

    # ------------------------------------------------------------------
    # A correction
    # ------------------------------------------------------------------

    def _get_correctable_dates(self):
        # Until it is signed, the day of the signature is typed in; the council votes nothing for
        # what the city spends itself.
        signed = ("signature_date",) if self.state in ("signed", "closed") else ()
        return signed if self.kind == "own_cost" else (*CORRECTABLE, *signed)

    def _get_dated_envelopes(self):
        return self.envelope_id

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        if name == "decision_date" and not date:
            raise UserError(
                self.env._(
                    "%(subsidy)s is granted: “%(field)s” cannot be empty.",
                    subsidy=self.display_name,
                    field=self._fields[name]._description_string(self.env),
                )
            )
        return result

    def _record_correction(self, name, date, text):
        self._decide("corrected", text, **{name: date})

    def _get_signed_amount(self):
        """What the signature committed."""
        self.ensure_one()
        return self.amount

    def _get_posted_entries(self):
        # The last ones that add up to it: one signed before and cancelled may be of the same day.
        entries, left = super()._get_posted_entries(), self._get_signed_amount()
        for number, entry in enumerate(entries, 1):
            left -= entry.amount
            if self.currency_id.is_zero(left):
                return entries[:number]
        return entries.browse()

    def _get_moved_lines(self, date):
        if not self._get_posted_entries():
            raise UserError(
                self.env._(
                    "%(subsidy)s was also closed, cancelled or reopened on %(day)s: what its "
                    "signature committed cannot be told from what that gave back.",
                    subsidy=self.display_name,
                    day=format_date(self.env, self.signature_date),
                )
            )
        return super()._get_moved_lines(date)
