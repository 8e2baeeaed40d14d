"""The queue: comments of the viewer's consultations, oldest first, one tab per kind of work.

A page costs the same at a hundred comments as at a hundred thousand: each consultation and state is read
through `ix_comment_queue` for one page only, counts stop at `COUNT_CAP`, and only the opening of a body is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, cast, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState
from consult.models.comments import Assignment, Comment
from consult.models.consultations import Block, Consultation, Section, SectionVersion
from consult.models.plan import Unit
from moderation.models import ExtensionRequest, RoleGrant, StaffMember, TwoPersonDecision
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import joined

OPENING = 90
"""Code points of a body that a row shows."""

SEARCHED = 200
"""Code points of a body that the search looks at."""

COUNT_CAP = 500
"""Counts stop here; the tab then shows 500 and more. Sealed comments are among them, though no row shows them."""

_S = CommentState
TABS: dict[str, tuple[CommentState, ...]] = {
    "review": (_S.PENDING_REVIEW,),
    "confirm": (),
    "supplement": (_S.AWAITING_SUPPLEMENT,),
    "route": (_S.ACCEPTED, _S.TO_ASSIGN),
    "returned": (_S.RETURN_REQUESTED,),
    "extension": (),
    "handling": (_S.ASSIGNED, _S.IN_PROGRESS, _S.PENDING_SIGN_OFF),
    "done": (_S.REPLIED, _S.CLOSED, _S.MERGED, _S.WITHDRAWN),
}
"""Tab to states; `confirm` (proposals for a second person) and `extension` have no states of their own."""

OPENED_BY = (Permission.REVIEW, Permission.ASSIGN, Permission.DESIGNATE, Permission.WITHHOLD)


@dataclass(frozen=True)
class QueueFilter:
    """What to show. Empty means all; `section` needs a consultation; `after` is the last row of the page before.

    `age` is late or today.
    """

    tab: str = "review"
    consultation: str = ""
    section: str = ""
    unit: str = ""
    q: str = ""
    age: str = ""
    findings: bool = False
    after: tuple[datetime, int] | None = None

    def as_values(self) -> dict[str, str]:
        """Return the filter as names and values of an address, empty ones included; the position is left out."""
        names = ("tab", "consultation", "section", "unit", "q", "age")
        return {name: getattr(self, name) for name in names} | {"findings": "yes" if self.findings else ""}


@dataclass(frozen=True)
class Today:
    """The Beijing day, and from when on routing is late or due today (None while a year's notice is missing)."""

    day: date
    late_before: datetime | None
    due_before: datetime | None
    now: datetime


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One comment in two lines. `unit` is the lead unit, else the suggested one."""

    id: int
    receipt_no: str
    version: int
    state: str
    publicity: str
    flags: Sequence[str]
    submitted_at: datetime
    review_due_on: date | None
    accepted_at: datetime | None
    reply_due_on: date | None
    return_count: int
    has_lead: bool
    opening: str
    heading: str
    paragraph: int | None
    unit: str
    consultation: str
    held_by: str
    held_by_me: bool


@dataclass(frozen=True)
class Choice:
    """One value of a filter."""

    value: str
    label: str


@dataclass(frozen=True)
class Queue:
    """A page of the queue: rows, whether older ones follow, counts per tab, values of the filters."""

    rows: tuple[QueueRow, ...]
    more: bool
    counts: dict[str, int]
    consultations: tuple[Choice, ...]
    sections: tuple[Choice, ...]
    units: tuple[Choice, ...]


def page(
    session: Session,
    viewer: Viewer,
    asked: QueueFilter,
    today: Today,
    size: int = 100,
    after: tuple[datetime, int] | None = None,
) -> Queue:
    """Return one page in at most five queries, however many rows there are."""
    consultations = _consultations(session, viewer)
    wanted = [one.id for one in consultations if asked.consultation in ("", one.slug)]
    rows = _rows(session, viewer, wanted, replace(asked, after=after), today, size + 1)
    return Queue(
        rows=tuple(rows[:size]),
        more=len(rows) > size,
        counts=_counts(session, wanted),
        consultations=tuple(Choice(one.slug, one.title) for one in consultations),
        sections=_sections(session, wanted if asked.consultation else []),
        units=_units(session),
    )


def _consultations(session: Session, viewer: Viewer) -> Sequence[Any]:
    reach = joined(viewer, OPENED_BY)
    statement = (
        select(Consultation.id, Consultation.slug, Consultation.title)
        .where(Consultation.stage != "draft")
        .order_by(Consultation.archived_at.is_not(None), Consultation.starts_on.desc(), Consultation.id)
        .limit(40)
    )
    if not reach.everything:
        statement = statement.where(Consultation.id.in_(sorted(reach.consultations)))
    return session.execute(statement).all()


def _rows(
    session: Session, viewer: Viewer, consultations: list[int], asked: QueueFilter, today: Today, size: int
) -> list[QueueRow]:
    ids = _candidates(consultations, asked, today, size)
    lead = Unit.__table__.alias("lead")
    statement = (
        select(
            Comment.id,
            Comment.receipt_no,
            Comment.version,
            Comment.handling_state,
            Comment.publicity,
            Comment.flags,
            Comment.submitted_at,
            Comment.review_due_on,
            Comment.accepted_at,
            Comment.reply_due_on,
            Comment.return_count,
            Comment.lead_unit_id.is_not(None),
            func.substr(Comment.body, 1, OPENING),
            func.coalesce(SectionVersion.heading, ""),
            Block.position + 1,
            func.coalesce(lead.c.short_name, ""),
            Consultation.short_code,
            func.coalesce(StaffMember.display_name, ""),
            func.coalesce(StaffMember.id == viewer.staff_id, literal(value=False)),
        )
        .join(ids, ids.c.id == Comment.id)
        .join(Consultation, Consultation.id == Comment.consultation_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .outerjoin(Block, and_(Block.section_version_id == Comment.section_version_id, Block.key == Comment.block_key))
        .outerjoin(lead, lead.c.id == _unit())
        .outerjoin(StaffMember, and_(StaffMember.id == Comment.claimed_by, Comment.claimed_until > today.now))
        .order_by(Comment.submitted_at, Comment.id)
        .limit(size)
    )
    found: Sequence[Any] = session.execute(statement).all()
    return [QueueRow(*row) for row in found]


def count(session: Session, viewer: Viewer, asked: QueueFilter, today: Today, cap: int = 100) -> int:
    """Return how many comments a filter shows, up to a cap."""
    wanted = [one.id for one in _consultations(session, viewer) if asked.consultation in ("", one.slug)]
    ids = _candidates(wanted, asked, today, cap)
    return int(session.scalar(select(func.count()).select_from(select(ids.c.id).limit(cap).subquery())) or 0)


def next_free(
    session: Session,
    viewer: Viewer,
    asked: QueueFilter,
    today: Today,
    free: ColumnElement[bool],
    after: tuple[datetime, int] | None = None,
    size: int = 40,
) -> list[int]:
    """Return ids of the first comments of a tab that are `free`, oldest first, those after a position before the rest.

    So that going on from a comment that was left undecided leads forward, and round to the oldest in the end.
    """
    wanted = [one.id for one in _consultations(session, viewer) if asked.consultation in ("", one.slug)]
    found: dict[int, None] = {}
    for start in dict.fromkeys((after, None)):
        ids = _candidates(wanted, replace(asked, after=start), today, size, free)
        rows = session.scalars(
            select(Comment.id).join(ids, ids.c.id == Comment.id).order_by(Comment.submitted_at, Comment.id).limit(size)
        )
        found |= dict.fromkeys(rows)
    return [key for key in found if after is None or key != after[1]]


def position_of(session: Session, receipt_no: str) -> tuple[datetime, int] | None:
    """Return where a comment stands in the order of the queue."""
    row = session.execute(select(Comment.submitted_at, Comment.id).where(Comment.receipt_no == receipt_no)).first()
    return None if row is None else (row.submitted_at, row.id)


def _unit() -> ColumnElement[int | None]:
    return func.coalesce(Comment.lead_unit_id, Comment.suggested_lead_id, SectionVersion.default_lead_unit_id)


def _candidates(
    consultations: list[int], asked: QueueFilter, today: Today, size: int, more: ColumnElement[bool] | None = None
) -> Any:
    """Return the ids of a page: the first of every consultation and state, each by its own index range."""
    conditions = _conditions(asked, today)
    if more is not None:
        conditions.append(more)
    states = TABS.get(asked.tab, TABS["review"])
    branches: list[Select[Any]] = []
    for consultation in consultations or [0]:
        for state in states or (None,):
            branch = select(Comment.id).where(*conditions)
            if state is None:
                branch = branch.where(_special(asked.tab, [consultation]))
            else:
                branch = branch.where(Comment.consultation_id == consultation, Comment.handling_state == state.value)
            if asked.unit:
                branch = branch.outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id).where(
                    _unit() == select(Unit.id).where(Unit.code == asked.unit).scalar_subquery()
                )
            inner = branch.order_by(Comment.submitted_at, Comment.id).limit(size).subquery()
            branches.append(select(inner.c.id))
    return union_all(*branches).subquery("ids")


def _special(tab: str, consultations: list[int]) -> ColumnElement[bool]:
    """Comments that wait for a second person, or for a decision about an extension.

    These are few: the sum keeps SQLite from walking the index of all comments of a consultation to find them.
    """
    if tab == "confirm":
        few = select(TwoPersonDecision.comment_id).where(TwoPersonDecision.state == "proposed")
    else:
        few = (
            select(Assignment.comment_id)
            .join(ExtensionRequest, ExtensionRequest.assignment_id == Assignment.id)
            .where(ExtensionRequest.state == "asked")
        )
    return and_(Comment.id.in_(few), (Comment.consultation_id + 0).in_(consultations))


def _conditions(asked: QueueFilter, today: Today) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Comment.sealed.is_(False)]
    if asked.after is not None:
        at, key = asked.after
        conditions.append(or_(Comment.submitted_at > at, and_(Comment.submitted_at == at, Comment.id > key)))
        conditions.append(Comment.submitted_at >= at)  # lets the index start there
    if asked.section and asked.consultation:
        section = (
            select(Section.id)
            .join(Consultation, Consultation.id == Section.consultation_id)
            .where(Consultation.slug == asked.consultation, Section.key == asked.section)
        )
        conditions.append(Comment.section_id == section.scalar_subquery())
    if asked.q:
        conditions.append(
            or_(
                Comment.receipt_no.startswith(asked.q.upper(), autoescape=True),
                func.substr(Comment.body, 1, SEARCHED).contains(asked.q, autoescape=True),
            )
        )
    if asked.findings:
        conditions.append(cast(Comment.flags, Text) != "[]")
    if asked.age:
        conditions.append(_age(asked.age, today))
    return conditions


def _age(age: str, today: Today) -> ColumnElement[bool]:
    """Late or due today, by the clock of the state a comment is in: review, routing, reply."""
    review = Comment.handling_state == _S.PENDING_REVIEW.value
    route = Comment.handling_state.in_((_S.ACCEPTED.value, _S.TO_ASSIGN.value))
    handled = Comment.handling_state.in_(
        (_S.ASSIGNED.value, _S.IN_PROGRESS.value, _S.RETURN_REQUESTED.value, _S.PENDING_SIGN_OFF.value)
    )
    if age == "late":
        routing = Comment.accepted_at < today.late_before if today.late_before else literal(value=False)
        return or_(
            and_(review, Comment.review_due_on < today.day),
            and_(route, routing),
            and_(handled, Comment.reply_due_on < today.day),
        )
    due = (
        and_(Comment.accepted_at >= today.late_before, Comment.accepted_at < today.due_before)
        if today.late_before and today.due_before
        else literal(value=False)
    )
    return or_(
        and_(review, Comment.review_due_on == today.day),
        and_(route, due),
        and_(handled, Comment.reply_due_on == today.day),
    )


def _counts(session: Session, consultations: list[int]) -> dict[str, int]:
    """Return how many lie in each tab, up to the cap, in one statement."""
    columns = []
    for tab, states in TABS.items():
        some = select(literal(1).label("one")).select_from(Comment)
        if states:
            some = some.where(
                Comment.consultation_id.in_(consultations),
                Comment.handling_state.in_([state.value for state in states]),
            )
        else:
            some = some.where(_special(tab, consultations))
        counted = select(func.count()).select_from(some.limit(COUNT_CAP).subquery())
        columns.append(counted.scalar_subquery().label(tab))
    return {tab: int(n) for tab, n in session.execute(select(*columns)).one()._mapping.items()}


def _sections(session: Session, consultations: list[int]) -> tuple[Choice, ...]:
    """Return the sections of the newest version of one consultation; none while all are shown."""
    if not consultations:
        return ()
    newest = (
        select(func.max(SectionVersion.draft_version_id))
        .join(Section, Section.id == SectionVersion.section_id)
        .where(Section.consultation_id.in_(consultations))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Section.key, SectionVersion.heading)
        .join(Section, Section.id == SectionVersion.section_id)
        .where(Section.consultation_id.in_(consultations), SectionVersion.draft_version_id == newest)
        .order_by(SectionVersion.position)
    )
    return tuple(Choice(key, heading) for key, heading in rows)


def _units(session: Session) -> tuple[Choice, ...]:
    rows = session.execute(select(Unit.code, Unit.short_name).where(Unit.assignable).order_by(Unit.position, Unit.id))
    return tuple(Choice(code, name) for code, name in rows)


def assignable_units(
    session: Session, consultation_id: int, excluded: frozenset[int] = frozenset()
) -> tuple[Choice, ...]:
    """Return every unit a comment can be sent to: those without an officer (R-97) or `excluded` by id are left out."""
    officer = exists(
        select(1)
        .select_from(StaffMember)
        .join(RoleGrant, RoleGrant.staff_id == StaffMember.id)
        .where(
            StaffMember.unit_id == Unit.id,
            StaffMember.active.is_(True),
            RoleGrant.role == "unit_officer",
            RoleGrant.revoked_at.is_(None),
            or_(RoleGrant.consultation_id.is_(None), RoleGrant.consultation_id == consultation_id),
        )
    )
    rows = session.execute(
        select(Unit.code, Unit.short_name)
        .where(Unit.assignable, officer, Unit.id.not_in(sorted(excluded)))
        .order_by(Unit.position, Unit.id)
    )
    return tuple(Choice(code, name) for code, name in rows)


def unit_names(session: Session) -> dict[str, str]:
    """Return code to short name of every unit and group."""
    return {row[0]: row[1] for row in session.execute(select(Unit.code, Unit.short_name))}
