"""Reading the outbox for the staff area: what waits, what was parked and why, who is to be called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.models.comments import Comment, Outbox


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One notice; it names the comment by its number and holds no address."""

    id: int
    kind: str
    receipt_no: str
    state: str
    attempts: int
    created_at: datetime
    due_at: datetime
    last_error: str


def in_state(session: Session, state: str, size: int = 100) -> tuple[OutboxRow, ...]:
    """Return notices in one state, the oldest first."""
    found = session.execute(
        select(
            Outbox.id, Outbox.kind, Comment.receipt_no, Outbox.state, Outbox.attempts, Outbox.created_at,
            Outbox.due_at, Outbox.last_error,
        )
        .outerjoin(Comment, Comment.id == Outbox.comment_id)
        .where(Outbox.state == state)
        .order_by(Outbox.due_at, Outbox.id)
        .limit(size)
    )  # fmt: skip
    return tuple(OutboxRow(row[0], row[1], row[2] or "", *row[3:]) for row in found)


def counts(session: Session) -> dict[str, int]:
    """Return how many notices are in each state."""
    found = session.execute(select(Outbox.state, func.count()).group_by(Outbox.state))
    return {row[0]: int(row[1]) for row in found}
