"""Sheets of workbooks whose texts are texts."""

from xlsxwriter.worksheet import Worksheet


def as_text(string):
    """A text that xlsxwriter writes as text: what is between ``<r>`` and ``</r>`` it would write as
    markup, unread, and the workbook would not open any more. A space before it keeps it text, also
    where a long one is cut behind a ``</r>``.

    >>> as_text("<r>&</r>"), as_text("<r> a"), as_text("a & b")
    (' <r>&</r>', '<r> a', 'a & b')
    """
    return f" {string}" if string.startswith("<r>") and "</r>" in string else string


class TextSheet(Worksheet):
    """``book.add_worksheet(name, TextSheet)``: for sheets that show what a person typed."""

    def _write_string(self, row, col, string, cell_format=None):
        return super()._write_string(row, col, as_text(string), cell_format)
