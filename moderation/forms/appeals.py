"""What a person who decides an objection typed, and what a caller told who lost a 查询码."""

from __future__ import annotations

from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

COVERS = 3
_LONGEST = 2000


@dataclass(frozen=True)
class VerdictForm:
    """The decision as typed; `cover` are words to be covered before publishing."""

    choice: str
    reason: str
    cover: tuple[str, ...]


@dataclass(frozen=True)
class ReissueForm:
    """What the caller says."""

    number: str
    contact: str
    reason: str


def read_verdict(posted: MultiDict[str, str]) -> VerdictForm:
    """Return the decision."""
    cover = tuple(posted.get(f"cover_{n}", "")[:_LONGEST] for n in range(1, COVERS + 1))
    return VerdictForm(posted.get("verdict", ""), posted.get("reason", "")[:_LONGEST], cover)


def read_reissue(posted: MultiDict[str, str]) -> ReissueForm:
    """Return what the caller says."""
    return ReissueForm(
        posted.get("number", "")[:40].replace("\x00", ""),
        posted.get("contact", "")[:300],
        posted.get("reason", "")[:40],
    )
