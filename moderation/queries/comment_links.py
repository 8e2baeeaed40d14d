"""What hangs on a comment: what was added to it, what it was merged into, what was merged into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState
from consult.models.comments import Comment, Supplement
from moderation.models import StaffMember

MOST = 200
"""Members named on one page."""


@dataclass(frozen=True)
class SupplementShown:
    """What a reviewer asked for and what the submitter added; unasked when `points` is empty."""

    points: str
    asked_by: str
    asked_at: datetime | None
    due_on: date | None
    text: str
    given_at: datetime | None


@dataclass(frozen=True)
class Links:
    """The 编号 of the comment this one was merged into, or empty; and of those merged into it."""

    merged_into: str = ""
    members: tuple[str, ...] = ()


def supplements_of(session: Session, comment: Comment) -> tuple[SupplementShown, ...]:
    """Return everything asked for or added, oldest first."""
    rows = session.execute(
        select(Supplement, StaffMember.display_name)
        .outerjoin(StaffMember, StaffMember.id == Supplement.asked_by)
        .where(Supplement.comment_id == comment.id)
        .order_by(Supplement.id)
    )
    return tuple(
        SupplementShown(one.points, name or "", one.asked_at, one.due_on, one.text, one.given_at) for one, name in rows
    )


def links_of(session: Session, comment: Comment) -> Links:
    """Return what the comment is tied to."""
    primary = comment.merged_into_id
    into = session.scalar(select(Comment.receipt_no).where(Comment.id == primary)) if primary is not None else None
    members = session.scalars(
        select(Comment.receipt_no)
        .where(
            Comment.merged_into_id == comment.id,
            Comment.handling_state.in_(
                (CommentState.MERGED.value, CommentState.REPLIED.value, CommentState.CLOSED.value)
            ),
        )
        .order_by(Comment.submitted_at, Comment.id)
        .limit(MOST)
    )
    return Links(into or "", tuple(members))
