"""Tables for spreadsheets: the one place where a CSV file is written.

A spreadsheet runs a cell that begins like a formula, whoever typed it. Such a cell is written with
an apostrophe before it, which spreadsheets show as plain text; numbers of ours stay numbers.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

Cell = str | int | float | None

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
# Also the wide forms that some spreadsheets read as the narrow ones.
_FORMULA: Final = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001 (the wide forms are meant)
_UNSEEN: Final = " \u00a0\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\ufeff"


def csv_file(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as UTF-8 with a byte order mark, every cell in quotes, every formula a text."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow([_inert(name) for name in header])
    for row in rows:
        writer.writerow([_inert(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig", "replace")


def _inert(cell: Cell) -> str | int | float:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return cell
    # What cannot be seen must not hide a formula behind it. A NUL ends the cell for some readers,
    # so that what follows would be the next one: none is written at all.
    seen = cell.lstrip(_UNSEEN)
    formula = cell[:1] in _FORMULA or seen[:1] in _FORMULA
    return ("'" if formula else "") + cell.replace("\0", "")
