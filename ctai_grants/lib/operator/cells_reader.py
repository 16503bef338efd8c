"""A program of its own (``cells.py`` runs it): reads a workbook from its standard input, and writes
what its cells are, as JSON. It imports nothing of the application."""

import io
import json
import sys
import zipfile
from xml.etree import ElementTree

#: What is read: sheets, rows, columns, characters of a cell and of all.
SHEETS, ROWS, COLUMNS, LONGEST, MOST = 20, 2000, 12, 6000, 5_000_000
DAMAGED, TOO_LARGE = 3, 4

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def read_values(content):
    import python_calamine

    with python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        visible = python_calamine.SheetVisibleEnum.Visible
        names = [about.name for about in book.sheets_metadata if about.visible == visible]
        for name in names[:SHEETS]:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=ROWS)
            yield name, [row[:COLUMNS] for row in rows]


def find_xlsx(content):
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    for sheet in book.worksheets[:SHEETS]:
        for row in sheet.iter_rows(max_row=ROWS, max_col=COLUMNS):
            for cell in row:
                if cell.value is not None:
                    place = sheet.title, cell.row - 1, cell.column - 1
                    if cell.data_type == "f":
                        yield place, "formula"
                    if "%" in (cell.number_format or ""):
                        yield place, "percent"


def get_kinds(node):
    if node.get(TABLE + "formula"):
        yield "formula"
    if node.get(OFFICE + "value-type") == "percentage":
        yield "percent"


def find_ods(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("content.xml") as part:
        sheet, row, column, rows = "", 0, 0, 1
        for event, node in ElementTree.iterparse(part, ("start", "end")):
            if event == "end" and node.tag == TABLE + "table-row":
                row, column = row + rows, 0
                node.clear()
            elif event == "end":
                continue
            elif node.tag == TABLE + "table":
                sheet, row, column = node.get(TABLE + "name"), 0, 0
            elif node.tag == TABLE + "table-row":
                rows = int(node.get(TABLE + "number-rows-repeated", 1))
            elif node.tag in (TABLE + "table-cell", TABLE + "covered-table-cell"):
                columns = int(node.get(TABLE + "number-columns-repeated", 1))
                for kind in get_kinds(node):
                    for y, x in get_places(row, rows, column, columns):
                        yield (sheet, y, x), kind
                column += columns


def get_places(row, rows, column, columns):
    lines = range(row, min(row + rows, ROWS))
    return [(y, x) for y in lines for x in range(column, min(column + columns, COLUMNS))]


def tell(cell, kinds):
    if isinstance(cell, str):
        # Of text, a percentage says nothing; of a formula, nothing is its result.
        return cell[:LONGEST] if cell or "formula" not in kinds else {"formula": None}
    if isinstance(cell, bool) or cell is None or not isinstance(cell, (int, float)):
        return cell if isinstance(cell, bool) or cell is None else {"date": str(cell)}
    return {"percent": cell} if "percent" in kinds else cell


def read(content):
    sheets = list(read_values(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        find = find_ods if "content.xml" in archive.namelist() else find_xlsx
    kinds = {}
    for place, kind in find(content):
        kinds.setdefault(place, set()).add(kind)
    return [
        [
            name,
            [
                [tell(cell, kinds.get((name, y, x), ())) for x, cell in enumerate(row)]
                for y, row in enumerate(rows)
            ],
        ]
        for name, rows in sheets
    ]


def main():
    try:
        found = json.dumps(read(sys.stdin.buffer.read()))
    except MemoryError:
        raise
    except BaseException:  # what the readers panic with is no Exception
        sys.exit(DAMAGED)
    if len(found) > MOST:
        sys.exit(TOO_LARGE)
    sys.stdout.write(found)


if __name__ == "__main__":
    main()
