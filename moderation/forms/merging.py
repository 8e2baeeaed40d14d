"""What an assigner typed to merge comments."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from moderation.forms.accounts import whole_number

Posted = MultiDict[str, str]
MOST = 50
"""Comments ticked at once."""


def primary(posted: Posted) -> str:
    """Return the number of the comment to be merged into; a typed one wins over the one that is chosen."""
    return (posted.get("other_primary", "").strip() or posted.get("primary", "").strip()).upper()[:24]


def ticked(posted: Posted) -> list[tuple[str, int]]:
    """Return the ticked numbers, each with the version the page was drawn from."""
    numbers = dict.fromkeys(posted.getlist("members"))
    return [(one[:24], whole_number(posted.get(f"seen_{one}", "")) or 0) for one in list(numbers)[:MOST]]
