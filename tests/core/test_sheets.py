"""What leaves for a spreadsheet is text there, whatever was typed."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.core.sheets import csv_file

FORMULA = tuple("=+-@\t\r\n\0")


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize("first", [*FORMULA, "＝", "＠", " =", "\u200b=", "\ufeff@"])  # noqa: RUF001
def test_a_cell_that_begins_like_a_formula_is_written_as_text(first: str) -> None:
    (header, row) = cells(csv_file(["name"], [[f"{first}HYPERLINK(0)"]]))
    assert header == ["name"]
    assert row[0].startswith("'")
    assert "\0" not in row[0]


def test_plain_text_numbers_and_nothing_stay_what_they_are() -> None:
    (row,) = cells(csv_file(["a", "b", "c", "d"], [["Ana, “the” one; two", -5, None, 1.5]]))[1:]
    assert row == ["Ana, “the” one; two", "-5", "", "1.5"]


def test_a_header_is_no_exception() -> None:
    assert cells(csv_file(["=1+1"], [])) == [["'=1+1"]]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=2)))
def test_no_text_starts_a_formula_or_breaks_out_of_its_cell(rows: list[list[str]]) -> None:
    data = csv_file(["a", "b"], rows)
    read = cells(data)[1:]
    assert [len(row) for row in read] == [2] * len(rows)
    for row, wrote in zip(read, rows, strict=True):
        for cell, typed in zip(row, wrote, strict=True):
            assert not cell.startswith(FORMULA)
            assert cell.removeprefix("'") == typed.replace("\0", "").removeprefix("'")
