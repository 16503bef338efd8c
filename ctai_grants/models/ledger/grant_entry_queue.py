from contextlib import contextmanager
from datetime import datetime, timezone

import psycopg2

from odoo import api, models
from odoo.tools import SQL

# First key of the advisory locks, the second being the envelope's id. The schema has it too.
POSTING_LOCK = 0x4752
# On a cursor, while what is called with it may begin again.
RESTARTABLE = "_grant_restartable"


class GrantEntry(models.Model):
    """The queue before posting.

    Odoo's transactions read a snapshot taken at their first query: whoever waited for another
    posting cannot change the row that changed meanwhile, and Odoo tries again after a random
    sleep, five times at most. A transaction that is restartable begins again at once instead,
    behind those who wait already, and its snapshot is taken when it is its turn.
    """

    _inherit = "grant.entry"

    @api.model
    def _begin_posting(self, envelopes):
        """Queue for the envelopes' ledgers until the transaction ends.

        To be called first thing by the methods that will post: nothing is written yet, so that
        the failure that says that an envelope has changed meanwhile can be
        :meth:`_restartable`'s. Outside of that, Odoo's retries take it like any other.
        """
        if envelopes:
            with self._queueing(envelopes.ids) as turn:
                self.env.cr.execute(SQL("SELECT %s", turn), log_exceptions=False)

    @api.model
    @contextmanager
    def _queueing(self, envelope_ids):
        """SQL that waits for the turn of these envelopes, to be executed inside, in a statement
        of its own or before an entry is written in the same. Where the transaction can begin again,
        it fails instead of waiting: what it reads meanwhile would be of before its turn."""
        ids = sorted(set(envelope_ids))
        try:
            # Today is Odoo's: the clock of the database may be another machine's.
            now = datetime.now(timezone.utc).isoformat()
            can_begin_again = getattr(self.env.cr, RESTARTABLE, False)
            yield SQL("grant_entry_queue(%s, %s, %s)", ids, now, can_begin_again)
        except psycopg2.errors.SerializationFailure as failure:
            # It fails there only where nothing was written before.
            if "grant_entry_queue" in (failure.diag.context or ""):
                failure.grant_envelope_ids = ids
            raise

    @api.model
    def _restartable(self, act, *args):
        """Call ``act(*args)``, and again in another transaction when envelopes have changed
        since this one began.

        An opt-in of whoever begins a transaction, has no savepoint open, and may call ``act``
        again after a rollback, as Odoo's ``retrying`` does. What ``act`` calls is left by an
        exception: savepoints close, and all that is prepared there is prepared again.
        """
        cr = self.env.cr
        # What was prepared before would be lost: what is pending in the cache is written now.
        self.env.flush_all()
        if cr.precommit or cr.postcommit or cr.prerollback or cr.postrollback:
            return act(*args)
        ids = set()
        while True:
            try:
                with self._as_restartable():
                    return act(*args)
            except psycopg2.errors.SerializationFailure as failure:
                changed = set(getattr(failure, "grant_envelope_ids", ()))
                # It was our turn on all of them, so it is no posting: left to Odoo's retries.
                if changed <= ids:
                    raise
                ids |= changed
            self._restart(sorted(ids))

    @api.model
    @contextmanager
    def _as_restartable(self):
        cr = self.env.cr
        before = getattr(cr, RESTARTABLE, False)
        setattr(cr, RESTARTABLE, True)
        try:
            yield
        finally:
            setattr(cr, RESTARTABLE, before)

    @api.model
    def _restart(self, envelope_ids):
        """Begin the transaction again, its snapshot taken when it is its turn to post."""
        cr = self.env.cr
        cr.rollback()
        self.env.transaction.reset()
        self.env.registry.reset_changes()
        lock, unlock = "pg_advisory_lock", "pg_advisory_unlock"
        try:
            # On the session: the transaction that waits has a snapshot of before, and must end. In
            # one round trip, as others wait from the moment it is our turn.
            cr.execute(
                SQL(
                    "%s; ROLLBACK AND CHAIN; %s",
                    self._select_locks(envelope_ids, lock),
                    self._select_locks(envelope_ids, "pg_advisory_xact_lock", unlock),
                )
            )
        except BaseException:
            # Nothing can be unlocked in a failed transaction, and the connection is used again.
            cr.rollback()
            cr.execute(self._select_locks(envelope_ids, unlock))
            raise

    @api.model
    def _select_locks(self, envelope_ids, *functions):
        calls = SQL(", ").join(SQL("%s(%s, id)", SQL(f), POSTING_LOCK) for f in functions)
        return SQL("SELECT %s FROM unnest(%s) id", calls, envelope_ids)
