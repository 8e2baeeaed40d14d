"""Loading the plan: units, items and editorial notes, as values already checked by `domain.plan_rows`.

A second run with the same files changes nothing. What the store has and the files no longer have is kept, because
comments and drafts may point at it, and is counted in the summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.domain.plan_rows import FixRow, ItemRow, PlanRows, UnitRow
from consult.models.plan import EditorialNote, PlanItem, PlanItemUnit, Unit, UnitAlias, UnitMember


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """What an import did: counts per table (units, items, notes), and codes only the store still has."""

    created: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    only_in_store: tuple[str, ...] = ()

    @property
    def nothing_changed(self) -> bool:
        """Whether the store already held exactly this plan."""
        return not any(self.created.values()) and not any(self.changed.values())


@dataclass(slots=True)
class _Count:
    created: dict[str, int] = field(default_factory=lambda: {"units": 0, "items": 0, "notes": 0})
    changed: dict[str, int] = field(default_factory=lambda: {"units": 0, "items": 0, "notes": 0})


def import_plan(session: Session, plan: PlanRows) -> PlanSummary:
    """Bring units, items and editorial notes to what the files say (R-12, R-56 to R-58, R-111, R-114)."""
    count = _Count()
    unit_ids, extra_units = _units(session, plan.units, count)
    item_ids, extra_items = _items(session, plan.items, unit_ids, count)
    extra_notes = _notes(session, plan.fixes, item_ids, count)
    session.flush()
    return PlanSummary(count.created, count.changed, (*extra_units, *extra_items, *extra_notes))


def _put(row: object, values: Mapping[str, object]) -> bool:
    """Set what differs; tell whether anything did."""
    differing = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in differing.items():
        setattr(row, name, value)
    return bool(differing)


def _units(session: Session, rows: Sequence[UnitRow], count: _Count) -> tuple[dict[str, int], list[str]]:
    known = {unit.code: unit for unit in session.scalars(select(Unit))}
    before = set(known)
    touched: dict[str, bool] = {}
    for position, row in enumerate(rows, start=1):
        values = {
            "name": row.name,
            "short_name": row.short_name,
            "kind": row.kind,
            "assignable": row.assignable,
            "note": row.note,
            "position": position,
        }
        if row.code not in known:
            known[row.code] = Unit(code=row.code)
            session.add(known[row.code])
            count.created["units"] += 1
        touched[row.code] = _put(known[row.code], values)
    session.flush()
    ids = {code: unit.id for code, unit in known.items()}
    aliases = _aliases(session, rows, ids)
    members = _members(session, rows, ids)
    for code in touched:
        if code in before and (touched[code] or code in aliases or code in members):
            count.changed["units"] += 1
    given = {row.code for row in rows}
    return ids, sorted(code for code in known if code not in given)


def _aliases(session: Session, rows: Sequence[UnitRow], ids: Mapping[str, int]) -> set[str]:
    """Make the aliases of the given units what the file says; return the codes that differed."""
    have: dict[int, set[str]] = {}
    for alias in session.scalars(select(UnitAlias)):
        have.setdefault(alias.unit_id, set()).add(alias.alias)
    differing = {row.code for row in rows if have.get(ids[row.code], set()) != set(row.aliases)}
    # All old ones go before any new one comes: an alias may move from one unit to another, and it is unique.
    for code in differing:
        session.execute(delete(UnitAlias).where(UnitAlias.unit_id == ids[code]))
    for row in rows:
        if row.code in differing:
            session.add_all([UnitAlias(unit_id=ids[row.code], alias=alias) for alias in row.aliases])
    session.flush()
    return differing


def _members(session: Session, rows: Sequence[UnitRow], ids: Mapping[str, int]) -> set[str]:
    have: dict[int, list[int]] = {}
    for member in session.scalars(select(UnitMember).order_by(UnitMember.position, UnitMember.id)):
        have.setdefault(member.group_id, []).append(member.unit_id)
    differing: set[str] = set()
    for row in rows:
        wanted = [ids[code] for code in row.members]
        if have.get(ids[row.code], []) == wanted:
            continue
        differing.add(row.code)
        session.execute(delete(UnitMember).where(UnitMember.group_id == ids[row.code]))
        session.add_all(
            [
                UnitMember(group_id=ids[row.code], unit_id=unit_id, position=position)
                for position, unit_id in enumerate(wanted, start=1)
            ]
        )
    session.flush()
    return differing


def _items(
    session: Session, rows: Sequence[ItemRow], unit_ids: Mapping[str, int], count: _Count
) -> tuple[dict[str, int], list[str]]:
    known = {item.key: item for item in session.scalars(select(PlanItem))}
    before = set(known)
    touched: dict[str, bool] = {}
    for row in rows:
        values = {
            "kind": row.kind,
            "category": row.category,
            "position": row.position,
            "title": row.title,
            "text": row.text,
            "source_text": row.source_text,
            "starred": row.starred,
            "raw_unit_text": row.raw_unit_text,
            "notes": row.notes,
        }
        if row.key not in known:
            known[row.key] = PlanItem(key=row.key)
            session.add(known[row.key])
            count.created["items"] += 1
        touched[row.key] = _put(known[row.key], values)
    session.flush()
    ids = {key: item.id for key, item in known.items()}
    linked = _item_units(session, rows, ids, unit_ids)
    count.changed["items"] += sum(1 for key in touched if key in before and (touched[key] or key in linked))
    given = {row.key for row in rows}
    return ids, sorted(key for key in known if key not in given)


def _item_units(
    session: Session, rows: Iterable[ItemRow], ids: Mapping[str, int], unit_ids: Mapping[str, int]
) -> set[str]:
    have: dict[int, list[tuple[int, str]]] = {}
    for link in session.scalars(select(PlanItemUnit).order_by(PlanItemUnit.position, PlanItemUnit.id)):
        have.setdefault(link.item_id, []).append((link.unit_id, link.role))
    differing: set[str] = set()
    for row in rows:
        wanted = [(unit_ids[code], "lead") for code in row.leads]
        wanted += [(unit_ids[code], "other") for code in row.others]
        if have.get(ids[row.key], []) == wanted:
            continue
        differing.add(row.key)
        session.execute(delete(PlanItemUnit).where(PlanItemUnit.item_id == ids[row.key]))
        session.add_all(
            [
                PlanItemUnit(item_id=ids[row.key], unit_id=unit_id, role=role, position=position)
                for position, (unit_id, role) in enumerate(wanted, start=1)
            ]
        )
    session.flush()
    return differing


def _notes(session: Session, rows: Sequence[FixRow], item_ids: Mapping[str, int], count: _Count) -> list[str]:
    known = {note.code: note for note in session.scalars(select(EditorialNote))}
    for row in rows:
        values = {
            "location": row.location,
            "item_id": None if row.item_key is None else item_ids[row.item_key],
            "original": row.original,
            "repaired": row.repaired,
            "certainty": row.certainty,
            "reason": row.reason,
        }
        if row.code not in known:
            note = known[row.code] = EditorialNote(code=row.code)
            _put(note, values)
            session.add(note)
            count.created["notes"] += 1
        else:
            count.changed["notes"] += _put(known[row.code], values)
    given = {row.code for row in rows}
    return sorted(code for code in known if code not in given)
