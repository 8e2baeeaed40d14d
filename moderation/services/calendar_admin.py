"""The administrator's hand on the calendar: import, edit, publish; every change is in the audit log (R-60, R-61, R-98).

A year counts only once somebody has compared it with the State Council's notice and published it. Publishing sets
the due days that waited for it; editing a published year changes only what is counted from then on.
"""

from __future__ import annotations

from datetime import MAXYEAR, date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.calendar import local_day
from consult.domain.errors import NotFound, Refused
from consult.gateways.holiday_source import year_notice
from consult.models.consultations import CalendarDay, CalendarYear
from consult.services import calendars
from moderation.domain.calendar_years import check_day, check_publish, check_year
from moderation.services import audit
from moderation.services.audit import By

IMPORTED = "节假日数据库（未核对）"
_NOTICE = "国务院办公厅关于{year}年部分节假日安排的通知"


def import_year(session: Session, by: By, year: int, now: datetime) -> int:
    """Put what the library has for a year into the store as a draft, replacing an older draft; return its days.

    Raises:
        Refused: `year_out_of_range`; `calendar_published`, a published year is not overwritten.
    """
    check_year(year, local_day(now))
    row = session.get(CalendarYear, year)
    if row is not None and row.published:
        raise Refused("calendar_published", field="year")
    notice = year_notice(year)
    calendars.put_year(session, notice, IMPORTED, published=False)
    days = len(notice.weekday_off) + len(notice.weekend_on)
    _record(session, by, "calendar_import", year, now, days=days)
    return days


def put_day(session: Session, by: By, year: int, day: date | None, name: str, now: datetime) -> None:
    """Add a day off or a day worked in exchange, or change its name.

    Raises:
        NotFound: the year is not in the store.
        Refused: as `check_day`.
    """
    row = _year(session, year)
    checked, works, words = check_day(year, day, name)
    kept = session.get(CalendarDay, checked)
    if kept is None:
        session.add(CalendarDay(day=checked, year=year, works=works, name=words))
    else:
        kept.works, kept.name = works, words
    session.flush()
    _record(session, by, "calendar_day_put", year, now, day=checked.isoformat(), works=works, published=row.published)


def remove_day(session: Session, by: By, year: int, day: date | None, now: datetime) -> None:
    """Let a day be what its weekday says again.

    Raises:
        NotFound: the year or the day is not in the store.
    """
    row = _year(session, year)
    kept = None if day is None else session.get(CalendarDay, day)
    if kept is None or kept.year != year:
        raise NotFound(object="calendar_day")
    session.delete(kept)
    session.flush()
    _record(
        session,
        by,
        "calendar_day_removed",
        year,
        now,
        day=kept.day.isoformat(),
        works=kept.works,
        published=row.published,
    )


def publish(session: Session, by: By, year: int, now: datetime) -> None:
    """Mark a year as compared with its notice; from now on days are counted in it.

    Raises:
        NotFound: the year is not in the store.
        Refused: `calendar_published`, `calendar_empty`.
    """
    row = _year(session, year)
    off = session.scalar(
        select(func.count()).select_from(CalendarDay).where(CalendarDay.year == year, CalendarDay.works.is_(False))
    )
    check_publish(off or 0, published=row.published)
    calendars.publish_year(session, year)
    row.source = _NOTICE.format(year=year)
    session.flush()
    _record(session, by, "calendar_publish", year, now, days_off=off)


def _year(session: Session, year: int) -> CalendarYear:
    row = None
    if year <= MAXYEAR:  # an address may hold any number
        row = session.scalar(select(CalendarYear).where(CalendarYear.year == year).with_for_update())
    if row is None:
        raise NotFound(object="calendar_year")
    return row


def _record(session: Session, by: By, action: str, year: int, now: datetime, **detail: object) -> None:
    audit.record(session, by, action, now, object_kind="calendar", object_ref=str(year), detail=detail)
