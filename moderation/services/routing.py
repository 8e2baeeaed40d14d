"""Routing: one lead unit and its co-units, receipt, handing back, extension, and what the clock does by itself.

R-42, R-55 to R-74, R-97, T09 to T19, T23. `comment.lead_unit_id`, `assigned_at` and `reply_due_on` mirror the
routing in force; `reply_due_on` is the due day in force, extension and pauses included.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from consult.domain.calendar import (
    DeadlineSet,
    WorkCalendar,
    deadline_set,
    local_day,
)
from consult.domain.comment_states import Action, CommentState, NonStateAction
from consult.domain.errors import (
    NotFound,
    Refused,
    ReplyRequired,
)
from consult.models.comments import Assignment, CoAssignment, Comment
from consult.models.plan import Unit, UnitMember
from consult.services import events, moves
from moderation.domain import routing as rules
from moderation.domain.routing import AssignmentFacts, UnitFacts
from moderation.models import RoleGrant, StaffMember
from moderation.permissions import Permission, Viewer
from moderation.queries.accused import accused_units
from moderation.services import notices
from moderation.services.scope import acting, expect, take


@dataclass(frozen=True)
class Routing:
    """Where a comment should go, by unit codes. A group among the co-units is expanded to its members (R-57)."""

    lead: str | None
    co_units: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Designation:
    """A supervisor's routing (T10): its basis, and the written record of a dispute over competence, if any."""

    wanted: Routing
    basis: str
    dispute: str = ""


# -- routing ---------------------------------------------------------------------------------------


def assign(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    wanted: Routing,
    calendar: WorkCalendar,
    now: datetime,
) -> Assignment:
    """Route a comment (T09); the clock starts now (R-59).

    Raises:
        DesignateRequired, LeadUnitRequired, LeadInCoUnits, DuplicateCoUnit, GroupNotAssignable, UnitUnknown,
            AccusedUnit, UnitWithoutOfficer, or FieldErrors with several of them.
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.ASSIGN, receipt_no, seen_version)
    return assign_taken(session, viewer, comment, wanted, calendar, now)


def assign_taken(
    session: Session, viewer: Viewer, comment: Comment, wanted: Routing, calendar: WorkCalendar, now: datetime
) -> Assignment:
    """As `assign`, for a comment the caller has taken for routing already."""
    expect(comment, Action.ASSIGN)
    facts = _facts(session, comment, wanted)
    rules.check_assignment(facts)
    return _put_in_force(session, viewer, comment, facts, wanted.note, calendar, now, Action.ASSIGN)


def designate(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    designation: Designation,
    calendar: WorkCalendar,
    now: datetime,
) -> Assignment:
    """Designate the lead unit (T10); it cannot hand the comment back (R-69).

    Raises:
        DesignationNotDue: fewer than two returns and no dispute written down.
        DesignationBasisRequired: no basis.
        And what `assign` raises but DesignateRequired.
    """
    comment = take(session, viewer, Permission.DESIGNATE, receipt_no, seen_version)
    expect(comment, Action.DESIGNATE)
    facts = _facts(session, comment, designation.wanted, dispute=designation.dispute, basis=designation.basis)
    rules.check_designation(facts)
    return _put_in_force(session, viewer, comment, facts, designation.wanted.note, calendar, now, Action.DESIGNATE)


def in_force(session: Session, comment: Comment) -> Assignment:
    """Return the routing in force.

    Raises:
        NotFound: the comment is routed to nobody.
    """
    assignment = session.scalar(
        select(Assignment).where(Assignment.comment_id == comment.id, Assignment.closed_at.is_(None))
    )
    if assignment is None:
        raise NotFound(object="assignment")
    return assignment


def _facts(
    session: Session, comment: Comment, wanted: Routing, *, dispute: str = "", basis: str = ""
) -> AssignmentFacts:
    co_codes = _expanded(session, wanted)
    codes = {code for code in (wanted.lead, *co_codes) if code}
    units = session.execute(select(Unit.id, Unit.code, Unit.kind, Unit.assignable).where(Unit.code.in_(codes))).all()
    officers = active_officers(session, [row.id for row in units], comment.consultation_id)
    accused = accused_units(session, comment)
    return AssignmentFacts(
        lead=wanted.lead or None,
        co_units=co_codes,
        units={
            row.code: UnitFacts(row.code, row.kind == "group" or not row.assignable, officers.get(row.id, 0))
            for row in units
        },
        accused_units=frozenset(row.code for row in units if row.id in accused),
        return_count=comment.return_count,
        dispute_recorded=bool(dispute.strip()),
        basis=basis,
    )


def active_officers(session: Session, unit_ids: Iterable[int], consultation_id: int) -> dict[int, int]:
    """Return how many active officers each unit has for a consultation (R-97)."""
    rows = session.execute(
        select(StaffMember.unit_id, func.count(StaffMember.id.distinct()))
        .join(RoleGrant, RoleGrant.staff_id == StaffMember.id)
        .where(
            StaffMember.unit_id.in_(list(unit_ids)),
            StaffMember.active.is_(True),
            RoleGrant.role == "unit_officer",
            RoleGrant.revoked_at.is_(None),
            or_(RoleGrant.consultation_id.is_(None), RoleGrant.consultation_id == consultation_id),
        )
        .group_by(StaffMember.unit_id)
    )
    return {unit_id: count for unit_id, count in rows if unit_id is not None}


def _expanded(session: Session, wanted: Routing) -> tuple[str, ...]:
    """Return the co-units with every group replaced by those of its members that are not named already (R-57)."""
    member = Unit.__table__.alias("member")
    rows = session.execute(
        select(Unit.code, member.c.code)
        .join(UnitMember, UnitMember.group_id == Unit.id)
        .join(member, member.c.id == UnitMember.unit_id)
        .where(Unit.code.in_(wanted.co_units), Unit.kind == "group")
        .order_by(Unit.code, UnitMember.position)
    )
    members: dict[str, list[str]] = {}
    for group, code in rows:
        members.setdefault(group, []).append(code)
    chosen: list[str] = []
    named = {wanted.lead, *(code for code in wanted.co_units if code not in members)}
    for code in wanted.co_units:
        if code not in members:
            chosen.append(code)
            continue
        for one in members[code]:
            if one not in named:
                named.add(one)
                chosen.append(one)
    return tuple(chosen)


def open_assignment(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    lead: Unit,
    co_units: Iterable[tuple[int, int]],
    days: DeadlineSet,
    now: datetime,
    *,
    designated: bool,
    basis: str,
    note: str,
    receipted_at: datetime | None = None,
) -> Assignment:
    """Open the next routing of a comment, whose earlier one is closed, and start its clock.

    `co_units` are (id of the unit, its position); `receipted_at` is set when nobody has to sign for it any more.
    """
    number = 1 + (session.scalar(select(func.max(Assignment.number)).where(Assignment.comment_id == comment.id)) or 0)
    assignment = Assignment(
        comment_id=comment.id,
        number=number,
        lead_unit_id=lead.id,
        designated=designated,
        basis=basis,
        note=note,
        assigned_by=viewer.staff_id,
        assigned_at=now,
        receipt_due_on=days.sign_receipt,
        return_due_on=days.return_by,
        reply_due_on=days.reply_due,
        pending_year=days.pending_year,
        receipted_at=receipted_at,
    )
    session.add(assignment)
    session.flush()
    session.add_all(
        CoAssignment(assignment_id=assignment.id, unit_id=unit_id, position=position, due_on=days.co_unit_due)
        for unit_id, position in co_units
    )
    comment.lead_unit_id, comment.assigned_at, comment.reply_due_on = lead.id, now, days.reply_due
    return assignment


def _put_in_force(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    facts: AssignmentFacts,
    note: str,
    calendar: WorkCalendar,
    now: datetime,
    action: Action,
) -> Assignment:
    units = {row.code: row for row in session.scalars(select(Unit).where(Unit.code.in_(facts.units))).all()}
    lead = units[str(facts.lead)]
    days = deadline_set(calendar, now)
    assignment = open_assignment(
        session,
        viewer,
        comment,
        lead,
        [(units[code].id, place) for place, code in enumerate(facts.co_units)],
        days,
        now,
        designated=action is Action.DESIGNATE,
        basis=facts.basis.strip(),
        note=note.strip(),
    )
    permission = Permission.DESIGNATE if action is Action.DESIGNATE else Permission.ASSIGN
    moves.move(
        session,
        comment,
        action,
        acting(viewer, permission),
        now,
        detail={
            "number": assignment.number,
            "lead": lead.code,
            "co": list(facts.co_units),
            "sign_receipt": notices.day(days.sign_receipt),
            "return_by": notices.day(days.return_by),
            "reply_due": notices.day(days.reply_due),
            "pending_year": days.pending_year,
            "designated": action is Action.DESIGNATE,
        },
    )
    _announce(session, comment, assignment, [units[code] for code in facts.co_units], lead, days, now)
    return assignment


def _announce(
    session: Session,
    comment: Comment,
    assignment: Assignment,
    co_units: list[Unit],
    lead: Unit,
    days: DeadlineSet,
    now: datetime,
) -> None:
    key = str(assignment.number)
    told = {
        "lead_unit": lead.short_name,
        "co_units": [unit.short_name for unit in co_units],
        "assigned_on": days.assigned_on.isoformat(),
        "due": notices.day(days.reply_due),
        "pending_year": days.pending_year,
    }
    again = assignment.number > 1
    notices.to_submitter(session, comment, "reassigned" if again else "assigned", key, now, told)
    notices.to_unit(
        session,
        comment,
        lead.id,
        "designated" if assignment.designated else "unit_assigned",
        key,
        now,
        {**told, "sign_receipt": notices.day(days.sign_receipt), "return_by": notices.day(days.return_by)},
    )
    for unit in co_units:
        notices.to_unit(
            session,
            comment,
            unit.id,
            "co_assigned",
            key,
            now,
            {"lead_unit": lead.short_name, "due": notices.day(days.co_unit_due)},
        )


# -- receipt ---------------------------------------------------------------------------------------


def sign_receipt(session: Session, viewer: Viewer, receipt_no: str, seen_version: int, now: datetime) -> Comment:
    """Sign for a comment (T11); the clock has been running since the routing (R-59)."""
    comment = take(session, viewer, Permission.DRAFT_REPLY, receipt_no, seen_version)
    expect(comment, Action.SIGN_RECEIPT)
    assignment = in_force(session, comment)
    assignment.receipted_at, assignment.receipted_by = now, viewer.staff_id
    moves.move(session, comment, Action.SIGN_RECEIPT, acting(viewer, Permission.DRAFT_REPLY), now)
    return comment


def auto_receipts(session: Session, now: datetime, limit: int = 100) -> int:
    """Count comments as received whose receipt day is over (T12); return how many. Safe to run twice or late."""
    waiting = session.scalars(
        select(Comment.receipt_no)
        .join(Assignment, Assignment.comment_id == Comment.id)
        .where(
            Comment.handling_state == CommentState.ASSIGNED.value,
            Assignment.closed_at.is_(None),
            Assignment.receipt_due_on < local_day(now),
        )
        .order_by(Comment.id)
        .limit(limit)
    ).all()
    done = 0
    for receipt_no in waiting:
        comment = moves.lock(session, receipt_no)
        if comment.handling_state != CommentState.ASSIGNED:
            continue
        assignment = in_force(session, comment)
        assignment.receipted_at, assignment.auto_receipt = now, True
        moves.move(session, comment, Action.AUTO_RECEIPT, events.SYSTEM, now)
        notices.to_unit(session, comment, assignment.lead_unit_id, "auto_receipt", str(assignment.number), now)
        done += 1
    return done


# -- co-units --------------------------------------------------------------------------------------


def co_feedback(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, text: str, now: datetime
) -> Comment:
    """Record what a co-unit contributes (R-74); once per routing, before the reply goes to sign-off.

    Raises:
        ReplyRequired: nothing written.
        Refused: `co_feedback_given`, or `co_feedback_late` once the lead's reply is on its way.
    """
    comment = take(session, viewer, Permission.CO_FEEDBACK, receipt_no, seen_version)
    if not text.strip():
        raise ReplyRequired(field="feedback")
    if comment.handling_state not in (CommentState.ASSIGNED, CommentState.IN_PROGRESS):
        raise Refused("co_feedback_late")
    assignment = in_force(session, comment)
    asked = session.scalars(
        select(CoAssignment).where(CoAssignment.assignment_id == assignment.id, CoAssignment.unit_id == viewer.unit_id)
    ).one()
    if asked.feedback_at is not None:
        raise Refused("co_feedback_given")
    asked.feedback, asked.feedback_by, asked.feedback_at = text.strip(), viewer.staff_id, now
    events.append(
        session,
        comment,
        NonStateAction.CO_FEEDBACK,
        acting(viewer, Permission.CO_FEEDBACK),
        now,
        detail={"number": assignment.number, "unit": asked.unit_id},
    )
    notices.to_unit(session, comment, assignment.lead_unit_id, "co_feedback", str(asked.id), now)
    comment.updated_at = now
    session.flush()
    return comment
