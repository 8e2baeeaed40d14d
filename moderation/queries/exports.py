"""Reading what an export holds: the rows somebody reaches, in a fixed order, without holding them in memory.

The keys of the rows are listed first (8 bytes each); the rows follow in batches. Both statements carry the scope in
their WHERE (R-100). The caller keeps one reading session for all of it, so that a file shows one moment of the store.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from consult.domain.calendar import WorkCalendar, local_day, remaining_working_days
from consult.domain.comment_states import CommentState, Publicity
from consult.domain.errors import CalendarPending
from consult.domain.personal_data import Redaction, apply_redactions, find, unresolved
from consult.domain.tables import Row
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Assignment, CoAssignment, Comment, CommentEvent, ContactDetails, Reply
from consult.models.consultations import Consultation, SectionVersion
from consult.models.plan import PlanItem, PlanItemUnit, Unit
from consult.queries import published
from moderation.domain import handling_list as words
from moderation.domain.handling_list import Criteria
from moderation.permissions import Reach
from moderation.queries.scope import reached

BATCH = 500
_LISTED_AT_ONCE = 5_000
_ANSWERED = (CommentState.REPLIED.value, CommentState.CLOSED.value)


@dataclass(frozen=True)
class Keys:
    """The keys of the rows of one table, in order."""

    ids: Sequence[int]

    def __len__(self) -> int:
        return len(self.ids)

    def batches(self) -> Iterator[list[int]]:
        """Yield them a batch at a time."""
        for start in range(0, len(self.ids), BATCH):
            yield list(self.ids[start : start + BATCH])


@dataclass(frozen=True)
class Named:
    """What an export calls the things it is about."""

    consultation: str
    short_name: str
    unit: str


# -- which rows ------------------------------------------------------------------------------------


def lead_keys(session: Session, reach: Reach, criteria: Criteria, as_of: datetime) -> Keys:
    """Return the comments of the main table: those the unit leads, or all of the consultations reached.

    What `as_of` covers: comments submitted by then and, for a unit, routed to it by then. Who leads a comment is
    always judged by today's routing: what a unit has handed back is gone from its files too (R-100).
    """
    return _keys(session, _lead_condition(reach, as_of), criteria, as_of)


def co_keys(session: Session, reach: Reach, criteria: Criteria, as_of: datetime) -> Keys:
    """Return the comments the unit helps with in the routing in force, made by `as_of`."""
    return _keys(session, _co_condition(reach, as_of), criteria, as_of)


def _lead_condition(reach: Reach, as_of: datetime) -> ColumnElement[bool]:
    mine = reached(replace(reach, co_unit=None))
    if reach.everything or reach.consultations:
        return mine
    return and_(mine, Comment.assigned_at <= as_of)


def _co_condition(reach: Reach, as_of: datetime) -> ColumnElement[bool]:
    return and_(reached(Reach(co_unit=reach.co_unit)), Comment.assigned_at <= as_of)


def _keys(session: Session, scope: ColumnElement[bool], criteria: Criteria, as_of: datetime) -> Keys:
    conditions = [scope, Comment.submitted_at <= as_of]
    if criteria.consultation_id is not None:
        conditions.append(Comment.consultation_id == criteria.consultation_id)
    if criteria.states:
        conditions.append(Comment.handling_state.in_(criteria.states))
    statement = (
        select(Comment.id)
        .where(*conditions)
        .order_by(Comment.consultation_id, Comment.serial, Comment.id)
        .execution_options(yield_per=_LISTED_AT_ONCE)
    )
    return Keys(array("q", session.scalars(statement)))


# -- the main table --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """What reading rows needs besides the session: the calendar, the moment, and the cipher for contact columns."""

    calendar: WorkCalendar
    as_of: datetime
    cipher: FieldCipher | None = None


def lead_rows(session: Session, reach: Reach, keys: Keys, reader: Reader) -> Iterator[Row]:
    """Yield the rows of the main table, in the columns of `handling_list.COLUMNS`, with contacts when it has a cipher.

    Of the past, `as_of` brings back the handling state (from the log), the receipt and the published reply; the
    days left are counted from its day. Texts, publicity and units are those of now.
    """
    scope = _lead_condition(reach, reader.as_of)
    number = 0
    days = _DaysLeft(reader.calendar, local_day(reader.as_of))
    for ids in keys.batches():
        contacts = _contacts(session, ids, reader.cipher) if reader.cipher is not None else None
        for key, _assignment, cells in _batch(session, scope, ids, reader.as_of, days):
            number += 1
            row = (number, *cells)
            yield row if contacts is None else row + contacts.get(key, (None, None, None))


def co_rows(session: Session, reach: Reach, keys: Keys, reader: Reader) -> Iterator[Row]:
    """Yield the co-unit rows, in the columns of `handling_list.CO_COLUMNS`; contacts never stand here."""
    scope = _co_condition(reach, reader.as_of)
    number = 0
    days = _DaysLeft(reader.calendar, local_day(reader.as_of))
    for ids in keys.batches():
        own = _own_feedback(session, ids, reach, reader.as_of)
        for _key, assignment, cells in _batch(session, scope, ids, reader.as_of, days):
            number += 1
            yield (number, *cells, *own.get(assignment, (None, None, None)))


_LEAD = aliased(Unit)
_COLUMNS = (
    Comment.id,
    Comment.receipt_no,
    Comment.body,
    Comment.publicity,
    Comment.submitted_at,
    Comment.handling_state,
    Comment.updated_at,
    Comment.reply_due_on,
    Comment.return_count,
    SectionVersion.path,
    PlanItem.kind,
    PlanItem.key,
    _LEAD.short_name,
    Assignment.id,
    Assignment.assigned_at,
    Assignment.receipted_at,
    Assignment.reply_due_on,
    Assignment.extended_due_on,
)


def _batch(
    session: Session, scope: ColumnElement[bool], ids: list[int], as_of: datetime, days: _DaysLeft
) -> Iterator[tuple[int, int, Row]]:
    """Yield (comment, routing or 0, cells after 序号) of one batch, in the order of `ids`."""
    found = session.execute(
        select(*_COLUMNS)
        .outerjoin(
            Assignment,
            and_(Assignment.comment_id == Comment.id, Assignment.closed_at.is_(None), Assignment.assigned_at <= as_of),
        )
        .outerjoin(_LEAD, _LEAD.id == Assignment.lead_unit_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .outerjoin(PlanItem, PlanItem.id == Comment.item_id)
        .where(Comment.id.in_(ids), scope)
    ).all()
    by_id = {row[0]: row for row in found}
    helpers = _co_units(session, [row[13] for row in found if row[13] is not None])
    replies = _replies(session, ids, as_of)
    states = _earlier_states(session, [row[0] for row in found if row[6] > as_of], as_of)
    for key in ids:
        row = by_id.get(key)
        if row is None:
            continue
        state = states.get(key, row[5])
        receipted = row[15]
        reply = replies.get(key, _NO_REPLY)
        yield (
            key,
            row[13] or 0,
            (
                row[1],
                (row[9] or words.WHOLE_REPORT).replace(" > ", ""),
                words.item_label(row[10], row[11]) if row[11] else None,
                _readable(row[2], row[3]),
                words.PUBLICITIES[row[3]],
                row[4],
                row[12],
                helpers.get(row[13]),
                row[14],
                receipted if receipted is not None and receipted <= as_of else None,
                row[16],
                row[17],
                words.STATES[state],
                days.left(row[7]) if state in words.BEING_ANSWERED else None,
                row[8],
                *reply,
            ),
        )


def _readable(body: str, publicity: str) -> str:
    """Return the text without personal data; before a person has looked, the detector's finds are covered (R-30)."""
    if publicity != Publicity.PENDING:
        return body
    return apply_redactions(body, [Redaction(one.start, one.end, one.type) for one in unresolved(find(body))])


class _DaysLeft:
    """Working days left until a due day, each due day counted once."""

    def __init__(self, calendar: WorkCalendar, today: date) -> None:
        self._calendar = calendar
        self._today = today
        self._known: dict[date, int | None] = {}

    def left(self, due: date | None) -> int | None:
        if due is None:
            return None
        if due not in self._known:
            try:
                self._known[due] = remaining_working_days(self._calendar, due, self._today)
            except CalendarPending:
                self._known[due] = None
        return self._known[due]


def _co_units(session: Session, assignments: list[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    if not assignments:
        return names
    found = session.execute(
        select(CoAssignment.assignment_id, Unit.short_name)
        .join(Unit, Unit.id == CoAssignment.unit_id)
        .where(CoAssignment.assignment_id.in_(assignments))
        .order_by(CoAssignment.assignment_id, CoAssignment.position, CoAssignment.id)
    )
    for assignment, name in found:
        names[assignment] = f"{names[assignment]}、{name}" if assignment in names else name
    return names


_NO_REPLY: tuple[None, ...] = (None,) * 5


def _replies(session: Session, ids: list[int], as_of: datetime) -> dict[int, tuple[Any, ...]]:
    """Return outcome, place, reason, text and sign-off of the reply that stood published at that moment."""
    found = session.execute(
        select(
            Reply.comment_id, Reply.outcome, Reply.draft_location, Reply.reason, Reply.body, Reply.individual_note,
            Reply.signed_off_at, Reply.published_at,
        )
        .where(Reply.comment_id.in_(ids), Reply.published_at <= as_of)
        .order_by(Reply.comment_id, Reply.revision)
    )  # fmt: skip
    return {
        row[0]: (
            words.OUTCOMES.get(row[1] or ""),
            row[2] or None,
            row[3] or None,
            "\n".join(part for part in (row[4], row[5]) if part) or None,
            row[6] or row[7],
        )
        for row in found
    }


def _earlier_states(session: Session, ids: list[int], as_of: datetime) -> dict[int, str]:
    """Return the state at that moment of comments that changed since, from their logs."""
    if not ids:
        return {}
    found = session.execute(
        select(CommentEvent.comment_id, CommentEvent.after)
        .where(CommentEvent.comment_id.in_(ids), CommentEvent.at <= as_of, CommentEvent.after.in_(list(words.STATES)))
        .order_by(CommentEvent.comment_id, CommentEvent.seq)
    )
    return {key: state for key, state in found}  # noqa: C416 - rows are no pairs to a type checker


def _contacts(session: Session, ids: list[int], cipher: FieldCipher) -> dict[int, tuple[str | None, ...]]:
    """Return name, telephone and e-mail; nothing of what was erased or is only kept under a hold (R-48, R-49)."""
    found = session.execute(
        select(ContactDetails.comment_id, ContactDetails.name, ContactDetails.phone, ContactDetails.email).where(
            ContactDetails.comment_id.in_(ids), ContactDetails.erased_at.is_(None), ContactDetails.legal_hold == ""
        )
    )
    return {row[0]: tuple(cipher.decrypt(token) if token else None for token in row[1:]) for row in found}


def _own_feedback(
    session: Session, ids: list[int], reach: Reach, as_of: datetime
) -> dict[int, tuple[date | None, str | None, datetime | None]]:
    found = session.execute(
        select(CoAssignment.assignment_id, CoAssignment.due_on, CoAssignment.feedback, CoAssignment.feedback_at)
        .join(Assignment, Assignment.id == CoAssignment.assignment_id)
        .where(Assignment.comment_id.in_(ids), Assignment.closed_at.is_(None), CoAssignment.unit_id == reach.co_unit)
    )
    return {
        row[0]: (row[1], row[2] or None, row[3]) if row[3] is not None and row[3] <= as_of else (row[1], None, None)
        for row in found
    }


# -- the public table ------------------------------------------------------------------------------


def public_count(session: Session, consultation_id: int, as_of: datetime) -> int:
    """Return how many public comments of a consultation were submitted by `as_of`."""
    condition = and_(published.PUBLIC, Comment.consultation_id == consultation_id, Comment.submitted_at <= as_of)
    return int(session.scalar(select(func.count()).select_from(Comment).where(condition)) or 0)


def public_rows(session: Session, consultation_id: int, as_of: datetime) -> Iterator[Row]:
    """Yield the public table newest first, read through the one module that knows what is public (R-106)."""
    after: tuple[datetime, int] | None = (as_of, 2**62)
    while after is not None:
        page = published.table_page(session, consultation_id, published.Filters(), BATCH, after=after)
        for row in page.rows:
            reply = "\n".join(part for part in (row.reply_body, row.reply_note) if part)
            yield (
                row.commenter,
                row.body,
                reply or "办理中",
                row.submitted_at,
                row.reply_unit or None,
                row.replied_at if reply else None,
                words.OUTCOMES.get(row.outcome),
                row.section_heading or words.WHOLE_REPORT,
            )
        after = (page.rows[-1].submitted_at, page.rows[-1].id) if page.rows and page.has_older else None


# -- the plan's items of a unit --------------------------------------------------------------------


def item_rows(session: Session, unit_id: int, as_of: datetime) -> list[Row]:
    """Return the plan's items that name a unit, with how many comments it leads on each, routed by `as_of`.

    A comment counts for the item it names. There are a few hundred items, so they are held whole.
    """
    roles = {
        row[0]: row[1]
        for row in session.execute(
            select(PlanItemUnit.item_id, PlanItemUnit.role).where(PlanItemUnit.unit_id == unit_id)
        )
    }
    counts = {
        row[0]: (row[1], row[2])
        for row in session.execute(
            select(
                Comment.item_id,
                func.count(),
                func.count().filter(and_(Comment.handling_state.in_(_ANSWERED), Comment.replied_at <= as_of)),
            )
            .where(reached(Reach(lead_unit=unit_id)), Comment.assigned_at <= as_of, Comment.item_id.is_not(None))
            .group_by(Comment.item_id)
        )
    }
    items = session.execute(
        select(PlanItem.id, PlanItem.kind, PlanItem.key, PlanItem.title, PlanItem.raw_unit_text)
        .where(or_(PlanItem.id.in_(sorted(roles)), PlanItem.id.in_(sorted(counts))))
        .order_by(PlanItem.kind, PlanItem.position, PlanItem.id)
    ).all()
    order = {kind: place for place, kind in enumerate(words.ITEM_KINDS)}
    rows: list[Row] = []
    for item in sorted(items, key=lambda one: order[one.kind]):
        received, answered = counts.get(item.id, (0, 0))
        role = words.ITEM_ROLES.get(roles.get(item.id, ""))
        rows.append(
            (
                len(rows) + 1, words.ITEM_KINDS[item.kind], item.key, item.title, role, item.raw_unit_text or None,
                received, answered,
            )
        )  # fmt: skip
    return rows


# -- names -----------------------------------------------------------------------------------------


def named(session: Session, consultation_id: int | None, unit_id: int | None) -> Named:
    """Return the names an export carries; without a consultation it is named after the evaluation as a whole."""
    consultation = session.get(Consultation, consultation_id) if consultation_id is not None else None
    unit = session.get(Unit, unit_id) if unit_id is not None else None
    return Named(
        consultation=consultation.title if consultation else "全部征集",
        short_name=consultation.short_code if consultation else "全部征集",
        unit=unit.short_name if unit else "",
    )
