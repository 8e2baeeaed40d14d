"""Pair the sentences of two versions of a text: which stand unchanged, which moved, which are left over.

Shared by the quotation anchors and the comparison of versions.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import regex

_ENDS = regex.compile(r"[^。！？!?；;\n]*(?:[。！？!?；;]+[”’」』）)\"']*\n?|\n|$)")
_MARKS = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "「": '"', "」": '"', "‐": "-", "—": "-"})
_CROWD = 8
_ALONE = 6  # folded characters; a shorter sentence found elsewhere needs a neighbour that came along


@dataclass(frozen=True)
class Folded:
    """A text in NFC and its comparison key: no white space, one width, one case, one kind of quotation mark.

    `positions[k]` is the code point of `text` that gave character k of `key`.
    """

    text: str
    key: str
    positions: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Half-open code points of `text` for half-open characters of `key`."""
        if start >= end:
            at = self.positions[start] if start < len(self.positions) else len(self.text)
            return at, at
        last = self.positions[end - 1] + 1
        # A combining mark belongs to the letter before it, so the span never ends inside one.
        while last < len(self.text) and unicodedata.combining(self.text[last]):
            last += 1
        return self.positions[start], last


@dataclass(frozen=True)
class Piece:
    """One sentence: its block, its half-open place in the block's key, and its own key."""

    block: int
    start: int
    end: int
    key: str


@dataclass
class Pairing:
    """Old sentence → new sentence with the same words.

    `moved` holds the old ones that are out of order, `tied` those with two equally good partners.
    """

    old_count: int
    new_count: int
    partner: dict[int, int] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)
    tied: set[int] = field(default_factory=set)
    _kept: list[int] = field(default_factory=list)

    def gap(self, index: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Half-open ranges of old and new sentences between the unchanged neighbours of sentence `index`."""
        at = bisect_right(self._kept, index)
        low = self._kept[at - 1] if at else -1
        high = self._kept[at] if at < len(self._kept) else self.old_count
        new_low = self.partner[low] if at else -1
        new_high = self.partner[high] if at < len(self._kept) else self.new_count
        return (low + 1, high), (new_low + 1, new_high)

    def settle(self) -> None:
        """Fix which old sentences keep their order, once all partners are known."""
        self._kept = sorted(index for index in self.partner if index not in self.moved)


@lru_cache(maxsize=4096)
def fold(text: str) -> Folded:
    """The comparison key of a text and where each of its characters came from."""
    composed = unicodedata.normalize("NFC", text)
    key: list[str] = []
    positions: list[int] = []
    for at, char in enumerate(composed):
        if char.isspace() or unicodedata.category(char) == "Cf":
            continue
        for part in unicodedata.normalize("NFKC", char).casefold().translate(_MARKS):
            if not part.isspace():
                key.append(part)
                positions.append(at)
    return Folded(composed, "".join(key), tuple(positions))


def sentences(text: str) -> list[tuple[int, int]]:
    """Half-open code points of the sentences of a text; together they are the whole text."""
    return [match.span() for match in _ENDS.finditer(text) if match.end() > match.start()]


def pieces(blocks: Sequence[Folded]) -> list[Piece]:
    """All sentences of all blocks, in order."""
    found = []
    for number, block in enumerate(blocks):
        at = 0
        for _, end in sentences(block.text):
            first = at
            while at < len(block.positions) and block.positions[at] < end:
                at += 1
            if at > first:
                found.append(Piece(number, first, at, block.key[first:at]))
    return found


def bigrams(key: str) -> set[str]:
    """Pairs of neighbouring characters; a single character stands for itself."""
    return _bigrams(key) if len(key) > 1 else {key} - {""}


@lru_cache(maxsize=16384)
def _bigrams(key: str) -> set[str]:
    return {key[at : at + 2] for at in range(len(key) - 1)}


def occurrences(text: str, wanted: str) -> list[int]:
    """Every place of `wanted` in `text`, overlapping ones too."""
    found, at = [], text.find(wanted)
    while at >= 0:
        found.append(at)
        at = text.find(wanted, at + 1)
    return found


def in_order(old: Sequence[str], new: Sequence[str], weights: Sequence[int]) -> dict[int, int]:
    """The heaviest set of equal items that keeps the order of both sequences.

    Hunt and Szymanski's matching points, joined by the heaviest increasing chain with a Fenwick tree, so
    the time grows with the number of equal pairs and not with the product of the lengths.
    """
    places = _places(new)
    tree: list[tuple[int, int]] = [(0, -1)] * (len(new) + 1)
    points: list[tuple[int, int, int]] = []
    for index, item in enumerate(old):
        # From the right, so that one old item never follows itself in a chain.
        for at in reversed(places.get(item, ())):
            weight, link = _best_up_to(tree, at)
            points.append((index, at, link))
            _raise(tree, at + 1, (weight + weights[index], len(points) - 1))
    chain: dict[int, int] = {}
    link = _best_up_to(tree, len(new))[1]
    while link >= 0:
        index, at, link = points[link]
        chain[index] = at
    return chain


def _best_up_to(tree: list[tuple[int, int]], at: int) -> tuple[int, int]:
    best = (0, -1)
    while at > 0:
        if tree[at][0] > best[0]:
            best = tree[at]
        at -= at & -at
    return best


def _raise(tree: list[tuple[int, int]], at: int, value: tuple[int, int]) -> None:
    while at < len(tree):
        if value[0] > tree[at][0]:
            tree[at] = value
        at += at & -at


def align(old: Sequence[Piece], new: Sequence[Piece]) -> Pairing:
    """Pair equal sentences: those in order first, then those that moved; ties are named, not broken."""
    left, right = [piece.key for piece in old], [piece.key for piece in new]
    weights = [len(key) + 1 for key in left]
    forward = in_order(left, right, weights)
    mirrored = in_order(left[::-1], right[::-1], weights[::-1])
    backward = {len(left) - 1 - i: len(right) - 1 - j for i, j in mirrored.items()}
    pairing = Pairing(len(old), len(new), dict(forward))
    pairing.tied = _disagreements(forward, backward)
    _pair_moved(pairing, old, new)
    pairing.tied |= _doubtful_twins(pairing, left, right)
    pairing.settle()
    return pairing


def _disagreements(forward: dict[int, int], backward: dict[int, int]) -> set[int]:
    """Sentences whose partner depends on the end from which one starts to pair."""
    tied = {i for i, j in forward.items() if backward.get(i, j) != j}
    claimed = {j: i for i, j in forward.items()}
    for i, j in backward.items():
        rival = claimed.get(j, i)
        if rival != i:
            tied |= {i, rival}
    return tied


def _doubtful_twins(pairing: Pairing, left: Sequence[str], right: Sequence[str]) -> set[int]:
    """Sentences that stand more than once and whose surroundings do not settle which is which."""
    olds, news = _places(left), _places(right)
    twins = {key for key in olds if len(olds[key]) > 1 or len(news.get(key, ())) > 1}
    sides = (_surroundings(left, twins), _surroundings(right, twins))
    claimed = set(pairing.partner.values())
    tied: set[int] = set()
    for key in twins:
        sources, targets = olds[key], news.get(key, [])
        near = {(i, j): _agreement(sides[0][i], sides[1][j]) for i in sources for j in targets}
        doubtful = set()
        for i in sources:
            j = pairing.partner.get(i)
            if j is None:
                continue
            paired = [near[a, j] for a in sources if a in pairing.partner and a != i]
            paired += [near[i, b] for b in targets if b in claimed and b != j]
            free = [near[a, j] for a in sources if a not in pairing.partner]
            free += [near[i, b] for b in targets if b not in claimed]
            needed = 2 if free or _crowded(sources, i) else 1
            clear = max(paired, default=-1) <= near[i, j] and max(free, default=-1) < near[i, j]
            if not clear or near[i, j] < needed:
                doubtful.add(i)
        if doubtful:
            tied |= doubtful | {i for i in sources if i not in pairing.partner}
    return tied


def _places(keys: Sequence[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        found[key].append(at)
    return found


def _crowded(places: list[int], at: int) -> bool:
    """Whether another sentence with the same words stands within eight sentences."""
    return any(0 < abs(other - at) <= _CROWD for other in places)


def _surroundings(keys: Sequence[str], twins: set[str]) -> list[tuple[str | None, str | None]]:
    """For each sentence the nearest one before and after that stands only once; None beyond the edge."""
    before: list[str | None] = []
    last: str | None = None
    for key in keys:
        before.append(last)
        last = last if key in twins else key
    following: list[str | None] = []
    last = None
    for key in reversed(keys):
        following.append(last)
        last = last if key in twins else key
    return list(zip(before, reversed(following), strict=True))


def _agreement(one: tuple[str | None, str | None], other: tuple[str | None, str | None]) -> int:
    return (one[0] == other[0]) + (one[1] == other[1])


def _pair_moved(pairing: Pairing, old: Sequence[Piece], new: Sequence[Piece]) -> None:
    taken = set(pairing.partner.values())
    spare: dict[str, list[int]] = defaultdict(list)
    for j, piece in enumerate(new):
        if j not in taken:
            spare[piece.key].append(j)
    waiting: dict[str, list[int]] = defaultdict(list)
    for i, piece in enumerate(old):
        if i not in pairing.partner and piece.key in spare:
            waiting[piece.key].append(i)
    for key, sources in waiting.items():
        _pair_one_text(pairing, old, new, sources, spare[key])


def _pair_one_text(
    pairing: Pairing, old: Sequence[Piece], new: Sequence[Piece], sources: list[int], targets: list[int]
) -> None:
    scores = {(i, j): _company(old, new, i, j) for i in sources for j in targets}
    lonely = len(sources) == len(targets) == 1
    for i in sources:
        best = max(targets, key=lambda j: scores[i, j])
        score = scores[i, best]
        enough = score >= 1 or (lonely and len(old[i].key) >= _ALONE)
        rivals = [s for (a, b), s in scores.items() if (a == i) != (b == best)]
        if enough and all(rival < score for rival in rivals):
            pairing.partner[i] = best
            pairing.moved.add(i)
        elif enough or len(old[i].key) >= _ALONE:
            pairing.tied.add(i)


def _company(old: Sequence[Piece], new: Sequence[Piece], i: int, j: int) -> int:
    """How many neighbours within the block came along."""
    found = 0
    for step in (-1, 1):
        a, b = i + step, j + step
        inside = 0 <= a < len(old) and 0 <= b < len(new)
        if inside and old[a].block == old[i].block and new[b].block == new[j].block:
            found += old[a].key == new[b].key
    return found
