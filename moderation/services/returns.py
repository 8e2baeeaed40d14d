"""Handing a comment back, and asking for the one extension (R-65 to R-69, T13 to T19)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from consult.domain.calendar import EXTENDED_DAYS, REPLY_DAYS, DeadlineSet, WorkCalendar, local_day
from consult.domain.comment_states import Action
from consult.domain.errors import ExtensionNotAsked, ExtensionOver15, UnitUnknown
from consult.models.comments import Assignment, Comment, Reply
from consult.models.plan import Unit
from consult.services import moves
from moderation import models as staff_tables
from moderation.domain import routing as rules
from moderation.domain.decisions import check_written
from moderation.models import ExtensionRequest
from moderation.permissions import Permission, Viewer
from moderation.services import notices
from moderation.services.reply_clock import move_co_units, paused_days
from moderation.services.routing import in_force
from moderation.services.scope import acting, expect, take

# -- handing back ----------------------------------------------------------------------------------


def request_return(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    request: rules.ReturnRequest,
    now: datetime,
) -> Comment:
    """Ask to hand a comment back (T13, T14); the clock keeps running and the unit stays responsible (R-67).

    Raises:
        DesignatedNotReturnable, ReturnWindowClosed, ReturnReasonRequired, ReturnBasisRequired, UnitUnknown.
    """
    comment = take(session, viewer, Permission.SUBMIT_REPLY, receipt_no, seen_version)
    expect(comment, Action.REQUEST_RETURN)
    assignment = in_force(session, comment)
    reason = rules.check_return(request, _days_of(assignment), now, designated=assignment.designated)
    suggested = _unit_id(session, request.proposed_unit) if request.proposed_unit else None
    session.add(
        staff_tables.ReturnRequest(
            assignment_id=assignment.id,
            reason_code=reason.value,
            explanation="\n".join(part.strip() for part in (request.basis, request.explanation) if part.strip()),
            suggested_unit_id=suggested,
            asked_by=viewer.staff_id,
            asked_at=now,
        )
    )
    moves.move(
        session,
        comment,
        Action.REQUEST_RETURN,
        acting(viewer, Permission.SUBMIT_REPLY),
        now,
        reason=reason.value,
        detail={"number": assignment.number, "suggested_unit": request.proposed_unit},
    )
    return comment


def approve_return(session: Session, viewer: Viewer, receipt_no: str, seen_version: int, now: datetime) -> Comment:
    """Let a unit hand a comment back (T15): the routing ends and the comment waits to be routed again (R-69, R-70)."""
    comment, assignment, request = _take_return(session, viewer, receipt_no, seen_version, Action.APPROVE_RETURN)
    _decide(request, viewer, "approved", "", now)
    assignment.closed_at, assignment.closed_why = now, "returned"
    for asked in session.scalars(_open_extensions(assignment)):
        _decide(asked, viewer, "refused", "returned", now)
    for draft in session.scalars(
        select(Reply).where(
            Reply.assignment_id == assignment.id, Reply.state.in_(("drafting", "pending_leader", "rejected"))
        )
    ):
        draft.state = "superseded"
    comment.return_count += 1
    comment.lead_unit_id = comment.assigned_at = comment.reply_due_on = None
    if request.suggested_unit_id is not None:
        comment.suggested_lead_id = request.suggested_unit_id
    moves.move(
        session,
        comment,
        Action.APPROVE_RETURN,
        acting(viewer, Permission.ASSIGN),
        now,
        detail={"number": assignment.number, "return_count": comment.return_count},
    )
    notices.to_unit(session, comment, assignment.lead_unit_id, "return_approved", str(request.id), now)
    return comment


def refuse_return(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, why: str, now: datetime
) -> Comment:
    """Refuse a return (T16): the unit carries on and the clock has never stopped (R-67).

    Raises:
        ReasonRequired: no reason written.
    """
    comment, assignment, request = _take_return(session, viewer, receipt_no, seen_version, Action.REFUSE_RETURN)
    _decide(request, viewer, "refused", check_written(why), now)
    if assignment.receipted_at is None:
        # Whoever asked has seen it; the state table goes on to in_progress.
        assignment.receipted_at, assignment.receipted_by = request.asked_at, request.asked_by
    _refused(session, viewer, comment, assignment, request, Action.REFUSE_RETURN, now)
    return comment


def _take_return(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, action: Action
) -> tuple[Comment, Assignment, staff_tables.ReturnRequest]:
    comment = take(session, viewer, Permission.ASSIGN, receipt_no, seen_version)
    expect(comment, action)
    assignment = in_force(session, comment)
    request = session.scalars(
        select(staff_tables.ReturnRequest).where(
            staff_tables.ReturnRequest.assignment_id == assignment.id, staff_tables.ReturnRequest.state == "asked"
        )
    ).one()
    return comment, assignment, request


def _decide(
    request: staff_tables.ReturnRequest | ExtensionRequest, viewer: Viewer, state: str, why: str, now: datetime
) -> None:
    request.state, request.decision_reason = state, why
    request.decided_by, request.decided_at = viewer.staff_id, now


def _refused(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    assignment: Assignment,
    request: staff_tables.ReturnRequest | ExtensionRequest,
    action: Action,
    now: datetime,
) -> None:
    """Move on after a refusal and tell the unit, whose due day stays."""
    moves.move(session, comment, action, acting(viewer, Permission.ASSIGN), now, detail={"number": assignment.number})
    notices.to_unit(
        session,
        comment,
        assignment.lead_unit_id,
        "return_refused" if action is Action.REFUSE_RETURN else "extension_refused",
        str(request.id),
        now,
        {"due": notices.day(comment.reply_due_on), "request": request.id},
    )


def _days_of(assignment: Assignment) -> DeadlineSet:
    return DeadlineSet(
        assigned_on=local_day(assignment.assigned_at),
        sign_receipt=assignment.receipt_due_on,
        return_by=assignment.return_due_on,
        reply_due=assignment.reply_due_on,
        extended_due=assignment.extended_due_on,
        co_unit_due=None,
        pending_year=assignment.pending_year,
    )


def _unit_id(session: Session, code: str) -> int:
    found = session.scalar(select(Unit.id).where(Unit.code == code))
    if found is None:
        raise UnitUnknown(field="proposed_unit", unit=code)
    return found


# -- extension -------------------------------------------------------------------------------------


def request_extension(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    reason: str,
    now: datetime,
    until_working_day: int = EXTENDED_DAYS,
) -> Comment:
    """Ask for the one extension (T17, R-65); the clock keeps running meanwhile (R-66).

    `until_working_day` counts from the routing, 8 to 15.

    Raises:
        ExtensionOnce: there was a request before, whatever became of it.
        OverdueNoExtension, ReasonRequired, ExtensionOver15.
    """
    comment = take(session, viewer, Permission.DRAFT_REPLY, receipt_no, seen_version)
    expect(comment, Action.REQUEST_EXTENSION)
    assignment = in_force(session, comment)
    before = session.scalar(
        select(func.count(ExtensionRequest.id)).where(ExtensionRequest.assignment_id == assignment.id)
    )
    rules.check_extension_request(comment.reply_due_on, now, extended_before=bool(before), reason=reason)
    if not REPLY_DAYS < until_working_day <= EXTENDED_DAYS:
        raise ExtensionOver15(field="until_working_day")
    session.add(
        ExtensionRequest(
            assignment_id=assignment.id,
            reason=reason.strip(),
            until_working_day=until_working_day,
            asked_by=viewer.staff_id,
            asked_at=now,
        )
    )
    moves.move(
        session,
        comment,
        Action.REQUEST_EXTENSION,
        acting(viewer, Permission.DRAFT_REPLY),
        now,
        detail={"number": assignment.number, "until_working_day": until_working_day},
    )
    return comment


def approve_extension(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, calendar: WorkCalendar, now: datetime
) -> Comment:
    """Grant the extension (T18): at most to the 15th working day from the routing, paused days added (R-65, R-71).

    Raises:
        ExtensionNotAsked: no request is open.
        ExtensionOver15, CalendarPending.
    """
    comment, assignment, request = _take_extension(session, viewer, receipt_no, seen_version, Action.APPROVE_EXTENSION)
    start = local_day(assignment.assigned_at)
    paused = paused_days(session, assignment, calendar)
    latest = calendar.nth_working_day(start, EXTENDED_DAYS + paused)
    new_due = calendar.nth_working_day(start, request.until_working_day + paused)
    days = DeadlineSet(start, None, None, assignment.reply_due_on, latest, None)
    rules.check_extension_approval(new_due, days, comment.reply_due_on, pending=True)
    _decide(request, viewer, "approved", "", now)
    assignment.extended_due_on = comment.reply_due_on = new_due
    move_co_units(session, assignment, calendar, new_due)
    moves.move(
        session,
        comment,
        Action.APPROVE_EXTENSION,
        acting(viewer, Permission.ASSIGN),
        now,
        detail={"number": assignment.number, "reply_due": new_due.isoformat()},
    )
    # The reason is a person's words and is read from the request when the notice is sent.
    notices.to_submitter(
        session, comment, "extension", str(request.id), now, {"due": new_due.isoformat(), "request": request.id}
    )
    notices.to_unit(
        session, comment, assignment.lead_unit_id, "extension_approved", str(request.id), now,
        {"due": new_due.isoformat()},
    )  # fmt: skip
    return comment


def refuse_extension(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, why: str, now: datetime
) -> Comment:
    """Refuse the extension (T19); the due day stays.

    Raises:
        ExtensionNotAsked: no request is open.
        ReasonRequired: no reason written (R-66).
    """
    comment, assignment, request = _take_extension(session, viewer, receipt_no, seen_version, Action.REFUSE_EXTENSION)
    _decide(request, viewer, "refused", check_written(why), now)
    _refused(session, viewer, comment, assignment, request, Action.REFUSE_EXTENSION, now)
    return comment


def _take_extension(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, action: Action
) -> tuple[Comment, Assignment, ExtensionRequest]:
    comment = take(session, viewer, Permission.ASSIGN, receipt_no, seen_version)
    expect(comment, action)
    assignment = in_force(session, comment)
    request = session.scalar(_open_extensions(assignment))
    if request is None:
        raise ExtensionNotAsked
    return comment, assignment, request


def _open_extensions(assignment: Assignment) -> Select[ExtensionRequest]:
    return select(ExtensionRequest).where(
        ExtensionRequest.assignment_id == assignment.id, ExtensionRequest.state == "asked"
    )
