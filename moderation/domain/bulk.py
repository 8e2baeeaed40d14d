"""One decision on several comments: what is asked, and what may not be asked for many at once (R-36, R-38)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from moderation.domain.decisions import WithholdReason

# One takes effect without a second person, the other seals at once: neither can wait and be undone.
NOT_IN_BULK = frozenset({WithholdReason.SUBMITTER_REQUEST, WithholdReason.STATE_SECRET})


@dataclass(frozen=True)
class BulkRequest:
    """What is to be decided: comments by 编号 with the version each was seen at, a reason or a unit where due."""

    action: str
    rows: Sequence[tuple[str, int]]
    reason: str = ""
    unit: str = ""
