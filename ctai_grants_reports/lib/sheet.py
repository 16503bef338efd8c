"""A worksheet of xlsxwriter's that takes long tables in few steps."""

import re
from collections.abc import Callable, Iterable, Sequence

from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name

from odoo.addons.ctai_grants.lib.guard.text_sheet import TextSheet, as_text

# Spaces at the ends, controls and what could be an escape or markup: xlsxwriter sees to these.
_SPECIAL = re.compile(r"^\s|\s$|[&<>\x00-\x1f\ufffe\uffff]|_x")


class Sheet(TextSheet):
    """Written in constant memory; a row is on disk when the next one begins."""

    def write_lines(
        self,
        row: int,
        columns: Sequence[tuple[int, Callable, Format]],
        lines: Iterable[Sequence],
    ) -> int:
        """Write rows without heights or formulas of their own; return the row after them.

        The same bytes as ``write_string`` and ``write_number`` make of each cell, in a third of
        the time: a ledger has a million of them.

        :param columns: index, what makes text or number of a value, format; in order
        :param lines: values by index; None and the empty text make no cell
        """
        if not columns:
            return row
        # Each of our rows goes out whole: what is before them first.
        self._write_single_row(row)
        first = row
        cells = [
            (index, f'<c r="{xl_col_to_name(index)}', f'" s="{style._get_xf_index()}"', convert)
            for index, convert, style in columns
        ]
        for values in lines:
            row += 1
            parts = [f'<row r="{row}">']
            for index, start, style, convert in cells:
                value = values[index]
                if value is None or value == "":
                    continue
                content = self._get_content(convert(value))
                parts.append(f"{start}{row}{style}{content}</c>")
            parts.append("</row>")
            self.row_data_fh.write("".join(parts))
        if row > first:
            for line in (first, row - 1):
                for index in (columns[0][0], columns[-1][0]):
                    self._check_dimensions(line, index)
        self.previous_row = row
        return row

    def _get_content(self, value: str | float) -> str:
        if not isinstance(value, str):
            return f"><v>{value:.16G}</v>"
        kept = ""
        if _SPECIAL.search(value):
            value = self._escape_control_characters(as_text(value))
            kept = ' xml:space="preserve"' if value.strip() != value else ""
            value = self._escape_data(value)
        return f' t="inlineStr"><is><t{kept}>{value}</t></is>'
