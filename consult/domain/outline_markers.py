"""Numbers that open a heading in Chinese official documents, and the title that follows them.

Order of the marks follows GB/T 9704 (一、 （一） 1. （1）) and the layout of statutes (编 章 节 条).
Nothing here decides whether a numbered line *is* a heading: `outline_headings` does, from its neighbours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from consult.domain.outline_model import tidy_title

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100}
_NUM = r"[〇零一二三四五六七八九十百两]{1,7}|\d{1,3}|[０-９]{1,3}"

RANKS = {
    "annex": 0,
    "named": 5,
    "part": 10,
    "chapter": 20,
    "division": 30,
    "article": 40,
    "cn": 50,
    "cn_paren": 60,
    "arabic": 70,
    "dec2": 72,
    "dec3": 74,
    "dec4": 76,
    "arabic_paren": 80,
    "half_paren": 85,
    "circled": 90,
}
STATUTE_KINDS = frozenset({"part", "chapter", "division", "article"})
ITEM_KINDS = frozenset({"cn", "cn_paren", "arabic", "dec2", "dec3", "dec4", "arabic_paren", "half_paren", "circled"})


def numeral(text: str) -> int | None:
    """Value of a Chinese or Arabic number up to 999, None when it is not one (二十一, 21, ２１)."""
    if text.isdecimal():
        return int(text)
    total = digit = 0
    seen = False
    for char in text:
        if char in _DIGITS:
            digit = _DIGITS[char]
            seen = True
        elif char in _UNITS:
            total += (digit if seen and digit else 1) * _UNITS[char]
            digit = 0
            seen = True
        else:
            return None
    return total + digit if seen else None


@dataclass(frozen=True, slots=True)
class Marker:
    """A number at the start of a line.

    Attributes:
        kind: key of `RANKS`.
        number: position in its row; the last component of a decimal number.
        label: as written, inner spaces removed.
        start: offset in the line where the text after the number begins.
        above: the leading components of a decimal number (`(3,)` for 3.2).
    """

    kind: str
    number: int
    label: str
    start: int
    above: tuple[int, ...] = ()

    @property
    def rank(self) -> int:
        """Smaller is higher in the tree."""
        return RANKS[self.kind]


_STATUTE = re.compile(rf"第\s*({_NUM})\s*(部分|分编|编|篇|卷|章|节|条)(之[一二三四五六七八九十]{{1,2}})?")
_STATUTE_KIND = {"章": "chapter", "节": "division", "条": "article"}
_PATTERNS = (
    ("cn", re.compile(r"([〇零一二三四五六七八九十百]{1,4})\s*[、.．]")),
    ("cn_paren", re.compile(r"[（(]\s*([〇零一二三四五六七八九十百]{1,4})\s*[）)]")),
    ("arabic", re.compile(r"(\d{1,3}|[０-９]{1,3})\s*[、.．](?![\d０-９])")),
    ("arabic_paren", re.compile(r"[（(]\s*(\d{1,3}|[０-９]{1,3})\s*[）)]")),
    ("half_paren", re.compile(r"(\d{1,2})\s*[）)]")),
)
_DECIMAL = re.compile(r"(\d{1,2}(?:[.．]\d{1,2}){1,3})[.．、]?(?![\d%％])")
_NOT_A_HEADING_AFTER_DECIMAL = re.compile(
    r"\s*(?:亿|万|千|百|公里|平方|立方|公顷|个|米|倍|元|年|月|日|吨|亩|℃|折|级|岁|家|项|户|人|张|分|：|,|，|。|—|-|~|～)"
)
_SINGLE = (("⒈", 20, "arabic"), ("①", 20, "circled"), ("⑴", 20, "arabic_paren"), ("㈠", 10, "cn_paren"))
_ANNEX = re.compile(r"附\s*(?:件|表|录|图)\s*(\d{1,2}|[一二三四五六七八九十]{1,3})?\s*[:：.、]?")
_NAMED = frozenset({"前言", "引言", "序言", "导言", "结语", "结束语", "后记"})
"""Headings that official documents never number."""
_LONGEST_NAMED = 8
_ENUMERATION_NOT_HEADING = re.compile(r"[一二三四五六七八九十]{1,3}(?:[、级类期楼层月日]|是)")
_REFERENCE_NOT_HEADING = re.compile(r"(?:规定|第|款|所|的|中(?!华|国|央|共)|、|和|至|或|，|,|及|以|之规定)")


def find_marker(line: str) -> Marker | None:
    """The number `line` (already stripped) begins with, or None.

    >>> find_marker("（二）主要任务进展").label
    '（二）'
    """
    if not line:
        return None
    first = line[0]
    if len(line) <= _LONGEST_NAMED and _compact(line) in _NAMED:
        return Marker("named", 1, "", 0)
    if first == "第":
        return _statute_marker(line)
    if first == "附":
        return _annex_marker(line)
    for base, count, kind in _SINGLE:
        offset = ord(first) - ord(base)
        if 0 <= offset < count:
            return Marker(kind, offset + 1, first, 1)
    decimal = _decimal_marker(line)
    if decimal is not None:
        return decimal
    for kind, pattern in _PATTERNS:
        found = pattern.match(line)
        if found is None:
            continue
        value = numeral(found.group(1))
        rest = line[found.end() :]
        if not value or (kind == "cn" and _ENUMERATION_NOT_HEADING.match(rest)):
            return None
        end = found.end()
        if kind in ("cn_paren", "arabic_paren") and rest[:1] in ("、", "."):
            end += 1
        return Marker(kind, value, _compact(line[: found.end()]), end)
    return None


def _compact(text: str) -> str:
    return "".join(text.split())


def _statute_marker(line: str) -> Marker | None:
    found = _STATUTE.match(line)
    if found is None:
        return None
    value = numeral(found.group(1))
    if not value:
        return None
    word = found.group(2)
    kind = _STATUTE_KIND.get(word, "part")
    end = found.end() if kind == "article" else found.end(2)
    rest = line[end:]
    if rest and not rest[0].isspace() and _REFERENCE_NOT_HEADING.match(rest):
        return None
    label = _compact(line[:end])
    if kind == "article" and rest[:1] in ("：", ":"):
        end += 1
    return Marker(kind, value, label, end)


def _annex_marker(line: str) -> Marker | None:
    found = _ANNEX.match(line)
    if found is None:
        return None
    value = numeral(found.group(1)) if found.group(1) else 0
    label = _compact(found.group()).rstrip(":：.、")
    return Marker("annex", value or 0, label, found.end())


def _decimal_marker(line: str) -> Marker | None:
    found = _DECIMAL.match(line)
    if found is None or _NOT_A_HEADING_AFTER_DECIMAL.match(line[found.end() :]):
        return None
    parts = tuple(int(part) for part in re.split(r"[.．]", found.group(1)))
    if 0 in parts:
        return None
    return Marker(f"dec{len(parts)}", parts[-1], found.group(1), found.end(), parts[:-1])


@dataclass(frozen=True, slots=True)
class Title:
    """The title after a marker and how much of the line belongs to the heading.

    Attributes:
        text: None when the source gives none; then the whole rest of the line is body.
        end: offset in the line where the body begins; the length of the line when there is no body.
        own_line: the heading stands alone in its line.
    """

    text: str | None
    end: int
    own_line: bool


_OPEN_TITLE = re.compile(r"\s*(?:（([^（）]{1,25})）|【([^【】]{1,25})】|\[([^\[\]]{1,25})\])")
_SENTENCE_END = re.compile(r"[。！？]")
_LONGEST_OWN_LINE = 60
_LONGEST_RUN_IN = 30
_LONGEST_WITH_COMMA = 22
_LONGEST_BALANCED = 34
_BALANCED_WITHIN = 5
_LONGEST_BEFORE_COLON = 20
_LONGEST_WITH_STOP = 15


def read_title(line: str, marker: Marker, *, body_follows: bool) -> Title:
    """The title of a numbered line, by the habits of official documents.

    Args:
        line: stripped line that `marker` was found in.
        marker: its number.
        body_follows: the next line is not numbered, so a lone short sentence may be a heading with a full stop.

    A run-in title ends at the first full stop or colon. A numbered sentence has no title: the first words of a
    body are never passed off as one.
    """
    if marker.kind == "article":
        return _article_title(line, marker)
    rest = line[marker.start :]
    if marker.kind in STATUTE_KINDS or marker.kind in ("annex", "named"):
        text = tidy_title(rest.strip().strip("：:、。"))
        return Title(text or None, len(line), own_line=True)
    return _item_title(line, marker, rest, body_follows=body_follows)


def _article_title(line: str, marker: Marker) -> Title:
    rest = line[marker.start :]
    found = _OPEN_TITLE.match(rest)
    if found is not None:
        inner = next(group for group in found.groups() if group is not None)
        end = marker.start + found.end()
        return Title(tidy_title(inner), end, own_line=not line[end:].strip())
    bare = rest.strip()
    if bare and len(bare) <= 25 and not re.search(r"[。；：，,;:]", bare):
        return Title(tidy_title(bare), len(line), own_line=True)
    return Title(None, marker.start, own_line=not bare)


def _item_title(line: str, marker: Marker, rest: str, *, body_follows: bool) -> Title:
    bare = rest.strip()
    untitled = Title(None, marker.start, own_line=False)
    if not bare:
        return Title(None, len(line), own_line=True)
    stop = _SENTENCE_END.search(rest)
    if stop is None:
        return _own_line_title(line, marker, rest, untitled)
    first = rest[: stop.start()].strip()
    before_colon = _before_colon(rest[: stop.start()])
    if before_colon is not None:
        return Title(tidy_title(rest[:before_colon]), marker.start + before_colon + 1, own_line=False)
    if not rest[stop.end() :].strip():
        alone = len(first) <= _LONGEST_WITH_STOP and "，" not in first and body_follows
        if alone and marker.kind in ("cn", "cn_paren", "arabic"):
            return Title(tidy_title(first), len(line), own_line=True)
        return untitled
    if _is_run_in_title(first):
        return Title(tidy_title(first), marker.start + stop.end(), own_line=False)
    return untitled


def _own_line_title(line: str, marker: Marker, rest: str, untitled: Title) -> Title:
    bare = rest.strip()
    if bare[-1] in "；;，,":
        return untitled
    if bare[-1] in "：:" and len(bare) <= _LONGEST_RUN_IN:
        return Title(tidy_title(bare[:-1]), len(line), own_line=True)
    colon = _before_colon(rest)
    if colon is not None and len(bare) > _LONGEST_RUN_IN:
        return Title(tidy_title(rest[:colon]), marker.start + colon + 1, own_line=False)
    if len(bare) <= _LONGEST_OWN_LINE:
        return Title(tidy_title(bare), len(line), own_line=True)
    return untitled


def _before_colon(sentence: str) -> int | None:
    """Offset of a colon that ends a short title, None when there is none."""
    found = re.search(r"[：:]", sentence)
    if found is None or not sentence[found.end() :].strip():
        return None
    left = sentence[: found.start()].strip()
    if not left or len(left) > _LONGEST_BEFORE_COLON or re.search(r"[，；,;（(“《]", left):
        return None
    return found.start()


def _is_run_in_title(first: str) -> bool:
    """Short, or two clauses of about the same length; figures make a sentence, not a title."""
    if not first or re.search(r"[；：;:]", first):
        return False
    clauses = re.split(r"[，,]", first)
    has_digits = any(char.isdecimal() for char in first)
    if len(clauses) == 1:
        return len(first) <= (_LONGEST_WITH_STOP if has_digits else _LONGEST_RUN_IN)
    if len(clauses) != 2 or has_digits:
        return False
    balanced = abs(len(clauses[0]) - len(clauses[1])) <= _BALANCED_WITHIN
    return len(first) <= (_LONGEST_BALANCED if balanced else _LONGEST_WITH_COMMA)
