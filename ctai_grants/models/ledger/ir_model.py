import logging

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

_logger = logging.getLogger(__name__)

# What says how a field deletes.
DECIDING = ["name", "model_id", "state", "ttype", "on_delete"]

# Tables, columns and constraints that Odoo drops with the record that describes them: by a call of
# the administrator, with the key of the context under which Odoo uninstalls, or as what somebody
# has named a part of an add-on that goes. As in Odoo, all in one file. What the sources define is
# looked up in the registry: these records themselves are anybody's to write who administers.


class IrModel(models.Model):
    _inherit = "ir.model"

    def _get_grant_kept(self):
        """Those of these models that the sources of the ledger's add-ons define."""
        kept = self.env["grant.entry"]._get_kept_modules()
        known = self.filtered(lambda record: record.model in self.env)
        return known.filtered(lambda record: self.env[record.model]._original_module in kept)

    def unlink(self):
        """Delete models and their tables.

        :raise UserError: the grant ledger stands on one of them
        """
        self.env["grant.entry"]._check_kept(self._get_grant_kept().mapped("model"))
        return super().unlink()


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    def _get_grant_field(self):
        """The field that this record describes, where the sources of the ledger's add-ons have a
        part in it, and its model."""
        model = self.env.get(self.model)
        field = None if model is None else model._fields.get(self.name)
        kept = self.env["grant.entry"]._get_kept_modules()
        return (field, model) if field and not kept.isdisjoint(field._modules) else (None, None)

    def _get_grant_kept(self):
        """Those of these fields that the sources of the ledger's add-ons define."""
        return self.filtered(lambda record: record._get_grant_field()[0])

    def _check_grant_cascade(self, values):
        """Refuse a field by which the database would delete what the ledger stands on, without
        asking any rule.

        :param dict values: of the field, as it would be
        :raise UserError: naming the field
        """
        if (values["state"], values["ttype"], values["on_delete"]) != (
            "manual", "many2one", "cascade"
        ):  # fmt: skip
            return
        model = self.env["ir.model"].browse(values["model_id"])._get_grant_kept()
        if model and not model.transient and self.env["grant.entry"]._is_kept():
            raise UserError(
                self.env._(
                    "%(model)s: with “Cascade”, deleting what the field %(field)s names would "
                    "delete documents that the grant ledger stands on. Choose “Restrict” or “Set "
                    "NULL” there.",
                    model=model.name,
                    field=values["name"],
                )
            )

    @api.model_create_multi
    def create(self, vals_list):
        defaults = dict.fromkeys(DECIDING) | self.default_get(DECIDING)
        for vals in vals_list:
            self._check_grant_cascade(defaults | vals)
        return super().create(vals_list)

    def write(self, vals):
        if "on_delete" in vals:
            for field in self:
                values = {name: field[name] for name in DECIDING} | {"model_id": field.model_id.id}
                self._check_grant_cascade(values | vals)
        return super().write(vals)

    def unlink(self):
        """Delete fields and their columns.

        :raise UserError: the grant ledger stands on one of them
        """
        kept = self._get_grant_kept()
        self.env["grant.entry"]._check_kept(f"{field.model}.{field.name}" for field in kept)
        return super().unlink()


class IrModelFieldsSelection(models.Model):
    _inherit = "ir.model.fields.selection"

    def _get_grant_kept(self):
        """Those of these values that the sources of the ledger's add-ons define."""
        kept = self.env["grant.entry"]._get_kept_modules()

        def is_kept(record):
            field, model = record.field_id._get_grant_field()
            if not field or field.type != "selection":
                return False
            return not kept.isdisjoint(field._selection_modules(model).get(record.value, ()))

        return self.filtered(is_kept)

    def _check_grant_kept(self):
        """Refuse to change or delete a value that documents have: Odoo would write it in all of
        them by SQL, past every rule.

        :raise UserError: naming the values
        """
        self.env["grant.entry"]._check_kept(
            f"{record.field_id.model}.{record.field_id.name} = {record.value}"
            for record in self._get_grant_kept()
        )

    def write(self, vals):
        self.filtered(
            lambda record: record.value != vals.get("value", record.value)
            or record.field_id.id != vals.get("field_id", record.field_id.id)
        )._check_grant_kept()
        return super().write(vals)

    def unlink(self):
        """Delete values of selections.

        :raise UserError: documents of the grant ledger have them
        """
        self._check_grant_kept()
        return super().unlink()


class IrModelConstraint(models.Model):
    _inherit = "ir.model.constraint"

    def _get_grant_kept(self):
        """Those of these constraints, indexes and foreign keys that the sources of the ledger's
        add-ons declare."""
        kept = self.env["grant.entry"]._get_kept_modules()
        return self.filtered(lambda record: record._is_declared(kept))

    def _is_declared(self, modules):
        model = self.env.get(self.model.model)
        if model is None:
            return False
        if self.name in model._table_objects:
            return model._table_objects[self.name]._module in modules
        return any(
            self.name == f"{model._table}_{field.name}_fkey"
            and not modules.isdisjoint(field._modules)
            for field in model._fields.values()
            if field.type == "many2one" and field.store
        )

    def unlink(self):
        """Delete constraints and indexes, in the database too.

        :raise UserError: the grant ledger stands on one of them
        """
        self.env["grant.entry"]._check_kept(self._get_grant_kept().mapped("name"))
        return super().unlink()


class IrModelRelation(models.Model):
    _inherit = "ir.model.relation"

    def _module_data_uninstall(self):
        # Whatever add-on such a line names: a table of ours is dropped with none but ours.
        entries = self.env["grant.entry"]
        kept = self.browse()
        if entries._is_kept():
            tables = self._get_grant_tables(entries._get_kept_modules())
            kept = self.filtered(lambda relation: relation.name in tables)
        result = super(IrModelRelation, self - kept)._module_data_uninstall()
        kept.unlink()
        return result

    @api.model
    def _get_grant_tables(self, modules):
        """Names of the tables that the sources of these add-ons define."""
        tables = set()
        for model in self.env.values():
            if model._original_module in modules:
                tables.add(model._table)
            for field in model._fields.values():
                if field.type == "many2many" and field.store:
                    if not modules.isdisjoint(field._modules):
                        tables.add(field.relation)
        return tables


class IrModelData(models.Model):
    _inherit = "ir.model.data"

    def _module_data_uninstall(self, modules_to_remove):
        # Where every road to uninstalling ends, a state written by SQL and the command line too.
        entries = self.env["grant.entry"]
        kept = entries._get_kept_modules()
        entries._check_kept(sorted(kept.intersection(modules_to_remove)))
        return super()._module_data_uninstall(modules_to_remove)

    @api.model
    def _process_end_unlink_record(self, record):
        # What an add-on's files have no longer, an upgrade deletes without asking: its screens and
        # rules, nothing that somebody has only named as a part of it.
        if not self.env["grant.entry"]._is_kept():
            return super()._process_end_unlink_record(record)
        if record._name.startswith("ir.") and record._name != "ir.attachment":
            if getattr(record, "_get_grant_kept", lambda: None)():
                _logger.warning("%s is kept: the grant ledger stands on it", record)
                return None
            return super()._process_end_unlink_record(record)
        context = {k: v for k, v in record.env.context.items() if k != MODULE_UNINSTALL_FLAG}
        record = record.with_context(context)  # pylint: disable=context-overridden
        try:
            with self.env.cr.savepoint():
                return super()._process_end_unlink_record(record)
        except (UserError, psycopg2.IntegrityError) as refusal:
            _logger.warning("%s is kept: %s", record, refusal)
            return None
