"""The list of supervised comments as a workbook (exports.md §6, 督办清单), recorded before it leaves (R-99)."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, local_day
from consult.domain.tables import Column, Kind, Row, Table
from moderation.domain.deadlines import working_days_left
from moderation.queries.supervision_cases import CaseRow
from moderation.services import audit
from moderation.services.audit import By

TITLE = "督办清单"
COLUMNS = (
    Column("受理编号", "receipt_no", width=16),
    Column("主办单位", "lead_unit", width=16),
    Column("触发原因", "cause", width=24),
    Column("到期日", "due_date", Kind.DAY, 12),
    Column("逾期工作日", "overdue_working_days", Kind.INTEGER, 12),
    Column("退回次数", "return_count", Kind.INTEGER, 10),
    Column("退改次数", "rejection_count", Kind.INTEGER, 10),
    Column("督办时间", "opened_at", Kind.MOMENT, 18),
    Column("书面说明", "answer", width=40),
    Column("办结时间", "closed_at", Kind.MOMENT, 18),
)


@dataclass(frozen=True)
class Made:
    """The file's bytes, its rows and its digest."""

    content: bytes
    rows: int
    sha256: str


def make(cases: Iterable[CaseRow], causes: dict[str, str], calendar: WorkCalendar, author: str, now: datetime) -> Made:
    """Write the workbook; `causes` are the words for each cause."""
    kept = tuple(cases)
    today = local_day(now)
    table = Table(TITLE, COLUMNS, _rows(kept, causes, calendar, today), len(kept))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        # Only who makes a file pays for the library: web processes never do.
        from consult.gateways.workbook import Book, write_xlsx

        rows = write_xlsx(path, Book(TITLE, author, now, (table,)))
        content = path.read_bytes()
    return Made(content, rows, hashlib.sha256(content).hexdigest())


def record(session: Session, by: By, made: Made, consultation: str, now: datetime) -> None:
    """Write down who exported what (R-99); the file itself is not kept."""
    detail = {"table": "supervision_list", "format": "xlsx", "rows": made.rows, "sha256": made.sha256}
    audit.record(session, by, "export", now, object_kind="export", detail={**detail, "consultation": consultation})


def _rows(cases: tuple[CaseRow, ...], causes: dict[str, str], calendar: WorkCalendar, today: date) -> Iterator[Row]:
    for one in cases:
        left = None if one.due_on is None else working_days_left(calendar, one.due_on, today)
        late = -left if one.closed_at is None and left is not None and left < 0 else 0
        words = causes.get(one.cause, one.cause)
        yield (
            one.receipt_no,
            one.unit,
            f"{words}：{one.reason}" if one.reason else words,
            one.due_on,
            late,
            one.return_count,
            one.rejection_count,
            one.opened_at,
            one.answer,
            one.closed_at,
        )
