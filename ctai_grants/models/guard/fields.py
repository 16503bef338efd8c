"""Attributes of our own on fields, as ``mail`` has ``tracking``: what is said of a field stands
beside it.

``portal=True``
    portal users may read it (:mod:`grant_disclosed_mixin`)
``amendable=True``
    part of what is signed: an amendment changes it (:mod:`grant_guarded_mixin`)
``wakes="_get_…"``
    a change of it wakes the records that this method returns (:mod:`grant_waking_mixin`)
"""

from odoo.fields import Domain


def read_lines(records, name, names):
    """Read the lines of a one2many of ``records`` and, of each, the fields ``names``, into the
    cache: in one statement, where the ORM takes one for the links and one for the rest.

    :return: the lines
    """
    field = records._fields[name]
    lines = records.env[field.comodel_name].with_context(
        **{"active_test": False, **field.context}
    )
    domain = field.get_comodel_domain(records) & Domain(field.inverse_name, "in", records.ids)
    active = [lines._active_name] if lines._active_name else []
    lines = lines.search_fetch(domain, [field.inverse_name, *active, *names])
    groups = lines.grouped(field.inverse_name)
    field._insert_cache(records, [groups.get(record, lines.browse())._ids for record in records])
    return lines


def get_declared(model, attribute):
    """What the fields of ``model`` declare: dict {name of the field: value of the attribute}.

    Their own declarations only: a related field takes over attributes of the field it follows.
    """
    # Odoo notes in _extra_keys__ what a declaration says beyond its own attributes; a field that
    # is related gets the values, and not the note.
    return {
        name: value
        for name, field in model._fields.items()
        if attribute in field._extra_keys__ and (value := getattr(field, attribute))
    }
