from odoo import api, fields, models

FORMATS = [
    ("scdl", "SCDL subventions 2.1.1 (CSV)"),
    ("city", "The city's own columns (CSV)"),
    ("etalab", "Decree of 2017, period with “_” (CSV)"),
    ("three_sixty", "360Giving (JSON)"),
]


class GrantPublicationFile(models.Model):
    """A file of a publication, made once and kept as it is."""

    _name = "grant.publication.file"
    _description = "File of Open Data"
    _inherit = ["grant.append.only.mixin"]
    _order = "publication_id desc, id"

    publication_id = fields.Many2one(
        "grant.publication", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    format = fields.Selection(FORMATS, required=True, readonly=True)
    name = fields.Char(string="File Name", required=True, readonly=True)
    file = fields.Binary(required=True, readonly=True)
    size = fields.Integer(readonly=True, help="Bytes.", aggregator=None)
    sha256 = fields.Char(string="SHA-256", required=True, readonly=True)

    _format_uniq = models.UniqueIndex(
        "(publication_id, format)", "A publication has one file of each format."
    )

    @api.model
    def _get_chained_fields(self):
        return ["publication_id"]

    def _keeps_file(self, file):
        return file.res_field == "file"

    def action_download(self):
        """Download this file; who may read the publication may."""
        self.ensure_one().check_access("read")
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._name}/{self.id}/file/{self.name}?download=true",
            "target": "download",
        }
