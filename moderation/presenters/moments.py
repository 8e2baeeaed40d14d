"""Times as staff read them: to the minute, Beijing time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Moment:
    """A time as people read it and as machines do."""

    text: str
    iso: str


def moment(at: datetime) -> Moment:
    """Return 2026年11月22日 09:00 with its ISO form."""
    local = at.astimezone(BEIJING)
    return Moment(f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}", local.isoformat(timespec="seconds"))
