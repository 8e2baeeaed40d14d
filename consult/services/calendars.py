"""Keeping the working-day calendar: days of the yearly notice, and the mark that a year is published (R-61)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.domain.errors import CalendarPending
from consult.gateways.holiday_source import YearNotice, year_notice
from consult.models.consultations import CalendarDay, CalendarYear

SEEDED_YEARS = range(2022, 2027)
"""Years whose notice was compared day by day with the State Council's text (tests/data/vectors.json)."""


def seed(session: Session, years: Iterable[int] = SEEDED_YEARS) -> int:
    """Store the compared years, marked published; return how many were new. Years already there are left alone."""
    have = set(session.scalars(select(CalendarYear.year)))
    added = 0
    for year in years:
        if year in have:
            continue
        put_year(session, year_notice(year), f"国务院办公厅关于{year}年部分节假日安排的通知", published=True)
        added += 1
    return added


def put_year(session: Session, notice: YearNotice, source: str, *, published: bool) -> None:
    """Store one year's days, replacing what was there. An unpublished year counts as missing (R-61)."""
    row = session.get(CalendarYear, notice.year)
    if row is None:
        row = CalendarYear(year=notice.year)
        session.add(row)
    row.source, row.published = source, published
    session.flush()
    session.execute(delete(CalendarDay).where(CalendarDay.year == notice.year))
    rows = [CalendarDay(day=day, year=notice.year, works=False, name=name) for day, name in notice.weekday_off.items()]
    rows += [_worked(day, notice.year) for day in sorted(notice.weekend_on)]
    session.add_all(rows)
    session.flush()


def _worked(day: date, year: int) -> CalendarDay:
    return CalendarDay(day=day, year=year, works=True, name="调休上班")


def publish_year(session: Session, year: int) -> None:
    """Mark a year's notice as published; from now on days are counted in it.

    Raises:
        CalendarPending: nothing is stored for that year.
    """
    row = session.get(CalendarYear, year)
    if row is None:
        raise CalendarPending(year)
    row.published = True
    session.flush()
