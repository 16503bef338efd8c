import hashlib

from odoo import api, fields, models


class GrantDeliverableVersion(models.Model):
    """One hand-in of a piece: a numbered file that stays as it was handed in.

    The file is an attachment of this record, so that nobody reaches it but through a download
    that checks who asks.
    """

    _name = "grant.deliverable.version"
    _description = "Version of a Piece"
    _order = "deliverable_id, number desc"
    # No grant.document.mixin: what never changes needs no guard of what may.
    _inherit = ["grant.append.only.mixin", "grant.disclosed.mixin", "grant.decided.mixin"]
    _log_access = False

    _decision_key = "version_id"
    _first_state = "submitted"

    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", required=True, readonly=True, ondelete="restrict",
        index=True, portal=True,
    )  # fmt: skip
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True, portal=True
    )
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", portal=True
    )
    number = fields.Integer(required=True, readonly=True, aggregator=None, portal=True)
    name = fields.Char(string="File Name", required=True, readonly=True, portal=True)
    attachment_id = fields.Many2one(
        "ir.attachment", required=True, readonly=True, ondelete="restrict"
    )
    mimetype = fields.Char(readonly=True, required=True, portal=True)
    size = fields.Integer(
        readonly=True, required=True, help="Bytes.", aggregator=None, portal=True
    )
    sha256 = fields.Char(string="SHA-256", readonly=True, required=True, portal=True)
    submitted_at = fields.Datetime(readonly=True, required=True, portal=True)
    user_id = fields.Many2one(
        "res.users", string="Handed In By", readonly=True, required=True, ondelete="restrict"
    )
    comment = fields.Text(readonly=True)
    # The piece whose last version this is: once accepted, that version and no other.
    accepted_of_ids = fields.One2many("grant.deliverable", "last_version_id")

    _number_uniq = models.UniqueIndex(
        "(deliverable_id, number)", "Two versions of a piece cannot have the same number."
    )

    @api.model
    def _get_chained_fields(self):
        return ["deliverable_id"]

    @api.depends("name", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._(
                "%(name)s (version %(number)s)", name=version.name, number=version.number
            )

    @api.model
    def _get_decision_states(self):
        reviews = ("accepted", "to_complete", "waived")
        return {**super()._get_decision_states(), **{review: review for review in reviews}}

    def action_download(self):
        """Download this file."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/versions/{self.id}",
            "target": "download",
        }

    def _get_sudo_attachment(self):
        """The file, for someone who may read this version.

        :raise AccessError: the user may not read this version
        """
        self.ensure_one().check_access("read")
        # sudo: portal users cannot read attachments; the version they hang on was just checked
        return self.sudo().attachment_id

    def _keeps_file(self, file):
        return file == self.attachment_id

    @api.model
    def _get_altered(self, envelopes):
        """Sentences naming the pieces of ``envelopes`` whose stored file is not, or not any more,
        the one that was handed in."""
        # sudo: who verifies a ledger may not read every attachment; only their digest is taken
        versions = self.sudo().search([("subsidy_id.envelope_id", "in", envelopes.ids)], order="id")
        wrong = []
        for version in versions:
            if hashlib.sha256(version.attachment_id.raw or b"").hexdigest() != version.sha256:
                wrong.append(
                    self.env._(
                        "%(subsidy)s, “%(version)s”: the stored file is not the one handed in.",
                        subsidy=version.subsidy_id.display_name,
                        version=version.display_name,
                    )
                )
            # One file in memory at a time.
            version.attachment_id.invalidate_recordset(["raw", "datas"])
        return wrong
