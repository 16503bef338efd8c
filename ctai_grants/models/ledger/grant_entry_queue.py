import sys

import psycopg2

from odoo import api, models, modules
from odoo.sql_db import Cursor
from odoo.tools import SQL

# First key of the advisory locks, the second being the envelope's id.
POSTING_LOCK = 0x4752
# What calls a method straight from a request.
DISPATCHERS = ("odoo.service.model", "odoo.addons.rpc.controllers.json2")


def _is_dispatched():
    """Whether only this add-on stands between us and the dispatch of the request.

    Anybody else could hold a savepoint, which nothing tells and which a rollback would end.
    """
    frame = sys._getframe()
    # Code that safe_eval runs has no name.
    while frame.f_globals.get("__name__", "").startswith("odoo.addons.ctai_grants"):
        frame = frame.f_back
    return frame.f_globals.get("__name__") in DISPATCHERS


class GrantEntry(models.Model):
    _inherit = "grant.entry"

    @api.model
    def _begin_posting(self, envelopes):
        """Queue for the envelopes' ledgers, and see what those before us have posted.

        To be called first thing by the methods that will post. Odoo's transactions read a
        snapshot taken at their first query: whoever waits for another posting would then fail
        on the row that changed meanwhile, and be retried after a random sleep, five times at
        most. So the wait is on a session lock, which outlives a rollback: when the envelopes
        have changed since the snapshot, the transaction is restarted under it, as long as
        nothing can be lost by that. The transaction's own lock then takes over, and ends with it.
        """
        cr = self.env.cr
        ids = sorted(set(envelopes.ids))
        if not ids:
            return
        can_restart = self._can_restart_transaction()
        queue = SQL("SELECT grant_entry_queue(%s, %s, %s)", POSTING_LOCK, ids, can_restart)
        try:
            try:
                cr.execute(queue, log_exceptions=False)
            except psycopg2.errors.SerializationFailure:
                cr.rollback()
                self._query_locks(ids, "pg_advisory_xact_lock", "pg_advisory_unlock")
        except BaseException:
            # Nothing can be unlocked in a failed transaction, and the connection is used again.
            if can_restart:
                cr.rollback()
                self._query_locks(ids, "pg_advisory_unlock")
            raise

    @api.model
    def _query_locks(self, envelope_ids, *functions):
        calls = SQL(", ").join(SQL("%s(%s, id)", SQL(f), POSTING_LOCK) for f in functions)
        self.env.cr.execute(SQL("SELECT %s FROM unnest(%s) id", calls, envelope_ids))

    @api.model
    def _can_restart_transaction(self):
        """Whether a rollback now loses nothing that a caller prepared; whether something is
        written already is for the database to say."""
        cr = self.env.cr
        # Tests run in one transaction that must not end; their cursors refuse it.
        if modules.module.current_test or not isinstance(cr, Cursor) or not _is_dispatched():
            return False
        self.env.flush_all()
        return not (cr.precommit or cr.postcommit or cr.prerollback or cr.postrollback)
