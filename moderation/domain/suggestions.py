"""Which unit should answer a comment, and which plan item it is about, each with the reasons shown.

A suggestion only: the routing officer decides and confirms (R-56), and a comment may be linked to no item
at all (R-112). Evidence comes from the plan's own words (BM25 over pairs and fours of characters), the
section commented on, units and towns that the text names, and a table of everyday words.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import regex

from consult.domain.traditional import simplified
from moderation.domain.everyday_words import WORDS

_RUNS = regex.compile(r"[\p{L}\p{N}]+")
_GREETINGS = regex.compile(
    r"想问|这件事进展怎样|报告写得太笼统|听了好几年|身边没感觉|请说实话|的责任人写清楚|方便我们监督|能否把|我觉得力度不够"
    r"|应再加一把劲|做得不错|继续保持|最好有数据|附近的居民都盼着呢|有点担心|怕只停留在纸面上|的完成时间|还有没有资金缺口"
    r"|领导好|尊敬的领导|您好|你好|建议如下|希望不是走过场|希望采纳|第一次留言|不知道提在这里对不对|作为普通居民提个意见"
    r"|认真读了两遍|有一说一|我来凑个热闹|期待正式稿里看到改动|支持工作|也请支持我们|我们老百姓就看实效|请别删我的留言"
    r"|我是从公众号看到的|我们单位讨论后意见如下|拜托拜托|辛苦了|盼回复"
)
_SECTION_ITEM = 1.5
_SECTION_LEAD = 1.0
_SECTION_UNIT = 0.5
_NAMED = 5.0
_TOWN = 2.0
_TOWN_REGIONAL = 6.0
_OTHER_SHARE = 0.25
_WORD = 2.1
_ITEM = 0.25
_LONG, _HEAD, _REST = 130, 75, 0.3  # characters of a long letter, of its head, and what the rest counts
_WEAK_ITEM = 4.0  # an item score below this shows as a reason, but is not worth an item suggestion
_LEAST = 1.3  # without evidence above this the organiser of the evaluation answers


class ReasonKind(StrEnum):
    """Where a suggestion comes from."""

    ITEM = "item"
    SECTION = "section"
    UNIT_NAMED = "unit_named"
    TOWN_NAMED = "town_named"
    WORDS = "words"
    FALLBACK = "fallback"


@dataclass(frozen=True)
class PlanItem:
    """One item of the plan; the first of `lead_units` leads."""

    key: str
    title: str
    text: str
    lead_units: tuple[str, ...]
    other_units: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlanUnit:
    """One unit; groups and bodies that take no comments have `assignable` false."""

    code: str
    name: str
    short_name: str
    aliases: tuple[str, ...] = ()
    kind: str = ""
    assignable: bool = True


@dataclass(frozen=True)
class PlanSection:
    """One section of the draft with its settled items and default lead unit."""

    heading: str
    item_keys: tuple[str, ...]
    default_lead: str
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reason:
    """One ground: an item's key, a section's heading, the name found, or the words found."""

    kind: ReasonKind
    detail: str
    weight: float


@dataclass(frozen=True)
class UnitSuggestion:
    """A unit, its score (comparable within one suggestion only) and its reasons, strongest first."""

    code: str
    score: float
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class ItemSuggestion:
    """A plan item, its score and the words it shares with the comment."""

    key: str
    score: float
    words: tuple[str, ...]


@dataclass(frozen=True)
class Suggestion:
    """Units and items, best first; `units` is never empty."""

    units: tuple[UnitSuggestion, ...]
    items: tuple[ItemSuggestion, ...]

    @property
    def lead(self) -> str:
        """Code of the first unit."""
        return self.units[0].code


class Suggester:
    """Prepared once from the plan; `fallback` is the unit that organises the evaluation."""

    def __init__(
        self,
        items: Iterable[PlanItem],
        units: Iterable[PlanUnit],
        sections: Iterable[PlanSection] = (),
        *,
        fallback: str = "FGW",
        words: Mapping[str, Sequence[str]] = WORDS,
    ) -> None:
        self.items, self.units, self.sections = tuple(items), tuple(units), tuple(sections)
        self._items = {item.key: item for item in self.items}
        self._units = {unit.code: unit for unit in self.units if unit.assignable}
        self._sections = {_folded(section.heading): section for section in self.sections}
        self._fallback = fallback
        self._words = {word: tuple(code for code in codes if code in self._units) for word, codes in words.items()}
        self._names = self._all_names()
        self._postings: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for item in self._items.values():
            for gram, weight in _item_grams(item).items():
                self._postings[gram].append((item.key, weight))

    def suggest(self, text: str, section_heading: str | None = None, limit: int = 5) -> Suggestion:
        """Rank units and items for a comment, `limit` of each at most."""
        section = self._sections.get(_folded(section_heading or ""))
        cleaned = _GREETINGS.sub(" ", unicodedata.normalize("NFKC", simplified(text)).casefold())
        reasons: dict[str, list[Reason]] = defaultdict(list)
        # Of several requests in one letter the first decides who leads; the rest point to co-units.
        head, rest = (cleaned[:_HEAD], cleaned[_HEAD:]) if len(cleaned) > _LONG else (cleaned, "")
        items = self._rank_items(head, rest, section)
        self._from_items(items, reasons)
        self._from_words(head, 1.0, reasons)
        self._from_words(rest, _REST, reasons)
        self._from_names(head, section, reasons)
        self._from_section(section, reasons)
        ranked = [
            UnitSuggestion(code, round(_total(found), 3), tuple(sorted(found, key=lambda r: (-r.weight, r.detail))))
            for code, found in reasons.items()
            if code in self._units
        ]
        ranked.sort(key=lambda unit: (-unit.score, unit.code))
        if not ranked or ranked[0].score < _LEAST:
            ranked = [unit for unit in ranked if unit.code != self._fallback]
            reason = Reason(ReasonKind.FALLBACK, self._fallback, 0.0)
            ranked.insert(0, UnitSuggestion(self._fallback, 0.0, (reason,)))
        good = [item for item in items if item.score >= _WEAK_ITEM]
        return Suggestion(tuple(ranked[:limit]), tuple(good[:limit]))

    # --- evidence ----------------------------------------------------------------------------------

    def _rank_items(self, head: str, rest: str, section: PlanSection | None) -> list[ItemSuggestion]:
        scores: dict[str, float] = defaultdict(float)
        shared: dict[str, list[str]] = defaultdict(list)
        early = _grams(head)
        for gram in sorted(early | _grams(rest)):
            holders = self._postings.get(gram, ())
            if not holders or len(holders) > len(self._items) / 4:
                continue
            rarity = math.log(1 + len(self._items) / len(holders)) * (1.0 if len(gram) == 2 else 0.9)
            rarity *= 1.0 if gram in early else _REST
            for key, weight in holders:
                scores[key] += rarity * weight
                if len(gram) > 2 or rarity > 3:
                    shared[key].append(gram)
        inside = set(section.item_keys) if section else set()
        found = []
        for key, score in scores.items():
            boosted = score * (_SECTION_ITEM if key in inside and len(inside) < 60 else 1.0)
            found.append(ItemSuggestion(key, round(boosted, 3), _readable(shared[key], head + rest)))
        return sorted(found, key=lambda item: (-item.score, item.key))[:8]

    def _from_items(self, items: Sequence[ItemSuggestion], reasons: dict[str, list[Reason]]) -> None:
        for rank, found in enumerate(items):
            item = self._items[found.key]
            weight = found.score * _ITEM * 0.6**rank
            for code in item.lead_units[:1]:
                reasons[code].append(Reason(ReasonKind.ITEM, found.key, round(weight, 3)))
            for code in (*item.lead_units[1:], *item.other_units):
                reasons[code].append(Reason(ReasonKind.ITEM, found.key, round(weight * _OTHER_SHARE, 3)))

    def _from_words(self, part: str, share: float, reasons: dict[str, list[Reason]]) -> None:
        bare = "".join(_RUNS.findall(part))
        for word, count in _longest_words(bare, self._words).items():
            codes = self._words[word]
            for code in codes:
                weight = share * _WORD * (len(word) - 1) ** 0.7 / len(codes) ** 0.7 * min(count, 2) ** 0.5
                reasons[code].append(Reason(ReasonKind.WORDS, word, round(weight, 3)))

    def _from_names(self, cleaned: str, section: PlanSection | None, reasons: dict[str, list[Reason]]) -> None:
        strongest = max((_total(found) for found in reasons.values()), default=0.0)
        regional = section is not None and "区域规划" in section.heading
        for name, (code, town) in self._names.items():
            if name not in cleaned:
                continue
            if not town:
                reasons[code].append(Reason(ReasonKind.UNIT_NAMED, name, _NAMED))
                continue
            full = name.endswith(("镇", "街道", "工业区"))
            weight = _TOWN_REGIONAL if regional else _TOWN * (2 if full else 1) * (2 if strongest < 3 else 1)
            reasons[code].append(Reason(ReasonKind.TOWN_NAMED, name, weight))

    def _from_section(self, section: PlanSection | None, reasons: dict[str, list[Reason]]) -> None:
        if section is None:
            return
        reasons[section.default_lead].append(Reason(ReasonKind.SECTION, section.heading, _SECTION_LEAD))
        for code in section.units:
            if code != section.default_lead and code in reasons:
                reasons[code].append(Reason(ReasonKind.SECTION, section.heading, _SECTION_UNIT))

    def _all_names(self) -> dict[str, tuple[str, bool]]:
        """Every name that stands for one unit only; towns also without 镇 or 街道."""
        claimed: dict[str, set[tuple[str, bool]]] = defaultdict(set)
        for unit in self._units.values():
            town = unit.kind == "街镇"
            for name in {unit.name, unit.short_name, *unit.aliases}:
                folded = unicodedata.normalize("NFKC", name).casefold()
                claimed[folded].add((unit.code, town))
                short = regex.sub(r"(镇|路街道|街道)$", "", folded)
                if town and short != folded and len(short) == 2:
                    claimed[short].add((unit.code, True))
                if not town and len(folded) > 3 and folded.startswith("区"):
                    claimed[folded[1:]].add((unit.code, False))
        return {name: next(iter(units)) for name, units in claimed.items() if len(units) == 1}


def _folded(text: str) -> str:
    return "".join(_RUNS.findall(unicodedata.normalize("NFKC", simplified(text)).casefold()))


def _grams(text: str) -> set[str]:
    """Pairs and fours of neighbouring characters inside each run of letters and digits."""
    found: set[str] = set()
    for run in _RUNS.findall(text):
        for size in (2, 4):
            found.update(run[at : at + size] for at in range(len(run) - size + 1))
    return found


def _item_grams(item: PlanItem) -> dict[str, float]:
    """Grams of title and text, weighted; a long text must not win by its length alone."""
    fold = unicodedata.normalize("NFKC", item.text).casefold()
    title = _grams(unicodedata.normalize("NFKC", item.title).casefold())
    body = _grams(fold) - title
    damp = 1 / (0.75 + 0.25 * (len(title) + len(body)) / 120)
    return {**dict.fromkeys(body, damp), **dict.fromkeys(title, 1.35 * damp)}


def _longest_words(text: str, words: Mapping[str, Sequence[str]]) -> Counter[str]:
    """Words of the table found in the text, the longest first, none inside another."""
    longest = max((len(word) for word in words), default=0)
    found: Counter[str] = Counter()
    at = 0
    while at < len(text):
        for size in range(min(longest, len(text) - at), 1, -1):
            if text[at : at + size] in words:
                found[text[at : at + size]] += 1
                at += size - 1
                break
        at += 1
    return found


def _readable(grams: Sequence[str], text: str) -> tuple[str, ...]:
    """The shared grams joined where they overlap in the text, at most three, the longest first."""
    covered = [False] * len(text)
    for gram in grams:
        at = text.find(gram)
        while at >= 0:
            covered[at : at + len(gram)] = [True] * len(gram)
            at = text.find(gram, at + 1)
    marked = "".join(char if keep else "\0" for char, keep in zip(text, covered, strict=True))
    words = sorted({word for word in marked.split("\0") if len(word) > 1}, key=lambda w: (-len(w), w))
    return tuple(words[:3])


def _total(reasons: Iterable[Reason]) -> float:
    return math.fsum(reason.weight for reason in reasons)
