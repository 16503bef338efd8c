import hashlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, LazyTranslate

from ...lib.guard.words import clean
from ...lib.proof.upload import ALLOWED, LONGEST_COMMENT, clean_name, sniff
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)

# While a piece is in one of these states, a file may be handed in for it.
OPEN_STATES = ("expected", "submitted", "to_complete")
# More than somebody who corrects himself needs, and too few to fill a disk.
VERSIONS_AN_HOUR = 20
# Of one subsidy together, in files of the largest size that the city takes.
LARGEST_FILES = 40


class GrantDeliverable(models.Model):
    """One required piece at a milestone; each hand-in is a numbered version."""

    _name = "grant.deliverable"
    _description = "Piece"
    _inherit = [
        "grant.document.mixin", "grant.decided.mixin", "grant.thread.mixin", "mail.activity.mixin"
    ]  # fmt: skip
    _order = "due_date, id"
    _check_company_auto = True

    _decision_key = "deliverable_id"
    _first_state = "expected"

    name = fields.Char(required=True, portal=True)
    type_id = fields.Many2one("grant.deliverable.type", ondelete="restrict")
    milestone_id = fields.Many2one(
        "grant.milestone", required=True, ondelete="cascade", index=True, check_company=True,
        wakes="_get_milestones",
    )  # fmt: skip
    subsidy_id = fields.Many2one(
        related="milestone_id.subsidy_id", store=True, index=True, portal=True
    )
    contract_id = fields.Many2one(related="milestone_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="milestone_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="milestone_id.company_id", store=True, portal=True)
    due_date = fields.Date(
        related="milestone_id.date", store=True, index=True, string="Due Date", portal=True
    )
    subsidy_state = fields.Selection(related="subsidy_id.state", string="Subsidy State")
    instructions = fields.Text(related="type_id.instructions", portal=True)
    state = fields.Selection(
        [
            ("expected", "Expected"),
            ("submitted", "Submitted"),
            ("accepted", "Accepted"),
            ("to_complete", "To Complete"),
            ("waived", "Waived"),
        ],
        required=True,
        default="expected",
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
        group_expand=True,
        portal=True,
    )
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late", portal=True)
    answer = fields.Text(
        readonly=True, copy=False, portal=True,
        help="What the coordinator answered last; the operator reads it.",
    )  # fmt: skip
    answered_at = fields.Datetime(readonly=True, copy=False, portal=True)
    version_ids = fields.One2many(
        "grant.deliverable.version", "deliverable_id", string="Versions", portal=True
    )
    last_version_id = fields.Many2one("grant.deliverable.version", readonly=True, copy=False)
    decision_ids = fields.One2many("grant.decision", "deliverable_id", string="Decisions")

    def _get_milestones(self):
        return self.milestone_id

    @api.model
    def _get_decision_states(self):
        # Handing in is nobody's decision, and moves a piece all the same.
        return {
            **super()._get_decision_states(),
            "submitted": "submitted",
            "accepted": "accepted",
            "to_complete": "to_complete",
            "waived": "waived",
        }

    def _get_moments(self, decisions):
        # In one second: a version, then what is decided on it.
        moments = sorted([
            *((v.submitted_at, v.number, 0, "submitted") for v in self.version_ids),
            *((d.decided_at, d.version_id.number, 1, d.decision) for d in decisions),
        ])  # fmt: skip
        return [(moment[0], moment[-1]) for moment in moments]

    @api.onchange("type_id")
    def _onchange_type_id(self):
        self.name = self.name or self.type_id.name

    @api.depends("due_date", "state", "subsidy_id.state")
    def _compute_is_late(self):
        self.is_late = False
        # Before the signature nobody owes anything, after the closing nothing is asked.
        owed = self.filtered(
            lambda deliverable: deliverable.subsidy_id.state == "signed"
            and deliverable.state in ("expected", "to_complete")
            and deliverable.due_date
        )
        for company, deliverables in owed.grouped("company_id").items():
            today = company._grant_today()
            deliverables.filtered(lambda d, today=today: d.due_date < today).is_late = True

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = Domain("subsidy_id.state", "=", "signed") & self._get_overdue_domain()
        return Domain.OR(late if wanted else ~late for wanted in value)

    @api.model
    def _get_overdue_domain(self):
        """What is late if its subsidy is signed: for who knows which subsidies are, by theirs."""
        return Domain("state", "in", ("expected", "to_complete")) & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("due_date", "<", today))

    def _get_frozen_fields(self):
        # What was handed in, and decided, is about this piece of this subsidy.
        if self.state != "expected" or self.version_ids:
            return frozenset({"milestone_id", "type_id"})
        if self.subsidy_id.state in ("draft", "granted"):
            return frozenset()
        return frozenset({"milestone_id"})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for deliverable in self:
            if deliverable.version_ids or deliverable.decision_ids or deliverable._is_needed():
                raise UserError(
                    self.env._(
                        "“%(piece)s” has files or decisions, or a tranche depends on it, "
                        "and cannot be deleted: waive it instead.",
                        piece=deliverable.name,
                    )
                )

    def _is_needed(self):
        """Whether something that was signed depends on this piece."""
        return False

    # ------------------------------------------------------------------
    # Handing in
    # ------------------------------------------------------------------

    def _check_upload(self, filename, content):
        """Judge a file by its content.

        :return: its media type
        :raise UserError: empty, too large, not an allowed type, or a name that contradicts it
        """
        self.ensure_one()
        largest = self.company_id.grant_upload_max_mb
        if not content:
            raise UserError(self.env._("The file “%(file)s” is empty.", file=filename))
        if len(content) > largest * 2**20:
            raise UserError(
                self.env._(
                    "The file “%(file)s” is larger than %(largest)s MB.",
                    file=filename,
                    largest=largest,
                )
            )
        extension = filename.rpartition(".")[2].lower()
        mimetype = sniff(content, extension)
        if not mimetype:
            raise UserError(
                self.env._(
                    "The file “%(file)s” cannot be accepted: its content is not that of a file "
                    "of these types: %(types)s. Documents with macros are refused too.",
                    file=filename,
                    types=", ".join(sorted(ALLOWED)),
                )
            )
        return mimetype

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
        """Whether ``user`` may hand in a file for this piece now."""
        self.ensure_one()
        return (
            self.subsidy_id.state == "signed"
            and self.state in OPEN_STATES
            and self.subsidy_id._can_submit(user)
        )

    def _do_submit(self, filename, content, comment=None):
        """Hand in a file: a new numbered version, with its SHA-256 and the time.

        :param str filename: name given by the user; folders in it are dropped
        :param bytes content: the file
        :raise UserError: the file is refused, or nothing is expected any more
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self.ensure_one()
        # sudo: compares the user's organisation with the subsidy's, which it may not read
        if not self.sudo().subsidy_id._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot hand in pieces for this subsidy."))
        filename = clean_name(filename)
        if self.subsidy_id.state != "signed":
            raise UserError(self.env._("Nothing can be handed in for this subsidy at present."))
        self._check_state(OPEN_STATES, self.env._("Handing in “%s”", self.name))
        mimetype = self._check_upload(filename, content)
        # sudo: an operator adds its own file and moves its own deliverable, nothing else
        self_sudo = self.sudo()
        # One file at a time: the number of a version is the next one. Who comes second waits, and
        # begins again with what the first handed in (a lock that does not wait would refuse him).
        self.env.execute_query(
            SQL("SELECT id FROM grant_deliverable WHERE id = %s FOR UPDATE", self.id)
        )
        digest = hashlib.sha256(content).hexdigest()
        last = self_sudo.last_version_id
        if self.state == "submitted" and last.sha256 == digest:
            # A second click, or the same file by a second person.
            return last.with_env(self.env)
        self_sudo._check_room(len(content))
        version = self_sudo._add_version(filename, content, mimetype, comment)
        self_sudo._transition(state="submitted", last_version_id=version.id)
        self_sudo._notify_submission(version)
        return version.with_env(self.env)

    def _add_version(self, filename, content, mimetype, comment):
        attachment = self.env["ir.attachment"].create(
            {"name": filename, "raw": content, "mimetype": mimetype}
        )
        version = self.env["grant.deliverable.version"]._append(
            {
                "deliverable_id": self.id,
                "subsidy_id": self.subsidy_id.id,
                "company_id": self.company_id.id,
                "number": max(self.version_ids.mapped("number"), default=0) + 1,
                "name": filename,
                "attachment_id": attachment.id,
                "mimetype": mimetype,
                "size": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "submitted_at": fields.Datetime.now(),
                "user_id": self.env.uid,
                "comment": clean(comment, LONGEST_COMMENT) or False,
            }
        )
        # Only now: each of the two needs the other, and an attachment of nothing is its author's.
        attachment.write({"res_model": version._name, "res_id": version.id})
        return version

    def _check_room(self, size):
        """Refuse what would fill the city's disk rather than prove anything.

        :param int size: bytes of the file to come
        :raise UserError: too many versions within an hour, or too many bytes of one subsidy
        """
        hour_ago = fields.Datetime.now() - timedelta(hours=1)
        recent = self.version_ids.filtered(lambda version: version.submitted_at > hour_ago)
        if len(recent) >= VERSIONS_AN_HOUR:
            raise UserError(
                self.env._(
                    "“%(piece)s” was handed in %(number)s times within an hour. What was handed "
                    "in is kept; try again later.",
                    piece=self.name,
                    number=len(recent),
                )
            )
        largest = self.company_id.grant_upload_max_mb * LARGEST_FILES
        files = self.subsidy_id.deliverable_ids.version_ids
        if sum(files.mapped("size")) + size > largest * 2**20:
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
        coordinator = self.subsidy_id.user_id or self.contract_id.user_id
        kind = "ctai_grants.mail_activity_review"
        if coordinator and not self.activity_search([kind]):
            self.activity_schedule(
                kind,
                user_id=coordinator.id,
                summary=self.env._("Review “%s”", self.name),
            )
        self.message_post(
            body=self.env._(
                "Version %(number)s handed in: %(file)s (SHA-256 %(sha256)s).",
                number=version.number,
                file=version.name,
                sha256=version.sha256,
            )
        )

    def action_download(self):
        """Download the last version."""
        return self.last_version_id.action_download()

    # ------------------------------------------------------------------
    # Reviewing
    # ------------------------------------------------------------------

    def action_accept(self):
        """Accept the last version.

        :raise UserError: nothing was handed in
        :raise AccessError: the user is not a coordinator
        """
        self._do_review("accepted", ("submitted",))
        return True

    def action_send_back(self):
        """Ask for the reason, then send the piece back to the operator."""
        return self._ask_reason("send_back")

    @asks_reason("send_back", _lt("Send Back to the Operator"))
    def _do_send_back(self, reason):
        """Send a piece back; raises as :meth:`_do_review`."""
        self._do_review("to_complete", ("submitted",), reason)

    def action_waive(self):
        """Ask for the reason, then do without this piece."""
        return self._ask_reason("waive")

    @asks_reason("waive", _lt("Do Without This Piece"))
    def _do_waive(self, reason):
        """Do without a piece; raises as :meth:`_do_review`."""
        self._do_review("waived", OPEN_STATES, reason)

    def action_reopen(self):
        """Ask for the reason, then take the decision back: the piece is to be completed."""
        return self._ask_reason("reopen")

    @asks_reason("reopen", _lt("Reopen This Piece"))
    def _do_reopen(self, reason):
        """Take the decision on a piece back; raises as :meth:`_do_review`."""
        self._do_review("to_complete", ("accepted", "waived"), reason)

    def _do_review(self, decision, states, reason=None):
        """Take a decision on the piece and tell the operator.

        :param str decision: ``accepted``, ``to_complete`` or ``waived``
        :param states: the states in which it can be taken
        :param str reason: shown to the operator
        """
        what = self.env._("Reviewing a piece")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(states, what)
        if decision != "accepted":
            reason = self._check_reason(reason)
        for deliverable in self:
            deliverable._decide(
                decision,
                reason,
                {"version_id": deliverable.last_version_id.id},
                # Once accepted, the last complaint is not for the operator to read any more.
                answer=reason or False,
                answered_at=fields.Datetime.now(),
            )
        self.activity_feedback(["ctai_grants.mail_activity_review"])
        self.milestone_id._refresh_reached()
