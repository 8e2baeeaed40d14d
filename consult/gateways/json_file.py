"""Writing tables as one json document, item by item, so that memory does not grow with the rows (exports.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TextIO

from consult.domain.tables import Table, iso_text, json_value

SCHEMA_VERSION = 1


def write_json(
    path: Path,
    items: Table,
    also: Table | None,
    consultation: str,
    generated_at: datetime,
    filters: Mapping[str, object],
) -> int:
    """Write UTF-8 without BOM: the frame, `items`, and the co-unit rows as `co_items`; return all rows written.

    Texts stand as they are, empty cells are null, moments are ISO 8601 in Beijing time.

    Raises:
        ValueError: a table holds another number of rows than it said; the file is then not to be used.
    """
    frame = {
        "schema_version": SCHEMA_VERSION,
        "consultation": consultation,
        "generated_at": iso_text(generated_at),
        "filters": dict(filters),
        "count": items.count,
    }
    with path.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
        file.write(json.dumps(frame, ensure_ascii=False)[:-1])
        rows = _write_items(file, "items", items)
        if also is not None:
            file.write(f', "co_count": {also.count}')
            rows += _write_items(file, "co_items", also)
        file.write("}\n")
    return rows


def _write_items(file: TextIO, name: str, table: Table) -> int:
    keys = [column.key for column in table.columns]
    written = 0
    file.write(f', "{name}": [')
    for row in table.rows:
        item = {key: json_value(value) or (0 if value == 0 else None) for key, value in zip(keys, row, strict=True)}
        file.write((",\n" if written else "\n") + json.dumps(item, ensure_ascii=False))
        written += 1
    file.write("]")
    if written != table.count:
        raise ValueError(f"{name}: {written} rows instead of {table.count}")
    return written
