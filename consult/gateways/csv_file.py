"""Writing a table as csv that office programs open without garbling: UTF-8 with BOM, CRLF, every field quoted."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from consult.domain.tables import Column, Row, Table, csv_text

_ROWS_AT_ONCE = 200


def write_csv(path: Path, table: Table) -> int:
    """Write one table to `path`, header first, and return the number of rows under it.

    Formulas are neutralised by an apostrophe, line breaks stay inside their quotes (R-102, exports.md).
    """
    kinds = [column.kind for column in table.columns]
    rows = 0
    with path.open("w", encoding="utf-8-sig", errors="replace", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        writer.writerow([column.header for column in table.columns])
        for row in table.rows:
            writer.writerow([csv_text(kind, value) for kind, value in zip(kinds, row, strict=True)])
            rows += 1
    return rows


def csv_stream(columns: Sequence[Column], rows: Iterable[Row]) -> Iterator[bytes]:
    """Yield the bytes of the same file piece by piece, rows as they come, for an answer that is not kept anywhere."""
    kinds = [column.kind for column in columns]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    text.write("\ufeff")
    writer.writerow([column.header for column in columns])
    for number, row in enumerate(rows, 1):
        writer.writerow([csv_text(kind, value) for kind, value in zip(kinds, row, strict=True)])
        if number % _ROWS_AT_ONCE == 0:
            yield text.getvalue().encode(errors="replace")
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode(errors="replace")
