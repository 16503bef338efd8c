"""Signed papers come back to their records by their codes, and stay."""

import io

import pypdfium2
from PIL import Image, ImageFilter

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from ...lib.documents import reference
from ...lib.documents.scan import read_codes
from .common import DocumentsCase


@tagged("post_install", "-at_install")
class TestSignedScans(DocumentsCase):
    def scan(self, content, turn=0, dots=2.1, kind="PDF", blur=0.6):
        """What a scanner makes of a paper: a picture, a little turned and unsharp."""
        page = pypdfium2.PdfDocument(content)[0]
        picture = page.render(scale=dots).to_pil().convert("L")
        picture = picture.rotate(turn, expand=True, fillcolor=255)
        picture = picture.filter(ImageFilter.GaussianBlur(blur))
        stream = io.BytesIO()
        picture.save(stream, kind)
        return stream.getvalue()

    def upload(self, *files, user=None, record=None):
        env = self.env(user=user or self.coordinator)
        attachments = env["ir.attachment"]
        for name, content in files:
            attachments |= attachments.create(
                {"name": name, "raw": content, "res_model": "grant.scan.upload", "res_id": 0}
            )
        about = {"res_model": record._name, "res_id": record.id} if record else {}
        upload = env["grant.scan.upload"].create({"file_ids": attachments.ids, **about})
        upload.action_read()
        return upload

    def get_scans(self, record):
        return self.env["grant.signed.scan"].search(
            [("res_model", "=", record._name), ("res_id", "=", record.id)]
        )

    def test_code_is_read(self):
        """Straight, turned, upside down, coarse, as picture: the same code."""
        content = self.render("convention", self.subsidy)
        text = self.env["grant.signed.scan"]._get_reference(self.subsidy, "convention")
        self.assertNotIn(str(self.operator.name), text)
        self.assertEqual(read_codes(content), [text])
        for turn, dots, kind in ((2, 2.1, "PDF"), (180, 2.1, "JPEG"), (90, 1.6, "PNG")):
            self.assertEqual(read_codes(self.scan(content, turn, dots, kind)), [text])
        self.assertIsNone(read_codes(b"%PDF-1.7 broken"))
        self.assertEqual(self.env["grant.signed.scan"]._find(text), ("convention", self.subsidy))

    def test_codes_of_others(self):
        """Nobody makes a code: one sign changed, or another database's, and it is none."""
        scans = self.env["grant.signed.scan"]
        text = scans._get_reference(self.subsidy, "convention")
        forged = reference.pack(1, self.subsidy.id, lambda _told: b"0123456789")
        for wrong in (
            forged,
            text[:-1] + ("A" if text[-1] != "A" else "B"),
            "",
            "CTAI",
            text + "A",
        ):
            self.assertIsNone(scans._find(wrong), wrong)
        self.assertEqual(scans._find(text.lower().replace("-", " "))[1], self.subsidy)

    def test_many_files(self):
        amendment = self.make_amendment()
        upload = self.upload(
            ("convention.pdf", self.scan(self.render("convention", self.subsidy))),
            ("avenant.jpg", self.scan(self.render("amendment", amendment), kind="JPEG")),
            ("autre.pdf", self.render_nothing()),
            ("casse.pdf", b"%PDF-1.7 broken"),
            ("note.csv", b"a;b"),
        )
        lines = {line.name: line for line in upload.line_ids}
        self.assertEqual(
            [lines[name].status for name in lines],
            ["matched", "matched", "unknown", "damaged", "damaged"],
        )
        self.assertEqual([lines[name].is_kept for name in lines], [True, True, False, False, False])
        upload.action_file()
        scan = self.get_scans(self.subsidy)
        self.assertEqual((scan.kind, scan.by_code), ("convention", True))
        self.assertEqual(self.get_scans(amendment).kind, "amendment")
        self.assertEqual(self.subsidy.with_user(self.reader).signed_scan_count, 1)
        file = scan.with_user(self.reader)._get_attachment()
        for change in (lambda: file.write({"raw": b"x"}), file.unlink, scan.unlink):
            with self.assertRaises(AccessError):
                change()
        self.assertFalse(self.env["grant.append.only.mixin"]._get_broken_lines())

    def test_file_exchanged(self):
        """The verifier sees a scan that was exchanged past the guards; one put beside it is not
        taken for it."""
        self.upload(("a.pdf", self.scan(self.render("convention", self.subsidy)))).action_file()
        scan = self.get_scans(self.subsidy)
        file = scan._get_attachment()
        self.env["ir.attachment"].create(
            {"name": "b.pdf", "raw": b"%PDF", "res_model": scan._name, "res_id": scan.id}
        )
        self.assertEqual(scan._get_attachment(), file)
        entries, envelopes = self.env["grant.entry"], self.subsidy.envelope_id
        self.assertFalse(entries._get_altered_files(envelopes))
        for query in (
            "UPDATE ir_attachment SET store_fname = NULL, db_datas = 'x' WHERE id = %s",
            "DELETE FROM ir_attachment WHERE id = %s",
        ):
            self.env.flush_all()
            self.cr.execute(query, [file.id])
            self.env.invalidate_all()
            (said,) = entries._get_altered_files(envelopes)
            self.assertIn("a.pdf", said)

    def render_nothing(self):
        stream = io.BytesIO()
        Image.new("L", (600, 800), 255).save(stream, "PDF")
        return stream.getvalue()

    def test_all_or_nothing(self):
        content = self.scan(self.render("convention", self.subsidy))
        self.upload(("a.pdf", content)).action_file()
        amendment = self.scan(self.render("amendment", self.make_amendment()))
        upload = self.upload(("b.pdf", amendment), ("a.pdf", content))
        with self.assertRefused("a.pdf", "already"), self.env.cr.savepoint():
            upload.action_file()
        self.assertEqual(len(self.env["grant.signed.scan"].search([])), 1)

    def test_brought_to_a_record(self):
        """One of another record is told; one without a code is filed where it was brought, if it
        is ticked."""
        other = self.make_subsidy(name="Autre")
        upload = self.upload(
            ("a.pdf", self.scan(self.render("convention", self.subsidy))),
            ("b.pdf", self.render_nothing()), record=other,
        )  # fmt: skip
        self.assertEqual(upload.line_ids.mapped("status"), ["other", "unknown"])
        self.assertEqual(upload.line_ids.mapped("is_kept"), [False, False])
        with self.assertRefused("Nothing is ticked"):
            upload.action_file()
        upload.line_ids.is_kept = True
        upload.action_file()
        self.assertFalse(self.get_scans(other).by_code)
        self.assertTrue(self.get_scans(self.subsidy).by_code)

    def test_who_may_not(self):
        content = self.render("convention", self.subsidy)
        for user in (self.reader, self.operator_user):
            with self.assertRaises(AccessError):
                self.upload(("a.pdf", content), user=user)
            with self.assertRaises(AccessError):
                self.env["grant.signed.scan"].with_user(user)._file(
                    self.subsidy.with_user(user), "convention", "a.pdf", content, True
                )
        for user in (self.coordinator, self.administrator):
            with self.assertRaises(AccessError):
                self.env["grant.signed.scan"].with_user(user).create({"name": "x"})

    def test_lines_are_not_believed(self):
        """A client that writes another record into a line files nothing."""
        upload = self.upload(("a.pdf", self.scan(self.render("convention", self.subsidy))))
        other = self.make_subsidy(name="Autre")
        upload.line_ids.sudo().res_id = other.id
        with self.assertRefused("cannot be filed"):
            upload.action_file()
        self.assertFalse(self.get_scans(other))
        with self.assertRaises(UserError):
            self.upload()
