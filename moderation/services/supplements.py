"""Asking a submitter for more, once, and going on without it when nothing comes (T03, T05, R-71)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, local_day, supplement_due
from consult.domain.comment_states import Action, CommentState
from consult.models.comments import Comment, ContactDetails, Supplement
from consult.services import events, moves
from moderation.domain.decisions import check_ask_supplement
from moderation.permissions import Permission, Viewer
from moderation.services import notices
from moderation.services.scope import acting, expect, take


def ask(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    points: str,
    calendar: WorkCalendar,
    now: datetime,
) -> Comment:
    """Ask the submitter to add the listed points within five working days (T03).

    Raises:
        SupplementOnce: it was asked for before, or there is no e-mail address to ask at.
        ReasonRequired: no points are listed.
        CalendarPending: the last day lies in a year whose notice is not published (R-61).
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.REVIEW, receipt_no, seen_version)
    expect(comment, Action.ASK_SUPPLEMENT)
    has_email = session.scalar(select(ContactDetails.email).where(ContactDetails.comment_id == comment.id)) is not None
    check_ask_supplement(asked_before=comment.supplements_asked > 0, has_email=has_email, points=points)
    last_day = supplement_due(calendar, local_day(now))
    session.add(
        Supplement(
            comment_id=comment.id, points=points.strip(), asked_by=viewer.staff_id, asked_at=now, due_on=last_day
        )
    )
    comment.supplements_asked += 1
    comment.supplement_due_on = last_day
    moves.move(
        session,
        comment,
        Action.ASK_SUPPLEMENT,
        acting(viewer, Permission.REVIEW),
        now,
        detail={"due": last_day.isoformat()},
    )
    notices.to_submitter(session, comment, "ask_supplement", "1", now, {"due": last_day.isoformat()})
    return comment


def time_out(session: Session, now: datetime, limit: int = 100) -> int:
    """Take back into review what was not supplemented in time (T05); return how many. Safe to run twice or late."""
    late = session.scalars(
        select(Comment.receipt_no)
        .where(
            Comment.handling_state == CommentState.AWAITING_SUPPLEMENT.value,
            Comment.supplement_due_on < local_day(now),
        )
        .order_by(Comment.id)
        .limit(limit)
    ).all()
    for receipt_no in late:
        comment = moves.lock(session, receipt_no)
        if comment.handling_state == CommentState.AWAITING_SUPPLEMENT:
            moves.move(session, comment, Action.SUPPLEMENT_TIMEOUT, events.SYSTEM, now)
    return len(late)
