"""Setting merged comments free again: one of them, or all when the one above them leaves (R-86, R-87)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Action, CommentState
from consult.models.comments import Comment
from consult.services import events, moves
from consult.services.events import Actor


def release(session: Session, comment: Comment, actor: Actor, reason: str, now: datetime) -> None:
    """Send one merged comment back to be routed (T28).

    Raises:
        IllegalTransition: it is not merged.
    """
    comment.merged_into_id = None
    moves.move(session, comment, Action.UNMERGE, actor, now, reason=reason.strip())


def release_members(session: Session, primary: Comment, why: str, now: datetime) -> int:
    """Send the members of a comment that leaves back to be routed (R-87); return how many."""
    members = session.scalars(
        select(Comment.receipt_no)
        .where(Comment.merged_into_id == primary.id, Comment.handling_state == CommentState.MERGED.value)
        .order_by(Comment.receipt_no)
    ).all()
    for number in members:
        release(session, moves.lock(session, number), events.SYSTEM, why, now)
    return len(members)
