"""Attributes of our own on fields, as ``mail`` has ``tracking``: what is said of a field stands
beside it.

``portal=True``
    portal users may read it (:mod:`grant_disclosed_mixin`)
``amendable=True``
    part of what is signed: an amendment changes it (:mod:`grant_guarded_mixin`)
``wakes="_get_…"``
    a change of it wakes the records that this method returns (:mod:`grant_waking_mixin`)
"""


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
