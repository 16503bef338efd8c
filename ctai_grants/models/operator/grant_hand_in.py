from datetime import timedelta
from pathlib import Path

from odoo import api, fields, models

from ..proof.grant_deliverable_submission import Judged

# After so many days without a change, what was not handed in goes.
DAYS_KEPT = 30


class GrantHandIn(models.Model):
    """What an association is about to hand in for a piece: files and a comment, kept as they are
    made. Any of its people goes on with it; nobody of the city sees it, and nothing is counted as
    handed in before it is (no access of its own: :class:`grant.deliverable` checks who asks)."""

    _name = "grant.hand.in"
    _description = "Draft of a Hand-In"
    _order = "id"
    _log_access = False

    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", required=True, ondelete="cascade"
    )
    comment = fields.Text()
    file_ids = fields.One2many("grant.hand.in.file", "draft_id")
    revision = fields.Integer(
        default=0, help="Rises with each change, so that a colleague's is not written over."
    )
    user_id = fields.Many2one("res.users", string="Changed By", ondelete="set null")
    changed_at = fields.Datetime()

    _deliverable_uniq = models.UniqueIndex(
        "(deliverable_id)", "A piece cannot have two drafts at once."
    )

    def unlink(self):
        # Odoo deletes attachments of what it deletes itself; the database would leave them.
        self.file_ids.unlink()
        return super().unlink()

    def _change(self, user, **values):
        """Write, as ``user``: who else has the page open is told."""
        self.write(
            {
                **values,
                "revision": self.revision + 1,
                "user_id": user.id,
                "changed_at": fields.Datetime.now(),
            }
        )

    def _get_last_day(self):
        """The day after which this draft goes."""
        self.ensure_one()
        return (self.changed_at or fields.Datetime.now()).date() + timedelta(days=DAYS_KEPT)

    @api.autovacuum
    def _gc_drafts(self):
        """Delete drafts that nobody goes on with, and those of pieces that await nothing more."""
        limit = fields.Datetime.now() - timedelta(days=DAYS_KEPT + 1)
        self.search(
            [
                "|",
                ("changed_at", "<", limit),
                ("deliverable_id.state", "in", ("accepted", "waived")),
            ]
        ).unlink()


class GrantHandInFile(models.Model):
    """A file of a draft, judged as it came."""

    _name = "grant.hand.in.file"
    _description = "File of a Draft"
    _order = "id"
    _log_access = False

    draft_id = fields.Many2one("grant.hand.in", required=True, ondelete="cascade", index=True)
    name = fields.Char(required=True)
    attachment_id = fields.Many2one("ir.attachment", required=True, ondelete="restrict")
    size = fields.Integer(required=True)
    sha256 = fields.Char(required=True, index=True)
    # What was judged: of files from before these were noted, nothing.
    mimetype = fields.Char()
    checksum = fields.Char(help="Of the attachment, as Odoo computes it from its bytes.")
    user_id = fields.Many2one("res.users", string="Added By", ondelete="set null")

    def _get_judged(self):
        """This file as a version takes it over, attachment and all: what was found in its bytes is
        not looked for again. Where these are not, or not known to be, the ones that were judged,
        they are judged now.

        :raise UserError: they are not taken
        """
        attachment = self.attachment_id
        if self._is_judged():
            return Judged(
                self.name, self.mimetype, self.size, self.sha256, attachment=attachment
            )
        return self.draft_id.deliverable_id._judge_file(self.name, attachment.raw or b"")

    def _is_judged(self):
        """Whether the bytes that were judged are still there, by the rules of this version."""
        attachment = self.attachment_id
        most = self.draft_id.deliverable_id.company_id.grant_upload_max_mb * 2**20
        return (
            self.mimetype
            and (self.checksum, self.mimetype) == (attachment.checksum, attachment.mimetype)
            and self.size <= most
            and self._is_there(attachment)
        )

    def _is_there(self, attachment):
        if not attachment.store_fname:
            return attachment.file_size == self.size
        path = Path(attachment._full_path(attachment.store_fname))
        return path.is_file() and path.stat().st_size == self.size

    def init(self):
        """After each upgrade what waits is judged anew, by its rules."""
        self.env.cr.execute("UPDATE grant_hand_in_file SET mimetype = NULL")
