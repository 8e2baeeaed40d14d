"""Replies that wait for sign-off, the earliest day first (R-81)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState
from consult.models.comments import Comment, Reply
from consult.models.plan import Unit
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached

OPENING = 90


@dataclass(frozen=True, slots=True)
class SignOffRow:
    """One reply that waits."""

    receipt_no: str
    version: int
    opening: str
    reply_opening: str
    outcome: str
    unit: str
    submitted_at: datetime | None
    due_on: date | None
    revision: int
    rejections: int


def rows(session: Session, viewer: Viewer, size: int = 200) -> tuple[SignOffRow, ...]:
    """Return what waits in the viewer's reach; one query."""
    found = session.execute(
        select(
            Comment.receipt_no,
            Comment.version,
            func.substr(Comment.body, 1, OPENING),
            func.substr(Reply.body, 1, OPENING),
            Reply.outcome,
            Unit.short_name,
            Reply.approved_at,
            Reply.sign_off_due_on,
            Reply.revision,
            Comment.rejection_count,
        )
        .join(Reply, Reply.comment_id == Comment.id)
        .join(Unit, Unit.id == Reply.lead_unit_id)
        .where(
            Comment.handling_state == CommentState.PENDING_SIGN_OFF.value,
            Reply.state == "pending_sign_off",
            reached(viewer.reach(Permission.SIGN_OFF)),
        )
        .order_by(Reply.approved_at, Comment.id)
        .limit(size)
    )
    return tuple(SignOffRow(*row) for row in found)
