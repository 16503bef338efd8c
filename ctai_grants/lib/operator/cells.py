"""Cells of a workbook that an operator sends back (XLSX, ODS): their values, and what a value alone
does not say: that 0.5 is fifty per cent, that a formula was never calculated.

The file is a stranger's, and a small one can say a text a million times: it is read in a process
of its own, with little memory and little time, and no further than such a workbook reaches.
"""

import json
from pathlib import Path
from typing import NamedTuple

from ..accounting.spreadsheet import Refusal, Sheet
from ..guard.apart import Failed, run_apart
from .cells_reader import DAMAGED

#: Seconds of the processor, bytes of memory.
SECONDS, MEMORY = 10, 512 * 2**20
_READER = Path(__file__).with_name("cells_reader.py").read_text(encoding="utf-8")


class Marked(NamedTuple):
    """A cell that is more than its value: ``percent``, ``date`` (ISO 8601) or ``formula`` (one
    without a result)."""

    kind: str
    value: float | str | None


def read_cells(content: bytes) -> list[Sheet]:
    """The visible sheets of a workbook, no further than ``cells_reader`` says; dates,
    percentages and formulas without a result are :class:`Marked`.

    :raise Refusal: ``damaged``; ``too_large``: not within the limits of memory and time
    """
    try:
        found = run_apart(_READER, content, memory=MEMORY, seconds=SECONDS)
    except Failed as error:
        raise Refusal("damaged" if error.code == DAMAGED else "too_large") from error
    return [
        Sheet(name, [[_as_cell(cell) for cell in row] for row in rows])
        for name, rows in json.loads(found)
    ]


def _as_cell(told):
    return Marked(*next(iter(told.items()))) if isinstance(told, dict) else told
