"""Sheets of workbooks whose texts are texts."""

from xlsxwriter.worksheet import Worksheet


def as_text(string):
    """A text that xlsxwriter writes as text: what is between ``<r>`` and ``</r>`` it would write as
    markup, unread, and the workbook would not open any more. A space behind it keeps it text.

    >>> as_text("<r>&</r>"), as_text("a & b")
    ('<r>&</r> ', 'a & b')
    """
    return f"{string} " if string.startswith("<r>") and string.endswith("</r>") else string


class TextSheet(Worksheet):
    """``book.add_worksheet(name, TextSheet)``: for sheets that show what a person typed."""

    def _write_string(self, row, col, string, cell_format=None):
        return super()._write_string(row, col, as_text(string), cell_format)
