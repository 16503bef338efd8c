import functools

from odoo import api, models, tools
from odoo.exceptions import AccessError, ConcurrencyError, LockError, UserError
from odoo.tools import SQL

from ...lib.guard.words import has_words
from .obstacle import Obstacle, put_in_lines


def asks_reason(action, title):
    """Mark the method that does ``action`` with a written reason (``method(reason)``), for the
    window that asks for it. Without a reason it does nothing, whoever calls it, unless the
    documents need none (:meth:`GrantActingMixin._needs_reason`).

    :param title: of the window, a lazy translation
    """

    def mark(method):
        @functools.wraps(method)
        def with_reason(self, reason):
            if reason or self._needs_reason(action):
                reason = self._check_reason(reason)
            return method(self, reason)

        with_reason._grant_reason = (action, title)
        return with_reason

    return mark


class GrantActingMixin(models.AbstractModel):
    """Who may act on a document, and in which of its states."""

    _name = "grant.acting.mixin"
    _description = "Roles and States"

    def _check_group(self, group, what):
        """Refuse unless the user is in ``group``.

        :param str group: xmlid of a group of this add-on, without the module
        :param str what: what was tried, translated, for the message
        :raise AccessError: the user is not in the group
        """
        if self.env.user.has_group(f"ctai_grants.{group}"):
            return
        # sudo: everyone may be told which role it takes
        role = self.env.ref(f"ctai_grants.{group}").sudo().name
        raise AccessError(
            self.env._("%(what)s: this takes the role “%(role)s”.", what=what, role=role)
        )

    def _check_staff(self, what):
        """Refuse unless the user is a coordinator or a finance officer.

        :raise AccessError: the user is neither
        """
        if not self.env.user.has_group("ctai_grants.group_coordinator"):
            self._check_group("group_finance_officer", what)

    def _get_state_label(self):
        self.ensure_one()
        state = self._fields["state"]
        return dict(state._description_selection(self.env)).get(self.state, self.state)

    def _check_state(self, states, what):
        """Refuse unless every record is in one of ``states``, not archived, and named once.

        :raise UserError: naming the document and its state
        """
        # An RPC call may name one twice, and what follows would be done, and posted, twice.
        if len(set(self._ids)) != len(self):
            raise UserError(self.env._("%(what)s: a document is named twice.", what=what))
        for record in self:
            if record._active_name and not record[record._active_name]:
                about = {"what": what, "document": record.display_name}
                raise UserError(self.env._("%(what)s: %(document)s is archived.", **about))
            if record.state not in states:
                raise UserError(
                    self.env._(
                        "%(what)s: %(document)s is in the state “%(state)s”.",
                        what=what,
                        document=record.display_name,
                        state=record._get_state_label(),
                    )
                )

    @api.private
    def lock_for_update(self, *, allow_referencing=False):
        """Lock these documents as Odoo does, without waiting for whoever has one; its own refusal
        names none of them.

        :raise LockError: naming each document that somebody else is changing
        """
        locked = self.try_lock_for_update(allow_referencing=allow_referencing)
        if busy := self - locked:
            raise LockError(
                self.env._(
                    "%(documents)s: somebody else is changing it at this very moment. Nothing was "
                    "done here: look at it again in a few seconds, and go on from there.",
                    documents=", ".join(busy.mapped("display_name")),
                )
            )

    def _lock_in_turn(self):
        """Lock these documents after whoever has one, for what people do by themselves on a page: a
        second click does not meet the first one, it sees what that has done.

        :raise ConcurrencyError: somebody had one: the call begins again, with what he did
        """
        if busy := self - self.try_lock_for_update(allow_referencing=True):
            table = SQL.identifier(self._table)
            self.env.execute_query(
                SQL("SELECT id FROM %s WHERE id IN %s FOR NO KEY UPDATE", table, busy._ids)
            )
            raise ConcurrencyError(f"{busy}: seen before somebody else was done with it")

    def _check_filled(self, names):
        """Refuse while one of these fields is empty.

        :raise UserError: naming the document and each of them
        """
        if empty := self._get_empty(names):
            raise UserError(
                self.env._(
                    "%(document)s: fill in first: %(fields)s.",
                    document=self.display_name,
                    fields=self._label(empty),
                )
            )

    def _get_empty(self, names):
        return [
            name
            for name in names
            if not (has_words(self[name]) if isinstance(self[name], str) else self[name])
        ]

    def _label(self, names):
        return ", ".join(self._fields[name]._description_string(self.env) for name in names)

    # ------------------------------------------------------------------
    # What prevents an act, and where it is lifted
    # ------------------------------------------------------------------

    def _get_unfilled(self, names):
        """Which of these fields are empty: an obstacle, or none, as a list."""
        empty = self._get_empty(names)
        return empty and [
            Obstacle(self.env._("Fill in first: %s.", self._label(empty)), self, empty[0])
        ]

    def _check_obstacles(self, what, obstacles):
        """Refuse an act while something prevents it.

        :param str what: was tried, translated
        :param list obstacles: sentences
        :raise UserError: naming the document and all of them
        """
        if obstacles:
            raise UserError(
                self.env._(
                    "%(what)s: %(document)s is not ready for it.\n%(obstacles)s",
                    what=what,
                    document=self.display_name,
                    obstacles=put_in_lines(obstacles),
                )
            )

    # ------------------------------------------------------------------
    # Actions that ask for a reason
    # ------------------------------------------------------------------

    @tools.ormcache()
    def _get_reason_actions(self):
        """What can be done with a reason, and nothing else (an RPC payload names a model and an
        action): dict {action: (name of the method, title)}."""
        found = {}
        # On the class: on a record, a property like ``_table_query`` would run.
        # An override is to be marked too, only the outermost method is looked at.
        for name in dir(type(self)):
            if mark := getattr(getattr(type(self), name, None), "_grant_reason", None):
                found[mark[0]] = (name, mark[1])
        return found

    def _check_reason(self, reason):
        """The reason that somebody wrote, without the spaces around it.

        :raise UserError: nobody would read anything in it
        """
        if not has_words(reason):
            documents = ", ".join(self.mapped("display_name"))
            raise UserError(
                self.env._("%(documents)s: write the reason, in words.", documents=documents)
            )
        return reason.strip()

    def _needs_reason(self, _action):
        """Whether ``action`` is not done without a reason: else its window only shows what it
        does."""
        return True

    def _ask_reason(self, action):
        """The window that asks why, then does ``action`` on these documents."""
        return self.env["grant.reason"]._open(self, action)

    def _get_reason_preview(self, _action):
        """What ``action`` would do now, for the window that asks for its reason: a list of dicts
        with ``title``, ``rows`` (label and amount or None) and ``alert`` (whether it forbids)."""
        return []

    def _get_reason_title(self, title):
        """What the window that asks is called; ``title`` is the action's."""
        return title
