"""The administrator's hand on units: names, what they take part in, members of groups (R-57, R-58, R-97, R-98)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from consult.domain.errors import FieldErrors, NotFound, Refused
from consult.models.plan import Unit, UnitAlias, UnitMember
from moderation.services import audit
from moderation.services.audit import By

NAME_MAXIMUM = 60
_ONE_NAME = 1


def rename(session: Session, by: By, code: str, name: str, short_name: str, now: datetime) -> None:
    """Rename a unit; the names it had stay as other ways of writing it, so that old texts still find it (R-97, R-58).

    Raises:
        NotFound: no such unit.
        FieldErrors: `unit_name_required`, `unit_name_malformed`, `unit_name_taken`, by field.
    """
    unit = _take(session, code)
    names = {"name": name.strip(), "short_name": short_name.strip()}
    errors = {field: [Refused(why, field=field)] for field, why in _problems(session, unit, names).items()}
    if errors:
        raise FieldErrors(errors)
    before = {"name": unit.name, "short_name": unit.short_name}
    if before == names:
        return
    unit.name, unit.short_name = names["name"], names["short_name"]
    for old in dict.fromkeys(before.values()):
        _keep(session, unit, old)
    session.flush()
    _record(session, by, "unit_rename", unit, now, before=before, after=names)


def _problems(session: Session, unit: Unit, names: dict[str, str]) -> dict[str, str]:
    problems: dict[str, str] = {}
    for field, name in names.items():
        if not name:
            problems[field] = "unit_name_required"
        elif len(name) > NAME_MAXIMUM or not name.isprintable():
            problems[field] = "unit_name_malformed"
        elif _belongs_to_another(session, unit, name):
            problems[field] = "unit_name_taken"
    return problems


def _belongs_to_another(session: Session, unit: Unit, name: str) -> bool:
    """Tell whether a name would find another unit, now or in an old text."""
    named = select(Unit.id).where(Unit.id != unit.id, or_(Unit.name == name, Unit.short_name == name))
    written = select(UnitAlias.id).where(UnitAlias.unit_id != unit.id, UnitAlias.alias == name)
    return session.scalar(named.limit(_ONE_NAME)) is not None or session.scalar(written) is not None


def _keep(session: Session, unit: Unit, old: str) -> None:
    if old in (unit.name, unit.short_name):
        return
    # A name another unit goes by, or is written as, cannot lead here as well.
    if _belongs_to_another(session, unit, old):
        return
    if session.scalar(select(UnitAlias.id).where(UnitAlias.alias == old)) is None:
        session.add(UnitAlias(unit_id=unit.id, alias=old))


def set_flags(session: Session, by: By, code: str, now: datetime, *, assignable: bool, daily_digest: bool) -> None:
    """Say whether a unit can be routed to, and whether it takes one digest a day instead of a mail an event.

    Raises:
        NotFound: no such unit.
        Refused: `group_not_assignable`, a group is expanded to its members (R-57).
    """
    unit = _take(session, code)
    if assignable and unit.kind == "group":
        raise Refused("group_not_assignable", field="assignable", unit=unit.short_name)
    before = {"assignable": unit.assignable, "daily_digest": unit.daily_digest}
    after = {"assignable": assignable, "daily_digest": daily_digest}
    if before == after:
        return
    unit.assignable, unit.daily_digest = assignable, daily_digest
    session.flush()
    _record(session, by, "unit_settings", unit, now, before=before, after=after)


def add_member(session: Session, by: By, code: str, member_code: str, now: datetime) -> None:
    """Put a unit into a group (R-57).

    Raises:
        NotFound: no such group.
        Refused: `unit_not_group`, `unit_unknown`, `unit_is_group`, `member_already`.
    """
    group = _group(session, code)
    member = session.scalar(select(Unit).where(Unit.code == member_code))
    if member is None:
        raise Refused("unit_unknown", field="member")
    if member.kind == "group":
        raise Refused("unit_is_group", field="member")
    there = select(UnitMember.id).where(UnitMember.group_id == group.id, UnitMember.unit_id == member.id)
    if session.scalar(there) is not None:
        raise Refused("member_already", field="member")
    last = session.scalar(select(func.max(UnitMember.position)).where(UnitMember.group_id == group.id))
    session.add(UnitMember(group_id=group.id, unit_id=member.id, position=0 if last is None else last + 1))
    session.flush()
    _record(session, by, "unit_member_added", group, now, member=member.code)


def remove_member(session: Session, by: By, code: str, member_code: str, now: datetime) -> None:
    """Take a unit out of a group.

    Raises:
        NotFound: no such group or member.
        Refused: `unit_not_group`.
    """
    group = _group(session, code)
    row = session.scalar(
        select(UnitMember)
        .join(Unit, Unit.id == UnitMember.unit_id)
        .where(UnitMember.group_id == group.id, Unit.code == member_code)
    )
    if row is None:
        raise NotFound(object="unit_member")
    session.delete(row)
    session.flush()
    _record(session, by, "unit_member_removed", group, now, member=member_code)


def _group(session: Session, code: str) -> Unit:
    unit = _take(session, code)
    if unit.kind != "group":
        raise Refused("unit_not_group")
    return unit


def _take(session: Session, code: str) -> Unit:
    unit = session.scalar(select(Unit).where(Unit.code == code).with_for_update())
    if unit is None:
        raise NotFound(object="unit")
    return unit


def _record(session: Session, by: By, action: str, unit: Unit, now: datetime, **detail: object) -> None:
    audit.record(session, by, action, now, object_kind="unit", object_ref=unit.code, detail=detail)
