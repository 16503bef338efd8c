import hashlib

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.ctai_grants.lib.proof.upload import clean_name

from ...lib.documents import reference
from .grant_document_wording import CODES, KINDS
from .grant_pdf_mixin import is_signature, sign


class GrantSignedScan(models.Model):
    """The scan of a document that was signed: kept with it as it was filed, never changed. A
    wrong one is followed by another."""

    _name = "grant.signed.scan"
    _description = "Signed Document"
    _order = "id desc"
    _inherit = ["grant.append.only.mixin"]
    _log_access = False

    name = fields.Char(string="File Name", required=True, readonly=True)
    kind = fields.Selection(
        [(kind, label) for kind, label, *_rest in KINDS], string="Document", required=True,
        readonly=True,
    )  # fmt: skip
    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, readonly=True, index=True,
        aggregator=None,
    )  # fmt: skip
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    by_code = fields.Boolean(
        string="Found by Its Code", readonly=True, help="Else somebody said what it is of."
    )
    sha256 = fields.Char(string="SHA-256", required=True, readonly=True)
    size = fields.Integer(readonly=True, required=True, help="Bytes.", aggregator=None)
    filed_at = fields.Datetime(string="Filed On", readonly=True, required=True)
    user_id = fields.Many2one(
        "res.users", string="Filed By", readonly=True, required=True, ondelete="restrict"
    )
    document = fields.Char(compute="_compute_document", string="Signed Record")

    _file_uniq = models.UniqueIndex(
        "(res_model, res_id, kind, sha256)", "This file is kept with this document already."
    )

    @api.model
    def _get_chained_fields(self):
        return ["res_model", "res_id"]

    def _keeps_file(self, _file):
        return True

    @api.depends("res_model", "res_id")
    def _compute_document(self):
        for scan in self:
            record = scan._get_record()
            scan.document = record.display_name if record else False

    def _get_record(self):
        """The document that was signed, where the user may read it."""
        self.ensure_one()
        if self.res_model not in self.env:
            return None
        record = self.env[self.res_model].browse(self.res_id).exists()
        return record if record and record.has_access("read") else None

    def _get_attachment(self):
        """The file, for whoever reads this line."""
        self.ensure_one().check_access("read")
        # sudo: the file of the line that was just checked
        files = self.env["ir.attachment"].sudo()
        # The first: with the line, before whatever somebody may put beside it.
        about = [("res_model", "=", self._name), ("res_id", "=", self.id)]
        return files.search(about, order="id", limit=1)

    @api.model
    def _get_altered(self, companies):
        """Sentences naming the scans of which the kept file is not the one that was filed."""
        # sudo: who verifies may not read every file; only digests are compared
        scans = self.sudo().search([("company_id", "in", companies.ids)], order="id")
        return [
            self.env._(
                "%(document)s: the signed scan “%(file)s” is not the one that was filed.",
                document=scan.document or f"{scan.res_model} {scan.res_id}",
                file=scan.name,
            )
            for scan in scans
            if not scan._is_as_filed()
        ]

    def _is_as_filed(self):
        file = self._get_attachment()
        found = hashlib.sha256(file.raw or b"").hexdigest()
        # One file in memory at a time.
        file.invalidate_recordset(["raw", "datas"])
        return found == self.sha256

    def action_download(self):
        """Download the file."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content/{self._get_attachment().id}?download=true",
            "target": "download",
        }

    def action_open(self):
        """Open the document that was signed."""
        record = self._get_record()
        if not record:
            raise UserError(self.env._("%s: its document cannot be opened.", self.name))
        return record.get_formview_action()

    # ------------------------------------------------------------------
    # Codes
    # ------------------------------------------------------------------

    @api.model
    def _get_reference(self, record, kind):
        """The text of the code that a document bears."""
        number, _model = CODES[kind]
        return reference.pack(number, record.id, lambda told: sign(self.env, told))

    @api.model
    def _find(self, text):
        """Kind and record (whoever may read it) of a code; None when it is not one of ours."""
        found = reference.unpack(text, lambda told, code: is_signature(self.env, told, code))
        kinds = {number: (kind, model) for kind, (number, model) in CODES.items()}
        if not found or found[0] not in kinds:
            return None
        kind, model = kinds[found[0]]
        record = self.env[model].browse(found[1]).exists()
        return (kind, record) if record else None

    # ------------------------------------------------------------------
    # Filing
    # ------------------------------------------------------------------

    @api.model
    def _check_may_file(self):
        """
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        user, groups = self.env.user, ("group_coordinator", "group_finance_officer")
        if not any(user.has_group(f"ctai_grants.{group}") for group in groups):
            raise AccessError(
                self.env._("Filing signed documents is for coordinators and finance officers.")
            )

    @api.model
    def _file(self, record, kind, name, content, by_code):
        """Keep a signed file with its document.

        :raise AccessError: the user may not file, or not read the document
        :raise UserError: it is kept there already
        """
        self._check_may_file()
        record.ensure_one().check_access("read")
        sha256 = hashlib.sha256(content).hexdigest()
        about = {"res_model": record._name, "res_id": record.id, "kind": kind, "sha256": sha256}
        # sudo: the staff files through this method only, which has checked who files, and what
        scans = self.sudo()
        if scans.search_count([(key, "=", value) for key, value in about.items()]):
            raise UserError(
                self.env._(
                    "“%(file)s” is kept with %(document)s already.",
                    file=name,
                    document=record.display_name,
                )
            )
        scan = scans._append(
            {
                **about,
                "name": clean_name(name),
                "company_id": record.company_id.id,
                "by_code": by_code,
                "size": len(content),
                "filed_at": fields.Datetime.now(),
                "user_id": self.env.uid,
            }
        )
        # sudo: nobody writes into these lines, their files are added here only
        self.env["ir.attachment"].sudo().create(
            {"name": scan.name, "raw": content, "res_model": self._name, "res_id": scan.id}
        )
        return scan.with_env(self.env)


class GrantPdfMixin(models.AbstractModel):
    _inherit = "grant.pdf.mixin"

    signed_scan_count = fields.Integer(
        string="Signed Documents", compute="_compute_signed_scan_count"
    )

    def _compute_signed_scan_count(self):
        counts = dict(
            self.env["grant.signed.scan"]._read_group(
                [("res_model", "=", self._name), ("res_id", "in", self.ids)],
                ["res_id"],
                ["__count"],
            )
        )
        for record in self:
            record.signed_scan_count = counts.get(record.id, 0)

    def action_view_signed_scans(self):
        """The signed documents of these records."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants_reports.grant_signed_scan_action"
        )
        action["domain"] = [("res_model", "=", self._name), ("res_id", "in", self.ids)]
        return action
