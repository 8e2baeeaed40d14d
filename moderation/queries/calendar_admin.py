"""The calendar as its administrator reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import MAXYEAR, date

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.comments import Assignment
from consult.models.consultations import CalendarDay, CalendarYear


@dataclass(frozen=True, slots=True)
class YearRow:
    """One year. `waiting` is how many routings wait for it to be published (R-61)."""

    year: int
    published: bool
    source: str
    off: int
    on: int
    waiting: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day that differs from Monday to Friday."""

    day: date
    works: bool
    name: str


@dataclass(frozen=True)
class YearPage:
    """A year with its days."""

    row: YearRow
    days: tuple[DayRow, ...]


def years(session: Session) -> tuple[YearRow, ...]:
    """Return the stored years and those only waited for, the newest first; two queries."""
    waiting = {
        year: int(n)
        for year, n in session.execute(
            select(Assignment.pending_year, func.count())
            .where(Assignment.closed_at.is_(None), Assignment.pending_year.is_not(None))
            .group_by(Assignment.pending_year)
        )
        if year is not None
    }
    rows = session.execute(
        select(
            CalendarYear.year,
            CalendarYear.published,
            CalendarYear.source,
            func.coalesce(func.sum(case((CalendarDay.works.is_(False), 1), else_=0)), 0),
            func.coalesce(func.sum(case((CalendarDay.works.is_(True), 1), else_=0)), 0),
        )
        .outerjoin(CalendarDay, CalendarDay.year == CalendarYear.year)
        .group_by(CalendarYear.year, CalendarYear.published, CalendarYear.source)
    ).all()
    found = {row[0]: YearRow(row[0], row[1], row[2], int(row[3]), int(row[4]), waiting.get(row[0], 0)) for row in rows}
    for year, n in waiting.items():
        found.setdefault(year, YearRow(year, published=False, source="", off=0, on=0, waiting=n))
    return tuple(found[year] for year in sorted(found, reverse=True))


def year(session: Session, number: int) -> YearPage:
    """Return one stored year.

    Raises:
        NotFound: it is not in the store.
    """
    if number > MAXYEAR or session.get(CalendarYear, number) is None:
        raise NotFound(object="calendar_year")
    row = next(one for one in years(session) if one.year == number)
    days = session.execute(
        select(CalendarDay.day, CalendarDay.works, CalendarDay.name)
        .where(CalendarDay.year == number)
        .order_by(CalendarDay.day)
    )
    return YearPage(row, tuple(DayRow(*one) for one in days))
