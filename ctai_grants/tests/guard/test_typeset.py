"""The engine of printed documents, and its doors: Print menu, mails, portal."""

import io
import json
import tempfile
import zipfile
from pathlib import Path
from unittest.mock import patch

from pypdf import PdfReader

from odoo.exceptions import AccessError, UserError
from odoo.http import Request
from odoo.tests import HttpCase, TransactionCase, tagged

from ...lib.guard import apart, typeset
from ..common import GrantsCommon

DATA = {"title": "Essai", "lang": "fr", "date": [2021, 10, 21], "city": "Ville"}
PAGE = '#import "/style.typ": *\n#show: page-style\n#letterhead()\n'


def read(content):
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


class TestTypeset(TransactionCase):
    def make(self, source, **data):
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder, "essai.typ")
            template.write_text(PAGE + source, encoding="utf-8")
            return typeset.make(template, {**DATA, **data})

    def test_text_is_text(self):
        hostile = '#panic("x") $x$ *gras* @ref <b> \\ `raw` #include "/main.typ"'
        text = read(self.make("#put(data.words)", words=hostile, title=hostile))
        self.assertIn('#panic("x")', text)
        self.assertIn("*gras*", text)

    def test_same_bytes(self):
        source = '#bar-chart(("A",), (("b", (1,)),), alt: "Un")'
        self.assertEqual(self.make(source), self.make(source))

    def test_nothing_of_the_disk(self):
        for path in ("/etc/passwd", "../../etc/passwd", str(Path(__file__))):
            with self.assertRaises(typeset.Unprintable):
                self.make(f'#read("{path}")')

    def test_time(self):
        with (
            patch.object(apart.subprocess, "run", side_effect=OSError),
            self.assertRaises(typeset.TooLong),
        ):
            self.make("x")
        with patch.object(typeset, "SECONDS", 1), self.assertRaises(typeset.TooLong):
            self.make("#for row in range(100000) { for cell in range(100000) {} }")

    def test_numbers_of_a_language(self):
        source = '#money(-1234567.5) #number(0.005) #money(999.999) #day("2021-12-31")'
        text = read(self.make(source)).replace("\u202f", " ").replace("\xa0", " ")
        self.assertIn("−1 234 567,50 €", text)
        self.assertIn("0,01 1 000,00 € 31/12/2021", text)
        self.assertIn("€1,234", read(self.make("#money(1234)", lang="en")))

    def test_a_word_without_an_end(self):
        """It breaks rather than leaves its cell, and what is copied is the word."""
        word = "39bf61e0f3bad59e" * 12
        source = '#table(columns: (3cm, 3cm), ..data.words.map(put))'
        (page,) = PdfReader(io.BytesIO(self.make(source, words=[word, "Fin"]))).pages
        lines = page.extract_text().split("\n")
        self.assertIn(word, "".join(lines))
        self.assertGreater(sum(line.strip() in word for line in lines if line.strip()), 6)

    def test_a_word_from_right_to_left(self):
        """Whole: in parts, these would go from left to right."""
        word = "עמותתהסיועלפליטיםולמבקשימקלט"
        self.assertEqual(self.count_parts(word), self.count_parts("Fin"))

    def count_parts(self, word):
        """Texts that a page with this word is drawn of."""
        drawn = []

        def note(operator, *_about):
            drawn.append(operator in (b"Tj", b"TJ"))

        (page,) = PdfReader(io.BytesIO(self.make("#put(data.word)", word=word))).pages
        page.extract_text(visitor_operand_before=note)
        return sum(drawn)

    def test_totals_are_never_alone(self):
        """Whatever the number of rows: the last of them is on the page of the totals."""
        source = '#list-table(("Nom", "Reste"), data.rows, totals: (("Total", "9"), ("Net", "1")))'
        for count in range(44, 54):
            rows = [[f"rang {number}", "1"] for number in range(count)]
            *_before, last = PdfReader(io.BytesIO(self.make(source, rows=rows))).pages
            text = last.extract_text()
            for expected in (f"rang {count - 1}", "Total", "Net", "Reste"):
                self.assertIn(expected, text, count)
        self.assertIn("Total", read(self.make(source, rows=[])))

    def test_a_long_text_with_the_totals(self):
        """Taller than a page, it goes on over the next ones."""
        long = " ".join(f"mot{number}" for number in range(600))
        table = '#list-table(("Nom", "Reste"), data.rows, columns: (3cm, 3cm), totals: data.totals)'
        rows, totals = [["a", "1"], [long, "1"]], [["Total", "9"]]
        pages = PdfReader(io.BytesIO(self.make(table, rows=rows, totals=totals))).pages
        heights = []

        def note(_text, place, own, *_font):
            heights.append(place[5] + own[5])

        for page in pages:
            page.extract_text(visitor_text=note)
        self.assertGreaterEqual(min(heights), 0)
        self.assertIn("mot599", pages[-1].extract_text())

    def test_headings_are_repeated(self):
        content = self.make(
            '#list-table(("Nom", "Montant"), data.rows, totals: (("Total", "9"),))',
            rows=[["x" * 300, str(number)] for number in range(60)],
        )
        pages = PdfReader(io.BytesIO(content)).pages
        self.assertGreater(len(pages), 1)
        for number, page in enumerate(pages, 1):
            self.assertIn("Montant", page.extract_text())
            self.assertIn(f"Page {number} sur {len(pages)}", page.extract_text())

    def test_signs(self):
        """What turns a text around is left out; what no font has is replaced."""
        with tempfile.TemporaryDirectory() as folder:
            template = Path(folder, "essai.typ")
            template.write_text(PAGE + "#data.words", encoding="utf-8")
            data = {**DATA, "words": "abc\u202efdp \ud800 \x07 \ue000"}
            text = read(typeset.make(template, data, note="remplacé"))
        self.assertIn("abcfdp", text)
        self.assertIn("□", text)
        self.assertIn("remplacé", text)

    def test_signs_that_stop_no_document(self):
        """Each of its signs has a font, together none; a space of another script; more kinds of
        signs than can be tried."""
        many = "".join(map(chr, range(0x4E00, 0x4E00 + 3000)))
        family = "\U0001f468\u200d\U0001f469"
        for words in ("1\ufe0f\u20e3 Ateliers 10\u202f€", "a\u1680b", family, many):
            with self.subTest(words=words[:5]):
                self.assertTrue(self.make("#data.words", words=words, title=words[:20]))
        kept = read(self.make("#data.words", words="1\ufe0f\u20e3 Ateliers 10 €"))
        self.assertIn("Ateliers 10 €", kept)


@tagged("post_install", "-at_install")
class TestPrintMenu(GrantsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.sign(cls.subsidy)
        cls.tranches = cls.make_tranche(cls.subsidy) | cls.make_tranche(cls.subsidy)
        for tranche in cls.tranches:
            cls.pay(tranche)
        cls.report = cls.env.ref("ctai_grants.report_payment_notice")
        for user in (cls.reader, cls.operator_user):
            user.password = user.login

    def render(self, records, user):
        reports = self.env["ir.actions.report"].with_user(user)
        return reports._render(self.report, records.ids)

    def download(self, user, records):
        self.authenticate(user.login, user.login)
        url = f"/report/typst/ctai_grants.payment_notice/{','.join(map(str, records.ids))}"
        data = {"data": json.dumps([url, "typst"]), "csrf_token": Request.csrf_token(self)}
        return self.url_open("/report/download", data=data)

    def test_one_and_several(self):
        content, kind = self.render(self.tranches[0], self.reader)
        self.assertEqual((content[:4], kind), (b"%PDF", "pdf"))
        self.assertEqual(PdfReader(io.BytesIO(content)).trailer["/Root"]["/Lang"], "en")
        content, kind = self.render(self.tranches, self.reader)
        self.assertEqual(kind, "zip")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            self.assertEqual(len(set(archive.namelist())), 2)
        self.assertEqual(content, self.render(self.tranches, self.reader)[0])
        doors = self.env["ir.actions.report"].with_user(self.reader)
        self.assertEqual(doors._render_qweb_pdf(self.report, self.tranches[0].ids)[1], "pdf")

    def test_who_may_not(self):
        with self.assertRaises(AccessError):
            self.render(self.tranches, self.operator_user)
        with self.assertRaises(UserError):
            self.render(self.tranches.browse(), self.reader)
        planned = self.make_tranche(self.subsidy)
        with self.assertRefused(planned.name):
            self.render(self.tranches | planned, self.reader)

    def test_download(self):
        answer = self.download(self.reader, self.tranches[0])
        self.assertEqual(answer.headers["Content-Type"], "application/pdf")
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        answer = self.download(self.reader, self.tranches)
        self.assertEqual(answer.headers["Content-Type"], "application/zip")
        planned = self.make_tranche(self.subsidy)
        answer = self.download(self.reader, planned)
        self.assertIn(planned.name, json.loads(answer.text)["data"]["message"])
        self.assertEqual(self.download(self.operator_user, self.tranches).status_code, 404)
        self.assertEqual(self.url_open("/report/typst/nothing/1").status_code, 404)

    def test_mail(self):
        """Attached to a mail by its template, as Odoo's own reports are."""
        template = self.env["mail.template"].create(
            {
                "name": "Avis",
                "model_id": self.env["ir.model"]._get_id("grant.disbursement"),
                "subject": "Avis",
                "report_template_ids": [(6, 0, self.report.ids)],
            }
        )
        values = template._generate_template(self.tranches[0].ids, ["report_template_ids"])
        ((name, content),) = values[self.tranches[0].id]["attachments"]
        self.assertTrue(name.endswith(".pdf"))
        self.assertTrue(content)
