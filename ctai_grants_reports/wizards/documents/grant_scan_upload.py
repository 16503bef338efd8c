from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from odoo.addons.ctai_grants.lib.proof.refusal import Refused
from odoo.addons.ctai_grants.lib.proof.upload import JPEG, PDF, PNG, judge

from ...lib.documents.scan import read_codes
from ...models.documents.grant_document_wording import CODES, KINDS

#: Files of one time, and bytes of all of them.
MOST, LARGEST = 100, 200 * 2**20


class GrantScanUpload(models.TransientModel):
    """Files scans of signed documents: reads their codes, shows which record each is of, and
    files all that is ticked, or nothing."""

    _name = "grant.scan.upload"
    _description = "File Signed Scans"

    file_ids = fields.Many2many("ir.attachment", string="Files")
    res_model = fields.Char(help="The record that the scans were brought to, if to one.")
    res_id = fields.Integer()
    is_read = fields.Boolean(readonly=True)
    line_ids = fields.One2many("grant.scan.upload.line", "upload_id")

    def action_read(self):
        """Read the codes, and show which document each file is.

        :raise UserError: no file, too many or too large
        :raise AccessError: the user may not file
        """
        self.ensure_one()
        self.env["grant.signed.scan"]._check_may_file()
        if not self.file_ids:
            raise UserError(self.env._("Choose the scans first."))
        if len(self.file_ids) > MOST or sum(self.file_ids.mapped("file_size")) > LARGEST:
            raise UserError(
                self.env._(
                    "At most %(most)s files and %(size)s MB at once: file the others afterwards.",
                    most=MOST,
                    size=LARGEST // 2**20,
                )
            )
        self.line_ids.unlink()
        self.line_ids = [Command.create(self._look_at(file)) for file in self.file_ids]
        self.is_read = True
        return self._reopen()

    def action_file(self):
        """File what is ticked: all of it, or nothing.

        :raise UserError: nothing is ticked, or one of them cannot be filed
        """
        self.ensure_one()
        kept = self.line_ids.filtered("is_kept")
        if not kept:
            raise UserError(self.env._("Nothing is ticked: nothing was filed."))
        scans = self.env["grant.signed.scan"]
        for line in kept:
            scans |= line._file()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id(
                "ctai_grants_reports.grant_signed_scan_action"
            ),
            "domain": [("id", "in", scans.ids)],
        }

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("File Signed Scans"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def _look_at(self, file):
        """What a file is: values of its line."""
        content = file.raw or b""
        line = {"attachment_id": file.id, "name": file.name}
        try:
            is_scan = judge(file.name, content) in (PDF, PNG, JPEG)
        except Refused:
            is_scan = False
        codes = read_codes(content) if is_scan else None
        if codes is None:
            message = self.env._("It cannot be opened, or is neither a PDF nor a picture.")
            return {**line, "status": "damaged", "message": message}
        found = {self._find(text) for text in codes} - {None}
        if len(found) > 1:
            message = self.env._("It has the codes of several documents: scan each of them alone.")
            return {**line, "status": "several", "message": message}
        return {**line, **(self._match(*found.pop()) if found else self._miss())}

    def _find(self, text):
        """Kind, model and id of a code, where the user may read the record."""
        found = self.env["grant.signed.scan"]._find(text)
        if not found or not found[1].has_access("read"):
            return None
        return found[0], found[1]._name, found[1].id

    def _match(self, kind, model, record_id):
        is_other = self.res_model and (self.res_model, self.res_id) != (model, record_id)
        return {
            "kind": kind,
            "res_model": model,
            "res_id": record_id,
            "by_code": True,
            "status": "other" if is_other else "matched",
            "is_kept": not is_other,
            "message": is_other
            and self.env._("It is of another record: tick it to file it there."),
        }

    def _miss(self):
        """A file without a code of ours: of the record that it was brought to, if it is ticked."""
        line = {"status": "unknown", "message": self.env._("No code of ours is on it.")}
        kinds = [kind for kind, _label, _number, model in KINDS if model == self.res_model]
        if not kinds:
            return line
        message = self.env._("No code of ours is on it: tick it if it is this document, signed.")
        return {
            **line, "kind": kinds[0], "res_model": self.res_model, "res_id": self.res_id,
            "message": message,
        }  # fmt: skip


class GrantScanUploadLine(models.TransientModel):
    _name = "grant.scan.upload.line"
    _description = "Signed Scan to File"

    upload_id = fields.Many2one("grant.scan.upload", required=True, ondelete="cascade")
    attachment_id = fields.Many2one("ir.attachment", readonly=True)
    name = fields.Char(string="File Name", readonly=True)
    status = fields.Selection(
        [
            ("matched", "Found"),
            ("other", "Another Record"),
            ("unknown", "No Code"),
            ("several", "Several Codes"),
            ("damaged", "Not Readable"),
        ],
        readonly=True,
    )
    kind = fields.Selection([(kind, label) for kind, label, *_rest in KINDS], readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Integer(readonly=True)
    by_code = fields.Boolean(readonly=True)
    document = fields.Char(compute="_compute_document", string="Signed Record")
    is_kept = fields.Boolean(string="File It")
    message = fields.Char(readonly=True)

    @api.depends("res_model", "res_id")
    def _compute_document(self):
        for line in self:
            record = line._get_record()
            line.document = record.display_name if record else False

    def _get_record(self):
        models_of_ours = {model for _number, model in CODES.values()}
        if self.res_model not in models_of_ours or not self.res_id:
            return None
        record = self.env[self.res_model].browse(self.res_id).exists()
        return record if record and record.has_access("read") else None

    def _file(self):
        """Keep the file with its document.

        What a client wrote into this line is not believed: the code is read again.
        """
        self.ensure_one()
        seen = self.upload_id._look_at(self.attachment_id)
        record = self._get_record()
        same = all(seen.get(key) == self[key] for key in ("status", "kind", "res_model", "res_id"))
        if not record or not same or self.attachment_id not in self.upload_id.file_ids:
            raise UserError(
                self.env._(
                    "“%s” cannot be filed. Nothing was filed: take its tick away.", self.name
                )
            )
        return self.env["grant.signed.scan"]._file(
            record, self.kind, self.name, self.attachment_id.raw, bool(seen.get("by_code"))
        )
