"""How units keep their days, what is under supervision, and the comments behind every number.

A number and the list behind it come from the same condition (`_conditions`), so that they cannot disagree. Numbers
count comments, once each; a comment that went to two units counts at both. R-29, R-59 to R-74, R-103.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    exists,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import FunctionElement

from consult.domain.calendar import WorkCalendar, start_of_day
from consult.domain.comment_states import CommentState
from consult.domain.errors import CalendarPending, NotFound
from consult.models.comments import Assignment, Comment, Reply
from consult.models.consultations import Consultation, SectionVersion
from consult.models.plan import Unit
from moderation.domain.deadlines import day_plan, waited_longer_than
from moderation.domain.supervision import HANDLED
from moderation.models import RefusedReply, Supervision
from moderation.permissions import Viewer
from moderation.queries.scope import joined
from moderation.queries.supervision_cases import OPENED_BY, OPENING, CaseRow, cases, within

MEASURES = (
    "received",
    "signed",
    "auto",
    "open",
    "replied",
    "in_time",
    "late",
    "soon",
    "overdue",
    "returned",
    "extended",
)
"""What is counted of a unit. `open` waits for its answer, sign-off included; `late` was answered after its day."""

WAITS = ("wait_5", "wait_10", "wait_15", "wait_more")
"""How long what is open and not overdue has been with its unit: to 5, 10, 15 working days, more."""

_NEVER = date(9999, 12, 31)
_IN_HAND = tuple(state.value for state in HANDLED)
_OPEN = (*_IN_HAND, CommentState.PENDING_SIGN_OFF.value)


class _BeijingDay(FunctionElement[date]):
    """The Beijing day of a stored moment; each store says it its own way."""

    type = Date()
    name = "beijing_day"
    inherit_cache = True


@compiles(_BeijingDay, "sqlite")
def _on_sqlite(element: Any, compiler: Any, **kw: Any) -> str:
    # Stored as UTC text; the district has had one offset since 1991 (consult.domain.calendar).
    return f"date({compiler.process(element.clauses, **kw)}, '+8 hours')"


@compiles(_BeijingDay, "postgresql")
def _on_postgresql(element: Any, compiler: Any, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AT TIME ZONE 'Asia/Shanghai' AS DATE)"


# -- what is read ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """What to look at; `consultation` empty means every one in reach."""

    today: date
    consultation: str = ""


@dataclass(frozen=True)
class ListAsked:
    """Which number to open: a measure, `refused` or one of the waits; of one unit by code, or of all."""

    measure: str
    unit: str = ""
    consultation: str = ""
    after: tuple[date, int] | None = None


@dataclass(frozen=True)
class UnitRow:
    """One unit's numbers. `average` is working days from routing to publication, None without an answer.

    `refused` counts comments, `refusals` times a reply was refused as boilerplate, `submitted` times one went through.
    """

    code: str
    name: str
    counts: Mapping[str, int]
    average: float | None = None
    refused: int = 0
    refusals: int = 0
    submitted: int = 0

    @property
    def refused_share(self) -> float | None:
        """Share of replies refused as boilerplate, None without any."""
        tried = self.refusals + self.submitted
        return self.refusals / tried if tried else None


@dataclass(frozen=True, slots=True)
class ConsultationRow:
    """One consultation, for the filter and for the day its results are due (R-103)."""

    slug: str
    title: str
    ends_on: date
    stage: str
    feedback_published_at: datetime | None


@dataclass(frozen=True)
class Board:
    """The whole page."""

    units: tuple[UnitRow, ...]
    totals: Mapping[str, int]
    adopted: int
    waits: Mapping[str, int]
    cases: tuple[CaseRow, ...]
    consultations: tuple[ConsultationRow, ...]
    average: float | None = None


@dataclass(frozen=True, slots=True)
class ListRow:
    """One comment of a list."""

    id: int
    receipt_no: str
    version: int
    state: str
    opening: str
    heading: str
    unit: str
    assigned_at: datetime | None
    due_on: date | None
    return_count: int
    supervised: bool


@dataclass(frozen=True)
class Listing:
    """A page of the comments behind a number; `total` is that number."""

    rows: tuple[ListRow, ...]
    more: bool
    total: int
    unit: str


# -- the board -------------------------------------------------------------------------------------


def board(session: Session, viewer: Viewer, asked: Asked, calendar: WorkCalendar) -> Board:
    """Return the page in a fixed number of queries."""
    reach = within(viewer, asked.consultation)
    conditions = _conditions(calendar, asked.today)
    averages = _averages(session, reach, calendar)
    refused = _refused(session, reach)
    submitted = _submitted(session, reach)
    each = _each_comment({name: conditions[name] for name in MEASURES}, reach, Unit.id, Unit.code, Unit.short_name)
    rows = session.execute(
        select(
            each.c.id, each.c.code, each.c.short_name, *(func.sum(each.c[name]).label(name) for name in MEASURES)
        ).group_by(each.c.id, each.c.code, each.c.short_name)
    ).all()
    units = tuple(
        UnitRow(
            row.code,
            row.short_name,
            {name: int(getattr(row, name)) for name in MEASURES},
            averages.get(row.id),
            *refused.get(row.id, (0, 0)),
            submitted.get(row.id, 0),
        )
        for row in rows
    )
    totals = _totals(session, reach, conditions)
    return Board(
        units=units,
        totals=totals,
        adopted=totals["adopted"],
        waits={name: totals[name] for name in WAITS if name in totals},
        cases=cases(session, viewer, asked.consultation),
        consultations=_consultations(session, viewer),
        average=averages.get(None),
    )


_FIRST = (
    select(
        Reply.assignment_id,
        func.min(Reply.published_at).label("published_at"),
        func.min(Reply.approved_at).label("approved_at"),
    )
    .where(Reply.published_at.is_not(None), Reply.assignment_id.is_not(None))
    .group_by(Reply.assignment_id)
    .subquery("first_reply")
)
"""The first publication under each routing; corrections come later and do not count."""


def _from(*columns: Any) -> Select[Any]:
    """Return a statement over routings with their comment, unit and first published reply."""
    return (
        select(*columns)
        .select_from(Assignment)
        .join(Comment, Comment.id == Assignment.comment_id)
        .join(Unit, Unit.id == Assignment.lead_unit_id)
        .outerjoin(_FIRST, _FIRST.c.assignment_id == Assignment.id)
    )


def _each_comment(named: Mapping[str, ColumnElement[bool]], reach: ColumnElement[bool], *by: Any) -> Subquery:
    """Return one row a comment (and unit) with 1 or 0 for each condition, however many routings it had.

    Adding these up counts every comment once, with one grouping instead of a distinct count for each number.
    """
    flags = [func.max(case((condition, 1), else_=0)).label(name) for name, condition in named.items()]
    return _from(*by, *flags).where(reach).group_by(*by, Comment.id).subquery("each")


def _conditions(calendar: WorkCalendar, today: date) -> dict[str, ColumnElement[bool]]:
    """Return each number's condition on a routing.

    An answer is in time when it went to sign-off by its day, because the unit's clock stops there (R-71).
    """
    in_force = Assignment.closed_at.is_(None)
    answered = _FIRST.c.published_at.is_not(None)
    due = func.coalesce(Assignment.extended_due_on, Assignment.reply_due_on)
    in_time = _BeijingDay(_FIRST.c.approved_at) <= due
    running = and_(in_force, Comment.handling_state.in_(_IN_HAND))
    overdue = and_(running, Comment.reply_due_on < today)
    waiting = and_(in_force, Comment.handling_state.in_(_OPEN))
    conditions: dict[str, ColumnElement[bool]] = {
        "received": true(),
        "signed": and_(Assignment.receipted_at.is_not(None), Assignment.auto_receipt.is_(False)),
        "auto": Assignment.auto_receipt.is_(True),
        "open": waiting,
        "replied": answered,
        "in_time": and_(answered, in_time),
        "late": and_(answered, ~in_time),
        "soon": and_(running, Comment.reply_due_on >= today, Comment.reply_due_on <= _soon(calendar, today)),
        "overdue": overdue,
        "returned": Assignment.closed_why == "returned",
        "extended": Assignment.extended_due_on.is_not(None),
        "refused": exists().where(
            RefusedReply.comment_id == Comment.id, RefusedReply.unit_id == Assignment.lead_unit_id
        ),
    }
    return conditions | _waits(calendar, today, and_(waiting, ~func.coalesce(overdue, False)))


def _soon(calendar: WorkCalendar, today: date) -> date:
    """Return the last due day that is near: two working days from now, or today while that cannot be told (R-61)."""
    try:
        return max((*day_plan(calendar, today).soon, today))
    except CalendarPending:
        return today


def _waits(calendar: WorkCalendar, today: date, waiting: ColumnElement[bool]) -> dict[str, ColumnElement[bool]]:
    try:
        edges = [start_of_day(waited_longer_than(calendar, today, days)) for days in (5, 10, 15)]
    except CalendarPending:
        return {}
    at = Assignment.assigned_at
    return {
        "wait_5": and_(waiting, at >= edges[0]),
        "wait_10": and_(waiting, at < edges[0], at >= edges[1]),
        "wait_15": and_(waiting, at < edges[1], at >= edges[2]),
        "wait_more": and_(waiting, at < edges[2]),
    }


def _totals(
    session: Session, reach: ColumnElement[bool], conditions: Mapping[str, ColumnElement[bool]]
) -> dict[str, int]:
    adopted = and_(_FIRST.c.published_at.is_not(None), Comment.outcome.in_(("adopted", "partly_adopted")))
    named = {name: conditions[name] for name in (*MEASURES, *WAITS) if name in conditions} | {"adopted": adopted}
    each = _each_comment(named, reach)
    row = session.execute(select(*(func.coalesce(func.sum(each.c[name]), 0).label(name) for name in named))).one()
    return {name: int(n) for name, n in row._mapping.items()}


def _averages(session: Session, reach: ColumnElement[bool], calendar: WorkCalendar) -> dict[int | None, float]:
    """Return working days from routing to the first publication, by unit id, and over all under None.

    Grouped by days in the store, so that it costs the same for a hundred answers and a hundred thousand. Spans into a
    year without its notice are left out (R-61).
    """
    began, ended = _BeijingDay(Assignment.assigned_at), _BeijingDay(_FIRST.c.published_at)
    rows = session.execute(
        _from(Unit.id, began.label("began"), ended.label("ended"), func.count().label("n"))
        .where(reach, _FIRST.c.published_at.is_not(None))
        .group_by(Unit.id, began, ended)
    ).all()
    sums: dict[int | None, tuple[int, int]] = {}
    spans: dict[tuple[date, date], int | None] = {}
    for unit_id, first, last, n in rows:
        if (first, last) not in spans:
            spans[first, last] = _span(calendar, first, last)
        days = spans[first, last]
        if days is None:
            continue
        for key in (unit_id, None):
            total, count = sums.get(key, (0, 0))
            sums[key] = total + days * n, count + n
    return {key: total / count for key, (total, count) in sums.items()}


def _span(calendar: WorkCalendar, first: date, last: date) -> int | None:
    try:
        return calendar.working_days_between(first, last)
    except CalendarPending:
        return None


def _refused(session: Session, reach: ColumnElement[bool]) -> dict[int, tuple[int, int]]:
    """Return comments and times of replies refused as boilerplate, by unit (R-78)."""
    rows = session.execute(
        select(RefusedReply.unit_id, func.count(distinct(RefusedReply.comment_id)), func.count())
        .join(Comment, Comment.id == RefusedReply.comment_id)
        .where(reach)
        .group_by(RefusedReply.unit_id)
    )
    return {unit_id: (int(comments), int(times)) for unit_id, comments, times in rows}


def _submitted(session: Session, reach: ColumnElement[bool]) -> dict[int, int]:
    """Return how many versions went to sign-off, by unit; corrections are not the unit's."""
    rows = session.execute(
        select(Reply.lead_unit_id, func.count())
        .join(Comment, Comment.id == Reply.comment_id)
        .where(reach, Reply.approved_at.is_not(None), Reply.assignment_id.is_not(None), Reply.correction_note == "")
        .group_by(Reply.lead_unit_id)
    )
    return {unit_id: int(n) for unit_id, n in rows if unit_id is not None}


def _consultations(session: Session, viewer: Viewer) -> tuple[ConsultationRow, ...]:
    reach = joined(viewer, OPENED_BY)
    statement = (
        select(
            Consultation.slug,
            Consultation.title,
            Consultation.ends_on,
            Consultation.stage,
            Consultation.feedback_published_at,
        )
        .where(Consultation.stage != "draft")
        .order_by(Consultation.archived_at.is_not(None), Consultation.starts_on.desc(), Consultation.id)
        .limit(40)
    )
    if not reach.everything:
        statement = statement.where(Consultation.id.in_(sorted(reach.consultations)))
    return tuple(ConsultationRow(*row) for row in session.execute(statement))


# -- the comments behind a number ------------------------------------------------------------------


def listed(
    session: Session, viewer: Viewer, asked: ListAsked, today: date, calendar: WorkCalendar, size: int = 100
) -> Listing:
    """Return the comments behind a number, the earliest due day first.

    Raises:
        NotFound: no such measure or unit, or a wait while the calendar cannot tell (R-61).
    """
    condition = _conditions(calendar, today).get(asked.measure)
    if condition is None:
        raise NotFound(object="measure")
    unit_name = ""
    behind = _from(Comment.id).where(condition, within(viewer, asked.consultation))
    if asked.unit:
        unit = session.execute(select(Unit.id, Unit.short_name).where(Unit.code == asked.unit)).first()
        if unit is None:
            raise NotFound(object="unit")
        behind = behind.where(Assignment.lead_unit_id == unit.id)
        unit_name = unit.short_name
    ids = behind.distinct().subquery("behind")
    total = session.scalar(select(func.count()).select_from(ids)) or 0
    order = func.coalesce(Comment.reply_due_on, _NEVER)
    statement = (
        select(
            Comment.id,
            Comment.receipt_no,
            Comment.version,
            Comment.handling_state,
            func.substr(Comment.body, 1, OPENING),
            func.coalesce(SectionVersion.heading, ""),
            func.coalesce(Unit.short_name, ""),
            Comment.assigned_at,
            Comment.reply_due_on,
            Comment.return_count,
            exists().where(Supervision.comment_id == Comment.id, Supervision.closed_at.is_(None)),
        )
        .join(ids, ids.c.id == Comment.id)
        .outerjoin(Unit, Unit.id == Comment.lead_unit_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .order_by(order, Comment.id)
        .limit(size + 1)
    )
    if asked.after is not None:
        day, key = asked.after
        statement = statement.where(or_(order > day, and_(order == day, Comment.id > key)))
    rows = [ListRow(*row) for row in session.execute(statement)]
    return Listing(tuple(rows[:size]), len(rows) > size, total, unit_name)


def position(row: ListRow) -> tuple[date, int]:
    """Return where the next page goes on after a row."""
    return row.due_on or _NEVER, row.id
