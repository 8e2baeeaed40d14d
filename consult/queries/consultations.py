"""Reading consultations and programmes for lists and for the pages of those who run them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Standing
from consult.domain.errors import NotFound
from consult.domain.periods import ConsultationState, Window, current_state, opening_window
from consult.models.comments import CommentTally
from consult.models.consultations import (
    Consultation,
    ConsultationEvent,
    PeriodExtension,
    Programme,
    ProgrammeStage,
)
from consult.models.plan import Unit


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme as a choice in a form."""

    id: int
    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class StageRow:
    """One line of a timetable; `source_when` is the source as printed (R-12), `when_text` the editorial reading."""

    track: str
    position: int
    source_when: str
    when_text: str
    starts_month: int
    ends_month: int
    what: str


@dataclass(frozen=True, slots=True)
class ConsultationRow:
    """A consultation as its staff see it; `state` is derived from the clock (R-09)."""

    id: int
    slug: str
    short_code: str
    title: str
    state: ConsultationState
    window: Window
    starts_on: date
    ends_on: date
    owner_code: str
    owner_name: str
    programme: str
    created_by: int | None
    published_at: datetime | None
    shortened: bool
    shortening_reason: str
    drafting_note: str
    how_to_comment: str
    contact_unit: str
    contact_phone: str
    contact_email: str
    contact_address: str
    adjustment_note: str
    impact_assessment_no: str
    contact_rule: str
    retention_months: int
    received: int = 0


@dataclass(frozen=True, slots=True)
class ExtensionRow:
    """One extension of the period (R-07)."""

    old_end: date
    new_end: date
    reason: str
    notice_no: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of a consultation's log."""

    seq: int
    kind: str
    actor_id: int | None
    actor_role: str
    before: str
    after: str
    reason: str
    at: datetime


def programmes(session: Session) -> tuple[ProgrammeRow, ...]:
    """Return every programme, oldest first."""
    found = session.execute(select(Programme.id, Programme.slug, Programme.title).order_by(Programme.id))
    return tuple(ProgrammeRow(key, slug, title) for key, slug, title in found)


def timetable(session: Session, programme_id: int) -> tuple[StageRow, ...]:
    """Return a programme's timetable in the order of the source."""
    found = session.scalars(
        select(ProgrammeStage).where(ProgrammeStage.programme_id == programme_id).order_by(ProgrammeStage.id)
    )
    return tuple(
        StageRow(row.track, row.position, row.source_when, row.when_text, row.starts_month, row.ends_month, row.what)
        for row in found
    )


def list_consultations(
    session: Session, now: datetime, within: frozenset[int] | None = None
) -> tuple[ConsultationRow, ...]:
    """Return consultations, newest first; `within` limits them to these ids (None: all)."""
    limit = [] if within is None else [Consultation.id.in_(within)]
    return _rows(session, now, *limit)


def consultation(session: Session, slug: str, now: datetime, within: frozenset[int] | None = None) -> ConsultationRow:
    """Return one consultation.

    Raises:
        NotFound: there is none of that name, or it lies outside `within`.
    """
    limit = [] if within is None else [Consultation.id.in_(within)]
    found = _rows(session, now, Consultation.slug == slug, *limit)
    if not found:
        raise NotFound(object="consultation")
    return found[0]


def extensions(session: Session, consultation_id: int) -> tuple[ExtensionRow, ...]:
    """Return the extensions of a period, oldest first."""
    found = session.scalars(
        select(PeriodExtension).where(PeriodExtension.consultation_id == consultation_id).order_by(PeriodExtension.id)
    )
    return tuple(ExtensionRow(row.old_end, row.new_end, row.reason, row.notice_no, row.decided_at) for row in found)


def history(session: Session, consultation_id: int) -> tuple[EventRow, ...]:
    """Return what happened to a consultation, oldest first."""
    found = session.scalars(
        select(ConsultationEvent)
        .where(ConsultationEvent.consultation_id == consultation_id)
        .order_by(ConsultationEvent.seq)
    )
    return tuple(
        EventRow(row.seq, row.kind, row.actor_id, row.actor_role, row.before, row.after, row.reason, row.at)
        for row in found
    )


def waiting_comments(session: Session, consultation_id: int) -> int:
    """Return how many comments still wait for an answer (C05 records it)."""
    return int(
        session.scalar(
            select(func.coalesce(func.sum(CommentTally.n), 0)).where(
                CommentTally.consultation_id == consultation_id, CommentTally.standing == Standing.WAITING.value
            )
        )
        or 0
    )


def _rows(session: Session, now: datetime, *conditions: ColumnElement[bool]) -> tuple[ConsultationRow, ...]:
    statement = select(CommentTally.consultation_id, func.sum(CommentTally.n)).group_by(CommentTally.consultation_id)
    received = dict(session.execute(statement).all())
    found = session.execute(
        select(Consultation, Unit.code, Unit.short_name, Programme.title)
        .join(Unit, Unit.id == Consultation.owner_unit_id)
        .join(Programme, Programme.id == Consultation.programme_id)
        .where(*conditions)
        .order_by(Consultation.id.desc())
    )
    return tuple(
        _row(row, owner_code, owner, programme, int(received.get(row.id, 0)), now)
        for row, owner_code, owner, programme in found
    )


def _row(
    row: Consultation, owner_code: str, owner: str, programme: str, received: int, now: datetime
) -> ConsultationRow:
    window = opening_window(row.starts_on, row.ends_on)
    return ConsultationRow(
        id=row.id,
        slug=row.slug,
        short_code=row.short_code,
        title=row.title,
        state=current_state(ConsultationState(row.stage), window, now),
        window=window,
        starts_on=row.starts_on,
        ends_on=row.ends_on,
        owner_code=owner_code,
        owner_name=owner,
        programme=programme,
        created_by=row.created_by,
        published_at=row.published_at,
        shortened=row.shortened,
        shortening_reason=row.shortening_reason,
        drafting_note=row.drafting_note,
        how_to_comment=row.how_to_comment,
        contact_unit=row.contact_unit,
        contact_phone=row.contact_phone,
        contact_email=row.contact_email,
        contact_address=row.contact_address,
        adjustment_note=row.adjustment_note,
        impact_assessment_no=row.impact_assessment_no,
        contact_rule=row.contact_rule,
        retention_months=row.retention_months,
        received=received,
    )
