"""Reading units: by code or by any name the source writes (R-58), groups with their members (R-57)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from consult.domain.errors import UnitUnknown
from consult.models.plan import Unit, UnitAlias, UnitMember


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit; `assignable` is False for groups and for units that take no part in routing."""

    id: int
    code: str
    name: str
    short_name: str
    kind: str
    assignable: bool
    note: str = ""

    @property
    def is_group(self) -> bool:
        """Whether it stands for several units (R-57)."""
        return self.kind == "group"


def _rows() -> Select[Unit]:
    return select(Unit)


def _unit(unit: Unit) -> UnitRow:
    return UnitRow(unit.id, unit.code, unit.name, unit.short_name, unit.kind, unit.assignable, unit.note)


def list_units(session: Session, *, assignable_only: bool = False) -> tuple[UnitRow, ...]:
    """Return all units in the order of the file."""
    statement = _rows().order_by(Unit.position, Unit.id)
    if assignable_only:
        statement = statement.where(Unit.assignable)
    return tuple(_unit(row) for row in session.scalars(statement))


def find_unit(session: Session, name: str) -> UnitRow:
    """Return the unit with this code, full name, short name or alias.

    Raises:
        UnitUnknown: there is none (R-58).
    """
    wanted = name.strip()
    row = session.scalar(_rows().where(Unit.code == wanted.upper()))
    if row is None:
        by_alias = select(UnitAlias.unit_id).where(UnitAlias.alias == wanted)
        row = session.scalar(
            _rows()
            .where(or_(Unit.name == wanted, Unit.short_name == wanted, Unit.id.in_(by_alias)))
            .order_by(Unit.position)
            .limit(1)
        )
    if row is None:
        raise UnitUnknown(unit=wanted)
    return _unit(row)


def unit_by_id(session: Session, unit_id: int) -> UnitRow | None:
    """Return one unit, or None."""
    row = session.get(Unit, unit_id)
    return None if row is None else _unit(row)


def members(session: Session, group_code: str) -> tuple[UnitRow, ...]:
    """Return the units a group stands for, in the order of the file; empty for a unit that is no group."""
    group = select(Unit.id).where(Unit.code == group_code).scalar_subquery()
    statement = (
        _rows()
        .join(UnitMember, UnitMember.unit_id == Unit.id)
        .where(UnitMember.group_id == group)
        .order_by(UnitMember.position)
    )
    return tuple(_unit(row) for row in session.scalars(statement))


def aliases(session: Session) -> dict[str, str]:
    """Return every way a unit's name is written -> its code."""
    found = session.execute(select(UnitAlias.alias, Unit.code).join(Unit, Unit.id == UnitAlias.unit_id))
    return dict(found.all())
