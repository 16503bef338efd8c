import json

from odoo import api, models
from odoo.tools import LazyTranslate, format_date
from odoo.tools.misc import formatLang

_lt = LazyTranslate(__name__)

# What the database refuses (append_only.sql, grant_entry_schema.sql, grant_entry_dates.sql), by its
# code and the kind of what was asked; then what it refuses for a day before the last one.
REFUSALS = {
    "allocated_ceiling commitment": _lt(
        "Envelope “%(envelope)s”: %(left)s left to commit, %(asked)s asked."
    ),
    "allocated_ceiling allocation": _lt(
        "Envelope “%(envelope)s”: the allocation cannot go down by %(asked)s, only %(left)s are "
        "not committed."
    ),
    "committed_ceiling payment": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: %(left)s left to pay, %(asked)s asked."
    ),
    "committed_ceiling commitment": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: it cannot go down by %(asked)s, only "
        "%(left)s are not paid."
    ),
    "committed_ceiling recovery": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: the repayment of %(asked)s cannot be "
        "cancelled, with %(left)s left to pay. Cancel first what was paid again since."
    ),
    "paid_ceiling payment": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: the payment of %(asked)s cannot be "
        "cancelled, only %(left)s of what was paid are not paid back. Cancel the repayments first."
    ),
    "paid_ceiling recovery": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: %(asked)s cannot be paid back, only "
        "%(left)s are paid and not paid back."
    ),
    "recovered_ceiling recovery": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: no repayment of %(asked)s can be "
        "cancelled, %(left)s are paid back."
    ),
    "not_in_force": _lt(
        "Envelope “%(envelope)s”: its contract is not in force, nothing can be posted."
    ),
    "other_envelope": _lt(
        "Subsidy “%(subsidy)s” is not one of the envelope “%(envelope)s”."
    ),
    "counters": _lt(
        "The sums of envelopes and subsidies are counted from the grant ledger, and not written."
    ),
    "uninstall": _lt(
        "“%(module)s”: the grant ledger stands on this add-on, and holds entries that are to be "
        "kept. To give the ledger up, whoever runs the server writes it out and uninstalls with "
        "one command: odoo grants_uninstall."
    ),
    "append_only": _lt(
        "Lines of the grant ledger, decisions and files handed in are never changed or deleted, "
        "nor is what they name. To merge contacts, keep the one that the ledger names."
    ),
}
DATED_REFUSALS = {
    "future": _lt(
        "Envelope “%(envelope)s”: %(date)s is after today. Record it in the ledger when the day "
        "has come."
    ),
    "before_force": _lt(
        "%(contract)s is in force since %(date)s: nothing before that day can be recorded in the "
        "ledger."
    ),
    "allocated_ceiling commitment": _lt(
        "Envelope “%(envelope)s”: on %(date)s, %(left)s were left to commit, %(asked)s asked. Take "
        "a later date, or less."
    ),
    "allocated_ceiling allocation": _lt(
        "Envelope “%(envelope)s”: on %(date)s, the allocation cannot go down by %(asked)s, only "
        "%(left)s were not committed. Take a later date, or less."
    ),
    "committed_ceiling payment": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: on %(date)s, %(left)s were left to pay, "
        "%(asked)s asked. Enter the day on which it was paid."
    ),
    "committed_ceiling commitment": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: on %(date)s, it cannot go down by "
        "%(asked)s, only %(left)s were not paid. Take a later date, or less."
    ),
    "committed_ceiling recovery": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: the repayment of %(asked)s cannot be "
        "cancelled, with %(left)s left to pay on %(date)s. Cancel first what was paid again since."
    ),
    "paid_ceiling payment": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: the payment of %(asked)s cannot be "
        "cancelled, only %(left)s of what was paid were not paid back on %(date)s. Cancel the "
        "repayments first."
    ),
    "paid_ceiling recovery": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: %(asked)s cannot have been paid back on "
        "%(date)s, when %(left)s were paid and not paid back. Enter the day of the repayment."
    ),
    "recovered_ceiling recovery": _lt(
        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: no repayment of %(asked)s can be "
        "cancelled on %(date)s, when %(left)s were paid back."
    ),
}


class GrantEntry(models.Model):
    """What the database refuses, in words."""

    _inherit = "grant.entry"

    @api.model
    def _say_refusal(self, code, about):
        """One of :data:`REFUSALS`, of what would be refused."""
        sentence = self.env._(REFUSALS[code])
        return sentence % about

    @api.model
    def _get_refusal(self, error):
        """A refusal of the ledger's own guards: which envelope or subsidy, which day, what was left
        and what was asked, what to do.

        Made of what the error carries: a transaction that failed reads nothing.
        """
        about = json.loads(error.diag.message_detail)
        currency = self.env["res.currency"].new(about.get("currency") or {})
        for name in ("left", "asked"):
            if name in about:
                about[name] = formatLang(self.env, about[name], currency_obj=currency)
        refusals = REFUSALS
        if about.get("date"):
            about["date"] = format_date(self.env, about["date"])
            refusals = DATED_REFUSALS
        code = error.diag.constraint_name.removeprefix("grant_ledger_")
        what = " ".join(filter(None, (code, about.get("kind"))))
        sentence = self.env._(refusals.get(what) or _lt("The grant ledger refuses this."))
        return sentence % about
