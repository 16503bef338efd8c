from odoo import Command, api, models, tools
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain

# No RPC payload, import or server action can carry this object in its context, so only the
# methods of these models write guarded fields.
TRANSITION = object()

# Cents stay exact in a float far above it, and no contract comes near: a trillion of euros.
LARGEST_AMOUNT = 10**12


class GrantGuardedMixin(models.AbstractModel):
    """Fields that only the document's own methods write, and fields frozen by its state.

    ``_guarded_fields`` are never written from outside, superuser included, nor are the fields
    copied from a related record (the ORM would let anybody write them). What
    :meth:`_get_frozen_fields` returns cannot be changed any more in the record's present state;
    writing the value a field already has is accepted, so that importing a file again is harmless.
    Amounts are money: two decimals, nothing that is not a number.

    Portal users read ``_portal_fields`` and nothing else of the model (R7).
    """

    _name = "grant.guarded.mixin"
    _description = "Guarded fields"

    _guarded_fields = frozenset({"state"})
    _portal_fields = frozenset()

    def _get_frozen_fields(self):
        """Names of the fields that cannot be changed in the present state of this record."""
        self.ensure_one()
        return frozenset()

    @tools.ormcache()
    def _get_copied_fields(self):
        """Names of the stored fields that follow a related record."""
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.related and field.store and field.readonly
        )

    @api.model
    def default_get(self, fields):
        """Defaults; a guarded field starts as its model says, whatever the context (a client
        sends it) or a user's own default."""
        values = super().default_get(fields)
        for name in self._guarded_fields.union(self._get_copied_fields()).intersection(values):
            default = self._fields[name].default
            if default:
                values[name] = default(self)
            else:
                del values[name]
        return values

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_amounts(vals)
        if self._is_transition():
            return super().create(vals_list)
        for vals in vals_list:
            defaults = self.default_get([n for n in self._guarded_fields if n in vals])
            for name in sorted(self._guarded_fields.intersection(vals)):
                if (vals[name] or False) != (defaults.get(name) or False):
                    raise AccessError(self._get_guarded_message(name))
        copied = self._get_copied_fields()
        records = super().create(
            [
                {name: value for name, value in vals.items() if name not in copied}
                for vals in vals_list
            ]
        )
        for record, vals in zip(records, vals_list, strict=True):
            record._check_copied_fields({name: vals[name] for name in copied & vals.keys()})
        return records

    def _check_copied_fields(self, vals):
        """Refuse who meant another value than what is copied: an amount in another currency is
        not that many euros."""
        for name in sorted(vals):
            if vals[name] and self._is_changed(self, name, vals[name]):
                raise AccessError(self._get_guarded_message(name))

    def write(self, vals):
        self._check_amounts(vals)
        if not self._is_transition():
            for name in sorted(self._guarded_fields.union(self._get_copied_fields()) & set(vals)):
                if any(self._is_changed(record, name, vals[name]) for record in self):
                    raise AccessError(self._get_guarded_message(name))
            for record in self:
                record._check_frozen_fields(vals)
        return super().write(vals)

    @api.model
    def _check_amounts(self, vals):
        """Refuse what is not an amount of money: no number, more than two decimals, too large.

        :raise ValidationError: naming the field and the value
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            if not field or field.type != "monetary":
                continue
            try:
                amount = float(value or 0.0)
            except (TypeError, ValueError):
                amount = float("nan")
            # A sum of floats is off by some last bits, a third decimal by more. Not a number
            # fails every comparison.
            is_money = abs(amount) < LARGEST_AMOUNT and (
                abs(amount - round(amount, 2)) < 1e-6 + abs(amount) * 1e-15
            )
            if not is_money:
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of %(model)s: %(value)s is not an amount of money, with two "
                        "decimals at most.",
                        field=field._description_string(self.env),
                        model=self._get_model_label(),
                        value=value,
                    )
                )

    def _is_transition(self):
        return self.env.context.get("grant_transition") is TRANSITION

    def _transition(self, **vals):
        """Write ``vals``, guarded and frozen fields included: the documents' methods only."""
        self.with_context(grant_transition=TRANSITION).write(vals)

    def _get_amendable_fields(self):
        """Names of the fields that an amendment changes in the present state, and nothing else:
        they are part of what was signed (R10)."""
        self.ensure_one()
        return frozenset()

    def _check_frozen_fields(self, vals):
        amendable = self._get_amendable_fields()
        for name in sorted((self._get_frozen_fields() | amendable).intersection(vals)):
            if not self._is_changed(self, name, vals[name]):
                continue
            about = {
                "document": self.display_name,
                "field": self._fields[name]._description_string(self.env),
            }
            if name in amendable:
                raise UserError(
                    self.env._(
                        "%(document)s: “%(field)s” is part of what was signed. Change it by an "
                        "amendment.",
                        **about,
                    )
                )
            raise UserError(
                self.env._(
                    "%(document)s: “%(field)s” cannot be changed any more in the state "
                    "“%(state)s”.",
                    state=self._get_state_label(),
                    **about,
                )
            )

    @staticmethod
    def _is_changed(record, name, value):
        field = record._fields[name]
        if field.type in ("one2many", "many2many"):
            return any(
                set(command[2]) != set(record[name].ids)
                if command[0] == Command.SET
                else command[0] != Command.LINK or command[1] not in record[name].ids
                for command in GrantGuardedMixin._as_commands(value)
            )
        try:
            new = field.convert_to_record(field.convert_to_cache(value, record), record)
        except (TypeError, ValueError):
            return True
        return new != record[name]

    @staticmethod
    def _as_commands(value):
        """Commands as the ORM understands ``value``: what is no list of them replaces all."""
        if isinstance(value, list) and all(isinstance(item, (list, tuple)) for item in value):
            return value
        return [Command.set(value.ids if isinstance(value, models.BaseModel) else value or ())]

    def _get_guarded_message(self, name):
        return self.env._(
            "“%(field)s” of %(model)s is not typed in: use the buttons, which check and record "
            "each step.",
            field=self._fields[name]._description_string(self.env),
            model=self._get_model_label(),
        )

    def _get_model_label(self):
        # sudo: the name only
        return self.env["ir.model"]._get(self._name).sudo().name

    def _get_state_label(self):
        self.ensure_one()
        state = self._fields["state"]
        return dict(state._description_selection(self.env)).get(self.state, self.state)

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

    def _check_state(self, states, what):
        """Refuse unless every record is in one of ``states``, not archived, and named once.

        :raise UserError: naming the document and its state
        """
        # An RPC call may name one twice, and what follows would be done, and posted, twice.
        if len(set(self._ids)) != len(self):
            raise UserError(self.env._("%(what)s: a document is named twice.", what=what))
        for record in self:
            if record._active_name and not record[record._active_name]:
                raise UserError(
                    self.env._(
                        "%(what)s: %(document)s is archived.",
                        what=what,
                        document=record.display_name,
                    )
                )
            if record.state not in states:
                raise UserError(
                    self.env._(
                        "%(what)s: %(document)s is in the state “%(state)s”.",
                        what=what,
                        document=record.display_name,
                        state=record._get_state_label(),
                    )
                )

    def _check_filled(self, names):
        """Refuse while one of these fields is empty.

        :raise UserError: naming the document and each of them
        """
        missing = [
            self._fields[name]._description_string(self.env) for name in names if not self[name]
        ]
        if missing:
            raise UserError(
                self.env._(
                    "%(document)s: fill in first: %(fields)s.",
                    document=self.display_name,
                    fields=", ".join(missing),
                )
            )

    def _has_field_access(self, field, operation):
        if not super()._has_field_access(field, operation):
            return False
        if self.env.su or not self.env.user._is_portal():
            return True
        # Reading a model over RPC means reading all its fields: a white-list for the portal.
        return operation == "read" and field.name in self._portal_fields | {
            "id",
            "display_name",
            "create_date",
        }

    # Odoo checks that fields may be read where it makes SQL of them. It does not for fields with a
    # search method, many2many fields in a grouping, and all but the end of a related field.

    def _check_expression_access(self, expression):
        if field := self._fields.get(expression.partition(".")[0].partition(":")[0]):
            self._check_field_access(field, "read")

    @api.model
    def _search(self, domain, *args, **kwargs):
        if self.env.user._is_portal() and not self.env.su and not kwargs.get("bypass_access"):
            for condition in Domain(domain).iter_conditions():
                self._check_expression_access(condition.field_expr)
        return super()._search(domain, *args, **kwargs)

    def _field_to_sql(self, alias, field_expr, query=None):
        self._check_expression_access(field_expr)
        return super()._field_to_sql(alias, field_expr, query)

    def _read_group_groupby(self, alias, groupby_spec, query):
        self._check_expression_access(groupby_spec)
        return super()._read_group_groupby(alias, groupby_spec, query)
