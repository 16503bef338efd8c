from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

# What a correction may change. Not the signature: it dates the commitment in the ledger.
CORRECTABLE = ("request_date", "cer_date", "decision_date", "executory_date", "notification_date")


class GrantSubsidy(models.Model):
    """The days on which a subsidy was requested, decided, executory, notified and signed: in order,
    and locked once something rests on them. To correct one is an act, with its reason."""

    _name = "grant.subsidy"
    _inherit = ["grant.subsidy", "grant.dated.mixin"]

    _legal_orders = (
        # CGCT L2131-1: executory once decided, transmitted and published; then it is notified.
        ("request_date", "decision_date", "executory_date", "notification_date"),
        ("decision_date", "signature_date"),
    )
    # It may be signed for several requests: before this one, or after it.
    _legal_others = ("cer_date",)

    locked_dates = fields.Char(
        compute="_compute_locked_dates",
        help="Names of the legal dates that are corrected with a reason, and not typed in.",
    )

    @api.depends("state")
    def _compute_locked_dates(self):
        for subsidy in self:
            subsidy.locked_dates = " ".join(sorted(subsidy._get_locked_dates()))

    def _get_locked_dates(self):
        """Names of the legal dates that nobody types in any more."""
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
        if name not in CORRECTABLE:
            return self.env._(
                "%(subsidy)s: “%(field)s” (%(day)s) dates its commitment in the ledger, and cannot "
                "be changed any more.",
                **about,
            )
        return self.env._(
            "%(subsidy)s: “%(field)s” (%(day)s) cannot be changed any more, something rests on it. "
            "A finance manager corrects it with a reason: “Correct a Date”.",
            **about,
        )

    # ------------------------------------------------------------------
    # A correction
    # ------------------------------------------------------------------

    def action_correct_date(self):
        """Ask which date is wrong, and why; show what its correction changes."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct a Date"),
            "res_model": "grant.date.correction",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subsidy_id": self.id},
        }

    def _do_correct_date(self, name, date, reason):
        """Correct a legal date, with a reason that is kept with what the correction changes.

        :param str name: of the field
        :param date: the right day, or nothing: it was not done at all
        :raise UserError: not such a date or unchanged, no reason, the dates would be out of order
            or in the future
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Correcting a date")
        self._check_group("group_finance_manager", what)
        reason = self._check_reason(reason)
        self._lock_dates()
        self._check_state(("granted", "signed", "closed"), what)
        date = fields.Date.to_date(date) or False
        if name not in CORRECTABLE or date == self[name]:
            raise UserError(
                self.env._(
                    "%(subsidy)s: choose a date, and another day for it.",
                    subsidy=self.display_name,
                )
            )
        self._check_correction(name, date)
        sentences = [self._get_correction_sentence(name, date), reason]
        text = "\n".join(sentences + self._get_consequences(name, date))
        self._decide("corrected", text, **{name: date})
        self.message_post(body=text)

    def _lock_dates(self):
        """This subsidy, and what rests on its dates: nobody relies on them meanwhile."""
        self.lock_for_update(allow_referencing=True)

    def _check_correction(self, name, date):
        """Refuse a correction that something done already contradicts.

        :raise UserError: naming the subsidy
        """
        if name == "decision_date" and not date and self.kind == "operator":
            raise UserError(
                self.env._(
                    "%(subsidy)s is granted: “%(field)s” cannot be empty.",
                    subsidy=self.display_name,
                    field=self._fields[name]._description_string(self.env),
                )
            )

    def _get_correction_sentence(self, name, date):
        none = self.env._("no date")
        return self.env._(
            "%(field)s: %(before)s → %(after)s",
            field=self._fields[name]._description_string(self.env),
            before=format_date(self.env, self[name]) if self[name] else none,
            after=format_date(self.env, date) if date else none,
        )

    def _get_consequences(self, name, date):
        """What else would change if that legal date was another: a list of sentences."""
        self.ensure_one()
        return []
