import logging

import psycopg2

from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.base.models.ir_model import MODULE_UNINSTALL_FLAG

_logger = logging.getLogger(__name__)

# Tables, columns and constraints that Odoo drops with the record that describes them: by a call of
# the administrator, with the key of the context under which Odoo uninstalls, or as what somebody has
# named a part of an add-on that goes. As in Odoo, all in one file. What the sources define is looked
# up there, in the registry: these records themselves are anybody's to write who administers.


class IrModel(models.Model):
    _inherit = "ir.model"

    def unlink(self):
        """Delete models and their tables.

        :raise UserError: the grant ledger stands on one of them
        """
        kept = self.env["grant.entry"]._get_kept_modules()
        self.env["grant.entry"]._check_kept(
            model.model
            for model in self
            if model.model in self.env and self.env[model.model]._original_module in kept
        )
        return super().unlink()


class IrModelFields(models.Model):
    _inherit = "ir.model.fields"

    def _get_grant_kept(self):
        """Those of these fields that the sources of the ledger's add-ons define."""
        kept = self.env["grant.entry"]._get_kept_modules()

        def is_kept(record):
            model = self.env.get(record.model)
            field = model._fields.get(record.name) if model is not None else None
            return field and not kept.isdisjoint(field._modules)

        return self.filtered(is_kept)

    def _check_grant_cascade(self):
        """Refuse fields by which the database would delete what the ledger stands on, without
        asking any rule.

        :raise UserError: naming them
        """
        kept = self.env["grant.entry"]._get_kept_modules()
        self.env["grant.entry"]._check_kept(
            f"{field.model}.{field.name} (ON DELETE CASCADE)"
            for field in self
            if field.ttype == "many2one"
            and field.on_delete == "cascade"
            and field.state == "manual"
            and field.model in self.env
            and not self.env[field.model]._transient
            and self.env[field.model]._original_module in kept
        )

    @api.model_create_multi
    def create(self, vals_list):
        fields = super().create(vals_list)
        fields._check_grant_cascade()
        return fields

    def write(self, vals):
        result = super().write(vals)
        if "on_delete" in vals:
            self._check_grant_cascade()
        return result

    def unlink(self):
        """Delete fields and their columns.

        :raise UserError: the grant ledger stands on one of them
        """
        kept = self._get_grant_kept()
        self.env["grant.entry"]._check_kept(f"{field.model}.{field.name}" for field in kept)
        return super().unlink()


class IrModelFieldsSelection(models.Model):
    _inherit = "ir.model.fields.selection"

    def _check_grant_kept(self):
        """Refuse to change or delete a value that documents have: Odoo would write it in all of
        them by SQL, past every rule.

        :raise UserError: naming the values
        """
        kept = self.env["grant.entry"]._get_kept_modules()

        def is_kept(record):
            model = self.env.get(record.field_id.model)
            field = model._fields.get(record.field_id.name) if model is not None else None
            if not field or field.type != "selection":
                return False
            modules = field._selection_modules(model).get(record.value, ())
            return not kept.isdisjoint(modules)

        self.env["grant.entry"]._check_kept(
            f"{record.field_id.model}.{record.field_id.name} = {record.value}"
            for record in self.filtered(is_kept)
        )

    def write(self, vals):
        changed = self.filtered(lambda record: record.value != vals.get("value", record.value))
        moved = self.filtered(lambda r: r.field_id.id != vals.get("field_id", r.field_id.id))
        (changed | moved)._check_grant_kept()
        return super().write(vals)

    def unlink(self):
        """Delete values of selections.

        :raise UserError: documents of the grant ledger have them
        """
        self._check_grant_kept()
        return super().unlink()


class IrModelConstraint(models.Model):
    _inherit = "ir.model.constraint"

    def unlink(self):
        """Delete constraints and indexes, in the database too.

        :raise UserError: the grant ledger stands on one of them
        """
        kept = self.env["grant.entry"]._get_kept_modules()
        self.env["grant.entry"]._check_kept(
            f"{record.model.model}: {record.name}" for record in self if record._is_declared(kept)
        )
        return super().unlink()

    def _is_declared(self, modules):
        """Whether the sources of ``modules`` declare this constraint, index or foreign key."""
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
        # rules, no document that somebody has named as a part of it.
        if record._name.startswith("ir.") and record._name != "ir.attachment":
            return super()._process_end_unlink_record(record)
        context = {k: v for k, v in record.env.context.items() if k != MODULE_UNINSTALL_FLAG}
        record = record.with_context(context)  # pylint: disable=context-overridden
        try:
            with self.env.cr.savepoint():
                return super()._process_end_unlink_record(record)
        except (UserError, psycopg2.IntegrityError) as refusal:
            _logger.warning("%s is kept: %s", record, refusal)
            return None
