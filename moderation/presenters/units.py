"""Units in words, for their administrator."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.errors import DomainError, FieldErrors
from moderation.presenters.comment import Option
from moderation.queries.units_admin import UnitPage, UnitRow

KINDS = {
    "department": _l("区级部门"),
    "town": _l("街镇"),
    "park": _l("园区"),
    "company": _l("企业"),
    "mass_organisation": _l("群团组织"),
    "group": _l("单位组"),
}
_REFUSALS = {
    "unit_name_required": _l("请填写名称。"),
    "unit_name_malformed": _l("名称最多 60 个字，写在一行里。"),
    "unit_name_taken": _l("这个名称是另一个单位的名称或曾用名，请换一个。"),
    "group_not_assignable": _l("单位组不能直接转办，转办时展开为具体单位。"),
    "unit_not_group": _l("这个单位不是单位组。"),
    "unit_is_group": _l("单位组里只能放具体单位。"),
    "member_already": _l("这个单位已在组里。"),
}


@dataclass(frozen=True)
class Line:
    """One unit of the list."""

    code: str
    name: str
    short_name: str
    kind: str
    assignable: bool
    digest: bool
    officers: int
    missing_officer: bool


@dataclass(frozen=True)
class Page:
    """One unit's page."""

    line: Line
    group: bool
    aliases: tuple[str, ...]
    members: tuple[Line, ...]
    others: tuple[Option, ...]


def say(error: DomainError) -> str:
    """Return what a refusal says on these pages."""
    words = _REFUSALS.get(error.code)
    return i18n.say(error) if words is None else str(words)


def say_all(errors: FieldErrors) -> dict[str, str]:
    """Return field name to one sentence."""
    return {field: say(refusals[0]) for field, refusals in errors.errors.items() if refusals}


def kinds() -> tuple[Option, ...]:
    """Return the values of the filter."""
    return (Option("", _("全部")), *(Option(kind, str(label)) for kind, label in KINDS.items()))


def lines(rows: Iterable[UnitRow]) -> tuple[Line, ...]:
    """Return the lines of the list."""
    return tuple(_line(row) for row in rows)


def page(found: UnitPage) -> Page:
    """Return one unit's page."""
    others = (Option("", _("请选择")), *(Option(one.code, one.short_name) for one in found.others))
    return Page(_line(found.row), found.row.kind == "group", found.aliases, lines(found.members), others)


def _line(row: UnitRow) -> Line:
    return Line(
        row.code,
        row.name,
        row.short_name,
        str(KINDS.get(row.kind, row.kind)),
        row.assignable,
        row.daily_digest,
        row.officers,
        row.assignable and row.officers == 0,
    )
