"""Working days with 调休, and every date that is counted from them.

Days are Beijing days: a moment belongs to the day it has in Asia/Shanghai, whatever the server's zone.
China has had one zone without summer time since 1991, so a fixed offset is exact for every date used here
and needs no zone database. A deadline "on day D" ends at D 24:00, that is D+1 00:00, exclusive.

Source: the State Council's yearly notice of public holidays (节假日安排); R-06, R-48, R-50, R-59 to R-74.
"""

from __future__ import annotations

import calendar as _gregorian
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone

from consult.domain.errors import CalendarPending

BEIJING = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Asia/Shanghai as a fixed offset."""

SIGN_RECEIPT_DAYS = 1
RETURN_DAYS = 5
REPLY_DAYS = 7
EXTENDED_DAYS = 15
REVIEW_DAYS = 2
SUPPLEMENT_DAYS = 5
SIGN_OFF_DAYS = 2
OBJECTION_DAYS = 5
APPEAL_DECISION_DAYS = 5
SUPERVISION_ANSWER_DAYS = 2
URGE_BEFORE_DAYS = 2
CUMULATIVE_LIMIT_DAYS = 30
FEEDBACK_DAYS = 20
APPEAL_CALENDAR_DAYS = 15

_SATURDAY = 5
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class YearPlan:
    """What one year's notice changes against plain Monday-to-Friday.

    `weekday_off`: weekdays that are holidays. `weekend_on`: weekend days worked in exchange (调休).
    `published`: False for a draft somebody is still typing; it then counts as missing (R-61).
    """

    weekday_off: frozenset[date] = frozenset()
    weekend_on: frozenset[date] = frozenset()
    published: bool = True


@dataclass(frozen=True)
class WorkCalendar:
    """The published years. A year that is not published is never computed as Monday to Friday (R-61)."""

    years: Mapping[int, YearPlan] = field(default_factory=dict)

    def has(self, year: int) -> bool:
        """Tell whether that year's notice is published here."""
        plan = self.years.get(year)
        return plan is not None and plan.published

    def is_working_day(self, day: date) -> bool:
        """Tell whether `day` is worked, swaps included.

        Raises:
            CalendarPending: the notice of that year is not published (R-61).
        """
        plan = self.years.get(day.year)
        if plan is None or not plan.published:
            raise CalendarPending(day.year)
        if day.weekday() >= _SATURDAY:
            return day in plan.weekend_on
        return day not in plan.weekday_off

    def nth_working_day(self, start: date, n: int) -> date:
        """Return the n-th working day after `start`, which is not counted (R-60).

        `n` may be 0 (then `start` itself) or negative (counting back).

        Raises:
            CalendarPending: the count runs into a year without a published notice (R-61).
        """
        day = start
        step = _ONE_DAY if n > 0 else -_ONE_DAY
        left = abs(n)
        while left:
            day += step
            if self.is_working_day(day):
                left -= 1
        return day

    def working_days_between(self, after: date, until: date) -> int:
        """Count the working days in (`after`, `until`]; 0 when `until` is not later.

        Raises:
            CalendarPending: as above.
        """
        count = 0
        day = after + _ONE_DAY
        while day <= until:
            count += self.is_working_day(day)
            day += _ONE_DAY
        return count

    def first_working_day_from(self, day: date) -> date:
        """Return `day` when it is worked, else the next working day (R-06)."""
        while not self.is_working_day(day):
            day += _ONE_DAY
        return day


def build_calendar(rows: Mapping[int, tuple[Iterable[date], Iterable[date]]]) -> WorkCalendar:
    """Make a calendar of published years from year -> (weekdays off, weekend days on)."""
    return WorkCalendar(
        {year: YearPlan(frozenset(off), frozenset(on), published=True) for year, (off, on) in rows.items()}
    )


# -- moments and days ------------------------------------------------------------------------------


def local_day(moment: datetime) -> date:
    """Return the Beijing day of an aware moment.

    Raises:
        ValueError: the moment is naive.
    """
    if moment.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return moment.astimezone(BEIJING).date()


def start_of_day(day: date) -> datetime:
    """Return 00:00 Beijing time of that day, as an aware moment in Beijing time."""
    return datetime.combine(day, time.min, BEIJING)


def end_of_day(day: date) -> datetime:
    """Return 24:00 of that day: the first moment that is too late, in Beijing time (民法典 203)."""
    return start_of_day(day + _ONE_DAY)


def in_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC, for storing."""
    return moment.astimezone(UTC)


overdue_from = end_of_day
"""Overdue begins at 00:00 of the day after the due day."""


def is_overdue(due: date | None, now: datetime) -> bool:
    """Tell whether the due day is over; an undetermined due day (R-61) is never overdue."""
    return due is not None and now >= end_of_day(due)


def due_date(calendar: WorkCalendar, moment: datetime, n: int) -> date:
    """Return the n-th working day after the Beijing day of an aware moment (R-60).

    Raises:
        CalendarPending: R-61.
        ValueError: the moment is naive.
    """
    return calendar.nth_working_day(local_day(moment), n)


def due_date_or_none(calendar: WorkCalendar, day: date, n: int) -> date | None:
    """As `nth_working_day`, but None where the notice is missing, to be shown as 待定 (R-61)."""
    try:
        return calendar.nth_working_day(day, n)
    except CalendarPending:
        return None


def remaining_working_days(calendar: WorkCalendar, due: date, today: date) -> int:
    """Return working days left until the due day; negative when overdue (exports.md, column 15)."""
    if today <= due:
        return calendar.working_days_between(today, due)
    return -calendar.working_days_between(due, today)


# -- one routing -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeadlineSet:
    """The days a routing fixes, all counted from the day of routing, never from receipt (R-59).

    A day is None when it runs into a year whose notice is missing; `pending_year` names that year (R-61).
    """

    assigned_on: date
    sign_receipt: date | None
    return_by: date | None
    reply_due: date | None
    extended_due: date | None
    co_unit_due: date | None
    pending_year: int | None = None


def deadline_set(calendar: WorkCalendar, assigned_at: datetime) -> DeadlineSet:
    """Return receipt (1), return (5), reply (7) and extended (15) days of a routing (R-59, R-64 to R-74).

    Raises:
        ValueError: the moment is naive.
    """
    return deadline_set_on(calendar, local_day(assigned_at))


def deadline_set_on(calendar: WorkCalendar, day: date) -> DeadlineSet:
    """As `deadline_set`, from a Beijing day."""
    pending: list[int] = []

    def nth(n: int) -> date | None:
        try:
            return calendar.nth_working_day(day, n)
        except CalendarPending as missing:
            pending.append(missing.year)
            return None

    reply_due = nth(REPLY_DAYS)
    return DeadlineSet(
        assigned_on=day,
        sign_receipt=nth(SIGN_RECEIPT_DAYS),
        return_by=nth(RETURN_DAYS),
        reply_due=reply_due,
        extended_due=nth(EXTENDED_DAYS),
        co_unit_due=None if reply_due is None else co_unit_due(calendar, reply_due),
        pending_year=min(pending, default=None),
    )


def co_unit_due(calendar: WorkCalendar, due: date) -> date:
    """Co-units answer two working days before the lead's due day (R-74)."""
    return calendar.nth_working_day(due, -URGE_BEFORE_DAYS)


def paused_working_days(calendar: WorkCalendar, pause_from: date, pause_to: date) -> int:
    """Working days in (pause_from, pause_to] do not count against the unit (R-71)."""
    return calendar.working_days_between(pause_from, pause_to)


def due_after_pause(calendar: WorkCalendar, due: date, pause_from: date, pause_to: date) -> date:
    """Move the due day by the paused working days (R-71)."""
    return calendar.nth_working_day(due, paused_working_days(calendar, pause_from, pause_to))


@dataclass(frozen=True)
class UrgeSchedule:
    """When a unit is reminded: two working days before, on the day, then each working day after (R-72)."""

    soon: date
    today: date
    first_overdue: date
    co_unit_due: date


def urge_schedule(calendar: WorkCalendar, due: date) -> UrgeSchedule:
    """Return the reminder days of a due day.

    Raises:
        CalendarPending: R-61.
    """
    return UrgeSchedule(
        soon=calendar.nth_working_day(due, -URGE_BEFORE_DAYS),
        today=due,
        first_overdue=calendar.nth_working_day(due, 1),
        co_unit_due=co_unit_due(calendar, due),
    )


def urge_kind(calendar: WorkCalendar, due: date, today: date) -> str | None:
    """Tell which reminder is due today: `soon`, `today`, `overdue` or None (R-72)."""
    if today == due:
        return "today"
    if today > due:
        return "overdue" if calendar.is_working_day(today) else None
    return "soon" if today == calendar.nth_working_day(due, -URGE_BEFORE_DAYS) else None


# -- other dates -----------------------------------------------------------------------------------


def review_due(calendar: WorkCalendar, submitted_on: date) -> date:
    """Two working days to review (R-29)."""
    return calendar.nth_working_day(submitted_on, REVIEW_DAYS)


def supplement_due(calendar: WorkCalendar, asked_on: date) -> date:
    """Five working days to supplement (R-71)."""
    return calendar.nth_working_day(asked_on, SUPPLEMENT_DAYS)


def sign_off_due(calendar: WorkCalendar, submitted_on: date) -> date:
    """Two working days to sign off (R-81)."""
    return calendar.nth_working_day(submitted_on, SIGN_OFF_DAYS)


def feedback_due(calendar: WorkCalendar, end: date, n: int = FEEDBACK_DAYS) -> date:
    """20 working days after the last day to publish the results (R-103)."""
    return calendar.nth_working_day(end, n)


def appeal_last_day(notified_on: date) -> date:
    """15 calendar days for an appeal, the day of the notice not counted (R-37)."""
    return notified_on + timedelta(days=APPEAL_CALENDAR_DAYS)


def rollover_suggestion(calendar: WorkCalendar, end: date) -> date:
    """Suggest the first working day on or after a last day; a hint only, it never blocks (R-06).

    Raises:
        CalendarPending: R-61.
    """
    return calendar.first_working_day_from(end)


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or the month's last day where there is none (R-50, 民法典 202)."""
    month_index = day.year * 12 + day.month - 1 + months
    year, month = divmod(month_index, 12)
    return date(year, month + 1, min(day.day, _gregorian.monthrange(year, month + 1)[1]))


def purge_last_day(published_on: date, months: int) -> date:
    """Return the last day names and contacts are kept; they go after its 24:00 (R-48).

    Raises:
        ValueError: months outside 1 to 12.
    """
    if not 1 <= months <= 12:
        raise ValueError("months must be 1 to 12")
    return add_months(published_on, months)
