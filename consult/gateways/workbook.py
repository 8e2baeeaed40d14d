"""The one door to spreadsheet files: typed cells, no formula, no link, memory that does not grow with the rows.

`xlsxwriter` makes the workbook around the rows. The rows themselves are written here, straight into the part of
the sheet the library keeps in a file anyway: its way of a cell costs five times as much, and it would take a text
between <r> and </r> for markup.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from consult.domain.calendar import BEIJING
from consult.domain.tables import Column, Kind, Row, Table, Value
from consult.domain.workbook_text import sheet_name, workbook_cell

MAX_ROWS = 1_048_575
"""Rows under the header that one sheet holds; a longer table goes on in another sheet."""

_EPOCH = datetime(1899, 12, 30, tzinfo=BEIJING)
_EPOCH_DAY = _EPOCH.date()
_DAY_SECONDS = 86_400
_A4 = 9
_NEEDS_CARE = re.compile("[&<>\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_FREE_LENGTH = 16_000


@dataclass(frozen=True)
class Book:
    """What a workbook holds: tables, a sheet of explanations (two columns of text), who made it and when."""

    title: str
    author: str
    created: datetime
    tables: Sequence[Table]
    explanations: Sequence[tuple[str, str]] = ()
    explanations_title: str = "说明"


def write_xlsx(path: Path, book: Book, scratch: Path | None = None) -> int:
    """Write a workbook to `path` and return the number of rows under all headers.

    Texts are typed as strings whatever they begin with (R-102), numbers as numbers, days and moments as real
    dates in Beijing time. The same tables and `created` give the same bytes. `scratch` is a folder for the rows
    on their way; it must be as private as `path`.

    Raises:
        ValueError: a moment is naive.
        OSError: the file cannot be written.
    """
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "tmpdir": str(scratch or path.parent),
    }
    workbook = xlsxwriter.Workbook(str(path), options)
    try:
        workbook.set_properties(
            {"title": book.title, "author": book.author, "created": book.created.astimezone(UTC).replace(tzinfo=None)}
        )
        formats = _Formats(workbook)
        names: set[str] = set()
        rows = sum(_write_table(workbook, formats, table, names) for table in book.tables)
        if book.explanations:
            _write_explanations(workbook, formats, book, names)
    except BaseException:
        # Closing writes what there is and removes the library's own temporary files.
        workbook.close()
        path.unlink(missing_ok=True)
        raise
    workbook.close()
    return rows


class _Formats:
    """The few cell formats of a workbook, made once."""

    def __init__(self, workbook: Any) -> None:
        plain = {"valign": "top", "text_wrap": True}
        self.head = workbook.add_format({"bold": True, "valign": "vcenter", "text_wrap": True, "bg_color": "#E8EDF3"})
        self.text = workbook.add_format({**plain, "num_format": "@"})
        self.number = workbook.add_format({"valign": "top", "num_format": "0"})
        self.moment = workbook.add_format({"valign": "top", "num_format": "yyyy-mm-dd hh:mm", "align": "left"})
        self.day = workbook.add_format({"valign": "top", "num_format": "yyyy-mm-dd", "align": "left"})

    def of(self, kind: Kind) -> Any:
        if kind is Kind.MOMENT:
            return self.moment
        if kind is Kind.DAY:
            return self.day
        return self.text if kind is Kind.TEXT else self.number


class _StreamedSheet(Worksheet):  # type: ignore[misc]
    """A sheet whose rows are given whole and go to the file at once."""

    def stream(self, first: int, cells: Sequence[_Cell], rows: Iterable[Row]) -> int:
        """Write rows from row number `first` (counted from 0) on; return the number of the row after them."""
        self._write_single_row(first)  # the header, which the library still holds
        number = first
        write = self.fh.write
        for row in rows:
            number += 1
            parts = [f'<row r="{number}">']
            for (column, make), value in zip(cells, row, strict=True):
                if value is not None and value != "":
                    parts.append(make(f"{column}{number}", value))
            parts.append("</row>")
            write("".join(parts))
        if number > first:
            self._check_dimensions(number - 1, len(cells) - 1)
            self.previous_row = number
        return number


_Cell = tuple[str, Callable[[str, Any], str]]


def _cells(columns: Sequence[Column], formats: _Formats) -> list[_Cell]:
    return [
        (xl_col_to_name(place), _maker(column.kind, formats.of(column.kind)._get_xf_index()))
        for place, column in enumerate(columns)
    ]


def _maker(kind: Kind, style: int) -> Callable[[str, Any], str]:
    if kind is Kind.MOMENT:
        return lambda place, value: f'<c r="{place}" s="{style}"><v>{_moment(value)}</v></c>'
    if kind is Kind.DAY:
        return lambda place, value: f'<c r="{place}" s="{style}"><v>{(value - _EPOCH_DAY).days}</v></c>'
    if kind is Kind.TEXT:
        return lambda place, value: (
            f'<c r="{place}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{_inline(value)}</t></is></c>'
        )
    return lambda place, value: f'<c r="{place}" s="{style}"><v>{int(value)}</v></c>'


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    local = value.astimezone(BEIJING)
    seconds = (local.hour * 60 + local.minute) * 60 + local.second
    return f"{(local.date() - _EPOCH_DAY).days + seconds / _DAY_SECONDS:.16g}"


def _inline(text: Value) -> str:
    """Return a text as it may stand in the sheet's XML: no forbidden character, at most what a cell holds."""
    words = str(text)
    if len(words) > _FREE_LENGTH:
        words = workbook_cell(words)
    if _NEEDS_CARE.search(words) is None:
        return words
    words = workbook_cell(words)
    # A literal _x000D_ would be read back as a control character.
    words = _ESCAPED.sub("_x005F_", words)
    words = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # An XML reader turns a bare carriage return into a line feed.
    return words.replace("\r", "_x000D_")


def _write_table(workbook: Any, formats: _Formats, table: Table, names: set[str]) -> int:
    """Write a table, in as many sheets as it needs; return its rows."""
    rows: Iterator[Row] = iter(table.rows)
    written = 0
    while True:
        sheet = _open_sheet(workbook, formats, table, names)
        cells = _cells(table.columns, formats)
        after: int = sheet.stream(1, cells, islice(rows, MAX_ROWS))
        sheet.autofilter(0, 0, max(after - 1, 0), len(table.columns) - 1)
        written += after - 1
        rest = next(rows, None)
        if rest is None:
            return written
        rows = chain((rest,), rows)


def _open_sheet(workbook: Any, formats: _Formats, table: Table, names: set[str]) -> Any:
    sheet = workbook.add_worksheet(_free_name(table.title, names), worksheet_class=_StreamedSheet)
    for place, column in enumerate(table.columns):
        sheet.set_column(place, place, column.width, formats.of(column.kind))
    sheet.freeze_panes(1, 0)
    _set_up_print(sheet)
    sheet.repeat_rows(0)
    for place, column in enumerate(table.columns):
        sheet.write_string(0, place, column.header, formats.head)
    return sheet


def _write_explanations(workbook: Any, formats: _Formats, book: Book, names: set[str]) -> None:
    sheet = workbook.add_worksheet(_free_name(book.explanations_title, names), worksheet_class=_StreamedSheet)
    sheet.set_column(0, 0, 18, formats.text)
    sheet.set_column(1, 1, 90, formats.text)
    _set_up_print(sheet)
    for place, words in enumerate(book.explanations[0]):
        sheet.write_string(0, place, words, formats.head)
    text = Column("", "", Kind.TEXT)
    sheet.stream(1, _cells((text, text), formats), book.explanations[1:])


def _set_up_print(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(_A4)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.set_footer("&C&P / &N")


def _free_name(title: str, names: set[str]) -> str:
    """Return a sheet name nobody has yet; programs compare them without case."""
    name = sheet_name(title)
    number = 1
    while name.casefold() in names:
        number += 1
        tail = f"（{number}）"
        name = sheet_name(title)[: 31 - len(tail)] + tail
    names.add(name.casefold())
    return name
