import hashlib
from datetime import timedelta
from typing import NamedTuple

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from ...lib.guard.words import clean
from ...lib.proof.picture import make_pdf
from ...lib.proof.upload import (
    LONGEST_COMMENT,
    PHOTOS,
    clean_name,
    digest_of_set,
    spread_names,
)
from .grant_deliverable import OPEN_STATES

# More than somebody who corrects himself needs, and too few to fill a disk.
VERSIONS_AN_HOUR = 20
# Of one hand-in; and of one hand-in and of one subsidy together, in files of the largest size that
# the city takes.
MOST_FILES = 20
LARGEST_HAND_IN = 4
LARGEST_FILES = 40


class Judged(NamedTuple):
    """A file that was judged: its bytes, or the attachment that has them already."""

    name: str
    mimetype: str
    size: int
    sha256: str
    content: bytes | None = None
    attachment: models.BaseModel | None = None

    def get_bytes(self):
        """Its bytes."""
        return self.attachment.raw if self.content is None else self.content


class GrantDeliverable(models.Model):
    """Handing in: a set of files and a comment, one version of the piece."""

    _inherit = "grant.deliverable"

    def action_submit(self):
        """Ask for the file that an operator handed in on paper or by mail."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Hand In a File"),
            "res_model": "grant.deliverable.submit",
            "view_mode": "form",
            "target": "new",
            "context": {"default_deliverable_id": self.id},
        }

    def _is_open_to(self, user):
        """Whether ``user`` may hand in files for this piece now."""
        self.ensure_one()
        return (
            self.subsidy_id.state == "signed"
            and self.state in OPEN_STATES
            and self.subsidy_id._can_submit(user)
        )

    def _do_submit(self, filename, content, comment=None):
        """Hand in one file: as :meth:`_do_submit_files`."""
        return self._do_submit_files([(filename, content)], comment)

    def _do_submit_files(self, files, comment=None, join_photos=False):
        """Hand in a set of files: a new numbered version, with their SHA-256 and the time.

        :param files: names, as the user gave them, and contents: list of (str, bytes)
        :param bool join_photos: whether several photos become one PDF, a page for each
        :raise UserError: files are refused (none is kept then), or nothing is expected any more
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self.ensure_one()
        self._check_submittable()
        self._check_set([len(content) for _name, content in files])
        return self._hand_in(self._judge_files(files), comment, join_photos)

    def _check_submittable(self):
        """Refuse before anything is looked at.

        :raise UserError: nothing is expected any more
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        # sudo: compares the user's organisation with the subsidy's, which it may not read
        if not self.sudo().subsidy_id._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot hand in pieces for this subsidy."))
        if self.subsidy_id.state != "signed":
            raise UserError(self.env._("Nothing can be handed in for this subsidy at present."))
        self._check_state(OPEN_STATES, self.env._("Handing in “%s”", self.name))

    def _hand_in(self, judged, comment, join_photos):
        """A new version of files that were checked and judged: list of :class:`Judged`."""
        files = self._arrange(judged, join_photos)
        # sudo: an operator adds its own files and moves its own deliverable, nothing else
        self_sudo = self.sudo()
        # One hand-in at a time: the number of a version is the next one. Who comes second waits,
        # and begins again with what the first handed in (a lock that does not wait would refuse
        # him).
        self.env.execute_query(
            SQL("SELECT id FROM grant_deliverable WHERE id = %s FOR UPDATE", self.id)
        )
        digest = digest_of_set([file.sha256 for file in files])
        last = self_sudo.last_version_id
        if self.state == "submitted" and last.sha256 == digest:
            # A second click, or the same files by a second person.
            return last.with_env(self.env)
        self_sudo._check_room(sum(file.size for file in files))
        version = self_sudo._add_version(files, digest, comment)
        self_sudo._transition(state="submitted", last_version_id=version.id)
        self_sudo._notify_submission(version)
        return version.with_env(self.env)

    def _do_take_back(self):
        """Take back what was handed in last, before anybody decided on it: it is kept, and counts
        no more; the piece is expected again.

        :raise UserError: it was reviewed, or nothing waits for a review
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self.ensure_one()
        # sudo: as in handing in
        self_sudo = self.sudo()
        if not self_sudo.subsidy_id._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot hand in pieces for this subsidy."))
        self_sudo._lock_in_turn()
        if self.state in ("expected", "to_complete") and self_sudo.last_version_id.taken_back_at:
            # A second click, or the colleague was faster.
            return
        if self.state != "submitted" or self.subsidy_id.state != "signed":
            raise UserError(
                self.env._(
                    "“%(piece)s” cannot be taken back any more: the city has answered, or nothing "
                    "waits for its review. Hand in another version, or write to the city.",
                    piece=self.name,
                )
            )
        version = self_sudo.last_version_id
        self_sudo._decide("taken_back", None, {"version_id": version.id})
        self_sudo.activity_unlink(["ctai_grants.mail_activity_review"])
        self_sudo.message_post(
            body=self.env._("Version %(number)s taken back.", number=version.number)
        )

    def _check_set(self, sizes):
        """Refuse more than one hand-in holds, before any of it is looked at.

        :param sizes: bytes of each file
        :raise UserError: no file, too many, or too large together
        """
        if not sizes:
            raise UserError(self.env._("Choose a file first."))
        largest = self.company_id.grant_upload_max_mb * LARGEST_HAND_IN
        about = {"piece": self.name, "most": MOST_FILES, "largest": largest}
        if len(sizes) > MOST_FILES:
            raise UserError(
                self.env._(
                    "“%(piece)s”: %(number)s files are more than the %(most)s that can be handed "
                    "in at once. Put some of them together in one PDF.",
                    number=len(sizes),
                    **about,
                )
            )
        if sum(sizes) > largest * 2**20:
            raise UserError(
                self.env._(
                    "“%(piece)s”: these files are together larger than %(largest)s MB. Hand in "
                    "smaller ones.",
                    **about,
                )
            )

    def _judge_files(self, files):
        """Judge each of ``files``: list of :class:`Judged`, the same file once.

        :raise UserError: naming each file that is refused, and why
        """
        judged, refused = {}, []
        for name, content in files:
            try:
                file = self._judge_file(name, content)
            except UserError as error:
                refused.append(str(error))
            else:
                judged.setdefault(file.sha256, file)
        if refused:
            raise UserError("\n".join(refused))
        return list(judged.values())

    def _judge_file(self, name, content):
        """A file, judged.

        :raise UserError: as :meth:`_check_upload`
        """
        mimetype = self._check_upload(name, content)
        digest = hashlib.sha256(content).hexdigest()
        return Judged(clean_name(name), mimetype, len(content), digest, content)

    def _arrange(self, judged, join_photos):
        """Files as they are kept: photos joined if that is wanted, each with a name of its own."""
        if join_photos:
            judged = self._join_photos(judged)
        names = spread_names([file.name for file in judged])
        return [file._replace(name=name) for name, file in zip(names, judged, strict=True)]

    def _join_photos(self, judged):
        """One PDF in the place of several photos."""
        photos = [file for file in judged if file.mimetype in PHOTOS]
        if len(photos) < 2:
            return judged
        name = self.env._("Photos (%(number)s).pdf", number=len(photos))
        joined = self._judge_file(name, make_pdf([photo.get_bytes() for photo in photos]))
        first = judged.index(photos[0])
        rest = [file for file in judged if file.mimetype not in PHOTOS]
        return [*rest[:first], joined, *rest[first:]]

    def _add_version(self, files, digest, comment):
        name = files[0].name
        if len(files) > 1:
            name = f"{name} (+ {len(files) - 1})"
        version = self.env["grant.deliverable.version"]._append(
            {
                "deliverable_id": self.id,
                "subsidy_id": self.subsidy_id.id,
                "company_id": self.company_id.id,
                "number": max(self.version_ids.mapped("number"), default=0) + 1,
                "name": name,
                "size": sum(file.size for file in files),
                "sha256": digest,
                "submitted_at": fields.Datetime.now(),
                "user_id": self.env.uid,
                "comment": clean(comment, LONGEST_COMMENT) or False,
            }
        )
        for position, file in enumerate(files, 1):
            self._add_file(version, position, file)
        return version

    def _add_file(self, version, position, file):
        attachment = file.attachment or self._keep_content(file)
        added = self.env["grant.deliverable.file"]._append(
            {
                "version_id": version.id,
                "attachment_id": attachment.id,
                "position": position,
                "name": file.name,
                "mimetype": file.mimetype,
                "size": file.size,
                "sha256": file.sha256,
            }
        )
        # Only now: each of the two needs the other, and an attachment of nothing is its author's.
        attachment.write({"name": file.name, "res_model": added._name, "res_id": added.id})

    def _keep_content(self, file):
        """An attachment of nothing yet, with the bytes of a file as they are: Odoo makes pictures
        smaller, which would be another file than the one that was handed in."""
        # sudo: of who may hand in; it hangs on what is checked at each download
        attachments = self.env["ir.attachment"].sudo().with_context(image_no_postprocess=True)
        return attachments.create(
            {"name": file.name, "raw": file.content, "mimetype": file.mimetype}
        )

    def _check_room(self, size):
        """Refuse what would fill the city's disk rather than prove anything.

        :param int size: bytes of the files to come
        :raise UserError: too many versions within an hour, or too many bytes of one subsidy
        """
        versions = self.env["grant.deliverable.version"]
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        recent = versions.search_count(
            [("deliverable_id", "=", self.id), ("submitted_at", ">", hour_ago)]
        )
        if recent >= VERSIONS_AN_HOUR:
            raise UserError(
                self.env._(
                    "“%(piece)s” was handed in %(number)s times within an hour. What was handed "
                    "in is kept; try again later.",
                    piece=self.name,
                    number=recent,
                )
            )
        largest = self.company_id.grant_upload_max_mb * LARGEST_FILES
        [[kept]] = versions._read_group([("subsidy_id", "=", self.subsidy_id.id)], [], ["size:sum"])
        if (kept or 0) + size > largest * 2**20:
            raise UserError(
                self.env._(
                    "The files of “%(subsidy)s” would together be larger than %(largest)s MB. "
                    "Send a smaller file, or write to the city.",
                    subsidy=self.subsidy_id.name,
                    largest=largest,
                )
            )

    def _notify_submission(self, version):
        """Tell the coordinator, once, that there is something to review."""
        # sudo: who handed it in reads no discussion of the staff
        self.sudo().subsidy_id._message_log(
            body=self.env._(
                "“%(piece)s”: version %(number)s handed in",
                piece=self.name,
                number=version.number,
            )
        )
        coordinator = self.subsidy_id.user_id or self.contract_id.user_id
        kind = "ctai_grants.mail_activity_review"
        if coordinator and not self.activity_search([kind]):
            self.activity_schedule(
                kind,
                user_id=coordinator.id,
                summary=self.env._("Review “%s”", self.name),
            )
        files = [
            self.env._("%(file)s (SHA-256 %(sha256)s)", file=file.name, sha256=file.sha256)
            for file in version.file_ids
        ]
        self.message_post(
            body=self.env._(
                "Version %(number)s handed in: %(files)s.",
                number=version.number,
                files=", ".join(files),
            )
        )
