from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantCorrectedMixin(models.AbstractModel):
    """A document whose legal dates are locked once something rests on them, and corrected by an act
    then: with its reason, and what it changes shown before.

    What its signature posted is dated of it: the ledger takes it back on the old day and posts it
    anew on the right one, judged together at the end of each day (R1).
    """

    _name = "grant.corrected.mixin"
    _description = "Correction of Dates"
    _inherit = ["grant.dated.mixin"]

    # The states in which a date is corrected; in the others it is typed in.
    _correction_states = ()

    def _get_correctable_dates(self):
        """Names of the dates that are corrected by this act, in the present state."""
        self.ensure_one()
        return ()

    def _get_dated_envelopes(self):
        """The envelopes to whose ledger the signature has posted."""
        raise NotImplementedError

    def action_correct_date(self):
        """Ask which date is wrong, and why; show what its correction changes."""
        self.ensure_one()
        names = self._get_correctable_dates()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Correct a Date"),
            "res_model": "grant.date.correction",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_res_model": self._name,
                "default_res_id": self.id,
                "default_date_name": names[0] if len(names) == 1 else False,
            },
        }

    def _do_correct_date(self, name, date, reason):
        """Correct a legal date, with a reason that is kept with what the correction changes.

        :param str name: of the field
        :param date: the right day, or nothing: it was not done at all
        :raise UserError: not such a date or unchanged, no reason, the dates would be out of order
            or in the future, or what was done between the two days forbids it
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Correcting a date")
        self._check_group("group_finance_manager", what)
        reason = self._check_reason(reason)
        self.env["grant.entry"]._begin_posting(self._get_dated_envelopes())
        self._lock_dates()
        self._check_state(self._correction_states, what)
        date = fields.Date.to_date(date) or False
        if name not in self._get_correctable_dates() or date == self[name]:
            raise UserError(
                self.env._(
                    "%(document)s: choose a date, and another day for it.",
                    document=self.display_name,
                )
            )
        self._check_correction(name, date)
        sentences = [self._get_correction_sentence(name, date), reason]
        text = "\n".join(sentences + self._get_consequences(name, date))
        lines = self._get_moved_lines(date) if name == "signature_date" else []
        self._record_correction(name, date, text)
        if lines:
            self._post_moved(lines)
        self.message_post(body=text)

    def _lock_dates(self):
        """This document, and what rests on its dates: nobody relies on them meanwhile."""
        self.lock_for_update(allow_referencing=True)

    def _check_correction(self, name, date):
        """Refuse a correction that something done already contradicts.

        :raise UserError: naming the document
        """
        if name == "signature_date" and not date:
            raise UserError(
                self.env._(
                    "%(document)s is signed: “%(field)s” cannot be empty.",
                    document=self.display_name,
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
        if name != "signature_date" or not date or not (posted := self._get_posted()):
            return []
        return [
            self.env._(
                "In the ledger, what the signature posted (%(amount)s) moves from %(before)s to "
                "%(after)s: a statement as at a day from %(first)s until the day before %(last)s "
                "says something else than before.",
                amount=self.currency_id.format(sum(line["amount"] for line in posted)),
                before=format_date(self.env, self[name]),
                after=format_date(self.env, date),
                first=format_date(self.env, min(date, self[name])),
                last=format_date(self.env, max(date, self[name])),
            )
        ]

    def _record_correction(self, name, date, _text):
        self._transition(**{name: date})

    # ------------------------------------------------------------------
    # The ledger follows
    # ------------------------------------------------------------------

    @api.model
    def _get_posted_kinds(self):
        """Kinds of the entries that a signature posts."""
        return [kind for kind in ("allocation", "commitment") if kind in self._entry_kinds]

    def _get_posted_entries(self):
        """The entries of the day of the signature that are the signature's."""
        # sudo: of a document that the user may correct, all of what it posted
        return self.env["grant.entry"].sudo().search(
            [
                ("origin_model", "=", self._name),
                ("origin_id", "=", self.id),
                ("kind", "in", self._get_posted_kinds()),
                ("date", "=", self.signature_date),
            ],
            order="id desc",
        )  # fmt: skip

    def _get_posted(self):
        """What stands in the ledger of what the signature posted, by envelope and action: lines as
        :meth:`grant.entry._post`."""
        sums = {}
        for entry in self._get_posted_entries():
            key = entry.kind, entry.envelope_id.id, entry.subsidy_id.id, entry.action_id.id
            sums[key] = self.currency_id.round(sums.get(key, 0.0) + entry.amount)
        keys = ("kind", "envelope_id", "subsidy_id", "action_id")
        return [
            {**dict(zip(keys, key, strict=True)), "date": self.signature_date, "amount": amount}
            for key, amount in sums.items()
            if not self.currency_id.is_zero(amount)
        ]

    def _get_moved_lines(self, date):
        """Lines that take back what the signature posted, and post it anew on ``date``."""
        memo = self._get_correction_sentence("signature_date", date)
        posted = self._get_posted()
        return [
            {**line, "date": day, "amount": sign * line["amount"], "memo": memo}
            for sign, day in ((-1, self.signature_date), (1, date))
            for line in posted
        ]

    def _post_moved(self, lines):
        """In one statement: the ledger judges both days together."""
        self._post_entries(lines)
