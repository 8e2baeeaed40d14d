"""Counts that must add up: what was received, where it stands, what came of it (R-63, R-103).

`PublicCounts` is the one account of the settled buckets used on every page; `ResultCounts` is the account of
results, closed when they are published (C06). Neither can be made with a total that is not the sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

from consult.domain.comment_states import ClosedAs, CommentState, Publicity, Standing, standing
from consult.domain.errors import CountsDoNotReconcile
from consult.domain.replies import Outcome

NO_RATE = "—"


@dataclass(frozen=True)
class PublicCounts:
    """Where the comments stand; `received` is the sum of the six piles, by construction.

    `merged` and `split_originals` are "of which" figures and add nothing: a merged comment and each part of
    a split one lie in a pile themselves; the original of a split lies in none.
    """

    withdrawn: int = 0
    not_accepted: int = 0
    channel_notice: int = 0
    withheld: int = 0
    public: int = 0
    waiting: int = 0
    merged: int = 0
    split_originals: int = 0

    @property
    def received(self) -> int:
        """Everything received: the sum of the piles."""
        return sum(getattr(self, pile.value) for pile in Standing)

    def as_mapping(self) -> dict[str, int]:
        """Return the figures by name, `received` first, for JSON and templates."""
        return {"received": self.received} | {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True)
class CountedComment:
    """What one comment contributes to the counts. `was_split`: its parts are counted instead of it."""

    state: CommentState
    publicity: Publicity
    closed_as: ClosedAs | None = None
    hidden: bool = False
    merged: bool = False
    was_split: bool = False


def public_counts(comments: Iterable[CountedComment]) -> PublicCounts:
    """Count comments into the settled piles."""
    piles: Counter[str] = Counter()
    for one in comments:
        if one.was_split:
            piles["split_originals"] += 1
            continue
        piles[standing(one.state, one.publicity, one.closed_as, hidden=one.hidden).value] += 1
        piles["merged"] += one.merged
    return PublicCounts(**piles)


def counts_of(standings: Mapping[Standing, int], *, merged: int = 0, split_originals: int = 0) -> PublicCounts:
    """Make the account from figures the store has grouped already."""
    piles = {pile.value: standings.get(pile, 0) for pile in Standing}
    return PublicCounts(**piles, merged=merged, split_originals=split_originals)


# -- results ---------------------------------------------------------------------------------------

RESULT_NAMES: tuple[str, ...] = (
    *(outcome.value for outcome in Outcome),
    "channel_notice",
    "not_accepted",
    "withdrawn",
)
"""The eight results of R-63, in the order of the summary table (exports.md 3)."""


@dataclass(frozen=True)
class ResultCounts:
    """What came of the comments of a round or of one section."""

    adopted: int = 0
    partly_adopted: int = 0
    not_adopted: int = 0
    explained: int = 0
    reference: int = 0
    channel_notice: int = 0
    not_accepted: int = 0
    withdrawn: int = 0

    @property
    def total(self) -> int:
        """Sum of all eight."""
        return sum(getattr(self, name) for name in RESULT_NAMES)

    @property
    def replied_total(self) -> int:
        """Comments answered with one of the five outcomes: the denominator of the rate."""
        return sum(getattr(self, outcome.value) for outcome in Outcome)

    @property
    def adoption_rate_pct(self) -> float | None:
        """Adopted and partly adopted per hundred answered, one decimal; None without answers (R-103)."""
        if not self.replied_total:
            return None
        # Halves go up, as people round; integers keep 0.05 from becoming 0.0 by binary fractions.
        tenths = ((self.adopted + self.partly_adopted) * 2000 + self.replied_total) // (2 * self.replied_total)
        return tenths / 10

    @property
    def adoption_rate(self) -> str:
        """The rate as it is shown: 51.4%, or an em dash without answers."""
        rate = self.adoption_rate_pct
        return NO_RATE if rate is None else f"{rate:.1f}%"

    def __add__(self, other: ResultCounts) -> ResultCounts:
        """Add two accounts, for the line of totals."""
        return ResultCounts(**{name: getattr(self, name) + getattr(other, name) for name in RESULT_NAMES})


def result_counts(results: Mapping[str, int]) -> ResultCounts:
    """Make the account from result -> number; missing results are zero.

    Raises:
        ValueError: an unknown result or a negative number.
    """
    unknown = set(results) - set(RESULT_NAMES)
    if unknown:
        raise ValueError(f"unknown results: {sorted(unknown)}")
    if any(number < 0 for number in results.values()):
        raise ValueError("a count is never negative")
    return ResultCounts(**{name: results.get(name, 0) for name in RESULT_NAMES})


def reconcile(received: int, results: ResultCounts) -> ResultCounts:
    """Return the results when they add up to what was received (R-63, C06).

    Raises:
        CountsDoNotReconcile: with `received` and `total`.
    """
    if results.total != received:
        raise CountsDoNotReconcile(received=received, total=results.total)
    return results


def reconcile_rows(rows: Iterable[ResultCounts], whole: ResultCounts) -> None:
    """Check that the lines of a table add up to its last line (exports.md 7, item 8).

    Raises:
        CountsDoNotReconcile: they do not.
    """
    total = sum(rows, ResultCounts())
    if total != whole:
        raise CountsDoNotReconcile(received=whole.total, total=total.total)
