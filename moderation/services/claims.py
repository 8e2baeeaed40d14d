"""Taking a comment to read it, so that two people do not read the same one; for a quarter of an hour at most.

A claim decides nothing and blocks no decision: the version does that (R-91). It is no event and changes neither the
version nor the time of a comment, so that nobody's page grows stale by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.comments import Comment
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import joined, reached

HELD_FOR = timedelta(minutes=15)
WHO = (Permission.REVIEW, Permission.ASSIGN)


def claim(session: Session, viewer: Viewer, receipt_no: str, now: datetime) -> bool:
    """Take a comment, or hold it longer; False when somebody else holds it.

    Raises:
        NotFound: it does not exist or lies outside the viewer's reach.
    """
    key = session.scalar(select(Comment.id).where(Comment.receipt_no == receipt_no, reached(joined(viewer, WHO))))
    if key is None:
        raise NotFound(object="comment")
    return _take(session, viewer, key, now)


def claim_first(session: Session, viewer: Viewer, candidates: Sequence[int], now: datetime) -> str:
    """Take the first of the comments, in their order, that nobody else holds; return its 编号, or an empty text.

    On PostgreSQL those which others are taking this very moment are skipped; on SQLite the writer is alone anyway.
    """
    for key in candidates:
        free = session.scalar(
            select(Comment.id)
            .where(Comment.id == key, is_free(viewer.staff_id, now))
            .with_for_update(skip_locked=True, of=Comment)
        )
        if free is not None and _take(session, viewer, key, now):
            return str(session.scalar(select(Comment.receipt_no).where(Comment.id == key)))
    return ""


def release(session: Session, viewer: Viewer, receipt_no: str) -> bool:
    """Give a comment back; False when the viewer does not hold it."""
    done = session.execute(
        update(Comment)
        .where(Comment.receipt_no == receipt_no, Comment.claimed_by == viewer.staff_id)
        .values(claimed_by=None, claimed_until=None, **_unchanged())
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def is_free(staff_id: int, now: datetime) -> ColumnElement[bool]:
    """Return the condition that nobody else holds a comment."""
    return or_(Comment.claimed_by.is_(None), Comment.claimed_by == staff_id, Comment.claimed_until <= now)


def _take(session: Session, viewer: Viewer, key: int, now: datetime) -> bool:
    done = session.execute(
        update(Comment)
        .where(Comment.id == key, is_free(viewer.staff_id, now))
        .values(claimed_by=viewer.staff_id, claimed_until=now + HELD_FOR, **_unchanged())
        .execution_options(synchronize_session=False)
    )
    return bool(done.rowcount == 1)  # type: ignore[attr-defined]


def _unchanged() -> dict[str, Any]:
    """Name the columns that stay as they are; a bulk update would otherwise be free to raise the version."""
    return {"version": Comment.version, "updated_at": Comment.updated_at}
