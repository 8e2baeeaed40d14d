"""What a reviewer typed: acceptance with redactions, proposals, another channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from consult.domain.comment_states import Publicity
from consult.domain.errors import FieldErrors, RedactionRangeInvalid
from consult.domain.personal_data import Finding, Level, PiiType
from moderation.domain.decisions import FalsePositive
from moderation.forms.accounts import whole_number

Posted = MultiDict[str, str]
MANUAL_LINES = 3
"""Stretches a reviewer can name by hand on one page, without a script."""

MOST_LINES = 20
"""Stretches one form can name; the script adds lines as text is selected."""


@dataclass(frozen=True)
class Span:
    """A stretch to cover; `reason` is empty for what the detector found."""

    start: int
    end: int
    type: PiiType
    reason: str


@dataclass(frozen=True)
class AcceptForm:
    """The acceptance as typed."""

    publicity: Publicity
    spans: tuple[Span, ...]
    dismissed: tuple[FalsePositive, ...]
    has_third_party: bool


def seen_version(posted: Posted) -> int:
    """Return the version the page was drawn from; nonsense is a version that never stands."""
    return whole_number(posted.get("seen_version", "")) or 0


def values(posted: Posted) -> dict[str, str | bool]:
    """Return everything typed, to show it again."""
    return {name: posted[name] for name in posted if name not in ("csrf_token", "seen_version")}


def read_acceptance(posted: Posted, text: str, findings: Sequence[Finding]) -> AcceptForm:
    """Return the acceptance; `findings` are those of `text`, numbered as on the page.

    Raises:
        FieldErrors: words to be covered do not stand in the text.
    """
    spans: list[Span] = []
    dismissed: list[FalsePositive] = []
    for index, one in enumerate(findings):
        choice = posted.get(f"finding_{index}", "")
        if choice == "redact":
            spans.append(Span(one.start, one.end, one.type, ""))
        elif choice == "dismiss":
            reason = posted.get(f"finding_reason_{index}", "")
            # A suspect find wants a person's confirmation only; a strong one a written reason.
            words = reason or ("confirmed" if one.level is Level.SUSPECT else "")
            dismissed.append(FalsePositive(one.start, one.end, one.type.value, words))
    for line in range(1, MOST_LINES + 1):
        spans += _by_hand(posted, line, text, spans)
    chosen = posted.get("publicity", "")
    publicity = Publicity(chosen) if chosen in (Publicity.FULL, Publicity.REDACTED) else Publicity.PENDING
    return AcceptForm(publicity, tuple(sorted(spans, key=_start)), tuple(dismissed), "has_third_party" in posted)


def lines_shown(values: Mapping[str, str | bool]) -> int:
    """Return how many lines the page needs to show everything typed."""
    filled = [line for line in range(1, MOST_LINES + 1) if values.get(f"cover_{line}")]
    return max([MANUAL_LINES, *filled])


def _start(span: Span) -> int:
    return span.start


def _by_hand(posted: Posted, line: int, text: str, taken: Sequence[Span]) -> list[Span]:
    words = posted.get(f"cover_{line}", "").strip()
    if not words:
        return []
    kind = posted.get(f"cover_type_{line}", "")
    chosen = PiiType(kind) if kind in set(PiiType) else PiiType.OTHER
    reason = posted.get(f"cover_reason_{line}", "").strip()
    found: list[Span] = []
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        if not any(one.start < end and at < one.end for one in taken):
            found.append(Span(at, end, chosen, reason))
        at = text.find(words, end)
    if not found:
        raise FieldErrors({f"cover_{line}": [RedactionRangeInvalid(field=f"cover_{line}")]})
    return found
