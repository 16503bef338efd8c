import hashlib

from odoo import api, fields, models

from ...lib.proof.upload import digest_of_set


class GrantDeliverableFile(models.Model):
    """One file of a hand-in, that stays as it was handed in.

    The file is an attachment of this record, so that nobody reaches it but through a download
    that checks who asks.
    """

    _name = "grant.deliverable.file"
    _description = "File of a Piece"
    _order = "version_id, position"
    _inherit = ["grant.append.only.mixin", "grant.disclosed.mixin"]
    _log_access = False

    version_id = fields.Many2one(
        "grant.deliverable.version", required=True, readonly=True, ondelete="restrict", index=True,
        portal=True,
    )  # fmt: skip
    position = fields.Integer(required=True, readonly=True, aggregator=None, portal=True)
    name = fields.Char(string="File Name", required=True, readonly=True, portal=True)
    attachment_id = fields.Many2one(
        "ir.attachment", required=True, readonly=True, ondelete="restrict"
    )
    mimetype = fields.Char(readonly=True, required=True, portal=True)
    size = fields.Integer(readonly=True, required=True, help="Bytes.", aggregator=None, portal=True)
    sha256 = fields.Char(string="SHA-256", readonly=True, required=True, portal=True)

    _position_uniq = models.UniqueIndex(
        "(version_id, position)", "Two files of a version cannot have the same place."
    )

    @api.model
    def _get_chained_fields(self):
        return ["version_id"]

    def action_download(self):
        """Download this file."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/files/{self.id}",
            "target": "download",
        }

    def _get_sudo_attachment(self):
        """The file, for someone who may read this record.

        :raise AccessError: the user may not read it
        """
        self.ensure_one().check_access("read")
        # sudo: portal users cannot read attachments; the record they hang on was just checked
        return self.sudo().attachment_id

    def _keeps_file(self, file):
        return file == self.attachment_id

    @api.model
    def _get_altered(self, envelopes):
        """Sentences naming the pieces of ``envelopes`` whose stored files are not, or not any
        more, the ones that were handed in."""
        # sudo: who verifies a ledger may not read every attachment; only their digest is taken
        versions = self.env["grant.deliverable.version"].sudo()
        versions = versions.search([("subsidy_id.envelope_id", "in", envelopes.ids)], order="id")
        return [
            self.env._(
                "%(subsidy)s, “%(version)s”: the stored file is not the one handed in.",
                subsidy=version.subsidy_id.display_name,
                version=version.display_name,
            )
            for version in versions
            if version.sha256 != digest_of_set(version.file_ids.mapped("sha256"))
            or not all(file._is_as_handed_in() for file in version.file_ids)
        ]

    def _is_as_handed_in(self):
        found = hashlib.sha256(self.attachment_id.raw or b"").hexdigest()
        # One file in memory at a time.
        self.attachment_id.invalidate_recordset(["raw", "datas"])
        return found == self.sha256
