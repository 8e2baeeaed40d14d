"""Group near-duplicate comments (campaigns, copies) without grouping comments that only share a topic.

Grouping is a suggestion for the desk: it never merges, counts or hides anything (R-84, R-85).
Texts are compared by their pairs of characters. A pair that turns up in many unrelated comments (greetings,
「希望尽快处理」, a borrowed life story) weighs little; what is left is what the comment is about. Comments
that name different roads or estates are different comments, however alike their wording.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

from consult.domain.traditional import simplified

_NOISE = regex.compile(r"[^\p{L}\p{N}]+")
_PLACE = regex.compile(r"(?P<name>\p{Han}{2}|[0-9]{1,4})(?P<kind>路|大道|弄|号线)")
_FOLDS = (
    # words that people swap when they pass a text on; both sides are compared as the second
    ("麻烦", "请"), ("希望", "请"), ("建议", "请"), ("恳请", "请"), ("要求", "请"), ("无偿", "免费"), ("整顿", "清理"),
    ("整治", "清理"), ("管控", "管理"), ("监管", "管理"), ("添置", "增加"), ("增设", "增加"), ("增添", "增加"),
    ("平常", "平时"), ("组织", "安排"), ("从无", "从没有"), ("从未", "从没有"), ("小朋友", "孩子"), ("小孩", "孩子"),
    ("儿童", "孩子"), ("排查", "检查"), ("核查", "检查"), ("乘车", "坐车"), ("修理", "维修"), ("修缮", "维修"),
    ("立即", "尽快"), ("马上", "尽快"), ("赶紧", "尽快"), ("抓紧", "尽快"), ("老人家", "老人"), ("老年人", "老人"),
    ("莫有", "没有"), ("小曲", "小区"),
)  # fmt: skip
SAME = 0.7
"""Weighted share of the shorter text from which two comments are near duplicates."""
_SAME_SHORT = 0.8  # the same when one of them is shorter than `_SHORT` pairs
_SHORT = 30
_LENGTHS = 0.2  # the same share of the longer one
_MIN_PAIRS = 10  # pairs of characters in common; less may be chance
_COMMON = 400  # a pair found in more texts than this leads nobody to a candidate
_SAMPLE = 6  # members of a group that speak for it when two groups might join
_AGREE = 0.5  # how alike those members must be on average
_RAREST = 16  # pairs of each text that are looked up however common they are
_LIKELY = 0.8  # unweighted share from which a pair of texts is looked at in the first pass


@dataclass(frozen=True)
class Similar:
    """One earlier comment that reads alike: its position in the index and 0–1 how alike."""

    position: int
    score: float


def normalise(text: str) -> str:
    """Letters and digits only, one width and case, simplified characters, common synonyms as one."""
    folded = simplified(unicodedata.normalize("NFKC", text).casefold())
    bare = str(_NOISE.sub("", folded))
    for variant, plain in _FOLDS:
        bare = bare.replace(variant, plain)
    return bare


def shingles(text: str) -> frozenset[str]:
    """The set of character pairs of the normalised text."""
    bare = normalise(text)
    return frozenset(bare[at : at + 2] for at in range(len(bare) - 1)) or frozenset({bare} - {""})


def places(text: str) -> frozenset[str]:
    """Roads and railway lines a text names, such as 莘松路 or 19号线."""
    folded = simplified(unicodedata.normalize("NFKC", text))
    return frozenset(match["name"] + match["kind"] for match in _PLACE.finditer(folded) if _names(match["name"]))


_NOT_NAMES = regex.compile(
    r"[的了在是有我们你他这那个各每某老新旧小大条上下前后内外附近里到从和与马道铁门占断修便挡拦堵走过绕让离赶跑网思出退半顺沿]"
)


def _names(name: str) -> bool:
    return _NOT_NAMES.search(name) is None


class SimilarityIndex:
    """Comments prepared for comparison; build once, ask often."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._shingles = [shingles(text) for text in texts]
        self._places = [places(text) for text in texts]
        self._postings: dict[str, list[int]] = defaultdict(list)
        for position, grams in enumerate(self._shingles):
            for gram in grams:
                self._postings[gram].append(position)
        self._weights: dict[str, float] = {}
        self._weights = self._learned_weights()
        self._mass = [self._weigh(grams) for grams in self._shingles]

    def __len__(self) -> int:
        return len(self._shingles)

    def similar_to(self, text: str, limit: int = 10, least: float = 0.3) -> list[Similar]:
        """The comments most like `text`, best first; from `SAME` on they would be grouped."""
        grams, named = shingles(text), places(text)
        scored = [
            Similar(position, round(score, 4))
            for position in self._candidates(grams)
            if (score := self._score(grams, self._weigh(grams), named, position)) >= least
        ]
        return sorted(scored, key=lambda found: (-found.score, found.position))[:limit]

    def groups(self) -> list[int | None]:
        """For each text the position of the first text of its group, None when it stands alone."""
        return _labels(self._joined(weighted=True))

    def _joined(self, *, weighted: bool) -> list[int]:
        """Root of each text after joining alike pairs from the strongest down.

        One chance likeness must not chain two groups together, so two groups join only when their first
        members are alike on average.
        """
        clusters = _Clusters(len(self))
        first: dict[frozenset[str], int] = {}
        edges = []
        for position, grams in enumerate(self._shingles):
            twin = first.setdefault(grams, position)
            if twin != position:
                if len(grams) >= _MIN_PAIRS // 2:
                    clusters.unite(twin, position)
                continue
            for other in self._candidates(grams, before=position):
                score = self._pair(other, position) if weighted else self._plain(other, position)
                least = self._least(other, position) if weighted else _LIKELY
                if score >= least:
                    edges.append((-score, other, position))
        refused: set[tuple[int, int]] = set()
        for _, one, other in sorted(edges):
            low, high = sorted((clusters.root(one), clusters.root(other)))
            if low == high or (low, high) in refused:
                continue
            if self._agree(clusters.members(low), clusters.members(high), weighted=weighted):
                clusters.unite(low, high)
            else:
                refused.add((low, high))
        return [clusters.root(position) for position in range(len(self))]

    def _agree(self, left: list[int], right: list[int], *, weighted: bool) -> bool:
        pairs = [(a, b) for a in left[:_SAMPLE] for b in right[:_SAMPLE]]
        score = self._pair if weighted else self._plain
        return sum(score(a, b) for a, b in pairs) >= _AGREE * len(pairs)

    def _learned_weights(self) -> dict[str, float]:
        """Weight of a pair by how many unrelated texts hold it; a campaign of any size counts as one text."""
        topics = self._joined(weighted=False)
        spread: Counter[str] = Counter()
        for gram, holders in self._postings.items():
            spread[gram] = len({topics[position] for position in holders})
        return {gram: 1 / held for gram, held in spread.items()}

    def _weigh(self, grams: Iterable[str]) -> float:
        return math.fsum(self._weights.get(gram, 1.0) for gram in grams)

    def _least(self, one: int, other: int) -> float:
        short = min(len(self._shingles[one]), len(self._shingles[other])) < _SHORT
        return _SAME_SHORT if short else SAME

    def _plain(self, one: int, other: int) -> float:
        if _elsewhere(self._places[one], self._places[other]):
            return 0.0
        a, b = self._shingles[one], self._shingles[other]
        shared = len(a & b)
        return shared / min(len(a), len(b)) if shared >= _MIN_PAIRS else 0.0

    def _pair(self, one: int, other: int) -> float:
        return self._score(self._shingles[one], self._mass[one], self._places[one], other)

    def _score(self, grams: frozenset[str], mass: float, named: frozenset[str], other: int) -> float:
        shared = grams & self._shingles[other]
        if len(shared) < _MIN_PAIRS or _elsewhere(named, self._places[other]):
            return 0.0
        common = self._weigh(shared)
        low, high = sorted((mass, self._mass[other]))
        if common < _LENGTHS * high:
            return 0.0
        return common / max(low, 1e-9)

    def _candidates(self, grams: frozenset[str], before: int | None = None) -> list[int]:
        known = sorted((len(self._postings[gram]), gram) for gram in grams if gram in self._postings)
        # In a campaign of many hundreds every pair is common; the rarest few still lead to its members.
        used = [gram for rank, (held, gram) in enumerate(known) if held <= _COMMON or rank < _RAREST]
        enough = min(_MIN_PAIRS, max(2, len(used) // 4))
        hits: Counter[int] = Counter()
        for gram in used:
            hits.update(self._postings[gram])
        found = [
            position for position, count in hits.items() if count >= enough and (before is None or position < before)
        ]
        return sorted(found)


def _elsewhere(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether both name places of a kind (road, lane, line) and none of them in common."""
    if not one or not other or one == other:
        return False
    for kind in ("路", "大道", "弄", "号线"):
        left = {place for place in one if place.endswith(kind)}
        right = {place for place in other if place.endswith(kind)}
        if left and right and not left & right:
            return True
    return False


class _Clusters:
    """Union-find whose root is always the smallest member."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))
        self._members = {position: [position] for position in range(size)}

    def root(self, position: int) -> int:
        while self._parent[position] != position:
            self._parent[position] = self._parent[self._parent[position]]
            position = self._parent[position]
        return position

    def members(self, root: int) -> list[int]:
        return self._members[root]

    def unite(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        if low != high:
            self._parent[high] = low
            self._members[low] = sorted(self._members[low] + self._members.pop(high))


def _labels(roots: list[int]) -> list[int | None]:
    sizes = Counter(roots)
    return [root if sizes[root] > 1 else None for root in roots]


def group_duplicates(texts: Sequence[str]) -> list[int | None]:
    """For each text the position of the first text of its near-duplicate group, or None.

    The same texts in the same order always give the same groups.
    """
    return SimilarityIndex(texts).groups()


def similar_to(text: str, index: SimilarityIndex, limit: int = 10) -> list[Similar]:
    """The comments of `index` most like `text`, best first."""
    return index.similar_to(text, limit)
