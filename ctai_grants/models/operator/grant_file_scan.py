import logging

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import LazyTranslate

from ...lib.operator.clamd import Away, NotScanned, parse_address, scan
from ..guard.grant_acting_mixin import asks_reason

_logger = logging.getLogger(__name__)
_lt = LazyTranslate(__name__)

ACTIVITY = "ctai_grants.mail_activity_virus"


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_clamd = fields.Char(
        string="ClamAV",
        help="Where clamd listens: the path of its socket (/run/clamav/clamd.ctl), or host and "
        "port (clamav:3310). Files that operators hand in are opened by nobody before it found "
        "nothing in them. Empty: files are not scanned.",
    )
    # Files of before are not shut away; it stays when clamd is switched off and on again.
    grant_clamd_since = fields.Datetime(string="Files Scanned Since", readonly=True)
    # Switched off, what waits waits on: nobody has looked at it.
    grant_clamd_until = fields.Datetime(string="Files Scanned Until", readonly=True)

    @api.constrains("grant_clamd")
    def _check_grant_clamd(self):
        for company in self.filtered("grant_clamd"):
            try:
                parse_address(company.grant_clamd)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "“%(address)s” is no address of clamd. Write the path of its socket "
                        "(/run/clamav/clamd.ctl), or host and port (clamav:3310).",
                        address=company.grant_clamd,
                    )
                ) from error
            if not company.grant_clamd_since:
                company.grant_clamd_since = fields.Datetime.now()
        for company in self.filtered("grant_clamd_since"):
            if company.grant_clamd:
                company.grant_clamd_until = False
            elif not company.grant_clamd_until:
                company.grant_clamd_until = fields.Datetime.now()

    def _is_grant_scanned(self, moment):
        """Whether what was handed in at a moment is opened by nobody before it is scanned."""
        since, until = self.grant_clamd_since, self.grant_clamd_until
        if not since or moment < since:
            return False
        return bool(self.grant_clamd or (until and moment <= until))


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_clamd = fields.Char(related="company_id.grant_clamd", readonly=False)


class GrantFileScan(models.Model):
    """What clamd said of a file, once: that it found nothing, or what. No line: not asked yet."""

    _name = "grant.file.scan"
    _description = "Scan of a File"
    _order = "id desc"
    _inherit = ["grant.append.only.mixin"]
    _log_access = False

    file_id = fields.Many2one(
        "grant.deliverable.file", required=True, readonly=True, ondelete="restrict"
    )
    signature = fields.Char(readonly=True, help="Name of what was found; empty: nothing.")
    scanned_at = fields.Datetime(required=True, readonly=True)

    _file_uniq = models.UniqueIndex("(file_id)", "A file is scanned once.")

    @api.model
    def _get_chained_fields(self):
        return ["file_id"]

    @api.model
    def _get_waiting(self, company):
        """The files of a city that nobody opens before they are scanned."""
        if not company.grant_clamd:
            return self.env["grant.deliverable.file"]
        files = self.env["grant.deliverable.file"].search(
            [
                ("version_id.company_id", "=", company.id),
                ("version_id.submitted_at", ">=", company.grant_clamd_since),
                ("scan_ids", "=", False),
            ],
            order="id",
        )
        return files.filtered(lambda file: not file.purged_at)

    @api.model
    def _cron_scan(self):
        """Show clamd what waits; what it does not answer for waits for the next time."""
        companies = self.env["res.company"].search([("grant_clamd", "!=", False)])
        waiting = {company: self._get_waiting(company) for company in companies}
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=sum(map(len, waiting.values())))
        for company, files in waiting.items():
            for file in files:
                if not self._scan_file(company, file):
                    break
                if not cron._commit_progress(1):
                    return

    @api.model
    def _scan_file(self, company, file):
        """Scan a file; False when clamd is away, and asking for the next one is for nothing."""
        content = file.attachment_id.raw or b""
        # One file in memory at a time.
        file.attachment_id.invalidate_recordset(["raw", "datas"])
        try:
            signature = scan(parse_address(company.grant_clamd), content)
        except NotScanned as error:
            file._tell_scan(
                self.env._(
                    "“%(file)s” was not scanned, and cannot be opened: %(reason)s. Ask for larger "
                    "limits of clamd (StreamMaxLength), or send the piece back for a smaller file.",
                    file=file.name,
                    reason=error,
                )
            )
            return True
        except (Away, ValueError) as error:
            _logger.warning("%s: clamd does not answer: %s", company.display_name, error)
            return False
        if not self.search_count([("file_id", "=", file.id)]):
            # sudo: nobody adds such lines but here
            self.sudo()._append(
                {
                    "file_id": file.id,
                    "signature": signature or False,
                    "scanned_at": fields.Datetime.now(),
                }
            )
            if signature:
                file._destroy_infected(signature)
        return True


class GrantDeliverableFile(models.Model):
    """In quarantine until it is found clean: nobody opens it before, by whatever way."""

    _inherit = "grant.deliverable.file"

    scan_ids = fields.One2many("grant.file.scan", "file_id", string="Verdict of the Scan")
    scan = fields.Selection(
        [
            ("waiting", "Being scanned"), ("clean", "No virus found"), ("infected", "Virus found"),
            ("released", "Not scanned"),
        ],
        compute="_compute_scan", portal=True,
    )  # fmt: skip
    infected_by = fields.Char(compute="_compute_scan", portal=True, help="What clamd found.")

    @api.depends(
        "scan_ids", "version_id.company_id.grant_clamd", "version_id.company_id.grant_clamd_until",
        "version_id.deliverable_id.decision_ids",
    )  # fmt: skip
    def _compute_scan(self):
        # sudo: who may read a file is told whether it can be opened; settings of the city
        for file, file_sudo in zip(self, self.sudo(), strict=True):
            line, version = file_sudo.scan_ids[:1], file_sudo.version_id
            company = version.company_id
            file.infected_by = line.signature
            file.scan = False
            if line:
                file.scan = "infected" if line.signature else "clean"
            elif company._is_grant_scanned(version.submitted_at):
                file.scan = "released" if version._is_released() else "waiting"

    def _compute_purged_at(self):
        result = super()._compute_purged_at()
        # sudo: as in _compute_scan
        for file, file_sudo in zip(self, self.sudo(), strict=True):
            if file_sudo.infected_by and not file.purged_at:
                file.purged_at = file_sudo.scan_ids[:1].scanned_at
        return result

    def _get_sudo_attachment(self):
        attachment_sudo = super()._get_sudo_attachment()
        return attachment_sudo if self.scan != "waiting" else attachment_sudo.browse()

    def _destroy_infected(self, signature):
        """The bytes go, the trace stays; the piece goes back to the operator, unless the city
        decided something else meanwhile."""
        self.ensure_one()
        self.invalidate_recordset(["scan", "infected_by", "purged_at"])
        self.attachment_id.write({"raw": False})
        # sudo: nobody reads drafts
        drafts = self.env["grant.hand.in.file"].sudo()
        drafts.search([("sha256", "=", self.sha256)]).unlink()
        piece, version = self.version_id.deliverable_id, self.version_id
        about = {"file": self.name, "signature": signature}
        answer = self.env._(
            "A virus was found in “%(file)s” (%(signature)s), and the file was destroyed. Check "
            "your computer with an antivirus program, make the document again, best as a new PDF, "
            "then hand in all files once more.",
            **about,
        )
        is_waiting = piece.last_version_id == version and piece.state == "submitted"
        if is_waiting and not piece._get_online_reports():
            piece._decide(
                "to_complete",
                answer,
                {"version_id": version.id},
                answer=answer,
                answered_at=fields.Datetime.now(),
            )
            piece.activity_unlink(["ctai_grants.mail_activity_review"])
            self.env["grant.reminder"]._tell_decided(piece)
        self._tell_scan(
            self.env._(
                "Virus in “%(file)s”: %(signature)s. The file was destroyed; nobody opened it. "
                "Check that the operator was told.",
                **about,
            )
        )

    def _tell_scan(self, summary):
        """Tell the coordinator, once for each file."""
        piece = self.version_id.deliverable_id
        if summary in piece.activity_search([ACTIVITY]).mapped("summary"):
            return
        coordinator = piece.subsidy_id._get_coordinator()
        piece.activity_schedule(ACTIVITY, user_id=coordinator.id, summary=summary)


class GrantDeliverableVersion(models.Model):
    _inherit = "grant.deliverable.version"

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "released": None}

    def _is_released(self):
        """Whether somebody answers for opening its files without a scan; in sudo."""
        decisions = self.deliverable_id.decision_ids.filtered(
            lambda decision: decision.decision == "released"
        )
        return self in decisions.version_id


class GrantDeliverable(models.Model):
    _inherit = "grant.deliverable"

    has_unscanned = fields.Boolean(compute="_compute_has_unscanned")

    @api.depends("version_ids")
    def _compute_has_unscanned(self):
        for piece in self:
            piece.has_unscanned = bool(piece._get_unscanned())

    def _get_unscanned(self):
        return self.version_ids.file_ids.filtered(
            lambda file: file.scan == "waiting" and not file.purged_at
        )

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "released": None}

    def action_release_files(self):
        """Ask for the reason, then let files be opened that were not scanned."""
        return self._ask_reason("release_files")

    @asks_reason("release_files", _lt("Open Files That Were Not Scanned"))
    def _do_release_files(self, reason):
        """Let the files of these pieces be opened that no scanner has looked at; scanned later,
        what is found in them goes all the same.

        :raise UserError: none waits
        :raise AccessError: the user is no finance manager
        """
        self._check_group("group_finance_manager", self.env._("Opening files without a scan"))
        self.lock_for_update()
        for piece in self:
            files = piece._get_unscanned()
            if not files:
                raise UserError(
                    self.env._("“%(piece)s”: no file waits for a scan.", piece=piece.name)
                )
            for version in files.version_id:
                piece._decide("released", reason, {"version_id": version.id})
            files.invalidate_recordset(["scan"])
        self.invalidate_recordset(["has_unscanned"])

    def _notify_submission(self, version):
        result = super()._notify_submission(version)
        # sudo: settings of the city; who hands in starts no job but this one
        city = self.sudo().company_id
        if city.grant_clamd and (cron := city.env.ref("ctai_grants.ir_cron_scan", False)):
            cron._trigger()
        return result

    def _do_review(self, decision, states, reason=None):
        if decision == "accepted":
            self._check_scanned()
        return super()._do_review(decision, states, reason)

    def _check_scanned(self):
        """Refuse to accept what nobody can have read.

        :raise UserError: a file is not scanned yet
        """
        for piece in self:
            if waiting := piece.last_version_id.file_ids.filtered(lambda f: f.scan == "waiting"):
                raise UserError(
                    self.env._(
                        "“%(piece)s”: the virus scanner has not answered for %(files)s yet. They "
                        "can be opened, and the piece accepted, once it has; if it takes longer "
                        "than an hour, tell who looks after the server. A finance manager may let "
                        "them be opened without it.",
                        piece=piece.name,
                        files=", ".join(f"“{file.name}”" for file in waiting),
                    )
                )


class IrAttachment(models.Model):
    """A file in quarantine is not opened as an attachment either, whoever may read its piece."""

    _inherit = "ir.attachment"

    def _check_access(self, operation):
        result = super()._check_access(operation)
        if self.env.su or not self:
            return result
        # sudo: what a file hangs on, whoever may read it
        shut = self.sudo().filtered(lambda file: file._is_in_quarantine()).sudo(False)
        if not shut:
            return result
        forbidden = shut | (result[0] if result else self.browse())
        return forbidden, lambda: AccessError(
            self.env._("This file is being scanned for viruses, and cannot be opened yet.")
        )

    def _is_in_quarantine(self):
        if self["res_model"] != "grant.deliverable.file":
            return False
        return self.env["grant.deliverable.file"].browse(self["res_id"]).exists().scan == "waiting"
