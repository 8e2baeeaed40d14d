"""Cases of supervision (R-73), and one comment as the supervisor sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from moderation.models import StaffMember, Supervision, Urge
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import joined, reached

OPENED_BY = (Permission.DESIGNATE, Permission.URGE)
SHOWN_TO = (*OPENED_BY, Permission.SUBMIT_REPLY)
OPENING = 90
CASES_SHOWN = 100


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case of supervision (exports.md §6, 督办清单)."""

    id: int
    receipt_no: str
    version: int
    state: str
    opening: str
    unit_id: int | None
    unit: str
    cause: str
    reason: str
    due_on: date | None
    return_count: int
    rejection_count: int
    opened_at: datetime
    answer_due_on: date | None
    answer: str
    promised_on: date | None
    answered_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class UrgeRow:
    """One reminder of a comment."""

    kind: str
    recipient: str
    unit: str
    made_at: datetime
    by: str


@dataclass(frozen=True)
class CommentCases:
    """One comment before the supervisor: where it stands, its cases, its reminders."""

    receipt_no: str
    version: int
    state: str
    opening: str
    unit_id: int | None
    unit: str
    due_on: date | None
    accepted_at: datetime | None
    return_count: int
    rejection_count: int
    closed_as: str
    cases: tuple[CaseRow, ...]
    urges: tuple[UrgeRow, ...]


def within(viewer: Viewer, consultation: str) -> ColumnElement[bool]:
    """Return the condition on `Comment` of the viewer's board, for one consultation or all in reach."""
    condition = reached(joined(viewer, OPENED_BY))
    if not consultation:
        return condition
    slug = select(Consultation.id).where(Consultation.slug == consultation).scalar_subquery()
    return and_(condition, Comment.consultation_id == slug)


def cases(
    session: Session, viewer: Viewer, consultation: str = "", *, all_of_them: bool = False
) -> tuple[CaseRow, ...]:
    """Return what is under supervision, those without an answer first; with `all_of_them` settled ones too."""
    statement = _cases().where(within(viewer, consultation))
    if not all_of_them:
        statement = statement.where(Supervision.closed_at.is_(None)).limit(CASES_SHOWN)
    statement = statement.order_by(Supervision.answered_at.is_not(None), Supervision.opened_at, Supervision.id)
    return tuple(CaseRow(*row) for row in session.execute(statement))


def own_cases(session: Session, viewer: Viewer) -> tuple[CaseRow, ...]:
    """Return the cases the viewer's unit answers, those without an answer first."""
    statement = (
        _cases()
        .where(
            reached(viewer.reach(Permission.SUBMIT_REPLY)),
            Supervision.unit_id == (viewer.unit_id or 0),
            or_(Supervision.closed_at.is_(None), Supervision.answered_at.is_not(None)),
        )
        .order_by(Supervision.answered_at.is_not(None), Supervision.opened_at.desc(), Supervision.id)
        .limit(CASES_SHOWN)
    )
    return tuple(CaseRow(*row) for row in session.execute(statement))


def _cases() -> Select[Any]:
    return (
        select(
            Supervision.id,
            Comment.receipt_no,
            Comment.version,
            Comment.handling_state,
            func.substr(Comment.body, 1, OPENING),
            Supervision.unit_id,
            func.coalesce(Unit.short_name, ""),
            Supervision.cause,
            Supervision.reason,
            Comment.reply_due_on,
            Comment.return_count,
            Comment.rejection_count,
            Supervision.opened_at,
            Supervision.answer_due_on,
            Supervision.answer,
            Supervision.promised_on,
            Supervision.answered_at,
            Supervision.closed_at,
        )
        .select_from(Supervision)
        .join(Comment, Comment.id == Supervision.comment_id)
        .outerjoin(Unit, Unit.id == func.coalesce(Supervision.unit_id, Comment.lead_unit_id))
    )


def comment_cases(session: Session, viewer: Viewer, receipt_no: str) -> CommentCases:
    """Return one comment with its cases and reminders.

    Raises:
        NotFound: out of reach, or there is none.
    """
    row = session.execute(
        select(
            Comment.receipt_no,
            Comment.version,
            Comment.handling_state,
            func.substr(Comment.body, 1, OPENING),
            Comment.lead_unit_id,
            func.coalesce(Unit.short_name, ""),
            Comment.reply_due_on,
            Comment.accepted_at,
            Comment.return_count,
            Comment.rejection_count,
            Comment.closed_as,
        )
        .outerjoin(Unit, Unit.id == Comment.lead_unit_id)
        .where(Comment.receipt_no == receipt_no, reached(joined(viewer, SHOWN_TO)))
    ).first()
    if row is None:
        raise NotFound(object="comment")
    found = session.execute(
        _cases().where(Comment.receipt_no == receipt_no).order_by(Supervision.opened_at.desc(), Supervision.id.desc())
    )
    urges = session.execute(
        select(
            Urge.kind,
            Urge.recipient,
            func.coalesce(Unit.short_name, ""),
            Urge.made_at,
            func.coalesce(StaffMember.display_name, ""),
        )
        .outerjoin(Unit, Unit.id == Urge.unit_id)
        .outerjoin(StaffMember, StaffMember.id == Urge.made_by)
        .join(Comment, Comment.id == Urge.comment_id)
        .where(Comment.receipt_no == receipt_no)
        .order_by(Urge.made_at.desc(), Urge.id.desc())
        .limit(CASES_SHOWN)
    )
    return CommentCases(
        receipt_no=row[0],
        version=row[1],
        state=row[2],
        opening=row[3],
        unit_id=row[4],
        unit=row[5],
        due_on=row[6],
        accepted_at=row[7],
        return_count=row[8],
        rejection_count=row[9],
        closed_as=row[10],
        cases=tuple(CaseRow(*one) for one in found),
        urges=tuple(UrgeRow(*one) for one in urges),
    )
