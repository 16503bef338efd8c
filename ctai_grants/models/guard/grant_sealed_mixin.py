from odoo import models, tools

# Too long, or of no consequence, unless only the document's own methods write them.
UNSEALED = {"html", "binary", "json"}


class GrantSealedMixin(models.AbstractModel):
    """Documents whose stored values are sealed as they are written (:mod:`grant_seal`), so that
    the verifier tells what else was written into their tables."""

    _name = "grant.sealed.mixin"
    _description = "Sealed Documents"

    _is_sealed = True

    @tools.ormcache()
    def _get_sealed_fields(self):
        """Names of the fields that are sealed: ours. What other add-ons and the city's own fields
        say goes with them, and comes back empty."""
        return frozenset(
            name
            for name, field in self._fields.items()
            if self._is_sealed and field.store and field.column_type and not field.translate
            and any(module.startswith("ctai_grants") for module in field._modules)
            and name not in {*models.MAGIC_COLUMNS, "sequence"}
            and (field.readonly or not (
                field.type in UNSEALED
                # The database empties such a link by itself.
                or (field.type == "many2one" and field.ondelete == "set null")))
        )  # fmt: skip

    def _create(self, data_list):
        records = super()._create(data_list)
        if sealed := self._get_sealed_fields():
            self.env["grant.seal"]._note(records, [sealed] * len(records))
        return records

    # Not write(): what is computed is written by this alone.
    def _write_multi(self, vals_list):  # pylint: disable=missing-return
        super()._write_multi(vals_list)
        sealed = self._get_sealed_fields()
        written = [sealed.intersection(vals) for vals in vals_list]
        if any(written):
            concerned = self.browse(
                record_id for record_id, names in zip(self._ids, written, strict=True) if names
            )
            self.env["grant.seal"]._note(concerned, filter(None, written))

    def unlink(self):
        ids, is_sealed = self._ids, self._is_sealed
        result = super().unlink()
        if is_sealed and ids:
            self.env["grant.seal"]._note(self.browse(ids), [()] * len(ids))
        return result
