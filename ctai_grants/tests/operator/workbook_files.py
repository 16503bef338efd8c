"""The workbook of a report as other programs write it: Excel, by its manner; LibreOffice, where it
is there, by itself (else by the files in ``workbooks/``, which it has written)."""

import datetime
import io
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.sax.saxutils import escape

import openpyxl

from ...lib.operator.workbook import ACTUAL, COMMENT, HEAD_ROWS, Row, Words, make_workbook
from ..files import NS, OFFICE, XLSX, make_archive, make_openxml

MARK = "ctai-report;7;2"
WORDS = Words("Compte rendu", "Titre", "Aide", ("Poste", "Prévu", "Réalisé", "Commentaire"))
#: One cell to fill a kind, as :data:`FILLED` says.
ROWS = [
    Row("", "Charges"),
    *(Row(f"actual_{number}", f"Poste {number}", 100.0) for number in range(13)),
    Row("achieved", "Ce qui a été fait", is_text=True, longest=5000),
]
#: Values and formats that people type into the cells of amounts, then of comments.
FILLED = (
    (1234.5, None), (1234.5, '#,##0.00\\ "€"'), ("=1000/8", None), ("1 234,50 €", None),
    (None, None), (0.5, "0%"), (datetime.date(2022, 1, 31), "dd/mm/yyyy"), ("=1/0", None),
    ("beaucoup", None), (-5, None), (12.345, None), (10**12, None), (44592, "dd/mm/yyyy"),
)  # fmt: skip
COMMENTS = (2022, datetime.date(2022, 3, 1), "=1+1", 0.25, "Été « œuvre »\nà la ligne", "x" * 201)

SOFFICE = os.environ.get("CTAI_SOFFICE") or shutil.which("soffice") or ""


def make_ours():
    """Our workbook, as it is downloaded."""
    return make_workbook(MARK, WORDS, ROWS)


def make_filled():
    """It, with all of :data:`FILLED` and :data:`COMMENTS`: by openpyxl, formulas not calculated."""
    book = openpyxl.load_workbook(io.BytesIO(make_ours()))
    for number, (value, form) in enumerate(FILLED, HEAD_ROWS + 2):
        cell = book.active.cell(number, ACTUAL + 1)
        cell.value = value
        cell.number_format = form or cell.number_format
    for number, value in enumerate(COMMENTS, HEAD_ROWS + 2):
        book.active.cell(number, COMMENT + 1).value = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def has_libreoffice():
    """Whether LibreOffice can be started here."""
    return os.access(SOFFICE, os.X_OK)


def save_by_libreoffice(content, *formats):
    """A workbook opened and saved by LibreOffice: in one format, then in the next.

    >>> ods = save_by_libreoffice(make_filled(), "ods")  # doctest: +SKIP
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "report.xlsx")
        path.write_bytes(content)
        for number, kind in enumerate(formats):
            out = Path(folder, str(number))
            subprocess.run(  # noqa: S603 (a program of the machine, on a file of ours)
                [
                    SOFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless",
                    "--norestore", "--convert-to", kind, "--outdir", str(out), str(path),
                ],
                check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=240,
            )  # fmt: skip
            path = out / f"report.{kind}"
        return path.read_bytes()


# --- Excel --------------------------------------------------------------------------------------

_MAIN = f"{NS}/spreadsheetml/2006/main"
# By their place: plain, euros, per cent, a day.
_STYLES = f"""<styleSheet xmlns="{_MAIN}"><numFmts count="1">
<numFmt numFmtId="164" formatCode="#,##0.00\\ &quot;€&quot;"/></numFmts>
<fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills>
<borders count="1"><border/></borders>
<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0"/>
<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="9" applyNumberFormat="1"/>
<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>"""


def make_excel(amounts, comments=(), *, date1904=False, inline=False):
    """The workbook as Excel saves it: texts shared (one of them in runs of different looks), cells
    without value left out, formulas beside their last result.

    :param amounts: the XML of each cell of amounts without its reference (``s="2"><v>0.5</v>``),
        or None
    :param comments: texts
    """
    shared, rows = [], []

    def text(reference, value):
        if inline:
            body = f"<is><t>{escape(value)}</t></is>"
            return f'<c r="{reference}" t="inlineStr">{body}</c>'
        shared.append(value)
        return f'<c r="{reference}" t="s"><v>{len(shared) - 1}</v></c>'

    for number, cells in enumerate(openpyxl.load_workbook(io.BytesIO(make_ours())).active.rows):
        written = [
            text(cell.coordinate, cell.value) for cell in cells[:3] if isinstance(cell.value, str)
        ]
        written += [
            f'<c r="{cell.coordinate}" s="1"><v>{cell.value}</v></c>'
            for cell in cells[:3] if isinstance(cell.value, (int, float))
        ]  # fmt: skip
        place = number - HEAD_ROWS - 1
        if number < HEAD_ROWS:
            written += [
                text(cell.coordinate, cell.value) for cell in cells[3:] if cell.value is not None
            ]
        if 0 <= place < len(amounts) and amounts[place]:
            written.append(f'<c r="D{number + 1}" {amounts[place]}</c>')
        if 0 <= place < len(comments) and comments[place]:
            written.append(text(f"E{number + 1}", comments[place]))
        rows.append(f'<row r="{number + 1}" spans="1:5">{"".join(written)}</row>')
    return _pack_excel(rows, shared, date1904)


def _pack_excel(rows, shared, date1904):
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    half = len(MARK) // 2
    runs = f"<r><t>{MARK[:half]}</t></r><r><rPr><b/></rPr><t>{MARK[half:]}</t></r>"
    strings = "".join(
        f"<si>{runs if text == MARK else f'<t xml:space={chr(34)}preserve{chr(34)}>'}"
        f"{'' if text == MARK else escape(text) + '</t>'}</si>"
        for text in shared
    )
    return make_openxml(
        XLSX,
        types=[
            ("/xl/worksheets/sheet1.xml", f"{kind}.worksheet+xml"),
            ("/xl/styles.xml", f"{kind}.styles+xml"),
            ("/xl/sharedStrings.xml", f"{kind}.sharedStrings+xml"),
        ],
        relations=[
            (f"{OFFICE}/worksheet", "worksheets/sheet1.xml", False),
            (f"{OFFICE}/styles", "styles.xml", False),
            (f"{OFFICE}/sharedStrings", "sharedStrings.xml", False),
        ],
        parts={
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{OFFICE}">'
            f'<workbookPr date1904="{int(date1904)}"/><sheets>'
            '<sheet name="Compte rendu" sheetId="1" r:id="r0"/></sheets></workbook>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><dimension ref="A1:E20"/>'
            f"<sheetData>{''.join(rows)}</sheetData></worksheet>",
            "xl/styles.xml": _STYLES,
            "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
        },
    )


# --- LibreOffice --------------------------------------------------------------------------------

_ODS = """<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
 <table:table table:name="a">%s</table:table></office:spreadsheet></office:body>
 </office:document-content>"""


def make_ods(rows):
    """The smallest ODS that is one, of the XML of its rows; packed, as one that hides much."""
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return make_archive(
        {"mimetype": kind, "META-INF/manifest.xml": "<manifest/>", "content.xml": _ODS % rows}
    )
