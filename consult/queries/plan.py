"""Reading the plan: items with their lead units by annex, and the editorial notes beside the source."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.plan import EditorialNote, PlanItem, PlanItemUnit, Unit

KINDS = ("special_plan", "indicator", "key_task", "major_project", "regional_plan")
"""In the order of the notice: 附件1 special plans, 附件2 indicators, 附件3 tasks, 附件4 projects, then regions."""


@dataclass(frozen=True, slots=True)
class ItemUnit:
    """A unit the responsibility table names; `role` is lead (joint leads: several) or other."""

    code: str
    name: str
    short_name: str
    role: str
    is_group: bool


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item in a list. `source_text` is the source as extracted (R-12); targets stay text (R-114)."""

    id: int
    key: str
    kind: str
    category: str
    position: int
    title: str
    text: str
    source_text: str
    starred: bool
    raw_unit_text: str
    units: tuple[ItemUnit, ...] = ()
    note_count: int = 0

    @property
    def leads(self) -> tuple[ItemUnit, ...]:
        """The lead unit, or the joint leads in the order of the source."""
        return tuple(unit for unit in self.units if unit.role == "lead")

    @property
    def others(self) -> tuple[ItemUnit, ...]:
        """The further units in the order of the source."""
        return tuple(unit for unit in self.units if unit.role != "lead")


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A marked repair: what stands there, what was probably meant, how sure (certain, likely, unclear), why."""

    code: str
    location: str
    original: str
    repaired: str
    certainty: str
    reason: str
    item_key: str | None = None


@dataclass(frozen=True, slots=True)
class ItemPage:
    """One item with its editorial notes."""

    item: ItemRow
    notes: tuple[NoteRow, ...]
    remarks: str


def list_items(session: Session, kind: str | None = None) -> tuple[ItemRow, ...]:
    """Return the items, by annex and position; of one kind when given. Three statements, whatever the number."""
    statement = select(PlanItem).order_by(PlanItem.kind, PlanItem.position, PlanItem.id)
    if kind is not None:
        statement = statement.where(PlanItem.kind == kind)
    items = list(session.scalars(statement))
    units = _units_of(session, None if kind is None else [item.id for item in items])
    notes = _note_counts(session)
    order = {name: index for index, name in enumerate(KINDS)}
    items.sort(key=lambda item: (order[item.kind], item.position, item.id))
    return tuple(_row(item, units.get(item.id, ()), notes.get(item.id, 0)) for item in items)


def item(session: Session, key: str) -> ItemPage:
    """Return one item with its notes.

    Raises:
        NotFound: there is no such key.
    """
    found = session.scalar(select(PlanItem).where(PlanItem.key == key))
    if found is None:
        raise NotFound(object="plan_item")
    notes = tuple(
        NoteRow(note.code, note.location, note.original, note.repaired, note.certainty, note.reason, key)
        for note in session.scalars(
            select(EditorialNote).where(EditorialNote.item_id == found.id).order_by(EditorialNote.id)
        )
    )
    return ItemPage(_row(found, _units_of(session, [found.id]).get(found.id, ()), len(notes)), notes, found.notes)


def lead_names(session: Session, keys: Iterable[str]) -> dict[str, str]:
    """Return the short name of the first lead unit of each item named; items without a lead are left out."""
    rows = session.execute(
        select(PlanItem.key, Unit.short_name)
        .join(PlanItemUnit, PlanItemUnit.item_id == PlanItem.id)
        .join(Unit, Unit.id == PlanItemUnit.unit_id)
        .where(PlanItem.key.in_(list(keys)), PlanItemUnit.role == "lead")
        .order_by(PlanItem.key, PlanItemUnit.position)
    )
    names: dict[str, str] = {}
    for key, name in rows:
        names.setdefault(key, name)
    return names


def unit_names(session: Session) -> frozenset[tuple[int, str]]:
    """Return (id, short name) of every unit: equal for as long as no unit is renamed, added or removed."""
    return frozenset((unit_id, name) for unit_id, name in session.execute(select(Unit.id, Unit.short_name)))


def editorial_notes(session: Session) -> tuple[NoteRow, ...]:
    """Return every note in the order of the file, those about no item too."""
    found = session.execute(
        select(EditorialNote, PlanItem.key)
        .outerjoin(PlanItem, PlanItem.id == EditorialNote.item_id)
        .order_by(EditorialNote.id)
    )
    return tuple(
        NoteRow(note.code, note.location, note.original, note.repaired, note.certainty, note.reason, key)
        for note, key in found
    )


def _units_of(session: Session, item_ids: Iterable[int] | None) -> dict[int, tuple[ItemUnit, ...]]:
    statement = (
        select(PlanItemUnit.item_id, Unit.code, Unit.name, Unit.short_name, PlanItemUnit.role, Unit.kind)
        .join(Unit, Unit.id == PlanItemUnit.unit_id)
        .order_by(PlanItemUnit.item_id, PlanItemUnit.position)
    )
    if item_ids is not None:
        statement = statement.where(PlanItemUnit.item_id.in_(list(item_ids)))
    out: dict[int, list[ItemUnit]] = {}
    for item_id, code, name, short_name, role, kind in session.execute(statement):
        out.setdefault(item_id, []).append(ItemUnit(code, name, short_name, role, kind == "group"))
    return {item_id: tuple(units) for item_id, units in out.items()}


def _note_counts(session: Session) -> dict[int, int]:
    counts: dict[int, int] = {}
    for item_id in session.scalars(select(EditorialNote.item_id).where(EditorialNote.item_id.is_not(None))):
        if item_id is not None:
            counts[item_id] = counts.get(item_id, 0) + 1
    return counts


def _row(item: PlanItem, units: tuple[ItemUnit, ...], notes: int) -> ItemRow:
    return ItemRow(
        item.id,
        item.key,
        item.kind,
        item.category,
        item.position,
        item.title,
        item.text,
        item.source_text,
        item.starred,
        item.raw_unit_text,
        units,
        notes,
    )
