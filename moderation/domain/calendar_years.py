"""What an administrator may put into the calendar: years, days off, days worked in exchange (R-60, R-61)."""

from __future__ import annotations

from datetime import date

from consult.domain.errors import Refused

YEARS_BACK = 6
YEARS_AHEAD = 3
_SATURDAY = 5
NAME_MAXIMUM = 20


def check_year(year: int, today: date) -> int:
    """Return a year that can be kept.

    Raises:
        Refused: `year_out_of_range`, nothing here is counted so far from now.
    """
    first, last = today.year - YEARS_BACK, today.year + YEARS_AHEAD
    if not first <= year <= last:
        raise Refused("year_out_of_range", field="year", first=first, last=last)
    return year


def check_day(year: int, day: date | None, name: str) -> tuple[date, bool, str]:
    """Return the day, whether it is worked (调休), and its name.

    Only what differs from Monday to Friday is kept: a weekday that is off, a weekend day that is worked.

    Raises:
        Refused: `day_required`, `day_of_other_year`, `holiday_name_malformed`.
    """
    if day is None:
        raise Refused("day_required", field="day")
    if day.year != year:
        raise Refused("day_of_other_year", field="day", year=year)
    words = name.strip()
    if len(words) > NAME_MAXIMUM or any(not char.isprintable() for char in words):
        raise Refused("holiday_name_malformed", field="name", maximum=NAME_MAXIMUM)
    works = day.weekday() >= _SATURDAY
    return day, works, words or ("调休上班" if works else "放假")


def check_publish(days_off: int, *, published: bool) -> None:
    """Refuse to publish a year twice, or one without a single day off: no notice is like that.

    Raises:
        Refused: `calendar_published`, `calendar_empty`.
    """
    if published:
        raise Refused("calendar_published")
    if days_off == 0:
        raise Refused("calendar_empty")
