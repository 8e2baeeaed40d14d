"""Units as their administrator reads them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, distinct, exists, func, or_, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.plan import UNIT_KINDS, Unit, UnitAlias, UnitMember
from moderation.models import RoleGrant, StaffMember


@dataclass(frozen=True)
class UnitFilter:
    """Which units: a part of a name, code or alias; a kind; `officer` is `none` for those nobody works for (R-97)."""

    q: str = ""
    kind: str = ""
    officer: str = ""


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit of the list."""

    code: str
    name: str
    short_name: str
    kind: str
    assignable: bool
    daily_digest: bool
    officers: int


@dataclass(frozen=True)
class UnitPage:
    """One unit with its other names, and with its members when it is a group; `others` could join it."""

    row: UnitRow
    aliases: tuple[str, ...]
    members: tuple[UnitRow, ...]
    others: tuple[UnitRow, ...]


def _officers() -> ColumnElement[int]:
    return (
        select(func.count(distinct(StaffMember.id)))
        .join(RoleGrant, RoleGrant.staff_id == StaffMember.id)
        .where(
            StaffMember.unit_id == Unit.id,
            StaffMember.active,
            RoleGrant.role == "unit_officer",
            RoleGrant.revoked_at.is_(None),
        )
        .correlate(Unit)
        .scalar_subquery()
    )


_COLUMNS = (Unit.code, Unit.name, Unit.short_name, Unit.kind, Unit.assignable, Unit.daily_digest)


def units(session: Session, wanted: UnitFilter) -> tuple[UnitRow, ...]:
    """Return the units in the order of the file; one query."""
    statement = select(*_COLUMNS, _officers()).order_by(Unit.position, Unit.id)
    if wanted.q:
        written = exists().where(UnitAlias.unit_id == Unit.id, UnitAlias.alias.contains(wanted.q, autoescape=True))
        statement = statement.where(
            or_(
                Unit.name.contains(wanted.q, autoescape=True),
                Unit.short_name.contains(wanted.q, autoescape=True),
                Unit.code == wanted.q.upper(),
                written,
            )
        )
    if wanted.kind in UNIT_KINDS:
        statement = statement.where(Unit.kind == wanted.kind)
    if wanted.officer == "none":
        statement = statement.where(and_(Unit.assignable, _officers() == 0))
    return tuple(UnitRow(*row) for row in session.execute(statement))


def unit(session: Session, code: str) -> UnitPage:
    """Return one unit.

    Raises:
        NotFound: there is none.
    """
    identity = session.scalar(select(Unit.id).where(Unit.code == code))
    if identity is None:
        raise NotFound(object="unit")
    names = session.scalars(select(UnitAlias.alias).where(UnitAlias.unit_id == identity).order_by(UnitAlias.id)).all()
    row = UnitRow(*session.execute(select(*_COLUMNS, _officers()).where(Unit.id == identity)).one())
    if row.kind != "group":
        return UnitPage(row, tuple(names), (), ())
    inside = select(UnitMember.unit_id).where(UnitMember.group_id == identity)
    members = session.execute(
        select(*_COLUMNS, _officers())
        .join(UnitMember, UnitMember.unit_id == Unit.id)
        .where(UnitMember.group_id == identity)
        .order_by(UnitMember.position)
    )
    others = session.execute(
        select(*_COLUMNS, _officers())
        .where(Unit.kind != "group", Unit.id.not_in(inside))
        .order_by(Unit.position, Unit.id)
    )
    return UnitPage(row, tuple(names), tuple(UnitRow(*one) for one in members), tuple(UnitRow(*one) for one in others))
