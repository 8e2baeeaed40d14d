"""Which lines of an unstyled document are headings:章/节/条, 一、（一）1.（1）, run-in titles, 附件.

One pass over the lines with the open headings on a stack. A number is believed when it continues its row or
opens a new one; what stands in a list (lines that end with a semicolon, sentences after a colon), in an article,
in a table of contents, in a boxed column (专栏) or after 注： is text. Levels are depths in this document's own
tree, so an article is level 1, 2 or 3 depending on what encloses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from consult.domain.outline_markers import (
    ITEM_KINDS,
    RANKS,
    STATUTE_KINDS,
    Marker,
    Title,
    find_marker,
    read_title,
)
from consult.domain.outline_model import DraftWarning, SourcePiece, tidy_title, visible_length


@dataclass(frozen=True, slots=True)
class FoundHeading:
    """A heading found at piece `at`; `used` further pieces belong to it (a title on the next line)."""

    at: int
    label: str
    title: str | None
    level: int
    end: int
    used: int = 0
    run_in: bool = False


@dataclass(slots=True)
class Findings:
    """What the recogniser says about the pieces, by index."""

    headings: list[FoundHeading] = field(default_factory=list)
    title_at: list[int] = field(default_factory=list)
    set_aside: set[int] = field(default_factory=set)
    notes: set[int] = field(default_factory=set)
    items: set[int] = field(default_factory=set)
    warnings: list[DraftWarning] = field(default_factory=list)


_DOCUMENT_WORDS = (
    "规划|纲要|方案|办法|规定|条例|报告|意见|细则|通知|公告|通告|决定|计划|措施|规则|规程|准则|预案|导则|指引|标准|"
    "公报|说明|章程|制度|清单|要点|草案|建议|评估稿|送审稿|修订稿|征求意见稿|目标|若干规定|暂行办法"
)
_DOCUMENT_TITLE = re.compile(
    rf"(?:{_DOCUMENT_WORDS})(?:[（(〔\[][^（）()]{{1,20}}[）)〕\]])*(?:的(?:通知|公告|决定|意见))?$"
)
_DATE = re.compile(r"[（(]?\s*(?:\d{4}|[二〇○零一二三四五六七八九]{4})\s*年")
_PASSED = re.compile(r"(?:通过|批准|修正|修订|公布|施行|发布)[）)]?$")
_ENDS_SENTENCE = re.compile(r"[。；：！？;:，,、]$")
_ORGAN = re.compile(r"(?:局|委员会|委|政府|办公室|厅|部|院|会|中心|公司|处|署)$")
_RULED_LINE = re.compile(r"={4,}$")
_REGISTRATION = re.compile(r"[^\s：:。]{1,12}[：:]")
_TOC_TITLE = re.compile(r"目\s*[录次]$")
_TOC_LEADER = re.compile(r"(?:\.{3,}|…{1,}|·{3,}|\t)\s*[-—]?\s*\d{1,4}\s*[-—]?$")
_NOTE = re.compile(r"(?:注|备注|附注|说明|资料来源|数据来源)\s*\d{0,2}\s*[：:]")
_NOTE_WITH_ONE = re.compile(r"[^：:]{1,6}[：:]\s*(?:1|１)\s*[.．、]")
_BOX = re.compile(r"专\s*栏\s*(?:\d{1,2}|[一二三四五六七八九十]{1,3})?[\s　：:]")
_STAGE = re.compile(r"[（(][^（）()\d]{0,12}(?:稿|草案|试行|暂行|修订)[^（）()\d]{0,6}[）)]$")
_SPACED_NUMBER = re.compile(r"(\d{1,2})[\s　]+(?=[^\s\d])")
_LONGEST_SPACED_HEADING = 30
_LONG_LINE = 45
_LARGEST_GAP = 3
_NUMBERED_THROUGH = STATUTE_KINDS | {"cn", "cn_paren", "arabic"}
"""Rows that may run on under the next higher heading: 二、 begins with （四） when 一、 ended with （三）."""


@dataclass(slots=True)
class _Open:
    """An accepted heading whose section is still open."""

    kind: str
    rank: int
    number: int


@dataclass(slots=True)
class _Candidate:
    at: int
    marker: Marker
    title: Title
    in_list: bool = False


class _Recogniser:
    """One run over one document; see the module docstring."""

    def __init__(self, pieces: Sequence[SourcePiece]) -> None:
        self.pieces = pieces
        self.lines = [piece.text.strip() if piece.kind == "paragraph" else "" for piece in pieces]
        self.out = Findings()
        self.ranks = dict(RANKS)
        self.stack: list[_Open] = []
        self.last_number: dict[str, int] = {}
        self.shadow: dict[str, int] = {}
        self.gate = True

    def run(self) -> Findings:
        """Find everything."""
        first = self._registration_header()
        first = self._table_of_contents(first)
        self._notes_and_boxes(first)
        candidates = self._candidates(first)
        self._mark_lists(candidates)
        self._order_of_ranks(candidates)
        annexes_are_sections = self._count_bare_annexes(candidates) > 1
        by_index = {one.at: one for one in candidates}
        skip = -1
        for index in range(first, len(self.pieces)):
            if index <= skip or index in self.out.set_aside or not self.lines[index]:
                continue
            candidate = by_index.get(index)
            if candidate is None:
                self._plain_line(index)
                continue
            used = self._consider(candidate, annexes_are_sections=annexes_are_sections)
            skip = index + used
        self._document_title(first)
        return self.out

    # -- what is not a heading ------------------------------------------------------------------

    def _registration_header(self) -> int:
        """Lines `name：value` closed by a ruled line of equals signs are no part of the text."""
        seen: list[int] = []
        for index, line in enumerate(self.lines[:40]):
            if not line:
                continue
            if _RULED_LINE.match(line) and seen:
                self.out.set_aside.update([*seen, index])
                self.out.warnings.append(DraftWarning(self.pieces[0].line, "registration_header", {"count": len(seen)}))
                return index + 1
            if not _REGISTRATION.match(line):
                return 0
            seen.append(index)
        return 0

    def _table_of_contents(self, first: int) -> int:
        """A table of contents ends where its first entry comes again."""
        for index in range(first, len(self.lines)):
            line = self.lines[index]
            if _TOC_TITLE.match(line):
                end = self._end_of_contents(index + 1)
                self._set_contents_aside(index, end)
                break
        leaders = [i for i, line in enumerate(self.lines) if i >= first and _TOC_LEADER.search(line)]
        if len(leaders) >= 3:
            self.out.set_aside.update(leaders)
        return first

    def _set_contents_aside(self, start: int, end: int) -> None:
        if end <= start + 1:
            return
        self.out.set_aside.update(range(start, end))
        self.out.warnings.append(DraftWarning(self.pieces[start].line, "table_of_contents", {"count": end - start}))

    def _end_of_contents(self, start: int) -> int:
        first_entry: str | None = None
        for index in range(start, len(self.lines)):
            line = self.lines[index]
            if not line:
                continue
            entry = _entry_key(line)
            if first_entry is None:
                first_entry = entry
            elif entry == first_entry:
                return index
            elif len(line) > _LONG_LINE or line.endswith("。"):
                return start
        return start

    def _notes_and_boxes(self, first: int) -> None:
        """注： lines and boxed columns; a box reaches to the next blank line."""
        blank_lines_used = any(piece.gap for piece in self.pieces[first + 1 :])
        in_box = False
        for index in range(first, len(self.lines)):
            line = self.lines[index]
            if not line:
                in_box = False
                continue
            if _NOTE.match(line):
                self.out.notes.add(index)
            if _BOX.match(line) and len(line) <= _LONG_LINE:
                self.out.notes.add(index)
                in_box = blank_lines_used
            elif in_box and not self.pieces[index].gap:
                self.out.notes.add(index)
            else:
                in_box = False

    # -- candidates -----------------------------------------------------------------------------

    def _candidates(self, first: int) -> list[_Candidate]:
        found: list[_Candidate] = []
        markers: dict[int, Marker] = {}
        for index in range(first, len(self.lines)):
            if index in self.out.set_aside or index in self.out.notes:
                continue
            marker = find_marker(self.lines[index])
            if marker is not None:
                markers[index] = marker
        if sum(marker.kind == "dec2" for marker in markers.values()) > 1:
            self._add_spaced_numbers(first, markers)
        for index, marker in sorted(markers.items()):
            following = self._next_line(index)
            body_follows = following is not None and following not in markers
            line = self.lines[index]
            title = read_title(line, marker, body_follows=body_follows)
            if marker.kind in STATUTE_KINDS - {"article"} and len(line) > 2 * _LONG_LINE:
                continue
            found.append(_Candidate(index, marker, title))
        return found

    def _add_spaced_numbers(self, first: int, markers: dict[int, Marker]) -> None:
        """A report that counts 1.1, 1.2 writes its chapters as a bare number and a space."""
        for index in range(first, len(self.lines)):
            line = self.lines[index]
            if index in markers or index in self.out.set_aside or index in self.out.notes:
                continue
            found = _SPACED_NUMBER.match(line)
            if found and len(line) <= _LONGEST_SPACED_HEADING and not _ENDS_SENTENCE.search(line):
                markers[index] = Marker("arabic", int(found.group(1)), found.group(1), found.end())

    def _next_line(self, index: int) -> int | None:
        for following in range(index + 1, len(self.lines)):
            if self.lines[following] and following not in self.out.set_aside:
                return following
        return None

    def _previous_line(self, index: int) -> int | None:
        for before in range(index - 1, -1, -1):
            if self.lines[before]:
                return before
        return None

    def _mark_lists(self, candidates: list[_Candidate]) -> None:
        """Rows of numbered lines that are enumerations: semicolons at the ends, or sentences after a colon."""
        rows: dict[str, list[_Candidate]] = {}
        for one in candidates:
            kind = one.marker.kind
            for other in [name for name in rows if RANKS[name] > one.marker.rank]:
                self._judge_row(rows.pop(other))
            if kind not in ITEM_KINDS:
                continue
            row = rows.get(kind)
            if row is not None and one.marker.number == row[-1].marker.number + 1:
                row.append(one)
                continue
            if row is not None:
                self._judge_row(row)
            rows[kind] = [one]
        for row in rows.values():
            self._judge_row(row)

    def _judge_row(self, row: list[_Candidate]) -> None:
        lines = [self.lines[one.at] for one in row]
        semicolons = sum(line.endswith(("；", ";")) for line in lines)
        is_list = semicolons > 0 and 2 * semicolons >= len(row) - 1
        before = self._previous_line(row[0].at)
        if not is_list and before is not None and self.lines[before].endswith(("：", ":")):
            is_list = row[0].marker.rank > RANKS["cn"] and all(one.title.text is None for one in row)
        if row[0].marker.kind == "circled" and not all(one.title.own_line for one in row):
            is_list = True
        for one in row:
            one.in_list = one.in_list or is_list

    def _order_of_ranks(self, candidates: list[_Candidate]) -> None:
        """Some documents put 1. above （一）: seen when （一） begins anew under several 1. 2. 3."""
        kinds = [one for one in candidates if not one.in_list]
        if any(one.marker.kind == "cn" for one in kinds):
            return
        numbers = [one for one in kinds if one.marker.kind in ("arabic", "cn_paren")]
        if not numbers or numbers[0].marker.kind != "arabic":
            return
        openings = 0
        previous: Marker | None = None
        for one in numbers:
            opens = one.marker.kind == "cn_paren" and one.marker.number == 1
            if opens and previous is not None and previous.kind == "arabic":
                openings += 1
            previous = one.marker
        if openings >= 2:
            self.ranks["cn_paren"], self.ranks["arabic"] = self.ranks["arabic"], self.ranks["cn_paren"]

    def _count_bare_annexes(self, candidates: list[_Candidate]) -> int:
        return sum(one.marker.kind == "annex" and self._annex_opens(one) for one in candidates)

    # -- decisions ------------------------------------------------------------------------------

    def _consider(self, one: _Candidate, *, annexes_are_sections: bool) -> int:
        """Accept or reject a candidate; returns how many further pieces its title used."""
        marker = one.marker
        if marker.kind == "annex":
            return self._consider_annex(one, annexes_are_sections=annexes_are_sections)
        in_article = any(entry.kind == "article" for entry in self.stack)
        if one.in_list or (in_article and marker.kind in ITEM_KINDS):
            self._leave_in_text(one)
            return 0
        verdict = self._continues(one)
        if verdict is None:
            self._leave_in_text(one)
            return 0
        if verdict:
            self.out.warnings.append(
                DraftWarning(self.pieces[one.at].line, verdict, {"label": marker.label, "number": marker.number})
            )
        return self._accept(one)

    def _leave_in_text(self, one: _Candidate) -> None:
        self.shadow[one.marker.kind] = one.marker.number
        if one.marker.kind in ITEM_KINDS:
            self.out.items.add(one.at)

    def _continues(self, one: _Candidate) -> str | None:
        """ "" when the number fits, a warning code when it nearly does, None when it is not a heading."""
        marker = one.marker
        if marker.kind == "named":
            return ""
        if marker.kind.startswith("dec"):
            return self._decimal_continues(marker)
        entry = next((item for item in self.stack if item.kind == marker.kind), None)
        titled = one.title.own_line and one.title.text is not None
        if self._belongs_to_text_list(one, entry):
            return None
        if marker.number == 1 and self.gate and (entry is not None or not self.stack):
            if entry is not None:
                self.stack.clear()
                self.last_number.clear()
            return ""
        last = entry.number if entry is not None else None
        if last is None and marker.kind in _NUMBERED_THROUGH:
            last = self.last_number.get(marker.kind)
        return _number_fits(marker, last, in_row=entry is not None, titled=titled)

    def _belongs_to_text_list(self, one: _Candidate, entry: _Open | None) -> bool:
        """A numbered sentence that continues a list already left in the text."""
        shadow = self.shadow.get(one.marker.kind)
        if shadow is None or one.marker.number != shadow + 1 or one.marker.kind in STATUTE_KINDS:
            return False
        return not one.title.own_line or entry is None

    def _decimal_continues(self, marker: Marker) -> str | None:
        path = {entry.kind: entry.number for entry in self.stack}
        above = [path.get("arabic"), path.get("dec2"), path.get("dec3")]
        for wanted, have in zip(marker.above, above, strict=False):
            if have is not None and wanted != have:
                return None
        last = path.get(marker.kind, 0)
        if above[len(marker.above) - 1] is None and marker.number == 1:
            return ""
        return "" if marker.number == last + 1 else None

    def _accept(self, one: _Candidate) -> int:
        marker, title = one.marker, one.title
        rank = self.ranks[marker.kind]
        while self.stack and (self.stack[-1].rank >= rank or self.stack[-1].kind == "named"):
            self.stack.pop()
        self.stack.append(_Open(marker.kind, rank, marker.number))
        self.last_number[marker.kind] = marker.number
        for kind in [name for name in self.shadow if RANKS[name] >= marker.rank]:
            del self.shadow[kind]
        self.gate = False
        line = self.lines[one.at]
        text, used, end = title.text, 0, title.end
        if text is None and title.own_line and marker.kind in STATUTE_KINDS - {"article"} | {"annex"}:
            following = self._next_line(one.at)
            if following is not None and self._can_be_title(following):
                text, used, end = tidy_title(self.lines[following]), following - one.at, len(line)
        self.out.headings.append(
            FoundHeading(one.at, marker.label, text, len(self.stack), end, used, run_in=bool(line[end:].strip()))
        )
        return used

    def _can_be_title(self, index: int) -> bool:
        line = self.lines[index]
        return len(line) <= _LONG_LINE and not _ENDS_SENTENCE.search(line) and find_marker(line) is None

    def _consider_annex(self, one: _Candidate, *, annexes_are_sections: bool) -> int:
        """附件 before any heading closes a cover notice; later it opens a part of its own."""
        if not self._annex_opens(one):
            if re.search(r"[：:]\s*(?:1|１)\s*[.．、]", self.lines[one.at][:8]):
                self.shadow["arabic"] = 1
            return 0
        if not self.out.headings and not annexes_are_sections:
            self.gate = True
            return 0
        self.stack.clear()
        used = self._accept(one)
        self.last_number.clear()
        self.gate = True
        return used

    def _annex_opens(self, one: _Candidate) -> bool:
        """True for 附件 in a line of its own with text after it; a list of enclosures is not that."""
        line = self.lines[one.at]
        if len(line) > _LONG_LINE or _ENDS_SENTENCE.search(line.rstrip("：:")):
            return False
        if line[one.marker.start :].strip() and "：" in line[: one.marker.start] and not one.marker.number:
            return False
        following = self._next_line(one.at)
        if following is None or self._next_line(following) is None:
            return False
        text = self.lines[following]
        after = find_marker(text)
        if after is not None and after.kind in ("annex", "arabic"):
            return False
        return not _DATE.match(text) and not _ORGAN.search(text)

    def _plain_line(self, index: int) -> None:
        line = self.lines[index]
        if _NOTE_WITH_ONE.match(line):
            self.shadow["arabic"] = 1
        if self.out.headings and self._looks_like_document_title(line):
            self.gate = True

    # -- the title of the document ---------------------------------------------------------------

    def _looks_like_document_title(self, line: str) -> bool:
        return (
            4 <= len(line) <= 80
            and _DOCUMENT_TITLE.search(line) is not None
            and not _DATE.match(line)
            and not _PASSED.search(line)
            and not line.startswith(("各", "附", "为", "根据", "按照", "——"))
        )

    def _document_title(self, first: int) -> None:
        end = self.out.headings[0].at if self.out.headings else len(self.lines)
        indices = [i for i in range(first, end) if self.lines[i] and i not in self.out.set_aside | self.out.notes]
        if not self.out.headings:
            indices = indices[:1]
        titles = [i for i in indices if self._looks_like_document_title(self.lines[i])]
        if not titles:
            head = indices[:1]
            plain = [i for i in head if self._can_be_title(i) and not _DATE.match(self.lines[i])]
            self.out.title_at = plain
            return
        chosen = titles[-1]
        self.out.title_at = [*self._first_lines_of_title(chosen, indices), chosen]
        following = self._next_line(chosen)
        if following is not None and following < end and _STAGE.match(self.lines[following]):
            self.out.title_at.append(following)
        cover = [i for i in indices if i < self.out.title_at[0]]
        if cover:
            self.out.notes.update(cover)
            count = sum(visible_length(self.lines[i]) for i in cover)
            self.out.warnings.append(DraftWarning(self.pieces[cover[0]].line, "cover_notice", {"characters": count}))

    def _first_lines_of_title(self, chosen: int, indices: list[int]) -> list[int]:
        """A long title is often broken over lines; only a short line without any ending can be its start."""
        place = indices.index(chosen)
        lines: list[int] = []
        while place > 0 and len(lines) < 3 and self._begins_title(indices[place - 1], indices[place]):
            place -= 1
            lines.insert(0, indices[place])
        return lines

    def _begins_title(self, index: int, following: int) -> bool:
        line = self.lines[index]
        return (
            len(line) <= 30
            and not _ENDS_SENTENCE.search(line)
            and not _DATE.match(line)
            and not _ORGAN.search(line)
            and not line.isdecimal()
            and not line.startswith(("附", "（", "("))
            and find_marker(line) is None
            and not self._looks_like_document_title(line)
            and len(self.lines[following]) <= 20
        )


def _number_fits(marker: Marker, last: int | None, *, in_row: bool, titled: bool) -> str | None:
    if last is None:
        if marker.number == 1:
            return ""
        strong = marker.kind in ("chapter", "division", "cn", "cn_paren")
        return "numbering_gap" if strong and titled and marker.number <= _LARGEST_GAP else None
    step = marker.number - last
    if step == 1 or (marker.number == 1 and not in_row):
        return ""
    if not in_row and marker.kind not in STATUTE_KINDS:
        return None
    if 1 < step <= _LARGEST_GAP and (titled or marker.kind == "article"):
        return "numbering_gap"
    if marker.kind == "article" and step == 0 and "之" in marker.label:
        return ""
    if step == 0 and titled and marker.kind != "arabic":
        return "numbering_repeat"
    return None


def _entry_key(line: str) -> str:
    without_page = re.sub(r"[\s.…·\-—]*\d{0,4}\s*$", "", line)
    return "".join(without_page.split())


def find_headings(pieces: Sequence[SourcePiece]) -> Findings:
    """Headings, title, notes, list items and lines to set aside, for pieces without heading styles."""
    return _Recogniser(pieces).run()
