from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import UserError
from odoo.modules import Manifest
from odoo.tools import SQL, sql

from ..guard.grant_append_only_mixin import read_sql

# What writes a ledger out, by the name of its database, while the command that gives it up runs
# (cli/grants_uninstall.py): in its process alone. Nothing that a client sends adds one.
_GIVEN_UP = {}


@contextmanager
def giving_up(env, write_out):
    """Let the add-ons of this database be uninstalled, in this process, once ``write_out(env)`` has
    written the ledger out: called in the transaction that then takes it from the database.

    :return: a list, with what ``write_out`` returned when it is done
    """
    # For the trigger, until the add-ons are marked; the transaction that deletes drops it.
    env.cr.execute("SELECT set_config('ctai_grants.given_up', current_database(), true)")
    written = []
    _GIVEN_UP[env.cr.dbname] = lambda leaving: written.append(
        write_out(leaving(context=env.context))
    )
    try:
        yield written
    finally:
        del _GIVEN_UP[env.cr.dbname]


def leave(env):
    """What uninstalling begins with, whoever asks: the ledger is written out, or kept.

    :raise UserError: it holds entries, and nobody gives it up
    """
    env["grant.entry"]._check_kept(["ctai_grants"])
    if write_out := _GIVEN_UP.get(env.cr.dbname):
        # Loading has ended: what is written begins here, and not with what was read before.
        env.cr.commit()  # pylint: disable=invalid-commit
        write_out(env)


class GrantEntry(models.Model):
    """What the ledger stands on: while it holds entries, no add-on, table, column or constraint of
    it is taken away, whoever asks."""

    _inherit = "grant.entry"

    @api.model
    def _get_guards(self, chained):
        # Installed with the rest, and verified with it.
        names = ", ".join(map(repr, sorted(self._get_kept_modules())))
        here = "('installed', 'to upgrade')"
        leaves = f"OLD.state IN {here} AND (NEW.state NOT IN {here} OR NEW.name <> OLD.name)"
        kept = f"OLD.name IN ({names})"
        triggers = [
            f"CREATE OR REPLACE TRIGGER grant_module_{name} BEFORE {event} ON ir_module_module "
            f"FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION grant_module_keep();"
            for name, event, when in (
                ("stay", "UPDATE", f"{kept} AND {leaves}"), ("keep", "DELETE", kept)
            )
        ]  # fmt: skip
        own = read_sql("ledger/ir_module_module")
        return "\n".join([super()._get_guards(chained), own, *triggers])

    @api.model
    def _get_kept_modules(self):
        """Names of the add-ons with lines that are never deleted, and of all that they depend on.

        From the sources: what the database says of add-ons, an administrator changes by RPC.
        """
        lines = self.pool.descendants(["grant.append.only.mixin"], "_inherit")
        names = {self.env[name]._original_module for name in lines}
        todo = list(names)
        while todo:
            depends = set(Manifest.for_addon(todo.pop())["depends"]) - names
            names |= depends
            todo += depends
        return frozenset(names)

    @api.model
    def _is_kept(self):
        """Whether the ledger holds entries, and was not given up."""
        cr = self.env.cr
        if cr.dbname in _GIVEN_UP or not sql.table_exists(cr, self._table):
            return False
        return bool(self.env.execute_query(SQL("SELECT FROM grant_entry LIMIT 1")))

    @api.model
    def _check_kept(self, things):
        """Refuse to take away, or to change, what the ledger stands on.

        :param things: names, as they are to be told; none is nothing to refuse
        :raise UserError: the ledger holds entries
        """
        things = list(things)
        if things and self._is_kept():
            # A call may name hundreds.
            things[3:] = ["…"] if things[3:] else []
            raise UserError(
                self.env._(
                    "%(things)s: the grant ledger stands on it, and holds entries that are to be "
                    "kept. Nothing was changed. To give the ledger up, whoever runs the server "
                    "writes it out and uninstalls with one command: odoo grants_uninstall.",
                    things=", ".join(things),
                )
            )
