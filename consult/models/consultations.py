"""Programmes, consultations, their periods, draft versions, sections and blocks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from consult.models.base import Base, Word, words

STAGES = ("draft", "not_started", "collating", "feedback_published", "archived")
VERSION_STATES = ("editing", "published")
BLOCK_KINDS = ("paragraph", "list_item", "quote", "note", "table_head", "table_row", "image")


class Programme(Base):
    """An evaluation with its timetable (附件6); it holds many consultations."""

    __tablename__ = "programme"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")


class ProgrammeStage(Base):
    """One line of the programme's timetable; `source_when` is printed as the source has it."""

    __tablename__ = "programme_stage"
    __table_args__ = (UniqueConstraint("programme_id", "track", "position"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id", ondelete="CASCADE"))
    track: Mapped[str]
    position: Mapped[int]
    source_when: Mapped[str]
    when_text: Mapped[str]
    starts_month: Mapped[int]
    ends_month: Mapped[int]
    what: Mapped[str]


class Consultation(Base):
    """One public comment round on a draft.

    `stage` holds only what people decide: `not_started` means published, and whether it is not yet open,
    open or ended is derived from the clock (R-09).
    """

    __tablename__ = "consultation"
    __table_args__ = (
        CheckConstraint(words("stage", STAGES), name="stage"),
        CheckConstraint("ends_on >= starts_on", name="period"),
        CheckConstraint("retention_months BETWEEN 1 AND 12", name="retention"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(ForeignKey("programme.id"), index=True)
    owner_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    slug: Mapped[str] = mapped_column(String(80), unique=True)
    short_code: Mapped[str] = mapped_column(String(12), unique=True)
    title: Mapped[str]
    stage: Mapped[str] = mapped_column(Word, default="draft")
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    published_at: Mapped[datetime | None]
    published_by: Mapped[int | None]
    created_by: Mapped[int | None]
    shortened: Mapped[bool] = mapped_column(default=False)
    shortening_reason: Mapped[str] = mapped_column(default="")
    drafting_note: Mapped[str] = mapped_column(default="")
    how_to_comment: Mapped[str] = mapped_column(default="")
    contact_unit: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    contact_email: Mapped[str] = mapped_column(default="")
    contact_address: Mapped[str] = mapped_column(default="")
    adjustment_note: Mapped[str] = mapped_column(default="")
    impact_assessment_no: Mapped[str] = mapped_column(default="")
    notice_version: Mapped[str] = mapped_column(Word, default="2026-11")
    retention_months: Mapped[int] = mapped_column(default=6)
    contact_rule: Mapped[str] = mapped_column(Word, default="both")
    collating_since: Mapped[datetime | None]
    feedback_published_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    terminated_at: Mapped[datetime | None]
    termination_reason: Mapped[str] = mapped_column(default="")
    next_serial: Mapped[int] = mapped_column(default=1)
    event_seq: Mapped[int] = mapped_column(default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    version: Mapped[int] = mapped_column(default=1)
    __mapper_args__ = {"version_id_col": version}


class PeriodExtension(Base):
    """One extension of the period, kept for ever (R-07)."""

    __tablename__ = "period_extension"
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"), index=True)
    old_end: Mapped[date]
    new_end: Mapped[date]
    reason: Mapped[str]
    notice_no: Mapped[str] = mapped_column(default="")
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime]


class ConsultationEvent(Base):
    """What happened to a consultation: created, published, extended, collated; append-only."""

    __tablename__ = "consultation_event"
    __table_args__ = (UniqueConstraint("consultation_id", "seq"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(Word)
    actor_id: Mapped[int | None]
    actor_role: Mapped[str] = mapped_column(Word, default="system")
    before: Mapped[str] = mapped_column(Word, default="")
    after: Mapped[str] = mapped_column(Word, default="")
    reason: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class DraftVersion(Base):
    """One version of a consultation's draft; a published version never changes (R-11)."""

    __tablename__ = "draft_version"
    __table_args__ = (
        CheckConstraint(words("state", VERSION_STATES), name="state"),
        UniqueConstraint("consultation_id", "number"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(Word, default="editing")
    title: Mapped[str] = mapped_column(default="")
    preamble: Mapped[str] = mapped_column(default="")
    source_name: Mapped[str] = mapped_column(default="")
    source_sha256: Mapped[str] = mapped_column(String(64), default="")
    warnings: Mapped[list[Any]] = mapped_column(default=list)
    cleaner_version: Mapped[str] = mapped_column(Word, default="")
    imported_by: Mapped[int | None]
    imported_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    correction_note: Mapped[str] = mapped_column(default="")


class Section(Base):
    """A section's identity: its key never changes and is its address."""

    __tablename__ = "section"
    __table_args__ = (UniqueConstraint("consultation_id", "key"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"))
    key: Mapped[str] = mapped_column(Word)


class SectionVersion(Base):
    """A section's heading and place in one draft version."""

    __tablename__ = "section_version"
    __table_args__ = (
        UniqueConstraint("draft_version_id", "position"),
        UniqueConstraint("draft_version_id", "section_id"),
        Index("ix_section_version_section_id", "section_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    draft_version_id: Mapped[int] = mapped_column(ForeignKey("draft_version.id"))
    section_id: Mapped[int] = mapped_column(ForeignKey("section.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("section_version.id"))
    position: Mapped[int]
    level: Mapped[int]
    label: Mapped[str] = mapped_column(default="")
    title: Mapped[str]
    heading: Mapped[str]
    path: Mapped[str]
    default_lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    default_lead_reason: Mapped[str] = mapped_column(Word, default="owner")


class SectionItem(Base):
    """A plan item a section is about, in order."""

    __tablename__ = "section_item"
    __table_args__ = (UniqueConstraint("section_version_id", "item_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    section_version_id: Mapped[int] = mapped_column(ForeignKey("section_version.id", ondelete="CASCADE"))
    item_id: Mapped[int] = mapped_column(ForeignKey("plan_item.id"), index=True)
    position: Mapped[int]


class Block(Base):
    """A paragraph or table row of a section version, the smallest thing a comment can be about."""

    __tablename__ = "block"
    __table_args__ = (
        CheckConstraint(words("kind", BLOCK_KINDS), name="kind"),
        UniqueConstraint("section_version_id", "key"),
        UniqueConstraint("section_version_id", "position"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    section_version_id: Mapped[int] = mapped_column(ForeignKey("section_version.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(Word)
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(Word)
    text: Mapped[str]
    html: Mapped[str] = mapped_column(default="")
    cells: Mapped[list[Any]] = mapped_column(default=list)
    table_no: Mapped[int | None]
    row_no: Mapped[int | None]


class CalendarYear(Base):
    """A year of the official holiday notice; it counts only once marked published (R-61)."""

    __tablename__ = "calendar_year"
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    published: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    source: Mapped[str] = mapped_column(default="")


class CalendarDay(Base):
    """A weekday that is off or a weekend day that is worked (调休)."""

    __tablename__ = "calendar_day"
    day: Mapped[date] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(ForeignKey("calendar_year.year", ondelete="CASCADE"), index=True)
    works: Mapped[bool]
    name: Mapped[str] = mapped_column(default="")
