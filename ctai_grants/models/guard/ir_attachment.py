from odoo import models
from odoo.exceptions import AccessError

# What a file is, what it is of, and who reaches it.
FIXED = frozenset({
    "name", "raw", "datas", "db_datas", "mimetype", "type", "url", "res_model", "res_id",
    "res_field", "public", "access_token", "company_id",
})  # fmt: skip


class IrAttachment(models.Model):
    """Files that documents keep as they are, whoever has which rights on them: access rights and
    rules are an administrator's to change, and code past them."""

    _inherit = "ir.attachment"

    def write(self, vals):
        names = FIXED.intersection(vals)
        for file in self._get_grant_kept() if names else ():
            is_changed = self.env["grant.guarded.mixin"]._is_changed
            if any(is_changed(file, name, vals[name]) for name in sorted(names)):
                file._refuse_grant_change()
        return super().write(vals)

    def unlink(self):
        for file in self._get_grant_kept():
            file._refuse_grant_change()
        return super().unlink()

    def _get_grant_kept(self):
        """Those of these files that a document keeps: its model says which (``_keeps_file``)."""
        # sudo: asked of each file, whoever may read what it is of
        files = self.sudo()
        return files.filtered(lambda file: file._get_grant_keeper())

    def _get_grant_keeper(self):
        """The document that keeps this file; None when none does."""
        documents, document_id = self.env.get(self["res_model"]), self["res_id"]
        if not document_id or not hasattr(documents, "_keeps_file"):
            return None
        document = documents.browse(document_id).exists()
        return document if document and document._keeps_file(self) else None

    def _refuse_grant_change(self):
        raise AccessError(
            self.env._(
                "“%(file)s” is a file of %(document)s, which keeps it as it is: it is neither "
                "changed, deleted, moved nor shared. Add another one instead.",
                file=self.name,
                document=self._get_grant_keeper().display_name,
            )
        )
