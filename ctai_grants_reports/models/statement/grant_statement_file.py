import hashlib

from odoo import api, fields, models


class GrantStatementFile(models.Model):
    """A file of an issued statement: rendered once, kept, and served ever after."""

    _name = "grant.statement.file"
    _description = "File of a Statement"
    _inherit = ["grant.append.only.mixin"]
    _order = "statement_id, id"
    _log_access = False

    statement_id = fields.Many2one(
        "grant.statement", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    kind = fields.Selection(
        [
            ("pdf", "Document (PDF)"),
            ("xlsx", "Workbook (XLSX)"),
            ("csv", "CSV files (ZIP)"),
            ("json", "For programs (JSON)"),
        ],
        required=True,
        readonly=True,
    )
    name = fields.Char(string="File Name", required=True, readonly=True)
    mimetype = fields.Char(required=True, readonly=True)
    size = fields.Integer(required=True, readonly=True, aggregator=None, help="Bytes.")
    sha256 = fields.Char(string="SHA-256", required=True, readonly=True, index=True)
    attachment_id = fields.Many2one(
        "ir.attachment", required=True, readonly=True, ondelete="restrict"
    )

    _kind_uniq = models.UniqueIndex(
        "(statement_id, kind)", "A statement has one file of each kind."
    )

    @api.model
    def _get_chained_fields(self):
        return ["statement_id"]

    @api.model
    def _keep(self, statement, kind, name, mimetype, content):
        """Keep a file of a statement that is being issued (both in sudo)."""
        attachment = self.env["ir.attachment"].create(
            {"name": name, "raw": content, "res_model": statement._name, "res_id": statement.id}
        )
        # Odoo judges by the name; this is what we made.
        attachment.mimetype = mimetype
        return self._append(
            {
                "statement_id": statement.id,
                "company_id": statement.company_id.id,
                "kind": kind,
                "name": name,
                "mimetype": mimetype,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "attachment_id": attachment.id,
            }
        )

    def action_download(self):
        """Download this file as it was issued."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/statements/{self.statement_id.id}/{self.kind}",
            "target": "download",
        }

    def _is_as_issued(self):
        """Whether what is stored is what was issued."""
        found = hashlib.sha256(self.attachment_id.raw or b"").hexdigest()
        # One file in memory at a time.
        self.attachment_id.invalidate_recordset(["raw", "datas"])
        return found == self.sha256
