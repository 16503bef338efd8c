import base64
import csv
import hashlib
import io
import re
import tempfile
import zipfile

from odoo import models

from odoo.addons.ctai_grants.lib.award.history import local_date

from ...lib.csv_files import neutralise


class GrantStatement(models.Model):
    """One ZIP for the file of a statement: its own files, amendments, decisions and accepted
    pieces, with the SHA-256 of each."""

    _inherit = "grant.statement"

    def action_download_archive(self):
        """Download the ZIP; see :meth:`_make_archive`."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/statements/{self.id}/archive",
            "target": "download",
        }

    def _make_archive(self):
        """The ZIP of an issued statement, for the city's staff: no account number is in it.

        :return: open temporary file, file name
        :raise AccessError: the user may not read it
        """
        self.ensure_one().check_access("read")
        self._check_group("group_reader", self.env._("The file with all pieces"))
        # sudo: whoever may read the statement has what it rests on; of bank accounts nothing
        statement = self.sudo()
        manifest, stream = [], tempfile.TemporaryFile()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for folder, name, content in statement._get_members():
                path = f"{folder}/{_clean(name)}"
                taken = {line[1] for line in manifest}
                # Two operators call a file alike.
                number = 1
                while path in taken:
                    number += 1
                    path = f"{folder}/{number}-{_clean(name)}"
                archive.writestr(path, content)
                manifest.append((hashlib.sha256(content).hexdigest(), path))
            # As sha256sum reads it.
            lines = "".join(f"{digest}  {path}\n" for digest, path in manifest)
            archive.writestr("SHA256SUMS", lines)
        stream.seek(0)
        return stream, f"{_clean(statement.name)}.zip"

    def _get_folders(self):
        return {
            "statement": self.env._("1-statement"),
            "amendments": self.env._("2-amendments"),
            "decisions": self.env._("3-decisions"),
            "pieces": self.env._("4-pieces"),
        }

    def _get_members(self):
        """Yield what the ZIP holds: folder, file name, content; one file in memory at a time."""
        words = self._get_folders()
        for file in self.file_ids:
            yield words["statement"], file.name, _read(file.attachment_id)
        stamp = self.env["grant.heads.stamp"].search([("statement_id", "=", self.id)])
        if stamp:
            yield words["statement"], "heads.csv", stamp.heads.encode()
            yield words["statement"], "heads.tsr", base64.b64decode(stamp.token)
        for amendment in self._get_signed_amendments():
            for attachment in amendment.attachment_ids:
                name = f"{amendment.display_name}-{attachment.name}"
                yield words["amendments"], name, _read(attachment)
        yield words["decisions"], "decisions.csv", self._get_decisions_csv()
        for file in self._get_accepted_files():
            subsidy = file.version_id.subsidy_id
            yield f"{words['pieces']}/{_clean(subsidy.code)}", file.name, _read(file.attachment_id)

    def _get_signed_amendments(self):
        return self.env["grant.amendment"].search(
            [
                "|", ("contract_id", "=", self.contract_id.id),
                ("subsidy_id.contract_id", "=", self.contract_id.id),
                ("state", "=", "signed"), ("signature_date", "<=", self.as_at),
            ],
            order="signature_date, id",
        )  # fmt: skip

    def _get_accepted_files(self):
        """Files of the pieces that are accepted and were handed in by the date: never a RIB."""
        pieces = self.env["grant.deliverable"].search(
            [
                ("subsidy_id.contract_id", "=", self.contract_id.id), ("state", "=", "accepted"),
                "|", ("type_id", "=", False),
                "&", ("type_id.code", "!=", "RIB"), ("type_id.for_prefecture", "=", True),
            ],
            order="subsidy_id, id",
        )  # fmt: skip
        zone = self.company_id._grant_timezone()
        versions = self.env["grant.deliverable.version"].search(
            [("accepted_of_ids", "in", pieces.ids)], order="subsidy_id, id"
        )
        return versions.filtered(
            lambda version: local_date(version.submitted_at, zone) <= self.as_at
        ).file_ids

    def _get_decisions_csv(self):
        """The decisions on the subsidies of the contract until the date, for a spreadsheet."""
        zone = self.company_id._grant_timezone()
        decisions = self.env["grant.decision"].search(
            [("subsidy_id.contract_id", "=", self.contract_id.id)], order="id"
        )
        labels = dict(decisions._fields["decision"]._description_selection(self.env))
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=";")
        writer.writerow(
            [
                self.env._("Day"), self.env._("Subsidy"), self.env._("Document"),
                self.env._("Decision"), self.env._("By"), self.env._("Reason"),
            ]
        )  # fmt: skip
        for decision in decisions:
            day = local_date(decision.decided_at, zone)
            if day <= self.as_at:
                words = (
                    decision.subsidy_id.code, decision.subject or "", labels[decision.decision],
                    decision.user_id.name, decision.reason or "",
                )  # fmt: skip
                writer.writerow([f"{day:%d/%m/%Y}", *map(neutralise, words)])
        return text.getvalue().encode("utf-8-sig")


def _read(attachment):
    content = attachment.raw or b""
    attachment.invalidate_recordset(["raw", "datas"])
    return content


def _clean(name):
    """A file name that every system takes."""
    return re.sub(r"[^\w.()-]+", "-", name or "").strip("-.")[:120] or "file"
