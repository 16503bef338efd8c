from odoo import api, fields, models


class GrantDeliverableVersion(models.Model):
    """One hand-in of a piece: a numbered set of files, that stay as they were handed in, and a
    comment."""

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
    name = fields.Char(
        string="Files", required=True, readonly=True, portal=True,
        help="The name of the first one, and how many there are besides.",
    )  # fmt: skip
    file_ids = fields.One2many("grant.deliverable.file", "version_id", portal=True)
    size = fields.Integer(
        readonly=True, required=True, help="Bytes, of all files.", aggregator=None, portal=True
    )
    sha256 = fields.Char(
        string="SHA-256", readonly=True, required=True, portal=True,
        help="Of the file; of several, the SHA-256 of the lines that those of the files make, "
        "sorted.",
    )  # fmt: skip
    # Of versions from before they had several files: what their lines say is chained.
    attachment_id = fields.Many2one("ir.attachment", readonly=True, ondelete="restrict")
    mimetype = fields.Char(readonly=True)
    submitted_at = fields.Datetime(readonly=True, required=True, portal=True)
    user_id = fields.Many2one(
        "res.users", string="Handed In By", readonly=True, required=True, ondelete="restrict"
    )
    comment = fields.Text(readonly=True)
    taken_back_at = fields.Datetime(
        compute="_compute_taken_back_at", portal=True,
        help="When who handed it in took it back, before it was reviewed.",
    )  # fmt: skip
    # The piece whose last version this is: once accepted, that version and no other.
    accepted_of_ids = fields.One2many("grant.deliverable", "last_version_id")

    _number_uniq = models.UniqueIndex(
        "(deliverable_id, number)", "Two versions of a piece cannot have the same number."
    )

    @api.model
    def _get_chained_fields(self):
        return ["deliverable_id"]

    @api.depends("deliverable_id.state")
    def _compute_taken_back_at(self):
        # sudo: operators read no decisions; that theirs was taken back is their own doing
        decisions = self.env["grant.decision"].sudo()
        taken_back = decisions.search(
            [("version_id", "in", self.ids), ("decision", "=", "taken_back")]
        )
        moments = {decision.version_id.id: decision.decided_at for decision in taken_back}
        for version in self:
            version.taken_back_at = moments.get(version.id)

    @api.depends("name", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = self.env._(
                "%(name)s (version %(number)s)", name=version.name, number=version.number
            )

    @api.model
    def _get_decision_states(self):
        reviews = ("accepted", "to_complete", "waived", "taken_back")
        return {
            **super()._get_decision_states(),
            **{review: review for review in reviews},
            "purged": "to_complete",
        }

    def action_download(self):
        """Download this file, or these files in an archive."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/versions/{self.id}",
            "target": "download",
        }

    def _keeps_file(self, file):
        return file == self.attachment_id and not any(self.file_ids.mapped("purged_at"))
