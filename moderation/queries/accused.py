"""Which units a comment accuses: it is never shown to them nor routed to them (R-42)."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import NonStateAction
from consult.models.comments import Comment, CommentEvent


def accused_units(session: Session, comment: Comment) -> frozenset[int]:
    """Return ids of the units a comment, or the one it was split from, accuses."""
    rows = session.scalars(
        select(CommentEvent.detail).where(
            or_(CommentEvent.comment_id == comment.id, CommentEvent.comment_id == (comment.split_from_id or 0)),
            CommentEvent.kind == NonStateAction.PROPOSE_WITHHOLD.value,
        )
    )
    return frozenset(unit for detail in rows for unit in detail.get("accused_units", ()))
