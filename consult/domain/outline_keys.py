"""Keys that survive a new version: an address stays with the words it named (R-11).

Sections are matched by path, then by title, then by likeness of title and text; blocks by their text. What is
new gets a key that neither the previous version nor `retired` has used, so that no old address ever opens
something else.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from functools import lru_cache

from consult.domain.outline_model import (
    MAX_KEY_LENGTH,
    PREAMBLE_KEY,
    ImportedBlock,
    ImportedDraft,
    ImportedSection,
)

SAME_TITLE = 0.6
"""From this likeness on two titles under the same parent are one title, reworded."""
SAME_SECTION = 0.5
"""From this likeness of the text on a section without a title, or with another one, is the same section."""
SAME_BLOCK = 0.5
"""From this likeness on a paragraph is the same paragraph, reworded."""

MANY_PAIRS = 100_000
"""Above so many pairs only neighbours are compared, so that a hostile version cannot keep us busy."""
NEIGHBOURHOOD = 40


def carry_keys(
    previous: ImportedDraft,
    new: ImportedDraft,
    *,
    retired: Collection[str] = (),
    retired_blocks: Mapping[str, Collection[str]] | None = None,
) -> ImportedDraft:
    """`new` with the keys of `previous` wherever a section or block is the same.

    Args:
        previous: the version published before.
        new: the version just imported, keyed by position.
        retired: section keys of still older versions, never given again.
        retired_blocks: block keys of older versions by section key, never given again.

    A block that moves to another section gets a key of that section.
    """
    matches = _match_sections(previous.sections, new.sections)
    old_by_key = {section.key: section for section in previous.sections}
    taken = {PREAMBLE_KEY, *old_by_key, *retired}
    keys: dict[str, str] = {}
    for section in new.sections:
        key = matches.get(section.key)
        if key is None:
            key = _fresh_section_key(section, keys, taken)
            taken.add(key)
        keys[section.key] = key
    older = retired_blocks or {}
    sections = []
    for section in new.sections:
        key = keys[section.key]
        before = old_by_key.get(key)
        blocks = carry_block_keys(before.blocks if before else (), section.blocks, older.get(key, ()))
        parent = keys[section.parent] if section.parent is not None else None
        sections.append(replace(section, key=key, parent=parent, blocks=blocks))
    preamble = carry_block_keys(previous.preamble, new.preamble, older.get(PREAMBLE_KEY, ()))
    return replace(new, preamble=preamble, sections=tuple(sections))


def _fresh_section_key(section: ImportedSection, keys: Mapping[str, str], taken: Collection[str]) -> str:
    """The key by position when it is free, else the next free number under the same parent."""
    stem = f"{keys[section.parent]}-" if section.parent is not None else "s"
    if section.key not in taken and section.key.startswith(stem):
        return section.key
    if len(stem) > MAX_KEY_LENGTH - 6:
        stem = "s-n"
    number = 1
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


# -- sections --------------------------------------------------------------------------------------


def _title(section: ImportedSection) -> str:
    return section.title or ""


def _text(section: ImportedSection) -> str:
    return "".join("".join(block.text.split()) for block in section.blocks)


class _Tree:
    """Sections of one version with what they are compared by."""

    def __init__(self, sections: Sequence[ImportedSection]) -> None:
        self.sections = {section.key: section for section in sections}
        self.order = [section.key for section in sections]
        self.text = {section.key: _text(section) for section in sections}
        self.path = {section.key: self._path(section) for section in sections}

    def _path(self, section: ImportedSection) -> tuple[str, ...]:
        names: list[str] = []
        current: ImportedSection | None = section
        while current is not None:
            names.append(_title(current) or current.label)
            current = self.sections.get(current.parent) if current.parent is not None else None
        return tuple(reversed(names))


def _match_sections(old: Sequence[ImportedSection], new: Sequence[ImportedSection]) -> dict[str, str]:
    """New key (by position) to old key."""
    before, after = _Tree(old), _Tree(new)
    matches: dict[str, str] = {}
    titled_old = [key for key in before.order if _title(before.sections[key])]
    titled_new = [key for key in after.order if _title(after.sections[key])]
    _pair_unique(titled_old, titled_new, matches, before.path.__getitem__, after.path.__getitem__)
    _pair_unique(
        titled_old,
        titled_new,
        matches,
        lambda key: _title(before.sections[key]),
        lambda key: _title(after.sections[key]),
    )
    texts_old = [key for key in before.order if before.text[key]]
    texts_new = [key for key in after.order if after.text[key]]
    _pair_unique(texts_old, texts_new, matches, before.text.__getitem__, after.text.__getitem__)
    _pair_alike(before, after, matches)
    return matches


def _pair_unique(
    old: Iterable[str],
    new: Iterable[str],
    matches: dict[str, str],
    name_old: Callable[[str], Hashable],
    name_new: Callable[[str], Hashable],
) -> None:
    """Pair what has the same name, when the name stands once on either side among the unpaired."""
    used = set(matches.values())
    here: dict[Hashable, list[str]] = defaultdict(list)
    there: dict[Hashable, list[str]] = defaultdict(list)
    for key in old:
        if key not in used:
            here[name_old(key)].append(key)
    for key in new:
        if key not in matches:
            there[name_new(key)].append(key)
    for name, keys in there.items():
        if len(keys) == 1 and len(here.get(name, ())) == 1:
            matches[keys[0]] = here[name][0]


def _pair_alike(before: _Tree, after: _Tree, matches: dict[str, str]) -> None:
    """Pair the rest by likeness, best first; the same parent and the same label help."""
    used = set(matches.values())
    scored: list[tuple[float, int, int]] = []
    free_old = [place for place, key in enumerate(before.order) if key not in used]
    free_new = [place for place, key in enumerate(after.order) if key not in matches]
    for place_new in free_new:
        for place_old in _near(free_old, place_new, len(free_new)):
            key_old, key_new = before.order[place_old], after.order[place_new]
            score = _likeness(before, key_old, after, key_new, matches)
            if score:
                scored.append((-score, place_new, place_old))
    for _, place_new, place_old in sorted(scored):
        key_new, key_old = after.order[place_new], before.order[place_old]
        if key_new not in matches and key_old not in used:
            matches[key_new] = key_old
            used.add(key_old)


def _near(places: Sequence[int], place: int, count: int) -> Sequence[int]:
    """All places, or with too many pairs those next to `place`; `places` is in order."""
    if len(places) * count <= MANY_PAIRS:
        return places
    return places[bisect_left(places, place - NEIGHBOURHOOD) : bisect_right(places, place + NEIGHBOURHOOD)]


def _likeness(before: _Tree, key_old: str, after: _Tree, key_new: str, matches: Mapping[str, str]) -> float:
    old, new = before.sections[key_old], after.sections[key_new]
    if bool(old.title) != bool(new.title):
        return 0.0
    same_parent = (matches.get(new.parent) if new.parent is not None else None) == old.parent
    body = likeness(before.text[key_old], after.text[key_new])
    if not old.title:
        return body + 0.05 * same_parent + 0.01 * (old.label == new.label) if body >= SAME_SECTION else 0.0
    heading = SequenceMatcher(None, _title(old), _title(new), autojunk=False).ratio()
    if same_parent and heading >= SAME_TITLE:
        return heading + body
    if body >= SAME_SECTION and (same_parent or heading >= SAME_TITLE):
        return heading + body
    return 0.0


# -- blocks ----------------------------------------------------------------------------------------


def carry_block_keys(
    old: Sequence[ImportedBlock], new: Sequence[ImportedBlock], retired: Collection[str] = ()
) -> tuple[ImportedBlock, ...]:
    """The new blocks of one section with the keys of the old ones they continue."""
    pairs: dict[int, int] = {}
    texts_old = [_comparable(block) for block in old]
    texts_new = [_comparable(block) for block in new]
    if len(old) * len(new) <= MANY_PAIRS:
        matcher = SequenceMatcher(None, texts_old, texts_new, autojunk=False)
        for start_old, start_new, size in matcher.get_matching_blocks():
            pairs.update((start_new + offset, start_old + offset) for offset in range(size))
    else:
        pairs.update(_same_in_order(texts_old, texts_new))
    _pair_blocks(old, new, pairs, lambda a, b: float(texts_old[a] == texts_new[b]))
    _pair_blocks(old, new, pairs, lambda a, b: _block_likeness(old[a], new[b]))
    taken = {block.key for block in old} | set(retired)
    tables = _tables_carried(old, new, pairs, taken)
    keyed: list[ImportedBlock] = []
    for place, block in enumerate(new):
        table_no = tables.get(block.table_no) if block.table_no is not None else None
        if place in pairs:
            key = old[pairs[place]].key
        else:
            key = _fresh_block_key(block, table_no, taken)
            taken.add(key)
        keyed.append(replace(block, key=key))
    return tuple(keyed)


def _same_in_order(old: Sequence[Hashable], new: Sequence[Hashable]) -> Iterable[tuple[int, int]]:
    """Equal texts paired first with first, second with second: linear, for sections of hundreds of blocks."""
    waiting: dict[Hashable, deque[int]] = defaultdict(deque)
    for place, text in enumerate(old):
        waiting[text].append(place)
    for place, text in enumerate(new):
        if waiting[text]:
            yield place, waiting[text].popleft()


def _comparable(block: ImportedBlock) -> tuple[str, str]:
    return _family(block), "".join(block.text.split())


def _family(block: ImportedBlock) -> str:
    """Kinds that may continue each other: a paragraph that became a list item keeps its key."""
    return block.kind if block.kind in ("table_head", "table_row", "image") else "text"


def _pair_blocks(
    old: Sequence[ImportedBlock],
    new: Sequence[ImportedBlock],
    pairs: dict[int, int],
    score: Callable[[int, int], float],
) -> None:
    used = set(pairs.values())
    free_old = [place for place in range(len(old)) if place not in used]
    free_new = [place for place in range(len(new)) if place not in pairs]
    scored = sorted((-value, abs(a - b), b, a) for b in free_new for a in free_old if (value := score(a, b)) > 0)
    for _, _, b, a in scored:
        if b not in pairs and a not in used:
            pairs[b] = a
            used.add(a)


def _block_likeness(old: ImportedBlock, new: ImportedBlock) -> float:
    if _family(old) != _family(new):
        return 0.0
    if old.kind == "table_row":
        return _row_likeness(old, new)
    if old.kind in ("table_head", "image"):
        return 1.0 if old.table_no == new.table_no else 0.5
    value = likeness("".join(old.text.split()), "".join(new.text.split()))
    return value if value >= SAME_BLOCK else 0.0


def _row_likeness(old: ImportedBlock, new: ImportedBlock) -> float:
    """Rows are known by their longest wordy cell (the name of an indicator), then by their other cells."""
    if len(old.cells) == len(new.cells) and old.cells:
        same = sum(a == b for a, b in zip(old.cells, new.cells, strict=True)) / len(old.cells)
        name = _name_of_row(old)
        if name and name == _name_of_row(new):
            return 1.0 + same
        return same if same >= SAME_TITLE and not name else 0.0
    value = likeness(old.text, new.text)
    return value if value >= SAME_BLOCK else 0.0


def _name_of_row(block: ImportedBlock) -> str:
    for cell in block.cells[:3]:
        if len(cell) > 1 and not any(char.isdecimal() for char in cell[:1]):
            return cell
    return ""


def _tables_carried(
    old: Sequence[ImportedBlock],
    new: Sequence[ImportedBlock],
    pairs: Mapping[int, int],
    taken: Collection[str],
) -> dict[int | None, int]:
    """New table number to the number its keys use."""
    tables: dict[int | None, int] = {}
    for place_new, place_old in sorted(pairs.items()):
        number = _number_in_key(old[place_old].key)
        if new[place_new].table_no is not None and number is not None:
            tables.setdefault(new[place_new].table_no, number)
    highest = max([number for key in taken if (number := _number_in_key(key)) is not None], default=0)
    for block in new:
        if block.table_no is not None and block.table_no not in tables:
            highest += 1
            tables[block.table_no] = highest
    return tables


def _number_in_key(key: str) -> int | None:
    digits = key[1:].split("r")[0].rstrip("h")
    return int(digits) if key.startswith("t") and digits.isdecimal() else None


def _fresh_block_key(block: ImportedBlock, table_no: int | None, taken: Collection[str]) -> str:
    if table_no is None:
        stem = "p"
    elif block.row_no == 0:
        if f"t{table_no}h" not in taken:
            return f"t{table_no}h"
        stem = f"t{table_no}r"
    else:
        stem = f"t{table_no}r"
    wanted = block.key
    if wanted not in taken and wanted.startswith(stem):
        return wanted
    number = 1 + max(
        (int(key[len(stem) :]) for key in taken if key.startswith(stem) and key[len(stem) :].isdecimal()),
        default=0,
    )
    return f"{stem}{number}"


# -- likeness --------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _pairs_of(text: str) -> frozenset[str]:
    return frozenset(text[index : index + 2] for index in range(len(text) - 1)) or frozenset([text])


_CONTAINED_FROM = 12


def likeness(one: str, other: str) -> float:
    """0 to 1: the share of common two-character sequences; a text contained in a longer one counts up to 0.9.

    So each half of a divided paragraph is like the whole, the longer half more so.
    """
    if one == other:
        return 1.0
    if not one or not other:
        return 0.0
    left, right = _pairs_of(one), _pairs_of(other)
    shared = len(left & right)
    both = 2 * shared / (len(left) + len(right))
    shorter = min(len(left), len(right))
    if shorter < _CONTAINED_FROM:
        return both
    return max(both, 0.8 * shared / shorter + 0.1 * both)
