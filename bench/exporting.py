"""One export in a process of its own, by the product or by xlsxwriter alone; prints CPU seconds and memory as JSON.

`python -m bench.exporting product URL FOLDER`, `… rows URL FILE`, `… alone FILE FOLDER`, `… streamed FILE FOLDER`.
"""

from __future__ import annotations

import json
import pickle
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bench import stores
from consult.db import Store
from consult.domain.tables import Kind
from consult.gateways.field_cipher import FieldCipher
from consult.models.consultations import Consultation
from consult.queries.calendars import work_calendar
from consult.services import jobs
from moderation.domain import handling_list as words
from moderation.domain.handling_list import Criteria
from moderation.permissions import Reach
from moderation.queries import exports as read
from moderation.services import exports

_KINDS_OF_TIME = {Kind.MOMENT: "yyyy-mm-dd hh:mm", Kind.DAY: "yyyy-mm-dd"}


def main(what: str, source: str, target: str) -> None:
    """Do one of the four and print what it cost."""
    if what == "rows":
        _dump(source, Path(target))
        return
    if what == "product":
        told = _measured(lambda: _product(source, Path(target)))
    else:
        rows: Iterable[tuple[Any, ...]] = _load(Path(source))
        if what == "alone":
            rows = list(rows)  # the limit is the writing of rows that are there already
        told = _measured(lambda: _alone(rows, Path(target)))
    print(json.dumps(told))


def _measured(work: Callable[[], int]) -> dict[str, float]:
    before = _reset_peak()
    began = time.process_time()
    rows = work()
    return {"rows": rows, "cpu": time.process_time() - began, "grown": _status("VmHWM") - before}


def _reset_peak() -> int:
    """Let the peak of resident memory begin now, and return what is resident now, in bytes."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def _criteria(store: Store) -> Criteria:
    with store.reading() as session:
        return Criteria(consultation_id=session.scalar(select(Consultation.id).where(Consultation.slug == stores.SLUG)))


def _product(url: str, files: Path) -> int:
    """Ask for the export as the command line does, and make it as the worker does."""
    store = Store(url)
    criteria = _criteria(store)
    with store.writing() as session:
        exports.open_operators_export(session, criteria, stores.NOW, stores.NOW)
    with store.writing() as session:
        held = jobs.claim(session, (exports.JOB_KIND,), stores.NOW)
    assert held is not None
    cipher = FieldCipher(list(stores.typed_settings(url).field_keys))
    made = exports.make(
        held, store.reading, store.writing, cipher, files, lambda: stores.NOW.astimezone(UTC), lambda _done, _all: None
    )
    store.dispose()
    assert made is not None
    return made.rows


def _dump(url: str, file: Path) -> None:
    store = Store(url)
    criteria, reach = _criteria(store), Reach(everything=True)
    with store.reading() as session, file.open("wb") as out:
        keys = read.lead_keys(session, reach, criteria, stores.NOW)
        for row in read.lead_rows(session, reach, keys, read.Reader(work_calendar(session), stores.NOW)):
            pickle.dump(tuple(row), out)
    store.dispose()


def _load(file: Path) -> Iterator[tuple[Any, ...]]:
    with file.open("rb") as source:
        while True:
            try:
                yield pickle.load(source)
            except EOFError:
                return


def _alone(rows: Iterable[tuple[Any, ...]], folder: Path) -> int:
    """Write the rows with the library's own calls and typed cells, in constant memory."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(str(folder / "alone.xlsx"), options)
    columns = words.columns_of(Criteria())
    formats = {kind: workbook.add_format({"num_format": told}) for kind, told in _KINDS_OF_TIME.items()}
    sheet = workbook.add_worksheet("alone")
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.header)
    written = 0
    for written, row in enumerate(rows, start=1):
        for place, (column, value) in enumerate(zip(columns, row, strict=True)):
            if value is None or value == "":
                continue
            if isinstance(value, datetime):
                sheet.write_datetime(written, place, value.replace(tzinfo=None), formats[column.kind])
            elif isinstance(value, date):
                sheet.write_datetime(written, place, value, formats[column.kind])
            elif isinstance(value, int):
                sheet.write_number(written, place, value)
            else:
                sheet.write_string(written, place, value)
    workbook.close()
    return written


if __name__ == "__main__":
    main(*sys.argv[1:])
