"""What the clock has to say on a given day: whom to remind, what is late, what has waited too long.

Days are Beijing days and working days are those of the published calendar. Everything here is asked for one day
and answers for that day only, so that a run that is late sends today's reminder and none of the missed ones (R-72).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from consult.domain.calendar import CUMULATIVE_LIMIT_DAYS, WorkCalendar, remaining_working_days, urge_kind
from consult.domain.errors import CalendarPending

SOON = "soon"
TODAY = "today"
OVERDUE = "overdue"
# Between two working days lie at most nine days off (the longest holiday with the weekend before it), so the second
# working day from now is never further away than this.
_FURTHEST_SOON = timedelta(days=24)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class DayPlan:
    """Which due days are reminded of today (R-72).

    Attributes:
        today: the day asked about.
        working: whether it is a working day; overdue items are reminded of on working days only.
        soon: due days two working days from today.
        late_before: due days before this one are overdue by a working day or more, which calls for supervision (R-73).
    """

    today: date
    working: bool
    soon: tuple[date, ...]
    late_before: date

    def kind(self, due: date | None) -> str | None:
        """Return `soon`, `today`, `overdue`, or None when nothing is said about this due day today."""
        if due is None:
            return None
        if due == self.today:
            return TODAY
        if due < self.today:
            return OVERDUE if self.working else None
        return SOON if due in self.soon else None


def day_plan(calendar: WorkCalendar, today: date) -> DayPlan:
    """Return what is to be said today.

    Raises:
        CalendarPending: the notice of this year, or of the year before while it matters, is missing (R-61).
    """
    return DayPlan(today, calendar.is_working_day(today), _soon(calendar, today), _last_working_day(calendar, today))


def _soon(calendar: WorkCalendar, today: date) -> tuple[date, ...]:
    days, day = [], today + _ONE_DAY
    while day <= today + _FURTHEST_SOON:
        try:
            if urge_kind(calendar, day, today) == SOON:
                days.append(day)
        except CalendarPending:
            break  # nothing is due in a year whose notice is missing
        day += _ONE_DAY
    return tuple(days)


def _last_working_day(calendar: WorkCalendar, today: date) -> date:
    """Return the last working day up to and with today: what was due before it is late by one working day."""
    day = today
    while not calendar.is_working_day(day):
        day -= _ONE_DAY
    return day


def waited_longer_than(calendar: WorkCalendar, today: date, days: int) -> date:
    """Return the day before which something must have begun to have lasted more than `days` working days (R-70, R-73).

    The first day is not counted (R-60); today is, when it is worked.

    Raises:
        CalendarPending: the notice of a year in between is missing (R-61).
    """
    back = days if calendar.is_working_day(today) else days + 1
    return calendar.nth_working_day(today, -back)


def cumulative_limit(calendar: WorkCalendar, today: date) -> date:
    """Return the day before which a comment must have been accepted to have taken over 30 working days (R-70).

    Raises:
        CalendarPending: R-61.
    """
    return waited_longer_than(calendar, today, CUMULATIVE_LIMIT_DAYS)


def working_days_left(calendar: WorkCalendar, due: date, today: date) -> int | None:
    """Return working days left, negative when overdue; None where a year's notice is missing (R-61)."""
    try:
        return remaining_working_days(calendar, due, today)
    except CalendarPending:
        return None
