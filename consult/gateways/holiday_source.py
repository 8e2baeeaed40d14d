"""The one door to the `holidays` library: what the yearly notice changes against Monday to Friday.

Source: the State Council's notices of public holidays (节假日安排), as the library has them. For a year whose
notice is not out the library knows the feasts but not the swapped days; only a person marks a year published (R-61).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class YearNotice:
    """What the library has for one year.

    Attributes:
        weekday_off: Monday to Friday days that are holidays, with the holiday's Chinese name.
        weekend_on: Saturdays and Sundays worked in exchange (调休).
    """

    year: int
    weekday_off: Mapping[date, str] = field(default_factory=dict)
    weekend_on: frozenset[date] = frozenset()


def year_notice(year: int) -> YearNotice:
    """Return what the library has for mainland China in that year."""
    import holidays  # 3.5 MB that only filling a calendar needs

    found = holidays.country_holidays("CN", years=year, language="zh_CN")
    off = {day: str(name) for day, name in sorted(found.items()) if day.year == year and day.weekday() < _SATURDAY}
    on = frozenset(day for day in found.weekend_workdays if day.year == year)
    return YearNotice(year, off, on)
