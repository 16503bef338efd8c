import datetime
import logging
import os

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import config

from ...lib.ledger.heads import append_heads
from ..guard import transition

_logger = logging.getLogger(__name__)

# Days without a line after which it is told.
LATE = 2
# Days for which the last mail to an address that was taken out is tried.
FAREWELL = 7


class GrantHeadsReceiver(models.Model):
    """Where the heads of a city's chains go each day, since when and until when, set by whom.

    A file in the folder that ``grants_heads_dir`` names in Odoo's configuration (no path comes
    from the web), or a mail address of the settings (``res_company_heads.py``).
    """

    _name = "grant.heads.receiver"
    _description = "Receiver of the Heads"
    _inherit = ["grant.document.mixin", "grant.thread.mixin", "mail.activity.mixin"]
    _order = "id desc"
    _rec_name = "address"

    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    kind = fields.Selection([("file", "File"), ("mail", "Mail")], required=True, readonly=True)
    address = fields.Char(required=True, readonly=True)
    since = fields.Datetime(required=True, readonly=True)
    set_by_id = fields.Many2one("res.users", readonly=True, ondelete="restrict")
    until = fields.Datetime(readonly=True)
    ended_by_id = fields.Many2one(
        "res.users", string="Taken Out By", readonly=True, ondelete="restrict"
    )
    sent_day = fields.Date(string="Last Day", readonly=True, help="Of which the heads left.")
    is_told = fields.Boolean(
        string="Told",
        readonly=True,
        help="A last mail said that this address was taken out, and by whom.",
    )
    failure = fields.Char(readonly=True, help="Why the heads did not leave the last time.")
    is_late = fields.Boolean(compute="_compute_is_late")

    _receiving_uniq = models.UniqueIndex(
        "(company_id, kind, address) WHERE until IS NULL", "This address receives them already."
    )

    @api.depends("since", "until", "sent_day")
    def _compute_is_late(self):
        for receiver in self:
            last = receiver.sent_day or receiver.since.date()
            today = receiver.company_id._grant_today()
            receiver.is_late = not receiver.until and (today - last).days > LATE

    # ------------------------------------------------------------------
    # Who receives
    # ------------------------------------------------------------------

    @api.model
    def _add(self, company, kind, address):
        """A new receiver, from now on: what the settings and the configuration say, no client."""
        vals = {
            "company_id": company.id, "kind": kind, "address": address,
            "since": fields.Datetime.now(), "set_by_id": self.env.uid,
        }  # fmt: skip
        return transition.creating(self, [vals]).create(vals)

    def _end(self):
        """From now on these receive nothing, but who had mails is told so."""
        self._transition(until=fields.Datetime.now(), ended_by_id=self.env.uid, failure=False)
        self.activity_unlink(["ctai_grants.mail_activity_heads"])

    @api.ondelete(at_uninstall=False)
    def _unlink_except_never(self):
        # Rights alone would not do: an administrator becomes the superuser by a click.
        raise UserError(
            self.env._(
                "%(address)s: who received the heads of the ledger stays in the list. Take the "
                "address out in the settings: a last mail tells so.",
                address=self[:1].address,
            )
        )

    @api.model
    def _get_file(self):
        """The file that Odoo's configuration wants the heads written to; None without one."""
        folder = config.get("grants_heads_dir")
        if not folder or folder.lower() == "false":
            return None
        return os.path.join(os.path.abspath(folder), f"grants-heads-{self.env.cr.dbname}.csv")

    @api.model
    def _follow_configuration(self):
        """Make the files that receive those that the configuration says."""
        path = self._get_file()
        receiving = self.search([("kind", "=", "file"), ("until", "=", False)])
        for receiver in receiving.filtered(lambda receiver: receiver.address != path):
            receiver._end()
            receiver._tell(
                self.env._(
                    "Nothing is written to this file any more: Odoo's configuration "
                    "(grants_heads_dir) names another folder, or none."
                )
            )
        if path:
            known = receiving.filtered(lambda receiver: not receiver.until).company_id
            companies = self.env["res.company"].with_context(active_test=False)
            for company in companies.search([("id", "not in", known.ids)]):
                if self.env["grant.heads"]._get_heads(company):
                    self._add(company, "file", path)

    # ------------------------------------------------------------------
    # Sending
    # ------------------------------------------------------------------

    @api.model
    def _cron_send(self):
        """Each hour: what has not left today. Once a day and receiver, in the city's days; what
        failed is tried again."""
        cron = self.env["ir.cron"]
        self._follow_configuration()
        waiting = self._get_waiting()
        cron._commit_progress(remaining=len(waiting))
        for receiver in waiting:
            receiver._send()
            # Kept at once: what has left does not come back.
            cron._commit_progress(1)

    @api.model
    def _get_waiting(self):
        last = fields.Datetime.now() - datetime.timedelta(days=FAREWELL)
        ended = [
            ("until", ">", last), ("kind", "=", "mail"), ("sent_day", "!=", False),
            ("is_told", "=", False),
        ]  # fmt: skip
        receiving = self.search([("until", "=", False)], order="id")
        return receiving.filtered(lambda receiver: receiver._is_waiting()) | self.search(ended)

    def _is_waiting(self):
        if self.until:
            return not self.is_told
        return self.sent_day != self.company_id._grant_today()

    def _send(self):
        """Send the heads, or a last mail; a failure is kept, logged and told."""
        if not self.try_lock_for_update() or not self._is_waiting():
            return
        try:
            with self.env.cr.savepoint():
                self._deliver()
        except psycopg2.Error:
            raise
        # Whatever a disk, a mail server or its certificate says: never lost in silence.
        except Exception as error:  # pylint: disable=broad-exception-caught
            _logger.exception("The heads of the ledger did not leave to %s", self.address)
            self._transition(failure=_get_words(error))
            self._tell(self.env._("The heads of the ledger do not leave: %s", self.failure))
            return
        done = {"is_told": True} if self.until else {"sent_day": self.company_id._grant_today()}
        self._transition(failure=False, **done)
        self.activity_unlink(["ctai_grants.mail_activity_heads"])

    def _deliver(self):
        heads = self.env["grant.heads"]._get_heads(self.company_id)
        time = self.env["grant.heads"]._get_time(self.company_id)
        if self.kind == "mail":
            self._mail(heads, time)
            return
        # Never where the table says: who owns it would choose what the server writes to.
        if self.address != self._get_file():
            raise UserError(self.env._("Odoo's configuration names another folder, or none."))
        append_heads(self.address, heads, time)

    def _tell(self, note):
        """Leave an activity to the administrators of grants of the city, unless they have one."""
        if self.activity_search(["ctai_grants.mail_activity_heads"]):
            return
        group = self.env.ref("ctai_grants.group_administrator")
        for user in group.all_user_ids.filtered(
            lambda user: user.active and self.company_id in user.company_ids
        ):
            self.activity_schedule("ctai_grants.mail_activity_heads", user_id=user.id, note=note)


def _get_words(error):
    """What an error says, in one line."""
    # Mail errors of Odoo have a title and then what happened.
    words = str(error) if isinstance(error, OSError) else " ".join(map(str, error.args))
    return " ".join(words.split())[:500] or type(error).__name__
