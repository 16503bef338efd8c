from contextlib import suppress

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, format_datetime

from ...lib.guard.words import clean
from ...lib.proof.upload import LONGEST_COMMENT
from ..proof.grant_deliverable_submission import LARGEST_HAND_IN, MOST_FILES, Judged


class GrantDeliverable(models.Model):
    """Handing in step by step: what was chosen and written is kept, and handed in when it is
    whole."""

    _inherit = "grant.deliverable"

    # No access of their own: read in sudo, by the methods below.
    draft_ids = fields.One2many("grant.hand.in", "deliverable_id", string="Drafts")

    def _is_draftable_by(self, user):
        """Whether ``user`` prepares hand-ins of this piece: somebody of the association itself."""
        self.ensure_one()
        # sudo: compares the user's organisation with the subsidy's, which it may not read
        piece = self.sudo()
        return (
            user._is_portal()
            and user.commercial_partner_id == piece.partner_id.commercial_partner_id
            and piece._is_open_to(user)
        )

    def _get_draft(self, user):
        """The draft of this piece (in sudo), for somebody of the association; else none."""
        # sudo: nobody has access to drafts; whose this one is is checked here
        draft = self.sudo().draft_ids
        return draft if self._is_draftable_by(user) else draft.browse()

    def _open_draft(self):
        """The draft of this piece (in sudo), made if there is none, and kept to this transaction:
        who changes it at the same time begins again with what the first one did.

        :raise AccessError: the user is not of the association, or nothing is awaited
        """
        if not self._is_draftable_by(self.env.user):
            raise AccessError(self.env._("You cannot hand in pieces for this subsidy."))
        self.env.cr.execute(
            SQL(
                "INSERT INTO grant_hand_in (deliverable_id, revision) VALUES (%s, 0) "
                "ON CONFLICT (deliverable_id) DO NOTHING",
                self.id,
            )
        )
        self.env.cr.execute(
            SQL("SELECT id FROM grant_hand_in WHERE deliverable_id = %s FOR UPDATE", self.id)
        )
        [draft_id] = self.env.cr.fetchone()
        # sudo: as in _get_draft
        draft = self.env["grant.hand.in"].sudo().browse(draft_id)
        draft.invalidate_recordset()
        self.invalidate_recordset(["draft_ids"])
        return draft

    def _keep_files(self, files):
        """Add files to the draft; those that are refused are left out, and nothing stays of them.

        :param files: names, as the user gave them, and contents: list of (str, bytes)
        :return: sentences, one of each file that was refused
        :raise AccessError: as :meth:`_open_draft`
        """
        taken, refused = [], []
        for name, content in files:
            try:
                taken.append(self._judge_file(name, content))
            except UserError as error:
                refused.append(str(error))
        if taken:
            # Only now: reading files takes seconds, and others wait.
            draft = self._open_draft()
            for file in taken:
                try:
                    self._keep_file(draft, file)
                except UserError as error:
                    refused.append(str(error))
        return refused

    def _keep_file(self, draft, judged):
        if judged.sha256 in draft.file_ids.mapped("sha256"):
            # Sent again, because the answer was lost on its way, or chosen twice.
            return
        self._check_draft_room(draft, judged.size)
        attachment = self._keep_content(judged)
        file = draft.env["grant.hand.in.file"].create(
            {
                "draft_id": draft.id,
                "name": judged.name,
                "attachment_id": attachment.id,
                "mimetype": judged.mimetype,
                "size": judged.size,
                "sha256": judged.sha256,
                "checksum": attachment.checksum,
                "user_id": self.env.uid,
            }
        )
        attachment.write({"res_model": file._name, "res_id": file.id})
        draft._change(self.env.user)

    def _check_draft_room(self, draft, size):
        """Refuse what could not be handed in: as ``_check_set``, one file sooner.

        :raise UserError: too many files, too large together, or too much of the subsidy
        """
        # sudo: settings of the city, and all files of the subsidy
        piece = self.sudo()
        total = sum(draft.file_ids.mapped("size")) + size
        largest = piece.company_id.grant_upload_max_mb * LARGEST_HAND_IN
        if len(draft.file_ids) >= MOST_FILES:
            raise UserError(
                self.env._(
                    "“%(piece)s” has %(most)s files already, as many as can be handed in at once. "
                    "Put some of them together in one PDF.",
                    piece=self.name,
                    most=MOST_FILES,
                )
            )
        if total > largest * 2**20:
            raise UserError(
                self.env._(
                    "“%(piece)s”: these files are together larger than %(largest)s MB. Hand in "
                    "smaller ones.",
                    piece=self.name,
                    largest=largest,
                )
            )
        piece._check_room(total)

    def _check_room(self, size):
        if self.env.user._is_portal():
            # What waits in the drafts of other pieces takes room too.
            others = [
                ("draft_id.deliverable_id.subsidy_id", "=", self.subsidy_id.id),
                ("draft_id.deliverable_id", "!=", self.id),
            ]
            [[kept]] = self.env["grant.hand.in.file"]._read_group(others, [], ["size:sum"])
            size += kept or 0
        return super()._check_room(size)

    def _keep_comment(self, comment, revision=None):
        """Keep what was written beside the files.

        :param revision: of the draft that the user has on his screen; None: not known
        :raise UserError: a colleague changed the draft meanwhile
        :raise AccessError: as :meth:`_open_draft`
        """
        comment = clean(comment, LONGEST_COMMENT)
        if comment == (self._get_draft(self.env.user).comment or ""):
            return
        draft = self._open_draft()
        self._check_revision(draft, revision)
        draft._change(self.env.user, comment=comment)

    def _discard_file(self, file_id):
        """Take a file out of the draft again; one that is not there any more is no error."""
        draft = self._open_draft()
        if file := draft.file_ids.filtered(lambda file: file.id == file_id):
            file.unlink()
            draft._change(self.env.user)

    def _check_revision(self, draft, revision):
        """Tell who has another state of the draft on his screen, unless it was his own doing."""
        # A draft that was just made holds nobody's work: that of before was handed in, or went.
        is_new = not draft.revision
        if is_new or revision in (None, draft.revision) or draft.user_id == self.env.user:
            return
        raise UserError(
            self.env._(
                "%(who)s changed this draft meanwhile. What you see now is what is kept: check it, "
                "then go on.",
                who=draft.user_id.name,
            )
        )

    def _do_submit_draft(self, join_photos=False, revision=None, seen=None):
        """Hand in the draft, once: see :meth:`_do_submit_files`.

        :param int seen: number of the last version that the user has on his screen
        :raise UserError: a colleague changed the draft or handed in meanwhile, or as there
        """
        self.env.cr.execute(
            SQL("SELECT id FROM grant_deliverable WHERE id = %s FOR UPDATE", self.id)
        )
        draft = self._open_draft()
        # sudo: who handed in last, and what
        last = self.sudo().last_version_id
        is_newer = seen is not None and last.number > seen and self.state == "submitted"
        sent = set(draft.file_ids.mapped("sha256"))
        handed_in = set(last.file_ids.mapped("sha256"))
        if is_newer and sent <= handed_in and last.user_id == self.env.user:
            # A second click: the first one took what was kept, too.
            draft.unlink()
            return last.with_env(self.env)
        is_same = sent == handed_in
        if is_newer and last.user_id != self.env.user and not is_same:
            raise UserError(
                self.env._(
                    "%(who)s handed in version %(number)s of “%(piece)s” meanwhile (%(when)s): "
                    "%(files)s. What you prepared is kept as a draft: look at that version first, "
                    "and hand in yours only if it takes its place.",
                    who=last.user_id.name,
                    number=last.number,
                    piece=self.name,
                    when=format_datetime(self.env, last.submitted_at, dt_format="short"),
                    files=last.name,
                )
            )
        self._check_revision(draft, revision)
        self._check_submittable()
        self._check_set(draft.file_ids.mapped("size"))
        judged = [file._get_judged() for file in draft.file_ids]
        version = self._hand_in(judged, draft.comment, join_photos)
        draft.unlink()
        return version

    def _do_take_back(self):
        # Made by us, of a report that is written on again: no file of theirs.
        is_paper = bool(self._get_online_reports(self.sudo().last_version_id))
        was_handed_in = self.state == "submitted"
        result = super()._do_take_back()
        if was_handed_in and not is_paper and self._is_draftable_by(self.env.user):
            # sudo: what was just taken back, by who handed it in
            self._put_back(self.sudo().last_version_id)
        return result

    def _put_back(self, version):
        """Begin again with the files and the comment of a version that was taken back."""
        draft = self._open_draft()
        for file in version.file_ids.filtered(lambda file: not file.purged_at):
            content = file.attachment_id.raw
            if content:
                judged = Judged(file.name, file.mimetype, file.size, file.sha256, content)
                # More than there is room for stays in the version alone.
                with suppress(UserError):
                    self._keep_file(draft, judged)
        if version.comment and not draft.comment:
            draft._change(self.env.user, comment=version.comment)

    def _get_files_to_purge(self):
        # What names persons waits in no draft either.
        # sudo: nobody reads drafts
        files = self.env["grant.hand.in.file"].sudo()
        files.search([("sha256", "in", self.last_version_id.file_ids.mapped("sha256"))]).unlink()
        return super()._get_files_to_purge()

    def unlink(self):
        # sudo: nobody reads drafts; deleted by the database, their attachments would stay. What
        # refuses the deletion of the pieces refuses that of the drafts: one transaction.
        self.sudo().draft_ids.unlink()
        return super().unlink()

    def _describe_draft(self, user):
        """What the form shows of the draft: a dict, for the page and for its script."""
        draft = self._get_draft(user)
        return {
            "files": [
                {
                    "id": file.id,
                    "name": file.name,
                    "size": file.size,
                    "by": file.user_id.name if file.user_id != user else "",
                }
                for file in draft.file_ids
            ],
            "comment": draft.comment or "",
            "revision": draft.revision,
            "until": fields.Date.to_string(draft._get_last_day()) if draft else "",
            # sudo: the number only
            "seen": self.sudo().last_version_id.number,
        }
