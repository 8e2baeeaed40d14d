"""The queue's filters as they stand in an address, and carried along from comment to comment."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from moderation.queries.queue import TABS, QueueFilter

NAMES = ("tab", "consultation", "section", "unit", "q", "age")
_LONGEST = 400


def read_filter(given: Mapping[str, str], first_tab: str) -> QueueFilter:
    """Return the filter; what makes no sense is left out."""
    values = {name: given.get(name, "").strip() for name in NAMES}
    return QueueFilter(
        tab=values["tab"] if values["tab"] in TABS else first_tab,
        consultation=values["consultation"][:80],
        section=values["section"][:40],
        unit=values["unit"][:40],
        q=values["q"].replace("\0", "")[:60],
        age=values["age"] if values["age"] in ("late", "today") else "",
        findings=given.get("findings") == "yes",
    )


def carried(asked: QueueFilter) -> str:
    """Return the filter as one value, to be carried along; empty when only a tab is chosen."""
    values = {name: value for name, value in asked.as_values().items() if value}
    return urlencode(values) if len(values) > 1 else ""


def read_carried(text: str, first_tab: str) -> QueueFilter:
    """Return a filter carried along."""
    return read_filter(dict(parse_qsl(text[:_LONGEST])), first_tab)
