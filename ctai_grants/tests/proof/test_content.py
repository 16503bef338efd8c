"""What strangers send: nothing is taken wrongly, and nothing but a refusal is raised."""

import io
import random
import zipfile
import zlib

import pikepdf

from odoo.tests import BaseCase

from ...lib.proof import office, picture
from ...lib.proof.refusal import CODES, Refused
from ...lib.proof.upload import ALLOWED, judge
from ...models.proof.grant_deliverable_refusal import SENTENCES
from ..files import (
    DOCX,
    ODS,
    ODT,
    OFFICE,
    PDF,
    XLSX,
    make_archive,
    make_opendocument,
    make_openxml,
    make_pdf,
    make_picture,
)

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
EXCEL = "application/vnd.ms-excel"
OTHER = "http://schemas.microsoft.com/office/2006/relationships"


def judged(name, content):
    """What becomes of a file: its type, or the code of its refusal."""
    try:
        return judge(name, content)
    except Refused as refused:
        return refused.code


def make_png_bomb(width, height):
    """A small PNG that says it is as large as that."""
    stream = bytearray(make_picture("PNG"))
    stream[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    stream[29:33] = zlib.crc32(stream[12:29]).to_bytes(4, "big")
    return bytes(stream)


def make_pdf_bomb(megabytes):
    """A PDF whose page is in a stream of objects that unpacks to ``megabytes``."""
    packer = zlib.compressobj(9)
    data = packer.compress(b"3 0 <</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>")
    data += b"".join(packer.compress(b" " * 2**20) for _megabyte in range(megabytes))
    data += packer.flush()
    out, places = b"%PDF-1.7\n", {}
    for number, body in (
        (1, b"<</Type/Catalog/Pages 2 0 R>>"),
        (2, b"<</Type/Pages/Count 1/Kids[3 0 R]>>"),
        (4, b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>\nstream\n" % len(data)
         + data + b"\nendstream"),
    ):  # fmt: skip
        places[number] = len(out)
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    rows = [(0, 0, 0), (1, places[1], 0), (1, places[2], 0), (2, 4, 0), (1, places[4], 0),
            (1, len(out), 0)]  # fmt: skip
    table = b"".join(
        bytes([kind]) + place.to_bytes(4, "big") + index.to_bytes(2, "big")
        for kind, place, index in rows
    )
    return (
        out + b"5 0 obj\n<</Type/XRef/Size 6/W[1 4 2]/Root 1 0 R/Length %d>>\nstream\n" % len(table)
        + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % len(out)
    )  # fmt: skip


GOOD = {
    "a.pdf": PDF,
    "b.PDF": b"\xef\xbb\xbf" + PDF,
    "c.pdf": b"\r\n " + PDF,
    "anyone may open it.pdf": make_pdf(protect=""),
    "turns to its page.pdf": make_pdf(opening=b"<</S/GoTo/D[3 0 R/Fit]>>"),
    "bilan.docx.pdf": PDF,
    "Bilan n° 2 v1.3 (définitif).pdf": PDF,
    "photo.jpg": make_picture(),
    "photo.jpeg": make_picture(turned=True),
    "photo.heic": make_picture("HEIC"),
    "with what telephones append.jpg": make_picture() + b"SEFT" * 9,
    "scan.png": make_picture("PNG"),
    "a.docx": make_openxml(DOCX),
    "with a link.docx": make_openxml(
        DOCX, relations=[(f"{OFFICE}/hyperlink", "https://example.org", True)]
    ),
    "with a chart.docx": make_openxml(
        DOCX, parts={"word/embeddings/Figures.xlsx": make_openxml(XLSX)}
    ),
    "a.xlsx": make_openxml(XLSX),
    "a.odt": make_opendocument(
        ODT, body='<text:p><text:a xlink:href="https://a.fr">a</text:a></text:p>'
    ),
    "a.ods": make_opendocument(ODS),
    "with a chart.ods": make_opendocument(
        ODS,
        parts={"Object 1/content.xml": "<a/>"},
        manifest='<manifest:file-entry manifest:full-path="Object 1/" '
        'manifest:media-type="application/vnd.oasis.opendocument.chart"/>',
    ),
    "a.csv": "public;nombre\r\nréfugiés;-12\r\n".encode("cp1252"),
    "b.csv": "\ufefftéléphone;+33 5 00 00 00 00\n".encode(),
}
ACTS = {
    "script": [
        make_pdf(opening=action)
        for action in (
            b"<</S/JavaScript/JS(app.alert\\(1\\))>>", b"<</S/#4aavaScript/#4aS(x)>>",
            b"<</S/Launch/F(calc.exe)>>", b"<</S/URI/URI(https://example.org)>>",
            b"<</S/GoTo/D[3 0 R/Fit]/Next<</S/JavaScript/JS(x)>>>>",
            b"<</S/SubmitForm/F(https://example.org)>>", b"<</S/ImportData/F(a.fdf)>>",
        )
    ] + [
        PDF.replace(b"/MediaBox", b"/AA<</O<</S/URI/URI(http://a.fr)>>>>/MediaBox", 1),
        PDF.replace(b"/MediaBox", b"/Annots[<</Subtype/RichMedia>>]/MediaBox", 1),
        PDF.replace(b"/MediaBox", b"/Annots[<</A<</S/JavaScript/JS 9 0 R>>>>]/MediaBox", 1),
    ],
    "attached": [
        PDF.replace(
            b"/Pages 2", b"/Names<</EmbeddedFiles<</Names[(a)<</EF<</F 9 0 R>>>>]>>>>/Pages 2", 1
        ),
        PDF.replace(b"/MediaBox", b"/Annots[<</Subtype/FileAttachment>>]/MediaBox", 1),
    ],
    "form": [PDF.replace(b"/Pages 2", b"/AcroForm<</XFA[]>>/Pages 2", 1)],
    "protected": [make_pdf(protect="secret")],
    "hidden": [
        PDF + make_archive({"a.txt": "x"}), PDF + b"<script>alert(1)</script>",
        PDF + b"MZ" + bytes(99),
        b"%PDF-1.4\n<html><script>alert(1)</script></html>\n" + PDF,
    ],
    "damaged": [
        PDF[:90], PDF[:-7], b"%PDF-1.7\n%%EOF",
        PDF.replace(b"/Count 1/Kids[3 0 R]", b"/Count 0/Kids[]"),
    ],
    "content": [b"%PDF-", b"GIF89a" + PDF, b"<html>" + PDF, b"\x00" * 99],
}  # fmt: skip
OPENXML = {
    "macros": [
        make_openxml(DOCX, "application/vnd.ms-word.document.macroEnabled.main+xml"),
        make_openxml(DOCX, types=[("/word/x.bin", "application/vnd.ms-office.vbaProject")]),
        make_openxml(DOCX, relations=[(f"{OTHER}/vbaProject", "image7.png", False)]),
        make_openxml(DOCX, parts={"word/vbaProject.bin": COMPOUND}),
        make_openxml(XLSX, types=[("/xl/a.xml", f"{EXCEL}.macrosheet+xml")]),
        make_openxml(XLSX, types=[("/xl/a.xml", f"{EXCEL}.intlmacrosheet+xml")]),
        make_openxml(XLSX, relations=[(f"{OTHER}/xlMacrosheet", "a.xml", False)]),
        make_openxml(XLSX, body='<w:definedName name="_xlnm.Auto_Open">A1</w:definedName>'),
        make_openxml(XLSX, body='<w:definedName name="x" xlm="1">A1</w:definedName>'),
        make_openxml(DOCX, parts={"word/embeddings/a.xlsx": make_openxml(
            XLSX, f"{EXCEL}.sheet.macroEnabled.main+xml")}),
    ],
    "active": [
        make_openxml(DOCX, parts={"word/media/image1.png": COMPOUND}),
        make_openxml(DOCX, parts={"word/media/image1.png": b"MZ" + bytes(99)}),
        make_openxml(DOCX, parts={"word/embeddings/a.zip": make_archive({"a": "b"})}),
        make_openxml(DOCX, types=[("/word/activeX1.xml", "application/vnd.ms-office.activeX+xml")]),
        make_openxml(DOCX, relations=[(f"{OFFICE}/oleObject", "a.bin", False)]),
        make_openxml(DOCX, relations=[(f"{OFFICE}/control", "a.xml", False)]),
        make_openxml(DOCX, relations=[(f"{OFFICE}/attachedTemplate", "https://a.fr/a.dotm", True)]),
        make_openxml(DOCX, relations=[(f"{OFFICE}/image", "file://a.fr/a.png", True)]),
        make_openxml(DOCX, relations=[(f"{OFFICE}/aFChunk", "a.html", False)]),
        make_openxml(DOCX, relations=[(f"{OFFICE}/hyperlink", "javascript:alert(1)", True)]),
        make_openxml(DOCX, body="<w:p><w:instrText>DDE</w:instrText>"
                     "<w:instrText>AUTO c:\\cmd</w:instrText></w:p>"),
        make_openxml(XLSX, relations=[(f"{OFFICE}/externalLink", "a.xml", False)]),
    ],
    "content": [
        make_archive({"a.txt": "x"}), make_archive({"[Content_Types].xml": "<a/>"}),
        make_openxml(DOCX, f"{XLSX}.main+xml"), make_opendocument(ODT), PDF, b"PK", COMPOUND,
    ],
    "protected": [COMPOUND + "EncryptedPackage".encode("utf-16-le")],
    "hidden": [
        make_archive({"a": "x"}) + make_openxml(DOCX),
        make_openxml(DOCX, parts={"../../a": "x"}), make_openxml(DOCX, parts={"word\\a": "x"}),
        make_openxml(DOCX, parts={"WORD/document.xml": "x"}),
        make_openxml(DOCX, parts={"word/a.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}),
    ],
}  # fmt: skip
OPENDOCUMENT = {
    "macros": [
        make_opendocument(ODT, parts={"Basic/Standard/Module1.xml": "<a/>"}),
        make_opendocument(ODT, parts={"Scripts/python/a.py": "x"}),
        make_opendocument(ODT, scripts="<office:script/>"),
        make_opendocument(ODT, scripts='<office:event-listeners><script:event-listener '
                          'script:event-name="dom:load"/></office:event-listeners>'),
        make_opendocument(ODT, body='<text:a xlink:href="vnd.sun.star.script:a">a</text:a>'),
    ],
    "active": [
        make_opendocument(ODT, parts={"Object 1": COMPOUND}),
        make_opendocument(ODT, manifest='<manifest:file-entry manifest:full-path="Object 1" '
                          'manifest:media-type="application/vnd.sun.star.oleobject"/>'),
        make_opendocument(ODT, body="<draw:object-ole/>"),
        make_opendocument(ODT, body="<draw:plugin/>"),
        make_opendocument(ODT, body="<draw:applet/>"),
        make_opendocument(ODT, body='<draw:image xlink:href="https://a.fr/a.png"/>'),
        make_opendocument(ODS, body="<table:dde-link/>"),
    ],
    "protected": [make_opendocument(ODT, manifest="<manifest:encryption-data/>")],
    "content": [make_openxml(DOCX), make_archive({"mimetype": "application/epub+zip"})],
}  # fmt: skip
NAMES = {
    "word": ["a.doc", "a.rtf", "a.docm", "a.odp"],
    "sheet": ["a.xls", "a.xlsm", "a.xlsb"],
    "picture": ["a.gif", "a.tiff", "a.svg"],
    "archive": ["a.zip", "a.rar"],
    "type": ["a.exe", "a", "", ".", "a.pdf.exe", "a.pdf.", "pdf", "a.mp4"],
    "double": ["a.exe.pdf", "a.html.pdf", "facture.JS.pdf", "a.php.jpg", "a.zip.docx"],
    "name": ["../a.pdf", "c:\\a.pdf", "a\x00.pdf", "a\n.pdf", "\u202efdp.pdf", "a/b.pdf"],
}


class TestContent(BaseCase):
    def assertJudged(self, expected, name, content):
        with self.subTest(expected=expected, name=name, content=content[:60]):
            self.assertEqual(judged(name, content), expected)

    def test_every_refusal_has_its_words(self):
        self.assertEqual(SENTENCES.keys(), CODES.keys())

    def test_good_ones(self):
        for name, content in GOOD.items():
            self.assertJudged(ALLOWED[name.lower().rpartition(".")[2]], name, content)

    def test_pdf(self):
        for code, files in ACTS.items():
            for content in files:
                self.assertJudged(code, "a.pdf", content)

    def test_office(self):
        for code, files in OPENXML.items():
            for content in files:
                is_sheet = b"xl/workbook.xml" in content[:4000] and b"word/" not in content
                self.assertJudged(code, "a.xlsx" if is_sheet else "a.docx", content)
        for code, files in OPENDOCUMENT.items():
            for content in files:
                self.assertJudged(
                    code, "a.ods" if b"spreadsheet" in content[:120] else "a.odt", content
                )

    def test_names(self):
        for code, names in NAMES.items():
            for name in names:
                self.assertJudged(code, name, PDF)
        for name in ("a" * 300 + ".pdf", "é" * 300 + ".PDF"):
            self.assertJudged("application/pdf", name, PDF)

    def test_pictures(self):
        for kind, name in (("JPEG", "a.jpg"), ("PNG", "a.png"), ("HEIC", "a.heic")):
            whole = make_picture(kind)
            self.assertJudged("damaged", name, whole[: len(whole) * 2 // 3])
            self.assertJudged("hidden", name, whole + make_archive({"a": "b"}))
        self.assertJudged("hidden", "a.jpg", make_picture() + b"<?php system(1) ?>")
        self.assertJudged("bomb", "a.png", make_png_bomb(60_000, 60_000))

    def test_text(self):
        self.assertJudged("active", "a.csv", b"a;b\n=cmd|' /C calc'!A0;1\n")
        self.assertJudged("hidden", "a.csv", b"a;b\n<script>alert(1)</script>\n")
        for content in (
            b"<html>",
            b"{\\rtf1",
            b"#!/bin/sh\n",
            b"a\x00b",
            b"\xff\xfe\x00",
            b"%PDF-1.7",
        ):
            self.assertJudged("content", "a.csv", content)

    def test_bombs(self):
        zeros = make_openxml(DOCX, parts={"word/a.xml": bytes(office.LARGEST_UNPACKED + 1)})
        self.assertJudged("bomb", "a.docx", zeros)
        # That says it is small.
        place = zeros.rindex(b"PK\x01\x02")
        lying = zeros[: place + 24] + (9).to_bytes(4, "little") + zeros[place + 28 :]
        self.assertIn(judged("a.docx", lying), ("damaged", "bomb"))
        many = {f"word/{number}": "" for number in range(office.MOST_PARTS + 1)}
        self.assertJudged("bomb", "a.docx", make_openxml(DOCX, parts=many))
        self.assertJudged("application/pdf", "a.pdf", make_pdf_bomb(1))
        self.assertJudged("damaged", "a.pdf", make_pdf_bomb(200))
        laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 20}">' for n in range(1, 20))
        text = f'<!DOCTYPE a [<!ENTITY a0 "ha">{laughs}]><a>&a19;</a>'
        self.assertIn(
            judged("a.docx", make_openxml(DOCX, parts={"word/a.xml": text})), ("hidden", "damaged")
        )

    def test_a_thousand_hostile_ones(self):
        """By a fixed seed: cut, altered, random, put together, under every name. What is taken is
        of the type that it says, and opens."""
        chance = random.Random(20211231)
        good = list(GOOD.values())
        # Those of the wrong content are good under their right name.
        bad = [
            content
            for files in (ACTS, OPENXML, OPENDOCUMENT)
            for code, some in files.items()
            for content in (some if code != "content" else ())
        ]
        endings = [*ALLOWED, "exe", "html", "doc", "zip", "js", ""]
        starts = (b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"PK\x03\x04",
                  bytes(3) + b"\x18ftypheic")  # fmt: skip

        def cut(content):
            return content[: chance.randrange(len(content))]

        def alter(content):
            altered = bytearray(content)
            for _time in range(chance.randrange(1, 20)):
                altered[chance.randrange(len(altered))] = chance.randrange(256)
            return bytes(altered)

        makers = (
            lambda: chance.randbytes(chance.randrange(3000)),
            lambda: chance.choice(starts) + chance.randbytes(chance.randrange(3000)),
            lambda: cut(chance.choice(good)),
            lambda: alter(chance.choice(good)),
            lambda: chance.choice(good) + chance.choice(good),
            lambda: chance.choice(bad),
            lambda: alter(chance.choice(bad)),
            lambda: b"<html><script>alert(1)</script></html>" * chance.randrange(9),
        )
        taken = 0
        for number in range(1000):
            content = makers[number % len(makers)]()
            name = "a" * chance.choice((1, 8, 300)) + "." + chance.choice(endings)
            result = judged(name, content)
            if result not in CODES:
                taken += 1
                self.assertTrue(self.is_what_it_says(result, content), (number, name, result))
                self.assertFalse(content in bad, (number, name, result))
        self.assertTrue(taken < 200, "few of these are as harmless as they were")

    def is_what_it_says(self, kind, content):
        """Read by another road than the one that judged."""
        if kind == "application/pdf":
            return b"%PDF-" in content[:80] and b"JavaScript" not in content
        if kind.startswith("image/"):
            return bool(picture.make_pdf([content]))
        if kind == "text/csv":
            return b"\x00" not in content and b"<script" not in content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.testzip() is None and not any("vba" in n for n in archive.namelist())

    def test_photos_in_one_pdf(self):
        photos = [
            make_picture(seed=1),
            make_picture(turned=True),
            make_picture("HEIC", turned=True),
        ]
        made = picture.make_pdf(photos)
        self.assertEqual(judged("a.pdf", made), "application/pdf")
        self.assertEqual(made, picture.make_pdf(photos), "the same photos, the same bytes")
        self.assertNotIn(b"Exif", made)
        with pikepdf.open(io.BytesIO(made)) as document:
            sizes = [[float(n) for n in page.mediabox[2:]] for page in document.pages]
        upright = [height > width for width, height in sizes]
        self.assertEqual(upright, [False, True, True])
