"""Reading the working-day calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, YearPlan
from consult.models.consultations import CalendarDay, CalendarYear


def work_calendar(session: Session) -> WorkCalendar:
    """Return every stored year; those not marked published count as missing (R-61)."""
    off: dict[int, set[date]] = {}
    on: dict[int, set[date]] = {}
    for day, year, works in session.execute(select(CalendarDay.day, CalendarDay.year, CalendarDay.works)):
        (on if works else off).setdefault(year, set()).add(day)
    return WorkCalendar(
        {
            year: YearPlan(frozenset(off.get(year, ())), frozenset(on.get(year, ())), published=published)
            for year, published in session.execute(select(CalendarYear.year, CalendarYear.published))
        }
    )


@dataclass(frozen=True, slots=True)
class CalendarYearRow:
    """One year as the administrator sees it."""

    year: int
    published: bool
    source: str


def years(session: Session) -> tuple[CalendarYearRow, ...]:
    """Return the stored years in order."""
    found = session.execute(
        select(CalendarYear.year, CalendarYear.published, CalendarYear.source).order_by(CalendarYear.year)
    )
    return tuple(CalendarYearRow(year, published, source) for year, published, source in found)
