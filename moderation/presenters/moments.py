"""Times as staff read them: to the minute, Beijing time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from consult import i18n

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Moment:
    """A time as people read it and as machines do."""

    text: str
    iso: str


def moment(at: datetime) -> Moment:
    """Return 2026年11月22日 09:00 with its ISO form."""
    return Moment(i18n.day_and_hour(at), at.astimezone(BEIJING).isoformat(timespec="seconds"))


def clock_time(at: datetime) -> str:
    """Return 09:00:30, Beijing time."""
    return f"{at.astimezone(BEIJING):%H:%M:%S}"
