from odoo import api, models, tools
from odoo.fields import Domain

from .fields import get_declared


class GrantDisclosedMixin(models.AbstractModel):
    """Portal users read the fields that are declared ``portal`` and nothing else (R7)."""

    _name = "grant.disclosed.mixin"
    _description = "Fields for the Portal"

    def _valid_field_parameter(self, field, name):
        return name == "portal" or super()._valid_field_parameter(field, name)

    @tools.ormcache()
    def _get_portal_fields(self):
        """Names of the fields that portal users may read."""
        always = {"id", "display_name", "create_date"}.intersection(self._fields)
        return frozenset({*always, *get_declared(self, "portal")})

    def _has_field_access(self, field, operation):
        if not super()._has_field_access(field, operation):
            return False
        if self.env.su:
            return True
        # Reading a model over RPC means reading all its fields: a white-list for the portal.
        readable = self._get_readable_fields()
        return readable is None or (operation == "read" and field.name in readable)

    @tools.ormcache("self.env.uid")
    def _get_readable_fields(self):
        """The fields that the user may read, when that is a portal user; None: no white-list.

        In one look-up, as it is asked for each field of each record: emptied with Odoo's own of
        the groups of users.
        """
        return self._get_portal_fields() if self.env.user._is_portal() else None

    # Odoo checks that fields may be read where it makes SQL of them. It does not for fields with a
    # search method, many2many fields in a grouping, and all but the end of a related field.

    def _check_expression_access(self, expression):
        if field := self._fields.get(expression.partition(".")[0].partition(":")[0]):
            self._check_field_access(field, "read")

    @api.model
    def _search(self, domain, *args, **kwargs):
        # What Odoo bypasses, for searches that it makes itself, no call over RPC can: “_search” is
        # private.
        if self.env.user._is_portal() and not self.env.su and not kwargs.get("bypass_access"):
            for condition in Domain(domain).iter_conditions():
                self._check_expression_access(condition.field_expr)
        return super()._search(domain, *args, **kwargs)

    def _field_to_sql(self, alias, field_expr, query=None):
        field = self._fields.get(field_expr.partition(".")[0])
        # The others are asked for by Odoo: twice, for each column of each reading, is felt.
        if field and field.related and not field.store:
            self._check_field_access(field, "read")
        return super()._field_to_sql(alias, field_expr, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        self._check_expression_access(groupby_spec)
        return super()._read_group_groupby(alias, groupby_spec, query)
