from odoo import Command, api, models, tools
from odoo.exceptions import AccessError, UserError

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

from . import transition
from .fields import get_declared


class GrantGuardedMixin(models.AbstractModel):
    """Fields that only the document's own methods write, and fields frozen by its state.

    A stored field that is ``readonly`` is typed in by nobody, superuser included: what a method of
    the document writes goes through :meth:`_transition`. What follows other fields (related or
    computed) is not written at all. What :meth:`_get_frozen_fields` returns cannot be changed any
    more in the record's present state, nor, once it is part of what was signed, what is declared
    ``amendable``. Writing the value a field already has is accepted, so that importing a file again
    is harmless.
    """

    _name = "grant.guarded.mixin"
    _description = "Guarded fields"
    _inherit = ["grant.company.mixin"]

    def _valid_field_parameter(self, field, name):
        return name == "amendable" or super()._valid_field_parameter(field, name)

    # ------------------------------------------------------------------
    # What nobody types in
    # ------------------------------------------------------------------

    @tools.ormcache()
    def _get_guarded_fields(self):
        """Names of the stored fields that the document's own methods write."""
        # To Odoo, “readonly” is a word to its views: over RPC and imports it writes such a field.
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.store and field.readonly and not field.compute
            and name not in models.MAGIC_COLUMNS
        )

    @tools.ormcache()
    def _get_derived_fields(self):
        """Names of the stored fields that follow other fields: the ORM would let anybody write
        them."""
        return frozenset(
            name
            for name, field in self._fields.items()
            if field.store and field.readonly and field.compute
        )

    @api.model
    def default_get(self, fields):
        """Defaults; a guarded field starts as its model says, whatever the context (a client
        sends it) or a user's own default."""
        values = super().default_get(fields)
        untyped = self._get_guarded_fields() | self._get_derived_fields()
        for name in untyped.intersection(values):
            # Odoo has made a function of each default, constants too.
            default = self._fields[name].default
            if default:
                values[name] = default(self)
            else:
                del values[name]
        return values

    @api.model_create_multi
    def create(self, vals_list):
        self, allowed = transition.spend(self, count=len(vals_list))
        if allowed:
            return super().create(vals_list)
        for vals in vals_list:
            self._check_not_typed(vals)
        derived = self._get_derived_fields()
        # What is derived can be compared only once it is there: left out, then checked.
        records = super().create(
            [
                {name: value for name, value in vals.items() if name not in derived}
                for vals in vals_list
            ]
        )
        for record, vals in zip(records, vals_list, strict=True):
            record._check_derived_fields({name: vals[name] for name in derived & vals.keys()})
        return records

    def _check_not_typed(self, vals):
        """Refuse a new record with a guarded field that is not as it begins.

        :raise AccessError: naming the field
        """
        typed = self._get_guarded_fields().intersection(vals)
        defaults = self.default_get(list(typed)) if typed else {}
        for name in sorted(typed):
            # Nothing is 0, False or an empty text, as the client likes.
            if (vals[name] or False) != (defaults.get(name) or False):
                raise AccessError(self._get_guarded_message(name))

    def _check_derived_fields(self, vals):
        """Refuse who meant another value than what is copied: an amount in another currency is
        not that many euros."""
        for name in sorted(vals):
            if vals[name] and self._is_changed(self, name, vals[name]):
                raise AccessError(self._get_guarded_message(name))

    def write(self, vals):
        self, allowed = transition.spend(self)
        checked = vals.keys() - allowed
        if checked:
            untyped = self._get_guarded_fields() | self._get_derived_fields()
            for name in sorted(untyped & checked):
                if any(self._is_changed(record, name, vals[name]) for record in self):
                    raise AccessError(self._get_guarded_message(name))
            for record in self:
                record._check_frozen_fields({name: vals[name] for name in checked})
        return super().write(vals)

    def unlink(self):
        # The key that Odoo sets when it uninstalls, under which it skips the guards of deletion
        # (@api.ondelete): a client can send it too, and the ledger forbids uninstalling anyway.
        context = {k: v for k, v in self.env.context.items() if k != MODULE_UNINSTALL_FLAG}
        self = self.with_context(context)  # pylint: disable=context-overridden
        return super().unlink()

    def _check_not_by_hand(self):
        """Refuse to delete lines that come and go with their document: rights alone would not do,
        an administrator gives himself any and becomes the superuser by a click.

        :raise AccessError: without a transition, naming the line
        """
        for record in self:
            _record, allowed = transition.spend(record)
            if not allowed:
                raise AccessError(
                    self.env._(
                        "“%(line)s” (%(model)s) comes and goes with its document, and is not "
                        "deleted by hand.",
                        line=record.display_name,
                        model=self._get_model_label(),
                    )
                )

    def _transition(self, **vals):
        """Write ``vals``, guarded and frozen fields included: the documents' methods only."""
        transition.writing(self, vals).write(vals)

    def _get_guarded_message(self, name):
        return self.env._(
            "“%(field)s” of %(model)s is not typed in: use the buttons, which check and record "
            "each step.",
            field=self._fields[name]._description_string(self.env),
            model=self._get_model_label(),
        )

    # ------------------------------------------------------------------
    # What is frozen
    # ------------------------------------------------------------------

    def _get_frozen_fields(self):
        """Names of the fields that cannot be changed in the present state of this record."""
        self.ensure_one()
        return frozenset()

    def _is_amendable(self):
        """Whether an amendment, and nothing else, changes in the present state the fields that are
        declared ``amendable``: they are part of what was signed (R10)."""
        self.ensure_one()
        return False

    @tools.ormcache()
    def _get_amendable_fields(self):
        """Names of the fields declared ``amendable``."""
        return frozenset(get_declared(self, "amendable"))

    def _check_frozen_fields(self, vals):
        amendable = self._get_amendable_fields() if self._is_amendable() else frozenset()
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
        # By what the commands do: a form sends links to lines that it has not touched.
        if field.type in ("one2many", "many2many"):
            return any(
                set(command[2]) != set(record[name].ids)
                if command[0] == Command.SET
                else command[0] != Command.LINK or command[1] not in record[name].ids
                for command in GrantGuardedMixin._as_commands(value)
            )
        if not field.relational and value == record[name]:
            return False
        try:
            # As the ORM would store it: a client sends dates as texts, an import amounts.
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
