"""What the public table is narrowed to, read from an address: one meaning for the page, the file and the API."""

from __future__ import annotations

from collections.abc import Mapping

from consult.domain.replies import Outcome
from consult.queries.published import Filters

WAITING = "waiting"
OUTCOMES = (*(outcome.value for outcome in Outcome), WAITING)
_LONGEST_QUERY = 50
_LONGEST_CODE = 40


def read(asked: Mapping[str, str]) -> Filters:
    """Return the filters of an address: an unknown outcome narrows nothing, an unknown code finds nothing."""
    outcome = asked.get("outcome", "")
    return Filters(
        q=asked.get("q", "").strip()[:_LONGEST_QUERY].replace("\x00", ""),
        section=asked.get("section", "")[:_LONGEST_CODE],
        unit=asked.get("unit", "")[:_LONGEST_CODE],
        outcome=outcome if outcome in OUTCOMES else "",
    )


def parameters(filters: Filters) -> dict[str, str]:
    """Return the filters as an address carries them, without empty ones."""
    given = {"q": filters.q, "section": filters.section, "unit": filters.unit, "outcome": filters.outcome}
    return {name: value for name, value in given.items() if value}
