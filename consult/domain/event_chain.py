"""The chain of an event log: each entry's digest covers its content and the digest before it.

A changed, removed or reordered entry breaks the chain from there on (R-98). One chain per comment, because
a single chain over all rows would serialise every write; a sealer chains the heads at intervals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Entry:
    """What one entry of a log says; `chain` names the chain it hangs on, such as a receipt number."""

    chain: str
    seq: int
    kind: str
    before: str
    after: str
    actor_kind: str
    actor_id: int | None
    actor_role: str
    reason: str
    detail: Mapping[str, object]
    at: datetime


def digest_of(entry: Entry, previous: str) -> str:
    """Return the SHA-256 of an entry and the digest before it, as 64 hexadecimal digits.

    The first entry of a chain follows the empty string.
    """
    content = json.dumps(
        [
            entry.chain,
            entry.seq,
            entry.kind,
            entry.before,
            entry.after,
            entry.actor_kind,
            entry.actor_id,
            entry.actor_role,
            entry.reason,
            entry.detail,
            entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            previous,
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class Break:
    """Where a chain does not hold: the sequence number at which it was noticed, and why."""

    seq: int
    why: str


def first_break(entries: Sequence[tuple[Entry, str, str]], head: tuple[int, str]) -> Break | None:
    """Check a whole chain in order and return the first place that does not hold, or None.

    Args:
        entries: (entry, previous digest as stored, digest as stored), by sequence number.
        head: the last sequence number and digest that the chain's owner remembers.
    """
    previous = ""
    for expected, (entry, stored_previous, stored) in enumerate(entries, start=1):
        if entry.seq != expected:
            return Break(expected, "missing")
        if stored_previous != previous:
            return Break(entry.seq, "unlinked")
        if digest_of(entry, previous) != stored:
            return Break(entry.seq, "altered")
        previous = stored
    if (len(entries), previous) != head:
        return Break(len(entries) + 1, "missing")
    return None
