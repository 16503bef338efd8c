from odoo import api, models, tools

from .fields import get_declared


class GrantWakingMixin(models.AbstractModel):
    """Records whose changes concern others.

    A field says whom a change of it concerns: ``wakes`` is the name of a method of its model that
    returns them. They are woken (:meth:`_wake`) after the change, those concerned before it as well
    as those concerned since.
    """

    _name = "grant.waking.mixin"
    _description = "Changes that Concern Others"

    def _valid_field_parameter(self, field, name):
        return name == "wakes" or super()._valid_field_parameter(field, name)

    @tools.ormcache()
    def _get_wakers(self):
        """Which method says whom a field concerns: dict {name of the field: name of the method}."""
        return get_declared(self, "wakes")

    def _get_woken(self, names):
        """Whom changes of the fields ``names`` concern: dict {name of the method: records}."""
        wakers = self._get_wakers()
        methods = dict.fromkeys(wakers[name] for name in names if name in wakers)
        return {method: getattr(self, method)() for method in methods}

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        # Whatever it begins with: its fields have just been set.
        for woken in records._get_woken(self._get_wakers()).values():
            woken._wake()
        return records

    def write(self, vals):
        # A link that changes concerns both sides; any other field only those of now.
        links = [name for name in vals if name in self._fields and self._fields[name].relational]
        before = self._get_woken(links)
        result = super().write(vals)
        # What was concerned before may be gone by now, deleted by the change itself.
        for method, woken in self._get_woken(vals).items():
            if method in before:
                # What the change took away may be gone.
                woken |= before[method].exists()
            woken._wake()
        return result

    def unlink(self):
        # Now: once they are gone, nothing says whom they concerned.
        before = self._get_woken(self._get_wakers())
        result = super().unlink()
        for woken in before.values():
            woken.exists()._wake()
        return result

    def _get_itself(self):
        return self

    def _wake(self):
        """Look again at what depends on others' changes."""
