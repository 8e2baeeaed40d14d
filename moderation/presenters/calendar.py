"""The calendar in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.errors import DomainError
from moderation.presenters.comment import day_words
from moderation.queries.calendar_admin import DayRow, YearPage, YearRow

_REFUSALS = {
    "year_out_of_range": _l("只能录入 %(first)s—%(last)s 年。"),
    "calendar_published": _l("这一年已经公布，不能重新导入或再次公布；个别日子可以逐日修改。"),
    "calendar_empty": _l("这一年还没有放假的日子，不能公布。"),
    "day_required": _l("请填写日期，如 2026-10-01。"),
    "day_of_other_year": _l("请填写 %(year)s 年的日期。"),
    "holiday_name_malformed": _l("名称最多 %(maximum)s 个字，写在一行里。"),
}


@dataclass(frozen=True)
class YearLine:
    """One year of the list; `stored` is False for a year that is only waited for."""

    year: int
    state: str
    tone: str
    source: str
    off: int
    on: int
    waiting: str
    url: str
    stored: bool


@dataclass(frozen=True)
class DayLine:
    """One day."""

    iso: str
    words: str
    kind: str
    name: str


@dataclass(frozen=True)
class YearView:
    """One year's page."""

    line: YearLine
    published: bool
    days: tuple[DayLine, ...]


def say(error: DomainError) -> str:
    """Return what a refusal says on these pages."""
    words = _REFUSALS.get(error.code)
    return i18n.say(error) if words is None else str(words) % error.params


def years(rows: Iterable[YearRow], url: Callable[..., str]) -> tuple[YearLine, ...]:
    """Return the lines of the list."""
    return tuple(_year(row, url) for row in rows)


def page(found: YearPage, url: Callable[..., str]) -> YearView:
    """Return one year's page."""
    return YearView(_year(found.row, url), found.row.published, tuple(_day(one) for one in found.days))


def _year(row: YearRow, url: Callable[..., str]) -> YearLine:
    stored = bool(row.source or row.off or row.on or row.published)
    if row.published:
        state, tone = _("已公布，计入工作日"), "open"
    elif stored:
        state, tone = _("草稿，尚未公布"), "soon"
    else:
        state, tone = _("没有数据"), "red"
    waiting = _("%(n)s 件到期日待定", n=row.waiting) if row.waiting else ""
    address = url("calendar_admin.show", year=row.year)
    return YearLine(row.year, state, tone, row.source, row.off, row.on, waiting, address, stored)


def _day(one: DayRow) -> DayLine:
    words = _("%(day)s（%(weekday)s）", day=day_words(one.day), weekday=i18n.weekday(one.day))
    return DayLine(one.day.isoformat(), words, _("上班") if one.works else _("放假"), one.name)
