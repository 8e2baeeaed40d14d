"""Which unit should probably lead, and why: the section's default, then the plan item and its co-units (R-56, R-112).

A suggestion only; a person routes (R-43).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.comments import Comment
from consult.models.consultations import Consultation, SectionItem, SectionVersion
from consult.models.plan import PlanItem, PlanItemUnit, Unit


@dataclass(frozen=True)
class SuggestedUnit:
    """A unit and why it is suggested.

    `role` is lead or co. `reason` is `item` (the plan item the comment names), `section_given` (the list imported with
    the draft), `section_items` (the section's plan items), `section_item` (one of them) or `owner` (who runs the
    consultation); `detail` names the item, or is empty.
    """

    unit_id: int
    code: str
    name: str
    role: str
    reason: str
    detail: str = ""
    assignable: bool = True


_SECTION_REASONS: Mapping[str, str] = {"owner": "owner", "items": "section_items"}


def suggested_lead(session: Session, comment: Comment) -> SuggestedUnit | None:
    """Return the first unit suggested as lead that can be routed to."""
    found = suggest(session, comment.consultation_id, comment.section_version_id, comment.item_id)
    return next((one for one in found if one.role == "lead" and one.assignable), None)


def suggest(
    session: Session, consultation_id: int, section_version_id: int | None, item_id: int | None
) -> tuple[SuggestedUnit, ...]:
    """Return suggested units, best first, each once; three queries whatever the answer."""
    found: dict[int, SuggestedUnit] = {}
    items = _item_units(session, section_version_id, item_id)
    for one in items:
        if one.reason == "item" and one.role == "lead":
            found.setdefault(one.unit_id, one)
    default = _section_default(session, section_version_id)
    if default is not None:
        found.setdefault(default.unit_id, default)
    for one in items:
        found.setdefault(one.unit_id, one)
    owner = _owner(session, consultation_id)
    if owner is not None and not found:
        found[owner.unit_id] = owner
    return tuple(found.values())


def _item_units(session: Session, section_version_id: int | None, item_id: int | None) -> list[SuggestedUnit]:
    in_section = select(SectionItem.item_id).where(SectionItem.section_version_id == section_version_id)
    rows = session.execute(
        select(PlanItem.id, PlanItem.title, PlanItemUnit.role, Unit.id, Unit.code, Unit.short_name, Unit.assignable)
        .join(PlanItemUnit, PlanItemUnit.item_id == PlanItem.id)
        .join(Unit, Unit.id == PlanItemUnit.unit_id)
        .where((PlanItem.id == item_id) | PlanItem.id.in_(in_section))
        .order_by(PlanItem.id != (item_id or 0), PlanItem.position, PlanItem.id, PlanItemUnit.position)
        .limit(40)
    ).all()
    return [
        SuggestedUnit(
            unit_id,
            code,
            name,
            "lead" if role == "lead" else "co",
            "item" if row_item == item_id else "section_item",
            title,
            assignable,
        )
        for row_item, title, role, unit_id, code, name, assignable in rows
    ]


def _section_default(session: Session, section_version_id: int | None) -> SuggestedUnit | None:
    row = session.execute(
        select(Unit.id, Unit.code, Unit.short_name, Unit.assignable, SectionVersion.default_lead_reason)
        .join(SectionVersion, SectionVersion.default_lead_unit_id == Unit.id)
        .where(SectionVersion.id == section_version_id)
    ).first()
    if row is None:
        return None
    unit_id, code, name, assignable, why = row
    return SuggestedUnit(unit_id, code, name, "lead", _SECTION_REASONS.get(why, "section_given"), assignable=assignable)


def _owner(session: Session, consultation_id: int) -> SuggestedUnit | None:
    row = session.execute(
        select(Unit.id, Unit.code, Unit.short_name, Unit.assignable)
        .join(Consultation, Consultation.owner_unit_id == Unit.id)
        .where(Consultation.id == consultation_id)
    ).first()
    return None if row is None else SuggestedUnit(row[0], row[1], row[2], "lead", "owner", assignable=row[3])
