from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantDeliverable(models.Model):
    """What names persons goes (R9, RGPD art. 5 and 17): the bytes, not the trace of them."""

    _inherit = "grant.deliverable"

    def action_purge(self):
        """Ask for the reason, then purge the files of the last version."""
        return self._ask_reason("purge")

    @asks_reason("purge", _lt("Names Persons: Purge the Files"))
    def _do_purge(self, reason):
        """Send a piece back because its files name persons, and destroy their content, wherever
        else in this piece it was handed in. Who did it, when, why and the SHA-256 stay. The store
        of files loses them at Odoo's next clean-up; backups keep what they hold.

        :raise UserError: nothing to purge, accepted (reopen it first), or files that hang on other
            documents
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Purging files")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(("expected", "submitted", "to_complete"), what)
        for piece in self:
            files = piece._get_files_to_purge()
            piece._decide(
                "purged",
                reason,
                {"version_id": piece.last_version_id.id},
                answer=reason,
                answered_at=fields.Datetime.now(),
            )
            files.invalidate_recordset(["purged_at"])
            # sudo: nobody may change a file that was handed in; the decision says why it goes
            files.sudo().attachment_id.write({"raw": False})
        self.activity_feedback(["ctai_grants.mail_activity_review"])

    def _get_files_to_purge(self):
        last = self.last_version_id.file_ids.filtered(lambda file: not file.purged_at)
        if not last:
            raise UserError(
                self.env._("“%(piece)s” has no file that could be purged.", piece=self.name)
            )
        wanted = set(last.mapped("sha256"))
        files = self.version_ids.file_ids.filtered(
            lambda file: file.sha256 in wanted and not file.purged_at
        )
        # sudo: where else the bytes are, whoever may read it
        own = files.sudo().attachment_id
        copies = own.search(
            [
                ("checksum", "in", own.mapped("checksum")),
                ("id", "not in", own.ids),
                ("res_model", "!=", False),
            ]
        )
        if copies:
            raise UserError(
                self.env._(
                    "“%(piece)s”: these files hang on other documents too (%(documents)s). Take "
                    "them away there first.",
                    piece=self.name,
                    documents=", ".join(sorted({c.res_name or c.res_model for c in copies})),
                )
            )
        return files


class GrantDeliverableFile(models.Model):
    _inherit = "grant.deliverable.file"

    purged_at = fields.Datetime(
        compute="_compute_purged_at", portal=True,
        help="When the city destroyed its content, because it named persons.",
    )  # fmt: skip

    @api.depends("version_id.deliverable_id.state")
    def _compute_purged_at(self):
        # sudo: operators read no decisions; that their file is gone they are told
        files_sudo, decisions = self.sudo(), self.env["grant.decision"].sudo()
        pieces = files_sudo.version_id.deliverable_id
        purges = decisions.search(
            [("deliverable_id", "in", pieces.ids), ("decision", "=", "purged")]
        ).grouped("deliverable_id")
        for file, file_sudo in zip(self, files_sudo, strict=True):
            version = file_sudo.version_id
            file.purged_at = next(
                (
                    purge.decided_at
                    for purge in purges.get(version.deliverable_id, decisions)
                    if purge.version_id.number >= version.number
                    and file.sha256 in purge.version_id.file_ids.mapped("sha256")
                ),
                False,
            )

    def _keeps_file(self, file):
        return super()._keeps_file(file) and not self.purged_at

    def _is_as_handed_in(self):
        """What was purged is gone, and nothing else."""
        if self.purged_at:
            return not self.attachment_id.raw
        return super()._is_as_handed_in()

    def _get_sudo_attachment(self):
        attachment_sudo = super()._get_sudo_attachment()
        return attachment_sudo if not self.purged_at else attachment_sudo.browse()
