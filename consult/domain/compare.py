"""What changed between two versions of a draft: block by block, sentence by sentence, then by words.

Chinese has no spaces, so a comparison by characters alone turns to soup. Sentences are paired first; inside
a pair figures and Latin words stay whole, scraps of agreement between two changes are swallowed, and an
insertion slides to the nearest punctuation mark.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

import regex

from consult.domain.alignment import Folded, bigrams, fold, in_order, sentences

_TOKEN = regex.compile(r"\d+(?:[.,:/]\d+)*[%％‰]?|[\p{Latin}]+(?:[.-][\p{Latin}\d]+)*|\s+|.", regex.DOTALL)
_PUNCTUATION = regex.compile(r"[\p{P}\p{S}\s]*")
_LIKE = 0.4  # likeness from which two blocks in the same place are one block reworded
_LIKE_AFAR = 0.6  # the same for blocks that stand elsewhere
_LIKE_SENTENCE = 0.3
_SCRAP = 2  # characters; agreement this short between two changes is chance
_SMALL = 8  # pairs of characters; less is too little to recognise a part by
_PART = 0.6  # share of a block's words that makes it a part of another


class Change(StrEnum):
    """What happened to a block."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    DELETED = "deleted"
    MOVED = "moved"


class Op(StrEnum):
    """What happened to a stretch of words."""

    SAME = "same"
    ADDED = "added"
    DELETED = "deleted"


@dataclass(frozen=True)
class VersionBlock:
    """One paragraph, heading or table row; `key` is its stable key, empty when it has none yet."""

    text: str
    key: str = ""
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextRun:
    """A stretch of text for one mark: plain, `ins` or `del`."""

    op: Op
    text: str


@dataclass(frozen=True)
class CellChange:
    """One cell of a table row; `old` or `new` is None where the column exists on one side only."""

    change: Change
    old: str | None
    new: str | None
    runs: tuple[TextRun, ...]


@dataclass(frozen=True)
class Row:
    """One line of the comparison page.

    `old` are indexes of earlier blocks (more than one when they were joined), `new` that of the later one.
    `runs` is the text with its marks; `cells` is filled for table rows, and then says the same by cell.
    `split` and `joined` tell that a paragraph break was put in or taken out. A `moved` row stands where the
    block stands now, and its runs show what was reworded on the way.
    """

    change: Change
    old: tuple[int, ...]
    new: int | None
    runs: tuple[TextRun, ...]
    cells: tuple[CellChange, ...] = ()
    split: bool = False
    joined: bool = False

    @property
    def reworded(self) -> bool:
        """Whether any words differ."""
        return any(run.op is not Op.SAME for run in self.runs)


@dataclass(frozen=True)
class Comparison:
    """All rows in reading order of the later version, deleted blocks where they stood."""

    rows: tuple[Row, ...]

    @property
    def counts(self) -> Counter[Change]:
        """Blocks by what happened to them."""
        return Counter(row.change for row in self.rows)

    @property
    def changes(self) -> tuple[Row, ...]:
        """The rows that are not the same."""
        return tuple(row for row in self.rows if row.change is not Change.SAME)


def compare_versions(old: Sequence[VersionBlock], new: Sequence[VersionBlock]) -> Comparison:
    """Compare two versions; blocks pair by equal keys where both have one, else by their words.

    Indentation and line breaks inside a block count as text. Changes of a figure mark the whole figure.
    """
    matching = _match(old, new)
    rows: list[tuple[tuple[float, int], Row]] = [((j, 1), _row(old, new, j, matching)) for j in range(len(new))]
    for i, block in enumerate(old):
        if i not in matching.used:
            runs = (TextRun(Op.DELETED, block.text),) if block.text else ()
            cells = tuple(CellChange(Change.DELETED, c, None, _runs_of(Op.DELETED, c)) for c in block.cells)
            rows.append(((_after(i, matching), i - len(old)), Row(Change.DELETED, (i,), None, runs, cells)))
    rows.sort(key=lambda pair: pair[0])
    return Comparison(tuple(row for _, row in rows))


def match_blocks(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """New index → old index of the block it continues; for carrying stable keys to a new version.

    Parts of a split block beyond the first, and new blocks, are absent.
    """
    found = _match([VersionBlock(text) for text in old], [VersionBlock(text) for text in new])
    return dict(found.source)


def compare_tables(old: Sequence[Sequence[str]], new: Sequence[Sequence[str]]) -> Comparison:
    """Compare two tables given as rows of cells; a row is recognised by its words, wherever it stands."""
    return compare_versions(
        [VersionBlock(" | ".join(row), cells=tuple(row)) for row in old],
        [VersionBlock(" | ".join(row), cells=tuple(row)) for row in new],
    )


# --- which block continues which ----------------------------------------------------------------------


@dataclass
class _Matching:
    """`source`: new block → the old one it continues; `extra`: new block → old ones joined to that;
    `part_of`: new block → the old one it was split from."""

    source: dict[int, int]
    extra: dict[int, list[int]]
    part_of: dict[int, int]
    moved: set[int]

    @property
    def used(self) -> set[int]:
        """Old blocks that continue somewhere."""
        return {*self.source.values(), *(i for some in self.extra.values() for i in some)}


def _match(old: Sequence[VersionBlock], new: Sequence[VersionBlock]) -> _Matching:
    folded_old, folded_new = [fold(b.text) for b in old], [fold(b.text) for b in new]
    source = _by_key(old, new)
    _by_identity(source, folded_old, folded_new)
    _by_likeness(source, folded_old, folded_new)
    grams = [bigrams(b.key) for b in folded_old], [bigrams(b.key) for b in folded_new]
    continued = {i: j for j, i in source.items()}
    part_of = _contained(
        {j: g for j, g in enumerate(grams[1]) if j not in source},
        {i: (g, grams[1][continued[i]]) for i, g in enumerate(grams[0]) if i in continued},
    )
    joined = _contained(
        {i: g for i, g in enumerate(grams[0]) if i not in continued},
        {j: (g, grams[0][source[j]]) for j, g in enumerate(grams[1]) if j in source},
    )
    extra: dict[int, list[int]] = {}
    for i, j in joined.items():
        extra.setdefault(j, []).append(i)
    moved = _out_of_order(source, [len(b.key) for b in folded_new])
    return _Matching(source, extra, part_of, moved)


def _contained(loose: dict[int, set[str]], wholes: dict[int, tuple[set[str], set[str]]]) -> dict[int, int]:
    """Loose block → the block that holds most of its words, and whose other half does not have them."""
    found = {}
    for at, grams in loose.items():
        if len(grams) < _SMALL:
            continue
        best = max(wholes, key=lambda whole: len(grams & wholes[whole][0]), default=None)
        if best is None:
            continue
        whole, counterpart = wholes[best]
        if len(grams & (whole - counterpart)) >= _PART * len(grams):
            found[at] = best
    return found


def _by_key(old: Sequence[VersionBlock], new: Sequence[VersionBlock]) -> dict[int, int]:
    counts = Counter(block.key for block in old), Counter(block.key for block in new)
    places = {block.key: i for i, block in enumerate(old) if block.key and counts[0][block.key] == 1}
    return {j: places[block.key] for j, block in enumerate(new) if block.key in places and counts[1][block.key] == 1}


def _by_identity(source: dict[int, int], old: Sequence[Folded], new: Sequence[Folded]) -> None:
    taken = set(source.values())
    olds = [i for i in range(len(old)) if i not in taken and old[i].key]
    news = [j for j in range(len(new)) if j not in source and new[j].key]
    kept = in_order([old[i].key for i in olds], [new[j].key for j in news], [len(old[i].key) for i in olds])
    source.update({news[b]: olds[a] for a, b in kept.items()})
    spare: dict[str, list[int]] = defaultdict(list)
    taken = set(source.values())
    for i in olds:
        if i not in taken:
            spare[old[i].key].append(i)
    for j in news:
        if j not in source and spare.get(new[j].key):
            source[j] = spare[new[j].key].pop(0)


def _by_likeness(source: dict[int, int], old: Sequence[Folded], new: Sequence[Folded]) -> None:
    """Greedy from the best pair down; blocks in the same place need less likeness than those far off."""
    taken = set(source.values())
    olds = {i: bigrams(old[i].key) for i in range(len(old)) if i not in taken}
    index: dict[str, list[int]] = defaultdict(list)
    for i, grams in olds.items():
        for gram in grams:
            index[gram].append(i)
    scored = []
    for j in range(len(new)):
        if j in source:
            continue
        grams = bigrams(new[j].key)
        shared = Counter(i for gram in grams for i in index.get(gram, ()))
        low, high = _neighbours(source, j, len(old))
        for i, count in shared.items():
            likeness = 2 * count / (len(grams) + len(olds[i]))
            # A part of a split block shares all its words with the whole, however short it is.
            likeness = max(likeness, 0.8 * count / max(1, min(len(grams), len(olds[i]))) if count > 8 else 0)
            if likeness >= (_LIKE if low < i < high else _LIKE_AFAR):
                scored.append((likeness, -abs(i - j), -j, i))
    for _, _, minus, i in sorted(scored, reverse=True):
        if -minus not in source and i not in taken:
            source[-minus] = i
            taken.add(i)


def _neighbours(source: dict[int, int], j: int, count: int) -> tuple[int, int]:
    low = next((source[k] for k in range(j - 1, -1, -1) if k in source), -1)
    high = next((source[k] for k in range(j + 1, max(source, default=0) + 1) if k in source), count)
    return low, high


def _out_of_order(source: dict[int, int], sizes: Sequence[int]) -> set[int]:
    news = sorted(source)
    order = [str(i) for i in sorted(source.values())]
    kept = in_order([str(source[j]) for j in news], order, [sizes[j] + 1 for j in news])
    return {j for at, j in enumerate(news) if at not in kept}


def _after(i: int, matching: _Matching) -> float:
    """A deleted block stands after the block that followed the one before it."""
    places = {old: new for new, old in matching.source.items() if new not in matching.moved}
    return next((places[k] + 0.5 for k in range(i - 1, -1, -1) if k in places), -1.0)


# --- one row -------------------------------------------------------------------------------------------


def _row(old: Sequence[VersionBlock], new: Sequence[VersionBlock], j: int, matching: _Matching) -> Row:
    block = new[j]
    whole = matching.part_of.get(j, matching.source.get(j))
    if whole is None:
        cells = tuple(CellChange(Change.ADDED, None, c, _runs_of(Op.ADDED, c)) for c in block.cells)
        return Row(Change.ADDED, (), j, _runs_of(Op.ADDED, block.text), cells)
    parts = sorted(k for k, origin in matching.part_of.items() if origin == whole)
    parts += [k for k, origin in matching.source.items() if origin == whole] if parts else []
    sources = tuple(sorted([whole, *matching.extra.get(j, ())]))
    text = "".join(_share(old[i].text, new, j, parts) if i == whole else old[i].text for i in sources)
    cells = _cells(old[whole].cells, block.cells)
    runs = _joined_cells(cells) if cells else compare_text(text, block.text)
    change = Change.CHANGED if _differs(runs) else Change.SAME
    if j in matching.moved:
        change = Change.MOVED
    return Row(change, sources, j, runs, cells, split=bool(parts), joined=len(sources) > 1)


def _share(text: str, new: Sequence[VersionBlock], j: int, parts: Sequence[int]) -> str:
    """The sentences of a split block that went into part `j` rather than into another part."""
    if not parts:
        return text
    grams = {k: bigrams(fold(new[k].text).key) for k in parts}
    kept = []
    for start, end in sentences(text):
        words = bigrams(fold(text[start:end]).key)
        if max(parts, key=lambda k: len(words & grams[k])) == j:
            kept.append(text[start:end])
    return "".join(kept)


def _cells(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[CellChange, ...]:
    if not old or not new:
        return ()
    if len(old) == len(new):
        pairs: list[tuple[str | None, str | None]] = list(zip(old, new, strict=True))
    else:
        pairs = _cell_pairs(old, new)
    return tuple(_cell(one, two) for one, two in pairs)


def _cell_pairs(old: tuple[str, ...], new: tuple[str, ...]) -> list[tuple[str | None, str | None]]:
    """Columns were put in or taken out: equal cells in order, the rest on one side only."""
    kept = in_order(old, new, [len(cell) + 1 for cell in old])
    found: list[tuple[str | None, str | None]] = []
    i = j = 0
    for a, b in [*sorted(kept.items()), (len(old), len(new))]:
        both = min(a - i, b - j)
        found += [(old[i + k], new[j + k]) for k in range(both)]
        found += [(cell, None) for cell in old[i + both : a]] + [(None, cell) for cell in new[j + both : b]]
        if a < len(old):
            found.append((old[a], new[b]))
        i, j = a + 1, b + 1
    return found


def _cell(old: str | None, new: str | None) -> CellChange:
    if old is None:
        return CellChange(Change.ADDED, None, new, _runs_of(Op.ADDED, new or ""))
    if new is None:
        return CellChange(Change.DELETED, old, None, _runs_of(Op.DELETED, old))
    runs = compare_text(old, new)
    return CellChange(Change.CHANGED if _differs(runs) else Change.SAME, old, new, runs)


def _joined_cells(cells: Sequence[CellChange]) -> tuple[TextRun, ...]:
    runs: list[TextRun] = []
    for number, cell in enumerate(cells):
        if number:
            runs.append(TextRun(Op.SAME, " | "))
        runs.extend(cell.runs)
    return _merged(runs)


def _differs(runs: Iterable[TextRun]) -> bool:
    return any(run.op is not Op.SAME for run in runs)


def _runs_of(op: Op, text: str) -> tuple[TextRun, ...]:
    return (TextRun(op, text),) if text else ()


# --- words ---------------------------------------------------------------------------------------------


def compare_text(old: str, new: str) -> tuple[TextRun, ...]:
    """Runs of one paragraph: the same and added runs make up `new`, the same and deleted ones `old`."""
    if old == new:
        return _runs_of(Op.SAME, new)
    left = [old[start:end] for start, end in sentences(old)]
    right = [new[start:end] for start, end in sentences(new)]
    kept = in_order(left, right, [len(part) for part in left])
    runs: list[TextRun] = []
    i = j = 0
    for a, b in [*sorted(kept.items()), (len(left), len(right))]:
        runs += _gap(left[i:a], right[j:b])
        if a < len(left):
            runs.append(TextRun(Op.SAME, left[a]))
        i, j = a + 1, b + 1
    return _merged(runs)


def _gap(old: list[str], new: list[str]) -> list[TextRun]:
    """Sentences between two that stayed: pair the alike in order, compare those by words."""
    pairs = _alike(old, new)
    runs: list[TextRun] = []
    i = j = 0
    for a, b in [*pairs, (len(old), len(new))]:
        runs += _replaced("".join(old[i:a]), "".join(new[j:b]))
        if a < len(old):
            runs += _words(old[a], new[b])
        i, j = a + 1, b + 1
    return runs


def _replaced(went: str, came: str) -> list[TextRun]:
    """Words that have nothing in common but, perhaps, the mark at their end."""
    size = 0
    while size < min(len(went), len(came)) and went[-1 - size] == came[-1 - size] and _mark(came, len(came) - 1 - size):
        size += 1
    end = len(came) - size
    return [
        *_runs_of(Op.DELETED, went[: len(went) - size]),
        *_runs_of(Op.ADDED, came[:end]),
        *_runs_of(Op.SAME, came[end:]),
    ]


def _alike(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """The pairing in order with the greatest sum of likeness (both lists are one paragraph's)."""
    best: dict[tuple[int, int], tuple[float, tuple[tuple[int, int], ...]]] = {}
    grams = [bigrams(part) for part in old], [bigrams(part) for part in new]
    for i in range(len(old), -1, -1):
        for j in range(len(new), -1, -1):
            if i == len(old) or j == len(new):
                best[i, j] = (0.0, ())
                continue
            choice = max(best[i + 1, j], best[i, j + 1], key=lambda found: found[0])
            one, two = grams[0][i], grams[1][j]
            shared = len(one & two)
            held = shared / max(1, min(len(one), len(two)))  # a short text that grew is still the same text
            likeness = max(2 * shared / max(1, len(one) + len(two)), 0.7 * held)
            if likeness >= _LIKE_SENTENCE and likeness + best[i + 1, j + 1][0] > choice[0]:
                choice = (likeness + best[i + 1, j + 1][0], ((i, j), *best[i + 1, j + 1][1]))
            best[i, j] = choice
    return list(best[0, 0][1])


def _words(old: str, new: str) -> list[TextRun]:
    left, right = _TOKEN.findall(old), _TOKEN.findall(new)
    spans: list[tuple[str, str, str]] = []  # what stayed, then what went and what came
    went = came = ""
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            text = "".join(left[a:b])
            spans.append((went, came, text))
            went = came = ""
        else:
            went, came = "".join(left[a:b]), "".join(right[c:d])
    spans.append((went, came, ""))
    runs: list[TextRun] = []
    for gone, added, stayed in _without_scraps(spans):
        runs += _runs_of(Op.DELETED, gone) + _runs_of(Op.ADDED, added) + _runs_of(Op.SAME, stayed)
    return _slid(list(_merged(runs)))


def _without_scraps(spans: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Swallow agreement that is shorter than the changes on both its sides and too short to mean much."""
    found: list[tuple[str, str, str]] = []
    for went, came, stayed in spans:
        if found:
            before = found[-1]
            scrap = before[2]
            small = len(scrap) <= _SCRAP or _PUNCTUATION.fullmatch(scrap) is not None
            left, right = max(len(before[0]), len(before[1])), max(len(went), len(came))
            both = (before[0] or went) and (before[1] or came)
            if small and left and right and both and len(scrap) < max(2, min(left, right)):
                found[-1] = (before[0] + scrap + went, before[1] + scrap + came, stayed)
                continue
        found.append((went, came, stayed))
    return found


def _slid(runs: list[TextRun]) -> list[TextRun]:
    """Move a lone change along equal characters so that it ends at, or begins after, punctuation."""
    for at in range(1, len(runs) - 1):
        before, change, following = runs[at - 1 : at + 2]
        if change.op is Op.SAME or before.op is not Op.SAME or following.op is not Op.SAME:
            continue
        options = []
        text = before.text + change.text + following.text
        start, size = len(before.text), len(change.text)
        low = start
        while low > 0 and text[low - 1] == text[low + size - 1]:
            low -= 1
        high = start
        while high + size < len(text) and text[high] == text[high + size]:
            high += 1
        for place in range(low, high + 1):
            ends = _mark(text, place + size - 1) + _mark(text, place + size)
            starts = 2 * _mark(text, place) + _mark(text, place - 1)
            options.append((starts + ends, -abs(place - start), place))
        place = max(options)[2]
        runs[at - 1] = TextRun(Op.SAME, text[:place])
        runs[at] = TextRun(change.op, text[place : place + size])
        runs[at + 1] = TextRun(Op.SAME, text[place + size :])
    return [run for run in runs if run.text]


def _mark(text: str, at: int) -> int:
    return int(0 <= at < len(text) and _PUNCTUATION.fullmatch(text[at]) is not None)


def _merged(runs: Iterable[TextRun]) -> tuple[TextRun, ...]:
    """Neighbours of one kind become one run; within a change the deleted words come first."""
    found: list[TextRun] = []
    went = came = ""
    for run in [*runs, TextRun(Op.SAME, "")]:
        if run.op is Op.DELETED:
            went += run.text
        elif run.op is Op.ADDED:
            came += run.text
        else:
            if went or came:
                found += _runs_of(Op.DELETED, went) + _runs_of(Op.ADDED, came)
                went = came = ""
            if run.text and found and found[-1].op is Op.SAME:
                found[-1] = TextRun(Op.SAME, found[-1].text + run.text)
            elif run.text:
                found.append(run)
    return tuple(found)
