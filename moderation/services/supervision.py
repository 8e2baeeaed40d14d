"""Supervision: cases opened by a cause or by hand, the unit's answer, reminders by hand, reopening (R-72, R-73, T24).

A case belongs to a comment and a cause; the same cause opens no second one. It is settled once the comment has its
reply. Nothing here changes a comment's state but the reopening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, or_, select
from sqlalchemy.orm import Session

from consult.domain.calendar import (
    SUPERVISION_ANSWER_DAYS,
    WorkCalendar,
    deadline_set,
    due_date_or_none,
    local_day,
    start_of_day,
)
from consult.domain.comment_states import Action, CommentState, NonStateAction
from consult.domain.errors import CalendarPending, NotAllowed, NotFound, Refused, UnitWithoutOfficer
from consult.models.comments import Appeal, Assignment, CoAssignment, Comment, Reply
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from consult.services import events, moves
from consult.services.events import Actor
from moderation.domain import supervision as rules
from moderation.domain.deadlines import cumulative_limit, day_plan
from moderation.domain.decisions import check_written
from moderation.domain.routing import RETURNS_BEFORE_DESIGNATION, SupervisionTrigger
from moderation.domain.supervision import HANDLED, SUPERVISED_STATES, Facts
from moderation.models import RefusedReply, Supervision
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached
from moderation.services import notices
from moderation.services.reminders import BY_HAND, Reminder, note_quietly, remind
from moderation.services.routing import active_officers, open_assignment
from moderation.services.scope import acting, expect, take

REOPENED = "reopened"
_REJECTIONS = 2
_UPHELD = "upheld"
_AT_ONCE = 200
_STATES = tuple(state.value for state in SUPERVISED_STATES)
_SETTLED = tuple(
    state.value for state in (CommentState.REPLIED, CommentState.CLOSED, CommentState.MERGED, CommentState.WITHDRAWN)
)
_IN_HAND = tuple(state.value for state in HANDLED)


@dataclass(frozen=True)
class Cause:
    """Why a case is opened, and which occasion of that cause it is; `of_unit` is False when no unit is at fault."""

    name: str
    occasion: str = ""
    reason: str = ""
    of_unit: bool = True


# -- cases -----------------------------------------------------------------------------------------


def open_case(
    session: Session, comment: Comment, cause: Cause, calendar: WorkCalendar, now: datetime, actor: Actor
) -> bool:
    """Open a case once per cause and occasion; False when there is one. The comment is locked by the caller.

    The lead unit in force owes a written answer in two working days (R-73); without one nobody does.
    """
    there = session.scalar(
        select(Supervision.id).where(
            Supervision.comment_id == comment.id,
            Supervision.cause == cause.name,
            Supervision.occasion == cause.occasion,
        )
    )
    if there is not None:
        return False
    assignment = _in_force(session, comment) if cause.of_unit else None
    due = due_date_or_none(calendar, local_day(now), SUPERVISION_ANSWER_DAYS) if assignment is not None else None
    case = Supervision(
        comment_id=comment.id,
        assignment_id=None if assignment is None else assignment.id,
        unit_id=None if assignment is None else assignment.lead_unit_id,
        cause=cause.name,
        occasion=cause.occasion,
        reason=cause.reason,
        opened_by=actor.id,
        opened_at=now,
        answer_due_on=due,
    )
    session.add(case)
    session.flush()
    told = {"cause": cause.name, "unit": case.unit_id, "answer_due": notices.day(due), "case": case.id}
    note_quietly(session, comment, NonStateAction.SUPERVISE, actor, now, told)
    if case.unit_id is not None:
        params = {"trigger": cause.name, "due": notices.day(due), "case": case.id}
        notices.to_unit(session, comment, case.unit_id, "supervise", str(case.id), now, params)
    session.flush()
    return True


def open_due(session: Session, calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Open a case for every cause of R-73 that has none yet; return how many. Safe to run twice or late."""
    done = 0
    for cause, condition in _candidates(calendar, now):
        rows = session.execute(
            select(Comment.receipt_no)
            .outerjoin(Assignment, and_(Assignment.comment_id == Comment.id, Assignment.closed_at.is_(None)))
            .where(condition, Comment.sealed.is_(False))
            .order_by(Comment.id)
            .limit(limit - done)
        ).all()
        for (receipt_no,) in rows:
            comment = moves.lock(session, receipt_no)
            if cause in rules.causes(_facts(session, comment, cause), calendar, local_day(now)):
                done += open_case(session, comment, _cause(session, comment, cause), calendar, now, events.SYSTEM)
        if done >= limit:
            break
    return done


def close_settled(session: Session, _calendar: WorkCalendar, now: datetime, limit: int) -> int:
    """Settle the cases of comments that owe nothing any more; return how many."""
    rows = session.execute(
        select(Supervision, Comment.replied_at)
        .join(Comment, Comment.id == Supervision.comment_id)
        .where(Supervision.closed_at.is_(None), Comment.handling_state.in_(_SETTLED))
        .order_by(Supervision.id)
        .limit(limit)
    ).all()
    for case, replied_at in rows:
        case.closed_at = replied_at if replied_at is not None and replied_at > case.opened_at else now
    session.flush()
    return len(rows)


def _candidates(calendar: WorkCalendar, now: datetime) -> Sequence[tuple[SupervisionTrigger, ColumnElement[bool]]]:
    """Return each cause with the comments that may have it; the rules are asked again for every one of them."""
    today = local_day(now)
    owed = Comment.handling_state.in_(_STATES)
    found: list[tuple[SupervisionTrigger, ColumnElement[bool]]] = [
        (
            SupervisionTrigger.RETURNED_TWICE,
            and_(owed, Comment.return_count >= RETURNS_BEFORE_DESIGNATION, ~_has(SupervisionTrigger.RETURNED_TWICE)),
        ),
        (
            SupervisionTrigger.REJECTED_TWICE,
            and_(owed, Comment.rejection_count >= _REJECTIONS, ~_has(SupervisionTrigger.REJECTED_TWICE)),
        ),
        (SupervisionTrigger.APPEAL_UPHELD, _appealed()),
    ]
    try:
        late_before = day_plan(calendar, today).late_before
    except CalendarPending:
        return found
    overdue = and_(
        Comment.handling_state.in_(_IN_HAND),
        Comment.reply_due_on < late_before,
        ~_has(SupervisionTrigger.OVERDUE, Supervision.assignment_id == Assignment.id),
    )
    found.append((SupervisionTrigger.OVERDUE, overdue))
    try:
        limit = start_of_day(cumulative_limit(calendar, today))
    except CalendarPending:
        return found
    reopened_since = (
        exists().where(
            Assignment.comment_id == Comment.id, Assignment.closed_why == REOPENED, Assignment.closed_at >= limit
        )
    ).correlate(Comment)
    reopenings = (
        select(func.count())
        .select_from(Assignment)
        .where(Assignment.comment_id == Comment.id, Assignment.closed_why == REOPENED)
        .correlate(Comment)
        .scalar_subquery()
    )
    this_time = _has(SupervisionTrigger.CUMULATIVE, Supervision.occasion == cast(reopenings, String))
    long = and_(owed, Comment.accepted_at < limit, ~reopened_since, ~this_time)
    found.append((SupervisionTrigger.CUMULATIVE, long))
    return found


def _has(cause: SupervisionTrigger, more: ColumnElement[bool] | None = None) -> ColumnElement[bool]:
    conditions = [Supervision.comment_id == Comment.id, Supervision.cause == cause.value]
    return exists().where(*conditions, *([] if more is None else [more]))


def _appealed() -> ColumnElement[bool]:
    """Comments whose newest upheld objection has no case yet (R-37, T23, T35)."""
    newest = (
        select(func.max(Appeal.id))
        .where(Appeal.comment_id == Comment.id, Appeal.state == _UPHELD)
        .correlate(Comment)
        .scalar_subquery()
    )
    upheld = Comment.id.in_(select(Appeal.comment_id).where(Appeal.state == _UPHELD))
    return and_(upheld, ~_has(SupervisionTrigger.APPEAL_UPHELD, Supervision.occasion == cast(newest, String)))


def _facts(session: Session, comment: Comment, cause: SupervisionTrigger) -> Facts:
    last = session.scalar(
        select(func.max(Assignment.closed_at)).where(
            Assignment.comment_id == comment.id, Assignment.closed_why == REOPENED
        )
    )
    since = last or comment.accepted_at
    return Facts(
        CommentState(comment.handling_state),
        comment.reply_due_on,
        comment.return_count,
        comment.rejection_count,
        None if since is None else local_day(since),
        appeal_upheld=cause is SupervisionTrigger.APPEAL_UPHELD,
    )


def _cause(session: Session, comment: Comment, cause: SupervisionTrigger) -> Cause:
    if cause is SupervisionTrigger.OVERDUE:
        assignment = _in_force(session, comment)
        return Cause(cause.value, "" if assignment is None else str(assignment.number))
    if cause is SupervisionTrigger.CUMULATIVE:
        before = select(func.count()).where(Assignment.comment_id == comment.id, Assignment.closed_why == REOPENED)
        return Cause(cause.value, str(session.scalar(before) or 0))
    if cause is SupervisionTrigger.APPEAL_UPHELD:
        upheld = select(Appeal).where(Appeal.comment_id == comment.id, Appeal.state == _UPHELD)
        newest = session.scalars(upheld.order_by(Appeal.id.desc()).limit(1)).one()
        # What was withheld or not accepted was decided by reviewers and signers, not by the unit.
        return Cause(cause.value, str(newest.id), of_unit=newest.kind == "reply")
    return Cause(cause.value)


def _in_force(session: Session, comment: Comment) -> Assignment | None:
    return session.scalar(select(Assignment).where(Assignment.comment_id == comment.id, Assignment.closed_at.is_(None)))


# -- by hand ---------------------------------------------------------------------------------------


def urge(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, calendar: WorkCalendar, now: datetime
) -> Comment:
    """Urge by hand whoever the comment waits for (R-72): the lead unit, or reviewers, assigners, signers.

    Raises:
        IllegalTransition: nobody owes anything.
        Refused: `urged_today`, once a day by hand is enough.
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.URGE, receipt_no, seen_version)
    if not _urge_taken(session, viewer, comment, calendar, now):
        raise Refused("urged_today")
    return comment


def _urge_taken(session: Session, viewer: Viewer, comment: Comment, calendar: WorkCalendar, now: datetime) -> bool:
    turn = rules.check_may_urge(CommentState(comment.handling_state))
    what = Reminder(BY_HAND, local_day(now), role=turn)
    if turn == "unit":
        assignment = _in_force(session, comment)
        if assignment is None:
            raise NotFound(object="assignment")
        what = Reminder(
            BY_HAND,
            local_day(now),
            unit_id=assignment.lead_unit_id,
            assignment_id=assignment.id,
            due=comment.reply_due_on,
        )
    return remind(session, comment, what, calendar, now, acting(viewer, Permission.URGE))


def urge_unit(
    session: Session,
    viewer: Viewer,
    unit_code: str,
    calendar: WorkCalendar,
    now: datetime,
    consultation: str = "",
) -> int:
    """Urge a unit about everything of it that is overdue, as far as the viewer reaches; return how many are new.

    Raises:
        NotAllowed: the viewer urges nobody.
        NotFound: no such unit.
    """
    if not viewer.may(Permission.URGE):
        raise NotAllowed(permission=Permission.URGE.value)
    unit_id = session.scalar(select(Unit.id).where(Unit.code == unit_code))
    if unit_id is None:
        raise NotFound(object="unit")
    conditions = [
        reached(viewer.reach(Permission.URGE)),
        Comment.lead_unit_id == unit_id,
        Comment.handling_state.in_(_IN_HAND),
        Comment.reply_due_on < local_day(now),
    ]
    if consultation:
        slug = select(Consultation.id).where(Consultation.slug == consultation).scalar_subquery()
        conditions.append(Comment.consultation_id == slug)
    late = session.scalars(select(Comment.receipt_no).where(*conditions).order_by(Comment.id).limit(_AT_ONCE)).all()
    done = 0
    for receipt_no in late:
        comment = moves.lock(session, receipt_no)
        if comment.handling_state in _IN_HAND and comment.lead_unit_id == unit_id:
            done += _urge_taken(session, viewer, comment, calendar, now)
    return done


def supervise(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    reason: str,
    calendar: WorkCalendar,
    now: datetime,
) -> Comment:
    """Put a comment under supervision by hand (R-73).

    Raises:
        ReasonRequired: no reason written.
        IllegalTransition: nothing is owed any more.
        Refused: `supervision_open`, there is an open case opened by hand.
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.DESIGNATE, receipt_no, seen_version)
    before = session.execute(
        select(Supervision.closed_at).where(Supervision.comment_id == comment.id, Supervision.cause == rules.BY_HAND)
    ).all()
    rules.check_may_supervise(
        CommentState(comment.handling_state), open_already=any(closed_at is None for (closed_at,) in before)
    )
    cause = Cause(rules.BY_HAND, str(len(before) + 1), check_written(reason))
    open_case(session, comment, cause, calendar, now, acting(viewer, Permission.DESIGNATE))
    return comment


def answer(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    case_id: int,
    text: str,
    promised: date | None,
    now: datetime,
) -> Supervision:
    """Record the unit leader's written explanation and the day they promise (R-73); late is better than never.

    Raises:
        NotFound: no such case of this comment at the viewer's unit.
        Refused: `supervision_answered`, `supervision_closed`.
        FieldErrors: no explanation, no day, or a day that is over.
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.SUBMIT_REPLY, receipt_no)
    case = session.scalar(
        select(Supervision).where(
            Supervision.id == case_id, Supervision.comment_id == comment.id, Supervision.unit_id == viewer.unit_id
        )
    )
    if case is None:
        raise NotFound(object="supervision")
    if case.answered_at is not None:
        raise Refused("supervision_answered")
    if case.closed_at is not None:
        raise Refused("supervision_closed")
    case.answer = rules.check_answer(text, promised, local_day(now))
    case.promised_on, case.answered_by, case.answered_at = promised, viewer.staff_id, now
    note_quietly(
        session,
        comment,
        "answer_supervision",
        acting(viewer, Permission.SUBMIT_REPLY),
        now,
        {"case": case.id, "cause": case.cause, "promised": notices.day(promised)},
    )
    session.flush()
    return case


def note_refused_reply(session: Session, viewer: Viewer, receipt_no: str, now: datetime) -> None:
    """Count a reply that was refused as boilerplate, for the unit's row (R-78).

    Called in a transaction of its own, because the refusal has rolled back the one in which it was found. Silent when
    the comment is out of the viewer's reach.
    """
    condition = or_(reached(viewer.reach(Permission.DRAFT_REPLY)), reached(viewer.reach(Permission.SUBMIT_REPLY)))
    comment_id = session.scalar(select(Comment.id).where(Comment.receipt_no == receipt_no, condition))
    if comment_id is not None and viewer.unit_id is not None:
        session.add(RefusedReply(comment_id=comment_id, unit_id=viewer.unit_id, staff_id=viewer.staff_id, at=now))
        session.flush()


# -- reopening -------------------------------------------------------------------------------------


def reopen(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    reason: str,
    calendar: WorkCalendar,
    now: datetime,
) -> Assignment:
    """Have an answered comment handled again (T24, T25): the old reply stays, the clock starts anew.

    The routing that was answered is closed and a new one opened for the same lead and co-units, signed for already,
    because the step leads to `in_progress` (docs/decisions/0025). A comment that was answered with the one it
    was merged into is handled by itself from now on.

    Raises:
        Refused: `reopen_archived`, `reopen_unanswered`.
        ReasonRequired: no reason written.
        UnitWithoutOfficer: the unit has nobody left to handle it (R-97).
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.DESIGNATE, receipt_no, seen_version)
    expect(comment, Action.REOPEN)
    archived = session.scalar(select(Consultation.stage).where(Consultation.id == comment.consultation_id))
    written = rules.check_reopen(comment.closed_as, reason, archived=archived == "archived")
    before, lead = _answered_by(session, comment)
    if not active_officers(session, [lead.id], comment.consultation_id):
        raise UnitWithoutOfficer(unit=lead.short_name)
    merged_into, comment.merged_into_id = comment.merged_into_id, None
    assignment = _route_again(session, viewer, comment, before, lead, written, calendar, now)
    moves.move(
        session,
        comment,
        Action.REOPEN,
        acting(viewer, Permission.DESIGNATE),
        now,
        detail={
            "number": assignment.number,
            "lead": lead.code,
            "reply_due": notices.day(assignment.reply_due_on),
            "pending_year": assignment.pending_year,
            "was_merged": merged_into is not None,
        },
    )
    _announce(session, comment, assignment, lead, now)
    return assignment


def _answered_by(session: Session, comment: Comment) -> tuple[Assignment | None, Unit]:
    """Return the routing that was answered (None for a member of a merged group) and the unit that answered.

    Raises:
        Refused: `reopen_unanswered`, there is no published reply.
    """
    reply = session.scalar(select(Reply).where(Reply.comment_id == comment.id, Reply.state == "published"))
    if reply is None:
        raise Refused("reopen_unanswered")
    before = _in_force(session, comment)
    unit_id = before.lead_unit_id if before is not None else reply.lead_unit_id
    unit = session.get(Unit, unit_id) if unit_id is not None else None
    if unit is None:
        raise Refused("reopen_unanswered")
    return before, unit


def _route_again(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    before: Assignment | None,
    lead: Unit,
    reason: str,
    calendar: WorkCalendar,
    now: datetime,
) -> Assignment:
    if before is not None:
        before.closed_at, before.closed_why = now, REOPENED
        session.flush()  # before the new one: the store keeps at most one in force
    helpers: Sequence[Any] = ()
    if before is not None:
        helpers = session.execute(
            select(CoAssignment.unit_id, CoAssignment.position).where(CoAssignment.assignment_id == before.id)
        ).all()
    return open_assignment(
        session,
        viewer,
        comment,
        lead,
        [(unit_id, position) for unit_id, position in helpers],
        deadline_set(calendar, now),
        now,
        designated=before is not None and before.designated,
        basis="" if before is None else before.basis,
        note=reason,
        receipted_at=now,
    )


def _announce(session: Session, comment: Comment, assignment: Assignment, lead: Unit, now: datetime) -> None:
    key = str(assignment.number)
    told: dict[str, object] = {
        "lead_unit": lead.short_name,
        "assigned_on": local_day(now).isoformat(),
        "due": notices.day(assignment.reply_due_on),
        "pending_year": assignment.pending_year,
    }
    notices.to_submitter(session, comment, REOPENED, key, now, told)
    return_by = notices.day(assignment.return_due_on)
    notices.to_unit(session, comment, lead.id, "unit_reopened", key, now, {**told, "return_by": return_by})
    co_due = {"lead_unit": lead.short_name}
    rows = session.execute(
        select(CoAssignment.unit_id, CoAssignment.due_on).where(CoAssignment.assignment_id == assignment.id)
    ).all()
    for unit_id, due_on in rows:
        notices.to_unit(session, comment, unit_id, "co_assigned", key, now, {**co_due, "due": notices.day(due_on)})
