"""The filters of the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from moderation.queries.audit import AuditFilter

BEIJING = ZoneInfo("Asia/Shanghai")


def read_filter(asked: Mapping[str, str]) -> AuditFilter:
    """Return which entries to list; days are whole days in Beijing, what cannot be read counts as not given."""
    since, until = _day(asked.get("since", "")), _day(asked.get("until", ""))
    return AuditFilter(
        username=_word(asked.get("username", "")),
        action=_word(asked.get("action", "")),
        result=_word(asked.get("result", "")),
        object_ref=_word(asked.get("object", "")),
        since=_begins(since) if since else None,
        until=_begins(until + timedelta(days=1)) if until else None,
    )


def _word(text: str) -> str:
    # A NUL would be refused by PostgreSQL and pass in SQLite.
    return text.replace("\0", "").strip()[:64]


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def _begins(day: date) -> datetime:
    return datetime.combine(day, time(), BEIJING).astimezone(UTC)
