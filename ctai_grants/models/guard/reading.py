"""Reading ahead, into the cache: what a method will look at in few statements, where the ORM would
read record by record, and of each everything. What is in the cache already stays."""

from collections import namedtuple
from datetime import date, datetime

from odoo.fields import Domain
from odoo.tools import SQL

_FROM_JSON = {"date": date.fromisoformat, "datetime": datetime.fromisoformat}


class Wanted(namedtuple("Wanted", "model names rows keep", defaults=(None,))):
    """Records that :func:`read_together` reads: of ``model`` the columns ``names`` (many2many too)
    of those rows of its table that the SQL ``rows`` says; ``keep`` is called with the records, in
    the order of their model (one of its own columns), once everything is read."""


def read_together(wanted):
    """Read the records of several models in one statement.

    Whatever the user may see: to be called with models in sudo, for what the user may ask for.

    :param wanted: list of :class:`Wanted`
    """
    env = wanted[0].model.env
    env.flush_all()
    (found,) = env.execute_query(SQL("SELECT %s", SQL(", ").join(_select(*one) for one in wanted)))
    read = []
    for (model, names, _rows, keep), rows in zip(wanted, found, strict=True):
        ids, *columns = zip(*rows, strict=True) if rows else [()] * (1 + len(names))
        records = model.browse(ids)
        for field, values in zip(map(model._fields.get, names), columns, strict=True):
            field._insert_cache(records, map(_get_reader(field), values))
        read.append((keep, records))
    for keep, records in read:
        if keep:
            keep(records)


def _select(model, names, rows, keep):
    order = SQL("ORDER BY %s", SQL(model._order)) if keep else SQL()
    columns = SQL(", ").join(_get_column(model, model._fields[name]) for name in ("id", *names))
    return SQL(
        "(SELECT json_agg(json_build_array(%s) %s) FROM %s WHERE %s)",
        columns, order, SQL.identifier(model._table), rows,
    )  # fmt: skip


def _get_column(model, field):
    if field.type != "many2many":
        return SQL.identifier(model._table, field.name)
    lines = model.env[field.comodel_name]
    return SQL(
        "(SELECT json_agg(line.id ORDER BY %s) FROM %s line JOIN %s link ON link.%s = line.id"
        " WHERE link.%s = %s)",
        SQL(lines._order), SQL.identifier(lines._table), SQL.identifier(field.relation),
        SQL.identifier(field.column2), SQL.identifier(field.column1),
        SQL.identifier(model._table, "id"),
    )  # fmt: skip


def _get_reader(field):
    """What makes of a value in JSON what the cache has."""
    if field.type == "many2many":
        return lambda ids: tuple(ids or ())
    convert = _FROM_JSON.get(field.type)
    return lambda value: convert(value) if convert and value else value


def keep_lines(records, name, lines):
    """Let the cache know ``lines`` as those of the one2many ``name`` of ``records``; each knows
    whose it is, and whether it is active."""
    field = records._fields[name]
    groups = lines.grouped(field.inverse_name)
    field._insert_cache(records, [groups.get(record, lines.browse())._ids for record in records])


def read_lines(records, name, names):
    """Read the lines of a one2many of ``records`` and, of each, the fields ``names``, in one
    statement, where the ORM takes one for the links and one for the rest.

    :return: the lines
    """
    field = records._fields[name]
    lines = records.env[field.comodel_name].with_context(
        **{"active_test": False, **field.context}
    )
    domain = field.get_comodel_domain(records) & Domain(field.inverse_name, "in", records.ids)
    active = [lines._active_name] if lines._active_name else []
    lines = lines.search_fetch(domain, [field.inverse_name, *active, *names])
    keep_lines(records, name, lines)
    return lines
