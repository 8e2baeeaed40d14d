"""What an administrator typed about the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from moderation.forms.accounts import whole_number
from moderation.forms.supervision import read_day

Posted = Mapping[str, str]


def read_year(posted: Posted) -> int:
    """Return the year, 0 when none was typed."""
    return whole_number(posted.get("year", "").strip()) or 0


def read_entry(posted: Posted) -> tuple[date | None, str]:
    """Return the day (None when there is none) and its name."""
    return read_day(posted.get("day", "")), posted.get("name", "")[:100]
