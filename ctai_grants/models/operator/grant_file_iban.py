from odoo import api, fields, models
from odoo.tools import format_date

from ...lib.operator.iban import find_ibans, read_text
from ...lib.proof.upload import PDF

READERS = "ctai_grants.group_finance_officer"


def _mask(number):
    return f"{number[:4]} •••• {number[-4:]}"


class GrantFileIban(models.Model):
    """The account numbers that a RIB says, for the finance officer to compare with those on file.

    Read from the text of a PDF; a picture says nothing, and no payment waits for it."""

    _name = "grant.file.iban"
    _description = "Account Numbers of a RIB"
    _order = "id desc"
    _log_access = False

    file_id = fields.Many2one(
        "grant.deliverable.file", required=True, readonly=True, ondelete="restrict"
    )
    ibans = fields.Char(
        string="Account Numbers", readonly=True,
        help="Separated by spaces; empty: none was found.",
    )  # fmt: skip

    _file_uniq = models.UniqueIndex("(file_id)", "A file is read once.")

    @api.model
    def _get_unread_domain(self):
        return [
            ("version_id.deliverable_id.type_id.code", "=", "RIB"),
            ("mimetype", "=", PDF),
            ("iban_ids", "=", False),
        ]

    @api.model
    def _cron_read(self):
        """Read what was handed in as a RIB and not read yet."""
        files = self.env["grant.deliverable.file"].search(self._get_unread_domain(), order="id")
        files = files.filtered(lambda file: file.scan != "waiting" and not file.purged_at)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(files))
        for file in files:
            self._read(file)
            if not cron._commit_progress(1):
                return

    @api.model
    def _read(self, file):
        # One that cannot be read within the limits says nothing, once and for all.
        text = read_text(file.attachment_id.raw or b"") or ""
        file.attachment_id.invalidate_recordset(["raw", "datas"])
        self.create({"file_id": file.id, "ibans": " ".join(find_ibans(text)) or False})


class GrantDeliverableFile(models.Model):
    _inherit = "grant.deliverable.file"

    iban_ids = fields.One2many(
        "grant.file.iban", "file_id", string="Account Numbers", groups=READERS
    )


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    def _get_rib_warning(self):
        """What the last RIB that was handed in says otherwise than the accounts on file: sentences,
        or False; of no subsidy, nothing. Whole numbers are for finance officers."""
        is_reader = self.env.user.has_group(READERS)
        # sudo: the group of the fields that show it was checked
        subsidy = self.sudo()
        accounts = subsidy.partner_id.commercial_partner_id.bank_ids.filtered("allow_out_payment")
        known = set(accounts.mapped("sanitized_acc_number"))
        shown = ", ".join(accounts.mapped("acc_number") if is_reader else [
            account._get_masked_number(short=True) for account in accounts
        ]) or self.env._("none")  # fmt: skip
        pieces = subsidy.deliverable_ids.filtered(lambda piece: piece.type_id.code == "RIB")
        sentences = []
        for version in pieces.last_version_id.filtered(lambda version: not version.taken_back_at):
            for file in version.file_ids.filtered(lambda file: not file.purged_at):
                about = {
                    "file": file.name,
                    "date": format_date(self.env, version.submitted_at),
                    "shown": shown,
                }
                found = (file.iban_ids.ibans or "").split()
                other = [number for number in found if number not in known]
                if other:
                    sentences.append(
                        self.env._(
                            "“%(file)s”, handed in on %(date)s, has the account %(other)s. On "
                            "file: %(shown)s. Ask the operator, by a telephone number that you "
                            "knew before, which one is right.",
                            other=", ".join(map(self._space if is_reader else _mask, other)),
                            **about,
                        )
                    )
                elif file.mimetype == PDF and not file.iban_ids:
                    sentences.append(
                        self.env._("“%(file)s”, handed in on %(date)s, is not read yet.", **about)
                    )
        return "\n".join(sentences) or False

    @api.model
    def _space(self, number):
        return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


class GrantDeliverable(models.Model):
    _inherit = "grant.deliverable"

    rib_warning = fields.Text(
        string="Account of the RIB", compute="_compute_rib_warning", groups=READERS
    )

    def _compute_rib_warning(self):
        for piece in self:
            piece.rib_warning = piece.type_id.code == "RIB" and piece.subsidy_id._get_rib_warning()

    def _notify_submission(self, version):
        result = super()._notify_submission(version)
        # sudo: who hands in starts no job but this one
        kind = self.sudo().type_id
        if kind.code == "RIB" and (cron := kind.env.ref("ctai_grants.ir_cron_read_ribs", False)):
            cron._trigger()
        return result

    def _get_files_to_purge(self):
        files = super()._get_files_to_purge()
        # sudo: nobody changes these; what the file said goes with it
        files.sudo().iban_ids.unlink()
        return files


class GrantDisbursement(models.Model):
    _inherit = "grant.disbursement"

    rib_warning = fields.Text(
        string="Account of the RIB", compute="_compute_rib_warning", groups=READERS
    )

    def _compute_rib_warning(self):
        for tranche in self:
            is_owed = tranche.state not in ("paid", "cancelled")
            tranche.rib_warning = is_owed and tranche.subsidy_id._get_rib_warning()
