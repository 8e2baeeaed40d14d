"""What may be known of a comment sealed as a suspected state secret: when, where, who proposed it; never a word of it.

R-38: nobody opens it any more; the second person decides from this alone, having asked the secrecy office.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from moderation.models import StaffMember, TwoPersonDecision
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached


@dataclass(frozen=True)
class SealedComment:
    """A sealed comment that waits for its second person; `mine` tells that the viewer proposed it."""

    receipt_no: str
    version: int
    state: str
    consultation: str
    channel: str
    submitted_at: datetime
    reason: str
    proposed_by: str
    proposed_at: datetime
    mine: bool


def waiting(session: Session, viewer: Viewer, limit: int = 100) -> tuple[SealedComment, ...]:
    """Return what waits in the viewer's reach, oldest proposal first."""
    return _rows(session, viewer, None, limit)


def one(session: Session, viewer: Viewer, receipt_no: str) -> SealedComment:
    """Return one of them.

    Raises:
        NotFound: there is none of that number in the viewer's reach.
    """
    found = _rows(session, viewer, receipt_no, 1)
    if not found:
        raise NotFound(object="comment")
    return found[0]


def number(session: Session, viewer: Viewer) -> int:
    """Return how many wait in the viewer's reach."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(TwoPersonDecision)
            .join(Comment, Comment.id == TwoPersonDecision.comment_id)
            .where(
                TwoPersonDecision.state == "proposed",
                Comment.sealed.is_(True),
                reached(viewer.reach(Permission.WITHHOLD), sealed_too=True),
            )
        )
        or 0
    )


def _rows(session: Session, viewer: Viewer, receipt_no: str | None, limit: int) -> tuple[SealedComment, ...]:
    statement = (
        select(
            Comment.receipt_no,
            Comment.version,
            Comment.handling_state,
            Consultation.title,
            Comment.channel,
            Comment.submitted_at,
            TwoPersonDecision.reason_code,
            StaffMember.display_name,
            TwoPersonDecision.proposed_at,
            StaffMember.person_key,
        )
        .select_from(TwoPersonDecision)
        .join(Comment, Comment.id == TwoPersonDecision.comment_id)
        .join(Consultation, Consultation.id == Comment.consultation_id)
        .join(StaffMember, StaffMember.id == TwoPersonDecision.proposed_by)
        .where(
            TwoPersonDecision.state == "proposed",
            TwoPersonDecision.kind == "withhold",
            Comment.sealed.is_(True),
            reached(viewer.reach(Permission.WITHHOLD), sealed_too=True),
        )
        .order_by(TwoPersonDecision.proposed_at, TwoPersonDecision.id)
        .limit(limit)
    )
    if receipt_no is not None:
        statement = statement.where(Comment.receipt_no == receipt_no)
    return tuple(
        SealedComment(*row[:9], mine=row.person_key == viewer.person_key) for row in session.execute(statement)
    )
