from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, file_open
from odoo.tools.misc import clean_context

from . import transition


def read_sql(name):
    """The text of an SQL file, by its path in ``models``, without extension."""
    with file_open(f"ctai_grants/models/{name}.sql") as stream:
        return stream.read()


def make_trigger(name, events, table, scope, function):
    """SQL of a trigger before ``events``, all of them names of ours."""
    return (
        f"CREATE OR REPLACE TRIGGER {name} BEFORE {events} ON {table} FOR EACH {scope} "
        f"EXECUTE FUNCTION {function};"
    )


class GrantAppendOnlyMixin(models.AbstractModel):
    """Lines that documents add and nobody changes: ledger entries, decisions, versions.

    The database refuses updates and deletions too, and chains the lines of each document
    (``append_only.sql``); the ledger has chains of its own.
    """

    _name = "grant.append.only.mixin"
    _description = "Append-only lines"
    _allow_sudo_commands = False

    def init(self):
        # After the tables of every model exist.
        self.pool.post_init(self._install_guards)

    @api.model
    def _install_guards(self):
        """Install the functions and triggers of the database: at each install and upgrade."""
        if chained := self._get_chained_fields():
            # No fields: nobody reads them but who verifies.
            self.env.cr.execute(
                SQL(
                    "ALTER TABLE %s ADD COLUMN IF NOT EXISTS chain text, "
                    "ADD COLUMN IF NOT EXISTS chain_number integer, "
                    "ADD COLUMN IF NOT EXISTS chain_previous text, "
                    "ADD COLUMN IF NOT EXISTS chain_hash text, "
                    "ADD COLUMN IF NOT EXISTS chain_time timestamptz",
                    SQL.identifier(self._table),
                )
            )
        self.env.cr.execute(self._get_guards(chained))

    @api.model
    def _get_guards(self, chained):
        """SQL of the functions and triggers of these lines: what is installed, and verified.

        :param chained: names of fields, as :meth:`_get_chained_fields`
        """
        table, function = self._table, "grant_append_only()"
        guards = [read_sql("guard/append_only")]
        # The mixin itself has no table: of it, only the functions are made.
        if not self._abstract:
            # A TRUNCATE fires no trigger of rows.
            guards += [
                make_trigger(f"{table}_append_only", "UPDATE OR DELETE", table, "ROW", function),
                make_trigger(f"{table}_keep", "TRUNCATE", table, "STATEMENT", function),
            ]
        if chained:
            function = f"grant_line_chain({', '.join(map(repr, chained))})"
            guards.append(make_trigger(f"{table}_chain", "INSERT", table, "ROW", function))
        return "\n".join(guards)

    @api.model
    def _get_chained_fields(self):
        """Names of the fields that say which document a line is of: those of one are chained.
        None: the database does not chain these lines."""
        return []

    @api.private
    @api.model_create_multi
    def create(self, vals_list):
        self, allowed = transition.spend(self, count=len(vals_list))
        if not allowed:
            self._refuse()
        return super().create(vals_list)

    def write(self, vals):
        if vals:
            self._refuse()
        return super().write(vals)

    def unlink(self):
        if self:
            self._refuse()
        return super().unlink()

    def _refuse(self):
        raise AccessError(
            self.env._(
                "%(model)s: lines are added by their documents' buttons, and never typed in, "
                "imported, changed or deleted. Correct one with another.",
                # sudo: the name only
                model=self.env["ir.model"]._get(self._name).sudo().name,
            )
        )

    def _keeps_file(self, _file):
        """Whether an attachment of this line stays as it is (:mod:`ir_attachment`)."""
        return False

    @api.model
    def _append(self, vals):
        """Add a line, or several in one statement: the documents' methods only.

        :param vals: values of the line, or a list of those of each
        """
        vals_list = [vals] if isinstance(vals, dict) else vals
        # Not with the defaults that a client sends: they would say what a decision is about.
        clean = clean_context(self.env.context)
        model = self.with_context(clean)  # pylint: disable=context-overridden
        return transition.creating(model, vals_list).create(vals_list).with_env(self.env)
