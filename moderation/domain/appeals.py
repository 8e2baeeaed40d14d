"""Objections: what has to be covered before a comment that was withheld can be published (R-30, R-31, R-37)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from consult.domain.errors import RedactionRangeInvalid
from consult.domain.personal_data import Finding, PiiType, Redaction
from moderation.domain.decisions import FalsePositive, open_findings

UPHOLD, REFUSE = "uphold", "refuse"
VERDICTS = (UPHOLD, REFUSE)


def still_open(
    findings: Iterable[Finding], covered: Collection[Redaction], dismissed: Collection[FalsePositive]
) -> tuple[Redaction, ...]:
    """Return what a publication would have to cover: findings nobody covered or dismissed (R-31)."""
    return tuple(Redaction(one.start, one.end, one.type) for one in open_findings(findings, covered, dismissed))


def by_hand(text: str, words: Iterable[str]) -> tuple[Redaction, ...]:
    """Return every place where words typed by a person stand.

    Raises:
        RedactionRangeInvalid: `appeal_words_not_found`, some stand nowhere.
    """
    found: list[Redaction] = []
    for typed in words:
        piece = typed.strip()
        if not piece:
            continue
        at = text.find(piece)
        if at < 0:
            raise RedactionRangeInvalid("appeal_words_not_found", field="cover")
        while at >= 0:
            found.append(Redaction(at, at + len(piece), PiiType.OTHER))
            at = text.find(piece, at + len(piece))
    return tuple(found)


def united(spans: Iterable[Redaction]) -> tuple[Redaction, ...]:
    """Return spans that do not overlap and cover the same; overlapping ones become one of the first one's kind."""
    joined: list[Redaction] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            before = joined.pop()
            span = Redaction(before.start, max(before.end, span.end), before.type)
        joined.append(span)
    return tuple(joined)


def new_ones(spans: Sequence[Redaction], before: Collection[Redaction]) -> tuple[Redaction, ...]:
    """Return the spans that were not there before."""
    known = {(one.start, one.end) for one in before}
    return tuple(one for one in spans if (one.start, one.end) not in known)
