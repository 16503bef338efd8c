import io
import zipfile

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class IrActionsReport(models.Model):
    """Reports of type ``typst``: PDF/A-2a and PDF/UA-1, made by the records themselves.

    The last part of the report's name is the method: ``ctai_grants.recovery_letter`` calls
    ``_print_recovery_letter`` of each record (:class:`grant.pdf.mixin`).
    """

    _inherit = "ir.actions.report"

    report_type = fields.Selection(
        selection_add=[("typst", "PDF (archived, accessible)")],
        ondelete={"typst": "cascade"},
    )

    @api.model
    def _render_typst(self, report_ref, res_ids, data=None):
        """The documents of records: a PDF, or a ZIP of several (one file would lose what makes
        each of them archivable and accessible).

        :return: content, and ``"pdf"`` or ``"zip"``
        :raise AccessError: the user may not read one of them, or is not in the report's groups
        :raise UserError: one of them cannot be made
        """
        return self._pack_typst(self._make_typst(report_ref, res_ids))

    @api.model
    def _pack_typst(self, documents):
        if len(documents) == 1:
            return documents[0][1], "pdf"
        stream, names = io.BytesIO(), set()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, (title, content) in enumerate(documents, 1):
                name = _as_file(title)
                name = f"{name} ({number})" if name in names else name
                names.add(name)
                # The same documents make the same bytes: no hour of today in it.
                archive.writestr(zipfile.ZipInfo(f"{name}.pdf"), content)
        return stream.getvalue(), "zip"

    @api.model
    def _make_typst(self, report_ref, res_ids):
        """The documents of records, in their order: list of (name, PDF)."""
        report = self._get_report(report_ref)
        ids = [res_ids] if isinstance(res_ids, int) else list(dict.fromkeys(res_ids or ()))
        records = self.env[report.model].browse(ids).exists()
        if not records or report.report_type != "typst":
            raise UserError(self.env._("%s: choose what to print.", report.name))
        if report.group_ids and not report.group_ids & self.env.user.all_group_ids:
            raise AccessError(self.env._("%s: your role does not print this.", report.name))
        records.check_access("read")
        method = f"_print_{report.report_name.rpartition('.')[2]}"
        return [getattr(record, method)() for record in records]

    def _render_qweb_pdf(self, report_ref, res_ids=None, data=None):
        """The door by which mails, portals and Odoo's own code ask for a PDF."""
        if self._get_report(report_ref).report_type == "typst":
            return self._render_typst(report_ref, res_ids, data=data)
        return super()._render_qweb_pdf(report_ref, res_ids=res_ids, data=data)


def _as_file(name):
    return name.translate(str.maketrans(dict.fromkeys('/\\:*?"<>|\r\n\t', "-"))).strip(" .")[:150]
