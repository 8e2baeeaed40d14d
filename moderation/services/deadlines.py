"""What happens by itself when days pass: `consult deadlines run`, and the worker every few minutes.

T05, T12, T23, R-29, R-59, R-61, R-70 to R-74, R-81. Every step is a function (session, calendar, now, limit) -> how
many it did, to be called in a small transaction of its own until it does less than `limit`. Each may run twice, late,
or in two processes at once: it looks again under the comment's lock, and the store keeps one reminder a day and one
case a cause.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, select, update
from sqlalchemy.orm import Session

from consult.domain.calendar import (
    EXTENDED_DAYS,
    REPLY_DAYS,
    WorkCalendar,
    deadline_set_on,
    local_day,
    review_due,
    sign_off_due,
    start_of_day,
)
from consult.domain.comment_states import CommentState
from consult.domain.errors import CalendarPending, DomainError, StoreUnavailable
from consult.models.comments import Assignment, CoAssignment, Comment, Reply
from consult.queries.calendars import work_calendar
from consult.services import events, moves
from moderation.domain.deadlines import OVERDUE, SOON, TODAY, DayPlan, day_plan, waited_longer_than
from moderation.domain.supervision import HANDLED
from moderation.models import ExtensionRequest, Urge
from moderation.services import notices, replies, routing, supervision, supplements
from moderation.services.reminders import Reminder, remind
from moderation.services.reply_clock import move_co_units, paused_days

log = logging.getLogger("kaimen.deadlines")

Opener = Callable[[], AbstractContextManager[Session]]
Step = Callable[[Session, WorkCalendar, datetime, int], int]
BATCH = 25
"""Comments a transaction touches: few enough that nobody waits for it."""

_HANDLED = tuple(state.value for state in HANDLED)


@dataclass(frozen=True)
class Run:
    """What a run did: number by step; `failed` names the steps a rule or the store stopped."""

    done: dict[str, int]
    failed: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """How many comments were touched."""
        return sum(self.done.values())


def run(writing: Opener, now: datetime, batch: int = BATCH) -> Run:
    """Take every step until nothing is left to do; one step that fails does not stop the others.

    Raises:
        StoreUnavailable: the store is away; what is done stays done and the next run carries on.
    """
    done: dict[str, int] = {}
    failed: list[str] = []
    for name, step in STEPS:
        done[name] = 0
        try:
            done[name] = repeat(writing, step, now, batch)
        except StoreUnavailable:
            raise
        except DomainError as error:
            log.warning("step failed", extra={"step": name, "code": error.code})
            failed.append(name)
    return Run(done, tuple(failed))


def repeat(writing: Opener, step: Step, now: datetime, batch: int = BATCH) -> int:
    """Take one step again and again, a transaction each time, until less than a batch is left; return how many."""
    total = 0
    while True:
        with writing() as session:
            n = step(session, work_calendar(session), now, batch)
        total += n
        if n < batch:
            return total


# -- what ends or goes on by itself ----------------------------------------------------------------


def auto_receipts(session: Session, _calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Count as received what a unit did not sign for in a working day (T12, R-59)."""
    return routing.auto_receipts(session, now, limit)


def time_out_supplements(session: Session, _calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Take back into review what was not supplemented in five working days (T05, R-71)."""
    return supplements.time_out(session, now, limit)


def close_answered(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Close what was answered five working days ago without an objection (T23)."""
    return replies.close_answered(session, calendar, now, limit)


# -- due days that could not be told (R-61) --------------------------------------------------------


def recompute_pending(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Work out the due days of routings that waited for a year's notice; recorded, and the unit is told (R-61)."""
    known = [year for year in calendar.years if calendar.has(year)]
    waiting = session.execute(
        select(Comment.receipt_no, Assignment.id)
        .join(Comment, Comment.id == Assignment.comment_id)
        .where(Assignment.closed_at.is_(None), Assignment.pending_year.in_(known))
        .order_by(Comment.id)
        .limit(limit)
    ).all()
    for receipt_no, assignment_id in waiting:
        comment = moves.lock(session, receipt_no)
        assignment = session.get_one(Assignment, assignment_id)
        if assignment.closed_at is None and assignment.pending_year is not None:
            _recompute(session, comment, assignment, calendar, now)
    session.flush()
    return len(waiting)


def _recompute(
    session: Session, comment: Comment, assignment: Assignment, calendar: WorkCalendar, now: datetime
) -> None:
    start = local_day(assignment.assigned_at)
    days = deadline_set_on(calendar, start)
    before = comment.reply_due_on
    assignment.receipt_due_on, assignment.return_due_on = days.sign_receipt, days.return_by
    assignment.pending_year = days.pending_year
    try:
        paused = paused_days(session, assignment, calendar)
        assignment.reply_due_on = calendar.nth_working_day(start, REPLY_DAYS + paused)
        due = assignment.reply_due_on
        if assignment.extended_due_on is not None:
            due = assignment.extended_due_on = calendar.nth_working_day(start, _granted(session, assignment) + paused)
    except CalendarPending as missing:
        # Another year is missing too; this waits for that one.
        assignment.pending_year = missing.year
        return
    move_co_units(session, assignment, calendar, due)
    if due == before:
        return
    comment.reply_due_on = due
    comment.updated_at = now
    events.append(
        session,
        comment,
        "recompute_due",
        events.SYSTEM,
        now,
        detail={"number": assignment.number, "before": notices.day(before), "reply_due": due.isoformat()},
    )
    notices.to_unit(
        session, comment, assignment.lead_unit_id, "due_known", f"{assignment.number}-{due.isoformat()}", now,
        {"due": due.isoformat(), "return_by": notices.day(days.return_by)},
    )  # fmt: skip


def _granted(session: Session, assignment: Assignment) -> int:
    """Return to which working day from the routing the extension was granted (R-65)."""
    granted = session.scalar(
        select(ExtensionRequest.until_working_day).where(
            ExtensionRequest.assignment_id == assignment.id, ExtensionRequest.state == "approved"
        )
    )
    return granted or EXTENDED_DAYS


def recompute_others(session: Session, calendar: WorkCalendar, _now: datetime, limit: int) -> int:
    """Work out the days of review and of sign-off that waited for a year's notice (R-61).

    They are nobody's promise to the public, so they change without an event, and without disturbing whoever has the
    comment open.
    """
    done = 0
    reviews = session.execute(
        select(Comment.id, Comment.submitted_at)
        .where(Comment.handling_state == CommentState.PENDING_REVIEW.value, Comment.review_due_on.is_(None))
        .order_by(Comment.id)
        .limit(limit)
    ).all()
    for comment_id, submitted_at in reviews:
        day = _or_none(review_due, calendar, local_day(submitted_at))
        if day is not None:
            session.execute(
                update(Comment.__table__).where(Comment.__table__.c.id == comment_id).values(review_due_on=day)  # type: ignore[arg-type]
            )
            done += 1
    waiting = session.scalars(
        select(Reply)
        .where(Reply.state == "pending_sign_off", Reply.sign_off_due_on.is_(None), Reply.approved_at.is_not(None))
        .order_by(Reply.id)
        .limit(limit)
    )
    for reply in waiting:
        if reply.approved_at is not None:
            reply.sign_off_due_on = _or_none(sign_off_due, calendar, local_day(reply.approved_at))
            done += reply.sign_off_due_on is not None
    session.flush()
    return min(done, limit)


def _or_none(count: Callable[[WorkCalendar, date], date], calendar: WorkCalendar, day: date) -> date | None:
    try:
        return count(calendar, day)
    except CalendarPending:
        return None


# -- reminders -------------------------------------------------------------------------------------


def urge_leads(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Remind lead units: two working days before, on the day, each working day after (R-72)."""
    plan = _plan(calendar, now)
    if plan is None:
        return 0
    done = 0
    for kind, condition in _due(plan, Comment.reply_due_on):
        rows = session.execute(
            select(Comment.receipt_no, Assignment.id, Assignment.lead_unit_id)
            .join(Assignment, and_(Assignment.comment_id == Comment.id, Assignment.closed_at.is_(None)))
            .where(*_in_hand(), condition, ~_reminded(kind, plan.today, Assignment.lead_unit_id))
            .order_by(Comment.id)
            .limit(limit - done)
        ).all()
        for receipt_no, assignment_id, unit_id in rows:
            comment = moves.lock(session, receipt_no)
            if comment.handling_state not in _HANDLED or plan.kind(comment.reply_due_on) != kind:
                continue
            what = Reminder(kind, plan.today, unit_id=unit_id, assignment_id=assignment_id, due=comment.reply_due_on)
            done += remind(session, comment, what, calendar, now)
        if done >= limit:
            break
    return done


def urge_co_units(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Remind co-units of their own day, two working days before the lead's (R-74)."""
    plan = _plan(calendar, now)
    if plan is None:
        return 0
    done = 0
    for kind, condition in _due(plan, CoAssignment.due_on):
        named = f"co_{kind}"
        rows = session.execute(
            select(Comment.receipt_no, CoAssignment.id)
            .join(Assignment, and_(Assignment.comment_id == Comment.id, Assignment.closed_at.is_(None)))
            .join(CoAssignment, CoAssignment.assignment_id == Assignment.id)
            .where(
                *_in_hand(),
                CoAssignment.feedback_at.is_(None),
                condition,
                ~_reminded(named, plan.today, CoAssignment.unit_id),
            )
            .order_by(Comment.id, CoAssignment.id)
            .limit(limit - done)
        ).all()
        for receipt_no, co_id in rows:
            comment = moves.lock(session, receipt_no)
            asked = session.get_one(CoAssignment, co_id)
            if comment.handling_state not in _HANDLED or asked.feedback_at is not None:
                continue
            what = Reminder(
                named, plan.today, unit_id=asked.unit_id, assignment_id=asked.assignment_id, due=asked.due_on
            )
            done += remind(session, comment, what, calendar, now)
        if done >= limit:
            break
    return done


def urge_reviewers(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Remind reviewers of what has waited longer than two working days, once a working day (R-29)."""
    condition = and_(
        Comment.handling_state == CommentState.PENDING_REVIEW.value, Comment.review_due_on < local_day(now)
    )
    return _urge_role(session, calendar, now, limit, ("review", "reviewer"), condition)


def urge_assigners(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Remind assigners of what was not routed within a working day of acceptance, or of its return (issue 4)."""
    try:
        since = start_of_day(waited_longer_than(calendar, local_day(now), 1))
    except CalendarPending:
        return 0
    came_back = exists().where(Assignment.comment_id == Comment.id, Assignment.closed_at >= since)
    condition = and_(
        Comment.handling_state.in_((CommentState.ACCEPTED.value, CommentState.TO_ASSIGN.value)),
        Comment.accepted_at < since,
        ~came_back,
    )
    return _urge_role(session, calendar, now, limit, ("route", "assigner"), condition)


def urge_signers(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Remind signers of replies that have waited longer than two working days (R-81)."""
    late = exists().where(
        Reply.comment_id == Comment.id, Reply.state == "pending_sign_off", Reply.sign_off_due_on < local_day(now)
    )
    condition = and_(Comment.handling_state == CommentState.PENDING_SIGN_OFF.value, late)
    return _urge_role(session, calendar, now, limit, ("sign_off", "sign_off_officer"), condition)


def _urge_role(
    session: Session,
    calendar: WorkCalendar,
    now: datetime,
    limit: int,
    who: tuple[str, str],
    condition: ColumnElement[bool],
) -> int:
    kind, role = who
    plan = _plan(calendar, now)
    if plan is None or not plan.working:
        return 0
    waiting: Select[Any] = select(Comment.receipt_no).where(
        condition, Comment.sealed.is_(False), ~_reminded(kind, plan.today, None)
    )
    done = 0
    for receipt_no in session.scalars(waiting.order_by(Comment.id).limit(limit)).all():
        comment = moves.lock(session, receipt_no)
        if session.scalar(select(Comment.id).where(Comment.id == comment.id, condition)) is None:
            continue
        done += remind(session, comment, Reminder(kind, plan.today, role=role), calendar, now)
    return done


def _plan(calendar: WorkCalendar, now: datetime) -> DayPlan | None:
    """Return what is said today, or None while the notice of this year is missing: then nothing is counted (R-61)."""
    try:
        return day_plan(calendar, local_day(now))
    except CalendarPending:
        return None


def _due(plan: DayPlan, column: Any) -> list[tuple[str, ColumnElement[bool]]]:
    """Return each kind of reminder with the due days it is about today."""
    kinds: list[tuple[str, ColumnElement[bool]]] = [(TODAY, column == plan.today)]
    if plan.soon:
        kinds.append((SOON, column.in_(plan.soon)))
    if plan.working:
        kinds.append((OVERDUE, column < plan.today))
    return kinds


def _in_hand() -> tuple[ColumnElement[bool], ...]:
    return Comment.handling_state.in_(_HANDLED), Comment.sealed.is_(False)


def _reminded(kind: str, today: date, unit: Any) -> ColumnElement[bool]:
    of_unit = Urge.unit_id.is_(None) if unit is None else Urge.unit_id == unit
    return exists().where(Urge.comment_id == Comment.id, Urge.kind == kind, Urge.on_day == today, of_unit)


STEPS: tuple[tuple[str, Step], ...] = (
    ("auto_receipt", auto_receipts),
    ("supplement_timeout", time_out_supplements),
    ("close", close_answered),
    ("recompute_due", recompute_pending),
    ("recompute_other_days", recompute_others),
    ("urge_lead_units", urge_leads),
    ("urge_co_units", urge_co_units),
    ("urge_reviewers", urge_reviewers),
    ("urge_assigners", urge_assigners),
    ("urge_signers", urge_signers),
    ("close_supervision", supervision.close_settled),
    ("open_supervision", supervision.open_due),
)
"""Name and step, in order. None of them depends on another having run before."""
