"""The routing in force as the comment's page shows it: lead, co-units, what the unit has asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.comments import Assignment, CoAssignment, Comment
from consult.models.plan import Unit
from moderation.models import ExtensionRequest, ReturnRequest, StaffMember


@dataclass(frozen=True)
class CoUnitShown:
    """A co-unit of the routing in force."""

    unit_id: int
    name: str
    due_on: date | None
    feedback: str
    feedback_at: datetime | None


@dataclass(frozen=True)
class RequestShown:
    """What a unit has asked for: a return, or an extension."""

    reason: str
    explanation: str
    asked_by: str
    asked_at: datetime
    suggested_unit: str = ""
    until_working_day: int = 0


@dataclass(frozen=True)
class AssignmentShown:
    """The routing in force."""

    number: int
    lead_unit_id: int
    lead_code: str
    lead: str
    co_units: tuple[CoUnitShown, ...]
    designated: bool
    note: str
    assigned_at: datetime
    receipt_due_on: date | None
    return_due_on: date | None
    pending_year: int | None
    extended: bool
    receipted_at: datetime | None
    return_request: RequestShown | None = None
    extension_request: RequestShown | None = None


def assignment_of(session: Session, comment: Comment) -> AssignmentShown | None:
    """Return the routing in force, None when the comment is routed to nobody."""
    row = session.execute(
        select(Assignment, Unit.code, Unit.short_name)
        .join(Unit, Unit.id == Assignment.lead_unit_id)
        .where(Assignment.comment_id == comment.id, Assignment.closed_at.is_(None))
    ).first()
    if row is None:
        return None
    assignment, code, name = row
    co_units = session.execute(
        select(
            CoAssignment.unit_id,
            Unit.short_name,
            CoAssignment.due_on,
            CoAssignment.feedback,
            CoAssignment.feedback_at,
        )
        .join(Unit, Unit.id == CoAssignment.unit_id)
        .where(CoAssignment.assignment_id == assignment.id)
        .order_by(CoAssignment.position)
    ).all()
    return AssignmentShown(
        number=assignment.number,
        lead_unit_id=assignment.lead_unit_id,
        lead_code=code,
        lead=name,
        co_units=tuple(CoUnitShown(*one) for one in co_units),
        designated=assignment.designated,
        note=assignment.note,
        assigned_at=assignment.assigned_at,
        receipt_due_on=assignment.receipt_due_on,
        return_due_on=assignment.return_due_on,
        pending_year=assignment.pending_year,
        extended=assignment.extended_due_on is not None,
        receipted_at=assignment.receipted_at,
        return_request=_return_request(session, assignment.id),
        extension_request=_extension_request(session, assignment.id),
    )


def _return_request(session: Session, assignment_id: int) -> RequestShown | None:
    row = session.execute(
        select(
            ReturnRequest.reason_code,
            ReturnRequest.explanation,
            StaffMember.display_name,
            ReturnRequest.asked_at,
            Unit.short_name,
        )
        .outerjoin(StaffMember, StaffMember.id == ReturnRequest.asked_by)
        .outerjoin(Unit, Unit.id == ReturnRequest.suggested_unit_id)
        .where(ReturnRequest.assignment_id == assignment_id, ReturnRequest.state == "asked")
    ).first()
    if row is None:
        return None
    return RequestShown(row[0], row[1], row[2] or "", row[3], row[4] or "")


def _extension_request(session: Session, assignment_id: int) -> RequestShown | None:
    row = session.execute(
        select(
            ExtensionRequest.reason,
            StaffMember.display_name,
            ExtensionRequest.asked_at,
            ExtensionRequest.until_working_day,
        )
        .outerjoin(StaffMember, StaffMember.id == ExtensionRequest.asked_by)
        .where(ExtensionRequest.assignment_id == assignment_id, ExtensionRequest.state == "asked")
    ).first()
    if row is None:
        return None
    return RequestShown("", row[0], row[1] or "", row[2], until_working_day=row[3])
