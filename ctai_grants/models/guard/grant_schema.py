import re

import psycopg2

from odoo import api, models
from odoo.modules import Manifest
from odoo.orm.table_objects import Constraint, UniqueIndex
from odoo.tools import SQL, LazyTranslate

from ...lib.guard import schema

_lt = LazyTranslate(__name__)

SENTENCES = {
    "missing": _lt("The database's guard “%(name)s” of %(table)s is missing."),
    "off": _lt("The database's guard “%(name)s” of %(table)s is switched off."),
    "altered": _lt(
        "The database's guard “%(name)s” of %(table)s is not the one of this version of the "
        "application."
    ),
    "foreign": _lt(
        "“%(name)s” on %(table)s is not of the application, and acts on what is written there."
    ),
}


class GrantSchema(models.AbstractModel):
    """The verifier of the database's own guards: triggers, functions, constraints and unique
    indexes are there, switched on, and say what the sources of this version say.

    Nothing is created to compare: the transaction is read-only, and temporary tables are no
    exception to that. Conditions of both sides are put to the planner (``EXPLAIN``), which writes
    them the same way.
    """

    _name = "grant.schema"
    _description = "Guards of the Database"

    @api.private
    @api.model
    def _get_broken_guards(self):
        """Sentences naming each guard that is missing, switched off or altered, and what else acts
        on what is written."""
        sql = self._get_source()
        sentences = {what: self.env._(text) for what, text in SENTENCES.items()}
        return self._get_replica() + [
            sentences[what] % {"name": name, "table": table}
            for faults in (
                self._check_triggers(sql),
                self._check_functions(sql),
                self._check_foreign(),
                self._check_constraints(),
                self._check_columns(),
            )
            for what, table, name in faults
        ]

    @api.model
    def _get_source(self):
        """All SQL of our triggers and functions."""
        names = sorted(self.pool.descendants(["grant.append.only.mixin"], "_inherit"))
        guarded = [self.env[name] for name in names]
        return "\n".join(model._get_guards(model._get_chained_fields()) for model in guarded)

    @api.model
    def _get_models(self):
        """Our models with a table of their own."""
        models_ = (self.env[name] for name in sorted(self.pool) if name.startswith("grant."))
        return [m for m in models_ if m._auto and not m._abstract and not m._transient]

    @api.model
    def _get_tables(self):
        return ["grant_chain", *(model._table for model in self._get_models())]

    @api.private
    @api.model
    def _get_missing_tables(self):
        """Sentences naming our tables that are gone: without them nothing can be verified."""
        rows = self.env.execute_query(
            SQL(
                "SELECT name FROM unnest(%s) AS name WHERE to_regclass(name) IS NULL",
                self._get_tables(),
            )
        )
        return [self.env._("The table %s of the database is missing.", name) for (name,) in rows]

    @api.private
    @api.model
    def _get_outdated(self):
        """Sentences naming our add-ons whose guards, as the last upgrade installed them, are of
        another version than the sources: what these read may not be there yet."""
        sources = self._get_versions()
        return [
            self.env._(
                "The guards of the database are those of %(name)s %(version)s, and the add-on on "
                "the server is %(expected)s: stop the server, make a backup, and upgrade "
                "(odoo -u %(names)s).",
                name=name,
                version=version or "?",
                expected=sources[name],
                names=",".join(sources),
            )
            for name, version in self._read_versions([*sources])
            if version != sources[name]
        ]

    @api.model
    def _get_versions(self):
        """The version of each of our add-ons, as its manifest says."""
        lines = self.pool.descendants(["grant.append.only.mixin"], "_inherit")
        names = sorted({self.env[line]._original_module for line in lines})
        return {name: Manifest.for_addon(name)["version"] for name in names}

    @api.model
    def _read_versions(self, names):
        query = "SELECT name, latest_version FROM ir_module_module WHERE name = ANY(%s) ORDER BY 1"
        return self.env.execute_query(SQL(query, names))

    @api.model
    def _get_replica(self):
        """A sentence when triggers do not run at all, now or by a default."""
        rows = self.env.execute_query(
            SQL(
                """SELECT FROM pg_db_role_setting, unnest(setconfig) AS setting
                    WHERE setting LIKE 'session_replication_role=%%'
                      AND setting <> 'session_replication_role=origin'
                    UNION ALL
                   SELECT WHERE current_setting('session_replication_role') <> 'origin'"""
            )
        )
        return [
            self.env._(
                "The database is set not to run its triggers (session_replication_role): nothing "
                "guards the ledger."
            )
        ] * bool(rows)

    # ------------------------------------------------------------------
    # Triggers and functions
    # ------------------------------------------------------------------

    @api.model
    def _check_triggers(self, sql):
        """Yield what is wrong with the triggers: kind of fault, table, name."""
        wanted = schema.triggers(sql)
        found = {
            (table, name): (state, schema.Trigger(
                type_ if not attributes else -1, function,
                tuple(bytes(arguments).decode().split("\0")[:-1]), new_table, condition))
            for table, name, state, type_, attributes, function, arguments, new_table, condition
            in self._read_triggers(sorted({table for table, _name in wanted}))
        }  # fmt: skip
        for (table, name), trigger in sorted(wanted.items()):
            if (table, name) not in found:
                yield "missing", table, name
                continue
            state, own = found[table, name]
            if state not in "OA":
                yield "off", table, name
            if trigger._replace(condition=None) != own._replace(condition=None):
                yield "altered", table, name
            elif not self._is_same(f"{table} old, {table} new", trigger.condition, own.condition):
                yield "altered", table, name
        for table, name in sorted(found.keys() - wanted.keys()):
            # Of Odoo's own tables, only ours are looked at.
            if table in self._get_tables():
                yield "foreign", table, name

    @api.model
    def _read_triggers(self, guarded):
        return self.env.execute_query(
            SQL(
                r"""SELECT class.relname, tgname, tgenabled::text, tgtype, tgattr::text,
                           proname, tgargs, tgnewtable,
                           substring(pg_get_triggerdef(trigger.oid)
                                     FROM ' WHEN \((.*)\) EXECUTE FUNCTION ')
                      FROM pg_trigger trigger
                      JOIN pg_class class ON class.oid = tgrelid
                       AND class.relnamespace = current_schema()::regnamespace
                      JOIN pg_proc function ON function.oid = tgfoid
                     WHERE NOT tgisinternal AND class.relname = ANY(%s)""",
                [*self._get_tables(), *guarded],
            )
        )

    @api.model
    def _check_functions(self, sql):
        """Yield what is wrong with the functions; of one name there is one."""
        rows = self.env.execute_query(
            SQL(
                """SELECT proname, lanname, provolatile::text, prosrc,
                          prosecdef OR proconfig IS NOT NULL
                     FROM pg_proc JOIN pg_language language ON language.oid = prolang
                    WHERE proname LIKE 'grant\\_%%'"""
            )
        )
        found = {}
        for name, *own, is_odd in rows:
            found[name] = None if is_odd or name in found else schema.Function(*own)
        for name, function in sorted(schema.functions(sql).items()):
            if name not in found:
                yield "missing", self.env._("the database"), name
            elif found[name] != function:
                yield "altered", self.env._("the database"), name

    @api.model
    def _check_foreign(self):
        """Yield rules and policies of rows on our tables, and foreign keys that are not
        enforced."""
        yield from self.env.execute_query(
            SQL(
                """SELECT 'foreign', relname, rulename
                     FROM pg_rewrite JOIN pg_class class ON class.oid = ev_class
                    WHERE relname = ANY(%(tables)s) AND relkind IN ('r', 'p')
                    UNION ALL
                   SELECT 'foreign', relname, 'ROW LEVEL SECURITY' FROM pg_class
                    WHERE relname = ANY(%(tables)s) AND relrowsecurity
                    UNION ALL
                   SELECT DISTINCT 'off', relname, conname
                     FROM pg_trigger trigger
                     JOIN pg_class class ON class.oid = tgrelid
                     JOIN pg_constraint reference ON reference.oid = tgconstraint
                    WHERE relname = ANY(%(tables)s) AND tgisinternal AND tgenabled NOT IN ('O', 'A')
                 ORDER BY 2, 3""",
                tables=self._get_tables(),
            )
        )

    # ------------------------------------------------------------------
    # Constraints
    # ------------------------------------------------------------------

    @api.model
    def _check_constraints(self):
        """Yield what is wrong with the CHECK constraints and unique indexes of our models, and with
        ours of Odoo's."""
        kinds = (Constraint, UniqueIndex)
        own = {
            item.full_name(model): (item, model._table, item.get_definition(self.pool))
            for model in map(self.env.__getitem__, sorted(self.pool))
            if model._auto and not model._abstract and not model._transient
            for item in model._table_objects.values()
            if item._module.startswith("ctai_grants") and isinstance(item, kinds)
        }
        checks, indexes = self._read_checks([*own]), self._read_indexes([*own])
        for name, (item, table, definition) in own.items():
            if isinstance(item, Constraint):
                fault = self._judge_check(table, definition, checks.get(name))
            else:
                fault = self._judge_index(table, definition, indexes.get(name))
            if fault:
                yield fault, table, name

    @api.model
    def _read_checks(self, names):
        """CHECK constraints: dict {name: (table, whether it holds for all rows, text)}."""
        rows = self.env.execute_query(
            SQL(
                """SELECT conname, conrelid::regclass::text, convalidated,
                          pg_get_expr(conbin, conrelid)
                     FROM pg_constraint
                    WHERE contype = 'c' AND connamespace = current_schema()::regnamespace
                      AND conname = ANY(%s)""",
                names,
            )
        )
        return {name: own for name, *own in rows}

    @api.model
    def _read_indexes(self, names):
        rows = self.env.execute_query(
            SQL(
                """SELECT class.relname, indrelid::regclass::text,
                          indisunique AND indisvalid AND indisready AND indislive,
                          ARRAY(SELECT pg_get_indexdef(indexrelid, place, TRUE)
                                  FROM generate_series(1, indnkeyatts) AS place ORDER BY place),
                          pg_get_expr(indpred, indrelid)
                     FROM pg_index JOIN pg_class class ON class.oid = indexrelid
                    WHERE class.relnamespace = current_schema()::regnamespace
                      AND class.relname = ANY(%s)""",
                names,
            )
        )
        return {name: own for name, *own in rows}

    @api.model
    def _judge_check(self, table, definition, own):
        if not own:
            return "missing"
        condition = re.fullmatch(r"CHECK \((.*)\)\s*", definition, re.DOTALL)[1]
        if own[:2] != [table, True] or not self._is_same(table, condition, own[2]):
            return "altered"
        return None

    @api.model
    def _judge_index(self, table, definition, own):
        if not own:
            return "missing"
        columns, condition = schema.index_parts(definition.removeprefix("UNIQUE INDEX "))
        same = own[:2] == [table, True] and len(columns) == len(own[2]) and all(
            self._is_same(table, *pair)
            for pair in [*zip(columns, own[2], strict=True), (condition, own[3])]
        )  # fmt: skip
        return None if same else "altered"

    @api.model
    def _check_columns(self):
        """Yield the columns that may be empty, of fields that may not."""
        required = [
            (model._table, name)
            for model in self._get_models()
            for name, field in model._fields.items()
            if field.required and field.store and field.column_type
        ]
        yield from self.env.execute_query(
            SQL(
                """SELECT 'missing', table_name, column_name
                     FROM unnest(%s, %s) AS own (table_name, column_name)
                    WHERE NOT EXISTS (SELECT FROM pg_attribute
                                       WHERE attrelid = table_name::regclass AND attnotnull
                                         AND attname = column_name)
                 ORDER BY 2, 3""",
                [table for table, _name in required],
                [name for _table, name in required],
            )
        )

    @api.model
    def _is_same(self, tables, ours, theirs):
        """Whether two expressions about these tables are one to the planner."""
        if ours is None or theirs is None:
            return ours is theirs
        try:
            with self.env.cr.savepoint(flush=False):
                # Sources of ours, and what the database says of itself.
                self.env.cr.execute(
                    SQL(
                        "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT (%s), (%s) FROM %s",
                        *(SQL(text.replace("%", "%%")) for text in (ours, theirs, tables)),
                    ),
                    log_exceptions=False,
                )
                (([found],),) = self.env.cr.fetchall()
        except psycopg2.Error:
            # They are about other columns than there are.
            return False
        one, other = found["Plan"]["Output"]
        return one == other
