"""Reading published consultations and programmes for the public pages; nothing unpublished is ever returned."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.domain.periods import ConsultationState, Window, current_state, opening_window
from consult.models.consultations import Consultation, PeriodExtension, Programme, ProgrammeStage
from consult.models.plan import EditorialNote, PlanItem, Unit


@dataclass(frozen=True)
class ConsultationHead:
    """A published consultation with its state at the moment it was read (R-09)."""

    id: int
    programme_id: int
    slug: str
    short_code: str
    title: str
    owner_unit: str
    owner_unit_name: str
    state: ConsultationState
    window: Window
    starts_on: date
    ends_on: date
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
    notice_version: str
    retention_months: int
    contact_rule: str
    feedback_published_at: datetime | None
    terminated_at: datetime | None
    termination_reason: str

    @property
    def is_open(self) -> bool:
        """Whether comments are taken."""
        return self.state is ConsultationState.OPEN and self.terminated_at is None


@dataclass(frozen=True)
class Fix:
    """A marked editorial note (R-12)."""

    source: str
    repaired: str
    certainty: str
    reason: str


@dataclass(frozen=True)
class ProgrammeView:
    """A programme with its timetable."""

    id: int
    slug: str
    title: str
    summary: str
    stages: tuple[tuple[str, str, int, int, str], ...]


# Made once, of tables: every public page asks this, and most of its cost was the making and the mapper.
_BY_SLUG = (
    select(
        Consultation.__table__,
        Unit.__table__.c.short_name.label("owner_short_name"),
        Unit.__table__.c.name.label("owner_name"),
    )
    .join(Unit.__table__, Unit.__table__.c.id == Consultation.__table__.c.owner_unit_id)
    .where(Consultation.__table__.c.slug == bindparam("slug"), Consultation.__table__.c.stage != "draft")
)


def consultation(session: Session, slug: str, now: datetime) -> ConsultationHead | None:
    """Return a published consultation, or None."""
    row = session.connection().execute(_BY_SLUG, {"slug": slug}).first()
    return None if row is None else _head(row, row.owner_short_name, row.owner_name, now)


def required(session: Session, slug: str, now: datetime) -> ConsultationHead:
    """Return a published consultation.

    Raises:
        NotFound: there is none of that name, or it is not published.
    """
    found = consultation(session, slug, now)
    if found is None:
        raise NotFound(object="consultation")
    return found


def consultations(session: Session, now: datetime) -> tuple[ConsultationHead, ...]:
    """Return every published consultation, the one closing first first."""
    rows = session.execute(
        select(Consultation, Unit.short_name, Unit.name)
        .join(Unit, Unit.id == Consultation.owner_unit_id)
        .where(Consultation.stage != "draft")
        .order_by(Consultation.ends_on, Consultation.id)
    )
    return tuple(_head(one, short, name, now) for one, short, name in rows)


def _head(one: Any, short: str, name: str, now: datetime) -> ConsultationHead:
    window = opening_window(one.starts_on, one.ends_on)
    return ConsultationHead(
        id=one.id,
        programme_id=one.programme_id,
        slug=one.slug,
        short_code=one.short_code,
        title=one.title,
        owner_unit=short,
        owner_unit_name=name,
        state=current_state(ConsultationState(one.stage), window, now),
        window=window,
        starts_on=one.starts_on,
        ends_on=one.ends_on,
        published_at=one.published_at,
        shortened=one.shortened,
        shortening_reason=one.shortening_reason,
        drafting_note=one.drafting_note,
        how_to_comment=one.how_to_comment,
        contact_unit=one.contact_unit,
        contact_phone=one.contact_phone,
        contact_email=one.contact_email,
        contact_address=one.contact_address,
        adjustment_note=one.adjustment_note,
        notice_version=one.notice_version,
        retention_months=one.retention_months,
        contact_rule=one.contact_rule,
        feedback_published_at=one.feedback_published_at,
        terminated_at=one.terminated_at,
        termination_reason=one.termination_reason,
    )


def extensions_of(session: Session, consultation_id: int) -> tuple[tuple[date, date, str, datetime], ...]:
    """Return (old end, new end, reason, decided at) of every extension, oldest first (R-07)."""
    rows = session.execute(
        select(PeriodExtension.old_end, PeriodExtension.new_end, PeriodExtension.reason, PeriodExtension.decided_at)
        .where(PeriodExtension.consultation_id == consultation_id)
        .order_by(PeriodExtension.id)
    )
    return tuple((row[0], row[1], row[2], row[3]) for row in rows)


def fixes_of_items(session: Session) -> dict[str, tuple[Fix, ...]]:
    """Return the editorial notes of every plan item, by the item's key (R-12)."""
    found: defaultdict[str, list[Fix]] = defaultdict(list)
    for key, note in session.execute(
        select(PlanItem.key, EditorialNote)
        .join(PlanItem, PlanItem.id == EditorialNote.item_id)
        .order_by(EditorialNote.code)
    ):
        found[key].append(Fix(note.original, note.repaired, note.certainty, note.reason))
    return {key: tuple(value) for key, value in found.items()}


def programme(session: Session) -> ProgrammeView | None:
    """Return the first programme with its timetable, or None."""
    one = session.scalar(select(Programme).order_by(Programme.id).limit(1))
    if one is None:
        return None
    stages = session.execute(
        select(
            ProgrammeStage.track,
            ProgrammeStage.when_text,
            ProgrammeStage.starts_month,
            ProgrammeStage.ends_month,
            ProgrammeStage.what,
        )
        .where(ProgrammeStage.programme_id == one.id)
        .order_by(ProgrammeStage.position)
    )
    return ProgrammeView(
        one.id, one.slug, one.title, one.summary, tuple((row[0], row[1], row[2], row[3], row[4]) for row in stages)
    )


def possible_lead_units(session: Session) -> tuple[str, ...]:
    """Return the short names of units that can be responsible, for the privacy notice (R-44)."""
    return tuple(
        session.scalars(select(Unit.short_name).where(Unit.assignable.is_(True)).order_by(Unit.position, Unit.id))
    )
