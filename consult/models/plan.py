"""Units, the plan's items and the editorial notes beside the source text."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from consult.models.base import Base, Word, words

UNIT_KINDS = ("department", "town", "park", "company", "mass_organisation", "group")
ITEM_KINDS = ("special_plan", "indicator", "key_task", "major_project", "regional_plan")
UNIT_ROLES = ("lead", "other")
CERTAINTIES = ("certain", "likely", "unclear")


class Unit(Base):
    """A unit that can be responsible, or a group such as 各街镇 that must be expanded first (R-57)."""

    __tablename__ = "unit"
    __table_args__ = (CheckConstraint(words("kind", UNIT_KINDS), name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Word, unique=True)
    name: Mapped[str]
    short_name: Mapped[str]
    kind: Mapped[str] = mapped_column(Word)
    assignable: Mapped[bool] = mapped_column(default=True)
    note: Mapped[str] = mapped_column(default="")
    position: Mapped[int] = mapped_column(default=0)
    daily_digest: Mapped[bool] = mapped_column(default=False)


class UnitAlias(Base):
    """Another way the source writes a unit's name (R-58)."""

    __tablename__ = "unit_alias"
    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"), index=True)
    alias: Mapped[str] = mapped_column(String(200), unique=True)


class UnitMember(Base):
    """One member of a group unit."""

    __tablename__ = "unit_member"
    __table_args__ = (UniqueConstraint("group_id", "unit_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)


class PlanItem(Base):
    """One special plan, indicator, task, project or region of the plan.

    `source_text` is the source as extracted and never repaired (R-12); targets stay text (R-114).
    """

    __tablename__ = "plan_item"
    __table_args__ = (
        CheckConstraint(words("kind", ITEM_KINDS), name="kind"),
        Index("ix_plan_item_kind_position", "kind", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Word, unique=True)
    kind: Mapped[str] = mapped_column(Word)
    category: Mapped[str] = mapped_column(default="")
    position: Mapped[int]
    title: Mapped[str]
    text: Mapped[str]
    source_text: Mapped[str]
    starred: Mapped[bool] = mapped_column(default=False)
    raw_unit_text: Mapped[str] = mapped_column(default="")
    notes: Mapped[str] = mapped_column(default="")


class PlanItemUnit(Base):
    """A unit the responsibility table names for an item, in its order; joint leads are several `lead` rows."""

    __tablename__ = "plan_item_unit"
    __table_args__ = (
        CheckConstraint(words("role", UNIT_ROLES), name="role"),
        UniqueConstraint("item_id", "unit_id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("plan_item.id", ondelete="CASCADE"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    role: Mapped[str] = mapped_column(Word)
    position: Mapped[int]


class EditorialNote(Base):
    """A marked repair beside the source: what stands there, what was probably meant, how sure, why."""

    __tablename__ = "editorial_note"
    __table_args__ = (CheckConstraint(words("certainty", CERTAINTIES), name="certainty"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(Word, unique=True)
    location: Mapped[str]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("plan_item.id", ondelete="SET NULL"), index=True)
    original: Mapped[str]
    repaired: Mapped[str]
    certainty: Mapped[str] = mapped_column(Word)
    reason: Mapped[str] = mapped_column(default="")
