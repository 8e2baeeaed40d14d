"""The lead unit's clock: it stops while a reply is being signed off and then runs on (R-71)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, co_unit_due, local_day, paused_working_days
from consult.domain.errors import CalendarPending
from consult.models.comments import Assignment, ClockPause, CoAssignment, Comment


def pause(session: Session, assignment: Assignment, kind: str, now: datetime) -> None:
    """Stop the lead unit's clock (R-71)."""
    session.add(ClockPause(assignment_id=assignment.id, kind=kind, paused_at=now))


def resume(
    session: Session, comment: Comment, assignment: Assignment, kind: str, calendar: WorkCalendar, now: datetime
) -> None:
    """Let the lead unit's clock run on: the due day moves by the working days it stood still (R-71).

    A due day that cannot be told because a year's notice is missing stays as it is (R-61).
    """
    stopped = session.scalar(
        select(ClockPause).where(
            ClockPause.assignment_id == assignment.id, ClockPause.kind == kind, ClockPause.resumed_at.is_(None)
        )
    )
    if stopped is None:
        return
    stopped.resumed_at = now
    due = assignment.extended_due_on or assignment.reply_due_on
    if due is None:
        return
    try:
        days = paused_working_days(calendar, local_day(stopped.paused_at), local_day(now))
        moved = calendar.nth_working_day(due, days)
    except CalendarPending as missing:
        assignment.pending_year = missing.year
        return
    if assignment.extended_due_on is not None:
        assignment.extended_due_on = moved
    else:
        assignment.reply_due_on = moved
    comment.reply_due_on = moved
    move_co_units(session, assignment, calendar, moved)


def paused_days(session: Session, assignment: Assignment, calendar: WorkCalendar) -> int:
    """Return the working days the clock has stood still so far."""
    return sum(
        paused_working_days(calendar, local_day(one.paused_at), local_day(one.resumed_at))
        for one in session.scalars(select(ClockPause).where(ClockPause.assignment_id == assignment.id))
        if one.resumed_at is not None
    )


def move_co_units(session: Session, assignment: Assignment, calendar: WorkCalendar, due: date) -> None:
    """Co-units answer two working days before the lead's due day (R-74)."""
    for one in session.scalars(
        select(CoAssignment).where(CoAssignment.assignment_id == assignment.id, CoAssignment.feedback_at.is_(None))
    ):
        one.due_on = co_unit_due(calendar, due)


def running_pauses(session: Session, assignment: Assignment) -> list[ClockPause]:
    """Return the stretches that have not ended."""
    return list(
        session.scalars(
            select(ClockPause).where(ClockPause.assignment_id == assignment.id, ClockPause.resumed_at.is_(None))
        )
    )
