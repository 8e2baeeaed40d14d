"""Decisions on several comments that wait, run or have been made, for the person who made them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from moderation.models import PendingBulk
from moderation.permissions import Viewer

TOLD_FOR = timedelta(minutes=5)
"""How long the queue tells of a decision that was made."""


@dataclass(frozen=True)
class RowResult:
    """How one comment fared; `code` is empty when it was decided."""

    receipt_no: str
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class BulkShown:
    """One decision on several comments."""

    id: int
    action: str
    reason: str
    unit: str
    receipt_nos: tuple[str, ...]
    results: tuple[RowResult, ...]
    state: str
    asked_at: datetime
    takes_effect_at: datetime

    @property
    def refused(self) -> int:
        """How many rows were refused."""
        return sum(1 for one in self.results if one.code)


def recent(session: Session, viewer: Viewer, now: datetime, limit: int = 3) -> tuple[BulkShown, ...]:
    """Return what waits, runs or was made a moment ago, newest first."""
    rows = session.scalars(
        select(PendingBulk)
        .where(
            PendingBulk.staff_id == viewer.staff_id,
            PendingBulk.asked_at > now - timedelta(days=1),
            or_(PendingBulk.finished_at.is_(None), PendingBulk.finished_at > now - TOLD_FOR),
        )
        .order_by(PendingBulk.asked_at.desc(), PendingBulk.id.desc())
        .limit(limit)
    )
    return tuple(_shown(row) for row in rows)


def due(session: Session, now: datetime, staff_id: int | None = None) -> bool:
    """Tell whether something, of one person or of anybody, should have taken effect."""
    statement = select(PendingBulk.id).where(
        *(() if staff_id is None else (PendingBulk.staff_id == staff_id,)),
        PendingBulk.state.in_(("waiting", "running")),
        PendingBulk.takes_effect_at <= now,
    )
    return session.scalar(statement.limit(1)) is not None


def one(session: Session, viewer: Viewer, bulk_id: int) -> BulkShown:
    """Return one of the viewer's.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    row = session.scalar(select(PendingBulk).where(PendingBulk.id == bulk_id, PendingBulk.staff_id == viewer.staff_id))
    if row is None:
        raise NotFound(object="bulk")
    return _shown(row)


def _shown(row: PendingBulk) -> BulkShown:
    return BulkShown(
        row.id,
        row.action,
        row.reason_code,
        row.unit_code,
        tuple(str(number) for number, _seen in row.rows),
        tuple(RowResult(str(number), str(code), dict(params)) for number, code, params in row.results),
        row.state,
        row.asked_at,
        row.takes_effect_at,
    )
