import io

import openpyxl

from odoo.tests import BaseCase

from ...lib.operator.table_files import make_xlsx
from ...lib.operator.workbook import COMMENT, HEAD_ROWS, Row, Words, make_workbook

# What xlsxwriter itself would write as it is.
MARKUP = "<r><t>x</t></r>"
BROKEN = "<r>& <"  # with its end: no XML at all
# Cut where a cell is full: behind an end.
LONG = "<r>&".ljust(32763, "x") + "</r> and more"


class TestTextSheet(BaseCase):
    """Names and comments between marks of xlsxwriter's own are text, and the workbook opens."""

    def get_text(self, content, row, column):
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        return sheet.cell(row + 1, column + 1).value.removeprefix(" ")

    def test_comment_of_a_report(self):
        for text in (MARKUP, f"{BROKEN}</r>"):
            rows = [Row("achieved", "Ce qui a été fait", text=text, is_text=True)]
            words = Words("Compte rendu", text, "Aide", ("Poste", "Prévu", "Réalisé", "Remarque"))
            content = make_workbook("ctai-report;7;2", words, rows)
            self.assertEqual(self.get_text(content, HEAD_ROWS, COMMENT), text)

    def test_cut(self):
        content = make_xlsx("Liste", ["A"], [[LONG]])
        self.assertTrue(LONG.startswith(self.get_text(content, 1, 0)))

    def test_list(self):
        for text in (MARKUP, f"{BROKEN}</r>"):
            content = make_xlsx("Liste", ["A", text], [["x", text]])
            self.assertEqual([self.get_text(content, row, 1) for row in (0, 1)], [text, text])
