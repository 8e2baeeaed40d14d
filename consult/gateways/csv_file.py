"""Writing a table as csv that office programs open without garbling: UTF-8 with BOM, CRLF, every field quoted."""

from __future__ import annotations

import csv
from pathlib import Path

from consult.domain.tables import Table, csv_text


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
