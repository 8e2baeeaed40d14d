"""A unit's inbox: what it leads and what it contributes to, by due day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState
from consult.models.comments import Assignment, CoAssignment, Comment, Reply
from consult.models.consultations import DraftVersion, Section, SectionVersion
from consult.models.plan import Unit
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import joined, reached

_S = CommentState
TABS: dict[str, tuple[CommentState, ...]] = {
    "receipt": (_S.ASSIGNED,),
    "progress": (_S.IN_PROGRESS, _S.RETURN_REQUESTED),
    "sign_off": (_S.PENDING_SIGN_OFF,),
    "replied": (_S.REPLIED, _S.CLOSED),
    "co": (_S.ASSIGNED, _S.IN_PROGRESS, _S.RETURN_REQUESTED, _S.PENDING_SIGN_OFF, _S.REPLIED, _S.CLOSED),
}
OPENING = 90
_NEVER = date(9999, 12, 31)
LEADS = (Permission.DRAFT_REPLY, Permission.SUBMIT_REPLY)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One comment of the unit. `due_on` is the lead's day, or a co-unit's own on the tab of co-units."""

    id: int
    receipt_no: str
    version: int
    state: str
    opening: str
    heading: str
    assigned_at: datetime | None
    receipt_due_on: date | None
    due_on: date | None
    extended: bool
    designated: bool
    lead: str
    reply_state: str
    fed_back: bool


@dataclass(frozen=True)
class Inbox:
    """A page of the inbox, the earliest due day first."""

    rows: tuple[InboxRow, ...]
    more: bool
    counts: dict[str, int]


def page(session: Session, viewer: Viewer, tab: str, after: tuple[date, int] | None = None, size: int = 100) -> Inbox:
    """Return one tab of the viewer's unit; two queries."""
    rows = _rows(session, viewer, tab if tab in TABS else "receipt", after, size + 1)
    return Inbox(tuple(rows[:size]), len(rows) > size, _counts(session, viewer))


def position(row: InboxRow) -> tuple[date, int]:
    """Return where the next page goes on after a row."""
    return row.due_on or _NEVER, row.id


def _rows(session: Session, viewer: Viewer, tab: str, after: tuple[date, int] | None, size: int) -> list[InboxRow]:
    mine = and_(CoAssignment.assignment_id == Assignment.id, CoAssignment.unit_id == (viewer.unit_id or 0))
    due = CoAssignment.due_on if tab == "co" else Comment.reply_due_on
    order = func.coalesce(due, _NEVER)
    newest = (
        select(Reply.state)
        .where(Reply.comment_id == Comment.id)
        .order_by(Reply.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = (
        select(
            Comment.id,
            Comment.receipt_no,
            Comment.version,
            Comment.handling_state,
            func.substr(Comment.body, 1, OPENING),
            func.coalesce(SectionVersion.heading, ""),
            Comment.assigned_at,
            Assignment.receipt_due_on,
            due,
            Assignment.extended_due_on.is_not(None),
            Assignment.designated,
            Unit.short_name,
            func.coalesce(newest, ""),
            CoAssignment.feedback_at.is_not(None),
        )
        .join(Assignment, and_(Assignment.comment_id == Comment.id, Assignment.closed_at.is_(None)))
        .join(Unit, Unit.id == Assignment.lead_unit_id)
        .outerjoin(CoAssignment, mine)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .where(_condition(viewer, tab))
        .order_by(order, Comment.id)
        .limit(size)
    )
    if after is not None:
        day, key = after
        statement = statement.where(or_(order > day, and_(order == day, Comment.id > key)))
    return [InboxRow(*row) for row in session.execute(statement)]


def _condition(viewer: Viewer, tab: str) -> ColumnElement[bool]:
    permissions = (Permission.CO_FEEDBACK,) if tab == "co" else LEADS
    return and_(Comment.handling_state.in_([state.value for state in TABS[tab]]), reached(joined(viewer, permissions)))


def _counts(session: Session, viewer: Viewer) -> dict[str, int]:
    columns = [
        select(func.count()).select_from(Comment).where(_condition(viewer, tab)).scalar_subquery().label(tab)
        for tab in TABS
    ]
    return {tab: int(n) for tab, n in session.execute(select(*columns)).one()._mapping.items()}


@dataclass(frozen=True, slots=True)
class SectionChoice:
    """A place in the draft."""

    key: str
    version: int
    label: str


def sections(session: Session, consultation_id: int) -> tuple[SectionChoice, ...]:
    """Return the places a reply can name: every section of the newest version, published or being revised (R-77)."""
    newest = (
        select(func.max(DraftVersion.number)).where(DraftVersion.consultation_id == consultation_id).scalar_subquery()
    )
    rows = session.execute(
        select(Section.key, DraftVersion.number, SectionVersion.path)
        .join(SectionVersion, SectionVersion.section_id == Section.id)
        .join(DraftVersion, DraftVersion.id == SectionVersion.draft_version_id)
        .where(DraftVersion.consultation_id == consultation_id, DraftVersion.number == newest)
        .order_by(SectionVersion.position)
    )
    return tuple(SectionChoice(*row) for row in rows)
