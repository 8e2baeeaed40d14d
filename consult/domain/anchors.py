"""Keep a quotation attached to the words it quotes, or say that it cannot be done.

A quotation is the TextQuoteSelector of the W3C Web Annotation Data Model: the exact words with a little
text before and after. Offsets count code points of the block's text after NFC; a browser counts UTF-16
units, so its offsets are only a hint. Comments stay bound to the version their author read (R-11);
`reanchor` says where the words stand in a later version, and refuses rather than guesses.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from consult.domain.alignment import Folded, Piece, align, bigrams, fold, occurrences, pieces

CONTEXT = 32
"""Code points of prefix and suffix that are kept with a quotation."""

_CHAR_MATRIX = 4_000_000  # largest before × after product that is compared character by character
_SHORT = 6  # folded characters; shorter words prove nothing by being found elsewhere
_WEAK = 0.4  # below this share of surviving characters a sentence counts as gone
_MARGIN = 0.12  # how much better than its rival a match has to be
_FAR = 0.6  # likeness a reworded sentence needs when it also left its place


class AnchorState(StrEnum):
    """What became of a quotation in a later version."""

    EXACT = "exact"
    MOVED = "moved"
    CHANGED = "changed"
    DELETED = "deleted"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True)
class Quote:
    """W3C TextQuoteSelector; `start` is the offset hint in code points, if one is known."""

    exact: str
    prefix: str = ""
    suffix: str = ""
    start: int | None = None


@dataclass(frozen=True)
class Placed:
    """Where a quotation stands in its block: half-open code points after NFC.

    `unique` is false when the same words stand elsewhere in the block and neither context nor offset told
    which are meant; the first is then taken.
    """

    start: int
    end: int
    quote: Quote
    unique: bool = True


@dataclass(frozen=True)
class Anchor:
    """Result of `reanchor`; `block`, `start` and `end` are set for exact, moved and changed only."""

    state: AnchorState
    block: int | None = None
    start: int | None = None
    end: int | None = None


_DELETED = Anchor(AnchorState.DELETED)
_AMBIGUOUS = Anchor(AnchorState.AMBIGUOUS)


def place_quote(block_text: str, quote: Quote) -> Placed | None:
    """Find the quoted words in the block, or None when they are not in it.

    White space, full or half width and the shape of quotation marks may differ. Of several occurrences the
    one whose surroundings agree best is taken, then the one nearest to `quote.start`. The returned quote
    carries the block's own words and contexts of `CONTEXT` code points.
    """
    block = fold(block_text)
    found = _best_occurrence(block, quote)
    if found is None:
        return None
    start, end, unique = found
    first, last = block.span(start, end)
    text = block.text
    kept = Quote(text[first:last], text[max(0, first - CONTEXT) : first], text[last : last + CONTEXT], first)
    return Placed(first, last, kept, unique)


def _best_occurrence(block: Folded, quote: Quote) -> tuple[int, int, bool] | None:
    exact = fold(quote.exact).key
    if not exact:
        return (0, len(block.key), True) if block.key and not quote.exact.strip() else None
    prefix, suffix = fold(quote.prefix).key, fold(quote.suffix).key
    ranked = []
    for at in occurrences(block.key, exact):
        agreed = _common_tail(block.key[:at], prefix) + _common_head(block.key[at + len(exact) :], suffix)
        away = 0 if quote.start is None else abs(block.positions[at] - quote.start)
        ranked.append((-agreed, away, at))
    if not ranked:
        return None
    ranked.sort()
    unique = len(ranked) == 1 or ranked[0][:2] != ranked[1][:2]
    return ranked[0][2], ranked[0][2] + len(exact), unique


def _common_tail(left: str, right: str) -> int:
    return _common_head(left[::-1], right[::-1])


def _common_head(left: str, right: str) -> int:
    count = 0
    for one, other in zip(left, right, strict=False):
        if one != other:
            break
        count += 1
    return count


def reanchor(
    quote: str, prefix: str, suffix: str, block_index: int, before: Sequence[str], after: Sequence[str]
) -> Anchor:
    """Where the words quoted from `before[block_index]` stand in `after` (R-11, decision 4).

    An empty quotation stands for the whole block. `exact`: the words stand unchanged, in the same order of
    text (blocks put in, split or joined around them do not matter); `moved`: unchanged, but elsewhere in
    the order; `changed`: the passage is there, its words are not all the same, `start` and `end` are those
    of the new words; `deleted`: gone; `ambiguous`: two places are equally good, or the words were never
    in that block.

    Raises:
        IndexError: `block_index` is outside `before`.
    """
    if not 0 <= block_index < len(before):
        raise IndexError("block_index is outside the version the quotation was taken from")
    return _carried(tuple(before), tuple(after)).anchor(Quote(quote, prefix, suffix), block_index)


@lru_cache(maxsize=8)
def _carried(before: tuple[str, ...], after: tuple[str, ...]) -> Reanchoring:
    return Reanchoring(before, after)


class _Run(NamedTuple):
    """`length` folded characters that survived: from `start` of a before block to `at` of an after block."""

    start: int
    length: int
    block: int
    at: int
    moved: bool


class Reanchoring:
    """Two versions compared once, for any number of quotations."""

    def __init__(self, before: Sequence[str], after: Sequence[str]) -> None:
        self._before = [fold(text) for text in before]
        self._after = [fold(text) for text in after]
        self._old = pieces(self._before)
        self._new = pieces(self._after)
        self._firsts = [piece.block for piece in self._old]
        self._pairing = align(self._old, self._new)
        self._runs: dict[int, list[_Run] | None] = {}
        self._gap_runs: dict[tuple[int, ...], dict[int, list[_Run]]] = {}
        self._edges: dict[int, tuple[int, int, int]] = {}
        self._free = self._free_pieces()

    def anchor(self, quote: Quote, block_index: int) -> Anchor:
        """Place one quotation of the earlier version in the later one; see `reanchor`."""
        block = self._before[block_index]
        found = _best_occurrence(block, quote)
        if found is None:
            return self._never_there(quote)
        start, end, unique = found
        if not unique:
            return self._same_words_twice(block_index, fold(quote.exact).key)
        return self._carry(block_index, start, end)

    def _same_words_twice(self, block_index: int, exact: str) -> Anchor:
        """Words that stand twice in a block are only safe when the whole block stands unchanged."""
        whole = self._carry(block_index, 0, len(self._before[block_index].key))
        return whole if exact == self._before[block_index].key else _AMBIGUOUS

    def _never_there(self, quote: Quote) -> Anchor:
        exact = fold(quote.exact).key
        prefix, suffix = fold(quote.prefix).key, fold(quote.suffix).key
        if not exact:
            return _DELETED
        if not any(exact in block.key for block in self._after):
            return _DELETED
        framed = [
            (number, at + len(prefix))
            for number, block in enumerate(self._after)
            for at in occurrences(block.key, prefix + exact + suffix)
        ]
        if len(framed) != 1 or len(exact) < _SHORT or not (prefix or suffix):
            return _AMBIGUOUS
        return self._located(AnchorState.MOVED, framed[0][0], framed[0][1], framed[0][1] + len(exact))

    def _carry(self, block_index: int, start: int, end: int) -> Anchor:
        runs: list[_Run] = []
        for index in self._pieces_of(block_index, start, end):
            found = self._piece_runs(index)
            if found is None:
                return _AMBIGUOUS
            runs.extend(found)
        inside = [_clip(run, start, end) for run in runs if run.start < end and start < run.start + run.length]
        if not inside:
            return self._between(block_index, runs, start, end) or self._cut_out(block_index, start, end)
        return self._joined(block_index, runs, inside, start, end)

    def _joined(self, block_index: int, runs: list[_Run], inside: list[_Run], start: int, end: int) -> Anchor:
        """The one place that the surviving runs of a quotation make up."""
        block = _heaviest_block(inside)
        here = sorted(run for run in inside if run.block == block)
        kept = sum(run.length for run in here)
        moved = sum(run.length for run in here if run.moved) * 2 > kept
        contiguous = all(
            one.start + one.length == two.start and one.at + one.length == two.at for one, two in pairwise(here)
        )
        if contiguous and kept == end - start:
            state = AnchorState.MOVED if moved else AnchorState.EXACT
            return self._located(state, block, here[0].at, here[0].at + kept)
        here = _densest(here)
        kept = sum(run.length for run in here)
        if kept < max(min(3, end - start), (end - start) / 4):
            return self._between(block_index, runs, start, end) or _DELETED
        first, last = here[0].at, here[-1].at + here[-1].length
        if last - first > 6 * (end - start) + 40:
            return _AMBIGUOUS
        first, last = self._widened(block_index, runs, here, (start, end))
        return self._located(AnchorState.CHANGED, block, first, last)

    def _widened(
        self, block_index: int, runs: list[_Run], here: list[_Run], quoted: tuple[int, int]
    ) -> tuple[int, int]:
        """Take in the new words at either edge that stand for quoted words that are gone."""
        start, end = quoted
        block, first, last = here[0].block, here[0].at, here[-1].at + here[-1].length
        around = [run for run in runs if run.block == block]
        covered = self._pieces_of(block_index, start, end)
        lost = here[0].start - start
        if lost:
            low = max((run.at + run.length for run in around if run.start + run.length <= start), default=-1)
            if low < 0 and self._old[covered[0]].start == start:
                low = self._edges.get(covered[0], (-1, 0, 0))[1]
            if 0 <= first - low <= 4 * lost + 20:
                first = max(0, low)
        lost = end - here[-1].start - here[-1].length
        if lost:
            high = min((run.at for run in around if run.start >= end), default=-1)
            if high < 0:
                high = self._tail_edge(block_index, covered[-1], end)[1]
            if 0 <= high - last <= 4 * lost + 20:
                last = high
        return first, last

    def _between(self, block_index: int, runs: list[_Run], start: int, end: int) -> Anchor | None:
        """Words replaced on the spot: what stood right before and right after them is still there."""
        left = [(start - r.start, r.block, r.at + start - r.start) for r in runs if r.start < start <= _end(r)]
        right = [(_end(r) - end, r.block, r.at + end - r.start) for r in runs if r.start <= end < _end(r)]
        covered = self._pieces_of(block_index, start, end)
        if self._old[covered[0]].start == start and covered[0] in self._edges:
            block, low, _ = self._edges[covered[0]]
            left.append((0, block, low))
        block, high = self._tail_edge(block_index, covered[-1], end)
        if high >= 0 and end < self._old[covered[-1]].end:
            right.append((0, block, high))
        for one, home, first in left:
            for two, place, last in right:
                close = first < last <= first + 4 * (end - start) + 20
                if home == place and close and one + two >= _SHORT:
                    return self._located(AnchorState.CHANGED, home, first, last)
        return None

    def _tail_edge(self, block_index: int, index: int, end: int) -> tuple[int, int]:
        """Where words end that reach the end of sentence `index`, but for its mark; -1 if they do not."""
        block, _, high = self._edges.get(index, (-1, 0, -1))
        tail = self._before[block_index].key[end : self._old[index].end]
        if block < 0 or len(tail) > 2 or not self._after[block].key[:high].endswith(tail):
            return -1, -1
        return block, high - len(tail)

    def _cut_out(self, block_index: int, start: int, end: int) -> Anchor:
        """Words that left a sentence which is gone: found once among what is new, and never twice before."""
        exact = self._before[block_index].key[start:end]
        if len(exact) < 2 * _SHORT or sum(len(occurrences(b.key, exact)) for b in self._before) != 1:
            return _DELETED
        places = []
        for index in self._free:
            piece = self._new[index]
            places += [(piece.block, piece.start + at) for at in occurrences(piece.key, exact)]
        if not places:
            return _DELETED
        if len(places) > 1:
            return _AMBIGUOUS
        return self._located(AnchorState.MOVED, places[0][0], places[0][1], places[0][1] + len(exact))

    def _located(self, state: AnchorState, block: int, start: int, end: int) -> Anchor:
        first, last = self._after[block].span(start, end)
        return Anchor(state, block, first, last)

    def _pieces_of(self, block: int, start: int, end: int) -> list[int]:
        index = bisect_left(self._firsts, block)
        found = []
        while index < len(self._old) and self._old[index].block == block:
            if self._old[index].start < end and start < self._old[index].end:
                found.append(index)
            index += 1
        return found

    # --- what survived of one sentence -------------------------------------------------------------

    def _piece_runs(self, index: int) -> list[_Run] | None:
        """Surviving runs of sentence `index`; None when two places would do equally well."""
        if index not in self._runs:
            self._runs[index] = self._find_runs(index)
        return self._runs[index]

    def _find_runs(self, index: int) -> list[_Run] | None:
        if index in self._pairing.tied:
            return None
        piece = self._old[index]
        target = self._pairing.partner.get(index)
        if target is not None:
            new = self._new[target]
            if index in self._pairing.moved and self._has_near_twin(piece):
                return None
            return [_Run(piece.start, len(piece.key), new.block, new.start, index in self._pairing.moved)]
        near = self._near_runs(index)
        if near is None or near:
            return near
        return self._far_runs(index)

    def _has_near_twin(self, piece: Piece) -> bool:
        """Whether something new reads so much like a moved sentence that it may be its true successor."""
        grams = bigrams(piece.key)
        return any(_dice(grams, bigrams(self._new[j].key)) >= _FAR for j in self._free)

    def _free_pieces(self) -> list[int]:
        taken = set(self._pairing.partner.values())
        return [index for index in range(len(self._new)) if index not in taken]

    def _near_runs(self, index: int) -> list[_Run] | None:
        """Compare with what is new between the same unchanged neighbours, character by character."""
        old_gap, new_gap = self._pairing.gap(index)
        old_free = [i for i in range(*old_gap) if i not in self._pairing.partner]
        new_free = self._free[bisect_left(self._free, new_gap[0]) : bisect_left(self._free, new_gap[1])]
        if not new_free:
            return []
        new_free, old_free = self._window(index, old_free, new_free)
        if not new_free:
            return []
        runs = self._compare_gap(index, old_free, new_free)
        piece = self._old[index]
        kept = sum(run.length for run in runs)
        longest = max((run.length for run in runs), default=0)
        share = kept / max(1, len(piece.key))
        if share < _WEAK and not (longest >= 2 * _SHORT and share >= _WEAK / 2):
            return []
        return None if self._has_rival(index, runs, old_free, new_free) else runs

    def _window(self, index: int, old_free: list[int], new_free: list[int]) -> tuple[list[int], list[int]]:
        """In a big rewrite compare only with the likeliest new sentence and its neighbours."""
        size = sum(len(self._old[i].key) for i in old_free) * sum(len(self._new[j].key) for j in new_free)
        if size <= _CHAR_MATRIX // 4:
            return new_free, old_free
        grams = bigrams(self._old[index].key)
        shares = [len(grams & bigrams(self._new[j].key)) for j in new_free]
        best = max(range(len(new_free)), key=lambda k: (shares[k], -k))
        if shares[best] < _WEAK * len(grams) / 2:
            return [], []
        at = old_free.index(index)
        return new_free[max(0, best - 1) : best + 2], old_free[max(0, at - 1) : at + 2]

    def _compare_gap(self, index: int, old_free: list[int], new_free: list[int]) -> list[_Run]:
        key = (*old_free, -1, *new_free)
        if key not in self._gap_runs:
            old, new = [self._old[i] for i in old_free], [self._new[j] for j in new_free]
            found = _character_runs(old, new)
            self._gap_runs[key] = {i: found[k] for k, i in enumerate(old_free)}
        runs = self._gap_runs[key][index]
        if runs:
            everything = [run for some in self._gap_runs[key].values() for run in some]
            self._edges[index] = _edges(runs, everything, [self._new[j] for j in new_free])
        return runs

    def _has_rival(self, index: int, runs: list[_Run], old_free: list[int], new_free: list[int]) -> bool:
        """Whether another sentence, old or new, has as good a claim to the same words."""
        mine = bigrams(self._old[index].key)
        block = _heaviest_block(runs)
        landed: set[str] = set()
        own: list[int] = []
        for run in runs:
            if run.block == block:
                landed |= bigrams(self._after[block].key[run.at : run.at + run.length])
        for j in new_free:
            piece = self._new[j]
            if any(r.block == piece.block and r.at < piece.end and piece.start < r.at + r.length for r in runs):
                own.append(j)
        strength = len(landed)
        if not strength:
            return False
        for j in new_free:
            rival = landed & bigrams(self._new[j].key)
            if j not in own and len(rival) > (1 - 2 * _MARGIN) * strength:
                return True
        target: set[str] = set().union(*(bigrams(self._new[j].key) for j in own)) if own else set()
        likeness = _dice(mine, target)
        return any(
            len(landed & bigrams(self._old[i].key)) > strength / 2
            and _dice(bigrams(self._old[i].key), target) > likeness - _MARGIN
            for i in old_free
            if i != index
        )

    def _far_runs(self, index: int) -> list[_Run] | None:
        """A sentence that was both reworded and carried elsewhere needs a strong and lonely likeness."""
        piece = self._old[index]
        grams = bigrams(piece.key)
        if len(grams) < 2 * _SHORT:
            return []
        scored = sorted(((_dice(grams, bigrams(self._new[j].key)), j) for j in self._free), reverse=True)
        if not scored or scored[0][0] < _FAR:
            return []
        best, chosen = scored[0]
        if len(scored) > 1 and scored[1][0] > best - _MARGIN:
            return None
        target = bigrams(self._new[chosen].key)
        rivals = (self._old[i] for i in range(len(self._old)) if i != index and i not in self._pairing.partner)
        if any(_dice(bigrams(rival.key), target) > best - _MARGIN for rival in rivals):
            return None
        runs = _character_runs([piece], [self._new[chosen]])[0]
        if runs:
            self._edges[index] = _edges(runs, runs, [self._new[chosen]])
        return [run._replace(moved=True) for run in runs]


def _end(run: _Run) -> int:
    return run.start + run.length


def _dice(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / max(1, len(one) + len(other))


def _heaviest_block(runs: Sequence[_Run]) -> int:
    weight: dict[int, int] = {}
    for run in runs:
        weight[run.block] = weight.get(run.block, 0) + run.length
    return max(weight, key=lambda block: (weight[block], -block))


def _clip(run: _Run, start: int, end: int) -> _Run:
    first, last = max(run.start, start), min(run.start + run.length, end)
    return run._replace(start=first, length=last - first, at=run.at + first - run.start)


def _densest(runs: list[_Run]) -> list[_Run]:
    """The heaviest chain of runs that keeps its order in the new text."""
    best: list[tuple[int, int]] = []
    for k, run in enumerate(runs):
        previous = [(best[m][0], m) for m in range(k) if runs[m].at + runs[m].length <= run.at]
        weight, link = max(previous, default=(0, -1))
        best.append((weight + run.length, link))
    at = max(range(len(runs)), key=lambda k: best[k][0])
    chain = []
    while at >= 0:
        chain.append(runs[at])
        at = best[at][1]
    return _trimmed(chain[::-1])


def _trimmed(chain: list[_Run]) -> list[_Run]:
    """Without short runs at the edges that chance put far from the rest."""
    while len(chain) > 1 and _stray(chain[0], chain[1], chain[0].length):
        chain = chain[1:]
    while len(chain) > 1 and _stray(chain[-2], chain[-1], chain[-1].length):
        chain = chain[:-1]
    return chain


def _stray(one: _Run, two: _Run, length: int) -> bool:
    gap = two.at - one.at - one.length
    return length < _SHORT and gap > 2 * (two.start - _end(one)) + 2 * _SHORT


def _character_runs(old: list[Piece], new: list[Piece]) -> list[list[_Run]]:
    """Runs of at least two characters that the old sentences share, in order, with the new ones."""
    left = "\x00".join(piece.key for piece in old)
    right = "\x01".join(piece.key for piece in new)
    old_starts, new_starts = _offsets(old), _offsets(new)
    found: list[list[_Run]] = [[] for _ in old]
    for at, to, length in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        if length < 2:
            continue
        one, two = _owner(old_starts, at), _owner(new_starts, to)
        start = old[one].start + at - old_starts[one]
        target = new[two].start + to - new_starts[two]
        found[one].append(_Run(start, length, new[two].block, target, moved=False))
    return found


def _edges(runs: list[_Run], everything: list[_Run], new: list[Piece]) -> tuple[int, int, int]:
    """Block and half-open place that belongs to these runs and to no other sentence's."""
    block = _heaviest_block(runs)
    first = min(run.at for run in runs if run.block == block)
    last = max(run.at + run.length for run in runs if run.block == block)
    low = max((p.start for p in new if p.block == block and p.start <= first), default=first)
    high = min((p.end for p in new if p.block == block and p.end >= last), default=last)
    low = max([low, *(r.at + r.length for r in everything if r.block == block and r.at + r.length <= first)])
    high = min([high, *(r.at for r in everything if r.block == block and r.at >= last)])
    return block, low, high


def _offsets(parts: list[Piece]) -> list[int]:
    starts, at = [], 0
    for piece in parts:
        starts.append(at)
        at += len(piece.key) + 1
    return starts


def _owner(starts: list[int], at: int) -> int:
    index = bisect_left(starts, at)
    return index if index < len(starts) and starts[index] == at else index - 1


def normal_form(text: str) -> str:
    """NFC, the form in which every stored offset counts."""
    return unicodedata.normalize("NFC", text)
