"""What a unit typed as its reply."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from moderation.forms.accounts import whole_number

Posted = MultiDict[str, str]


@dataclass(frozen=True)
class ReplyForm:
    """The reply as typed. `draft_location` of the form is a section's key and a version, as in s3@1."""

    outcome: str
    body: str
    reason: str
    section_key: str
    version: int | None
    place_detail: str


def read_reply(posted: Posted) -> ReplyForm:
    """Return the reply; an outcome that does not exist counts as none."""
    key, _at, number = posted.get("draft_location", "").rpartition("@")
    outcome = posted.get("outcome", "")
    known = ("adopted", "partly_adopted", "not_adopted", "explained", "reference")
    return ReplyForm(
        outcome=outcome if outcome in known else "",
        body=posted.get("body", ""),
        reason=posted.get("reason", ""),
        section_key=key.strip()[:40],
        version=whole_number(number),
        place_detail=posted.get("place_detail", "").strip()[:200],
    )


def location(section_key: str, version: int | None) -> str:
    """Return the value of the location field for a stored reply."""
    return f"{section_key}@{version}" if section_key and version else ""
