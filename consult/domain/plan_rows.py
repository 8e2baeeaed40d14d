"""The rows of units.csv, items.csv and fixes.csv: read, checked and turned into values; nothing is repaired.

Every wrong row is reported, not only the first, with its file and the line it starts on (the header is line 1).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from consult.domain.errors import Refused

UNIT_KINDS: Mapping[str, str] = {
    "委办局": "department",
    "街镇": "town",
    "园区": "park",
    "区属公司": "company",
    "群团": "mass_organisation",
    "group": "group",
}
ITEM_KINDS: Mapping[str, str] = {
    "专项规划": "special_plan",
    "主要指标": "indicator",
    "重点任务": "key_task",
    "重大项目": "major_project",
    "区域规划": "regional_plan",
}
CERTAINTIES = ("certain", "likely", "unclear")
NOT_ASSIGNABLE_MARKS = ("不参与分派", "占位")

_UNIT_COLUMNS = ("code", "name", "short_name", "aliases", "kind", "members", "note")
_ITEM_COLUMNS = (
    "key",
    "kind",
    "category",
    "title",
    "text",
    "source_text",
    "starred",
    "lead_units",
    "other_units",
    "raw_unit_text",
    "notes",
)
_FIX_COLUMNS = ("id", "location", "original", "repaired", "certainty", "reason")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_KEY = re.compile(r"[A-Z][A-Za-z0-9-]{0,39}")
_PLACES = (
    (re.compile(r"附件2第(\d+)行"), "I"),
    (re.compile(r"附件3任务(\d+)"), "T"),
    (re.compile(r"附件4项目(\d+)"), "P"),
)
_MAX_LINES = 20_000


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row, as one plain sentence for the person who mends the file."""

    file: str
    line: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.file} 第 {self.line} 行：{self.sentence}"


class PlanRefused(Refused):
    """The files of a plan hold wrong rows; nothing was stored. `problems` names every one of them."""

    code = "plan_refused"

    def __init__(self, problems: Iterable[RowProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(n=len(self.problems))


@dataclass(frozen=True, slots=True)
class UnitRow:
    """One unit or group; `aliases` are the ways the source writes its name (R-58), `members` are codes (R-57)."""

    code: str
    name: str
    short_name: str
    kind: str
    assignable: bool
    aliases: tuple[str, ...]
    members: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item of the plan; `leads` and `others` are unit codes in the order of the source."""

    key: str
    kind: str
    category: str
    position: int
    title: str
    text: str
    source_text: str
    starred: bool
    leads: tuple[str, ...]
    others: tuple[str, ...]
    raw_unit_text: str
    notes: str


@dataclass(frozen=True, slots=True)
class FixRow:
    """One editorial note; `item_key` is the item its location names, or None."""

    code: str
    location: str
    item_key: str | None
    original: str
    repaired: str
    certainty: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlanRows:
    """A whole plan as read from its three files."""

    units: tuple[UnitRow, ...]
    items: tuple[ItemRow, ...]
    fixes: tuple[FixRow, ...]


@dataclass(slots=True)
class _Reader:
    """Collects what is wrong while the rows of one file are read."""

    file: str
    problems: list[RowProblem] = field(default_factory=list)

    def wrong(self, line: int, sentence: str) -> None:
        self.problems.append(RowProblem(self.file, line, sentence))

    def rows(self, text: str, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield (line, row) of well-formed rows; a byte order mark is passed over."""
        reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        try:
            header = next(reader, None)
            if header is None:
                self.wrong(1, "文件是空的。")
                return
            missing = [name for name in columns if name not in header]
            if missing:
                self.wrong(1, f"缺少列：{'、'.join(missing)}。")
                return
            yield from self._body(reader, header)
        except csv.Error:
            self.wrong(max(reader.line_num, 1), "这一行不是完整的 CSV（引号没有配对，或含有非法字符）。")

    def _body(self, reader: Iterator[list[str]], header: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
        line = _line_of(reader)
        for cells in reader:
            started, line = line + 1, _line_of(reader)
            if started > _MAX_LINES:
                self.wrong(started, f"超过 {_MAX_LINES} 行，后面的没有读。")
                return
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                self.wrong(started, f"应有 {len(header)} 列，实有 {len(cells)} 列。")
                continue
            if any("\x00" in cell for cell in cells):
                self.wrong(started, "含有空字符。")
                continue
            yield started, dict(zip(header, cells, strict=True))


def _line_of(reader: Iterator[list[str]]) -> int:
    return int(getattr(reader, "line_num", 0))


def _words(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split("|") if part.strip())


def read_plan(units: str, items: str, fixes: str) -> PlanRows:
    """Read the three files' texts.

    Raises:
        PlanRefused: with every wrong row of all three files.
    """
    unit_reader, item_reader, fix_reader = _Reader("units.csv"), _Reader("items.csv"), _Reader("fixes.csv")
    unit_rows = _units(unit_reader, units)
    codes = {row.code for row in unit_rows}
    item_rows = _items(item_reader, items, codes)
    fix_rows = _fixes(fix_reader, fixes, {row.key for row in item_rows})
    problems = [*unit_reader.problems, *item_reader.problems, *fix_reader.problems]
    if problems:
        raise PlanRefused(sorted(problems, key=lambda one: (_ORDER[one.file], one.line)))
    return PlanRows(tuple(unit_rows), tuple(item_rows), tuple(fix_rows))


_ORDER = {"units.csv": 0, "items.csv": 1, "fixes.csv": 2}


def _units(reader: _Reader, text: str) -> list[UnitRow]:
    found: list[tuple[int, UnitRow]] = []
    codes: dict[str, int] = {}
    aliases: dict[str, str] = {}
    for line, row in reader.rows(text, _UNIT_COLUMNS):
        unit = _unit(reader, line, row)
        if unit is None:
            continue
        if unit.code in codes:
            reader.wrong(line, f"单位代码 {unit.code} 与第 {codes[unit.code]} 行重复。")
            continue
        codes[unit.code] = line
        for alias in unit.aliases:
            if alias in aliases:
                reader.wrong(line, f"名称“{alias}”已经属于单位 {aliases[alias]}。")
            aliases.setdefault(alias, unit.code)
        found.append((line, unit))
    groups = {unit.code for _, unit in found if unit.kind == "group"}
    for line, unit in found:
        for member in unit.members:
            if member not in codes:
                reader.wrong(line, f"成员单位 {member} 不在 units.csv 中。")
            elif member in groups:
                reader.wrong(line, f"成员 {member} 本身是一组单位，请列出具体单位。")
    return [unit for _, unit in found]


def _unit(reader: _Reader, line: int, row: Mapping[str, str]) -> UnitRow | None:
    code, kind, note = row["code"].strip(), row["kind"].strip(), row["note"].strip()
    before = len(reader.problems)
    if not _CODE.fullmatch(code):
        reader.wrong(line, f"单位代码“{code}”应以大写字母开头，只含大写字母、数字和下划线。")
    if kind not in UNIT_KINDS:
        reader.wrong(line, f"单位类别“{kind}”不认识，应为{'、'.join(UNIT_KINDS)}之一。")
    for column, words in (("name", "全称"), ("short_name", "简称")):
        if not row[column].strip():
            reader.wrong(line, f"单位{words}没有填。")
    members = _words(row["members"])
    if members and kind != "group":
        reader.wrong(line, "只有 group 类才可以有成员单位。")
    for alias in _words(row["aliases"]):
        if len(alias) > 200:
            reader.wrong(line, "别名超过 200 字。")
    if len(reader.problems) > before:
        return None
    assignable = kind != "group" and not any(mark in note for mark in NOT_ASSIGNABLE_MARKS)
    aliases = tuple(dict.fromkeys(_words(row["aliases"])))
    return UnitRow(
        code,
        row["name"].strip(),
        row["short_name"].strip(),
        UNIT_KINDS[kind],
        assignable,
        aliases,
        tuple(dict.fromkeys(members)),
        note,
    )


def _items(reader: _Reader, text: str, codes: set[str]) -> list[ItemRow]:
    found: list[ItemRow] = []
    keys: dict[str, int] = {}
    positions: dict[str, int] = {}
    for line, row in reader.rows(text, _ITEM_COLUMNS):
        key = row["key"].strip()
        if key in keys:
            reader.wrong(line, f"条目编号 {key} 与第 {keys[key]} 行重复。")
            continue
        keys[key] = line
        kind = row["kind"].strip()
        positions[kind] = positions.get(kind, 0) + 1
        item = _item(reader, line, row, codes, positions[kind])
        if item is not None:
            found.append(item)
    return found


def _item(reader: _Reader, line: int, row: Mapping[str, str], codes: set[str], position: int) -> ItemRow | None:
    key, kind, starred = row["key"].strip(), row["kind"].strip(), row["starred"].strip()
    leads, others = _words(row["lead_units"]), _words(row["other_units"])
    before = len(reader.problems)
    if not _KEY.fullmatch(key):
        reader.wrong(line, f"条目编号“{key}”应以大写字母开头，只含字母、数字和连字符。")
    if kind not in ITEM_KINDS:
        reader.wrong(line, f"条目类别“{kind}”不认识，应为{'、'.join(ITEM_KINDS)}之一。")
    if starred not in {"0", "1"}:
        reader.wrong(line, f"starred 应为 0 或 1，不是“{starred}”。")
    for column, words in (("title", "标题"), ("text", "正文")):
        if not row[column].strip():
            reader.wrong(line, f"条目{words}没有填。")
    if not leads:
        reader.wrong(line, "没有牵头单位。")
    for code in (*leads, *others):
        if code not in codes:
            reader.wrong(line, f"单位 {code} 不在 units.csv 中。")
    both = [*leads, *others]
    if len(set(both)) != len(both):
        reader.wrong(line, "同一单位在牵头和其余单位中出现了两次。")
    if len(reader.problems) > before:
        return None
    # the words of the source go through as they are, spaces and all.
    return ItemRow(
        key,
        ITEM_KINDS[kind],
        row["category"].strip(),
        position,
        row["title"],
        row["text"],
        row["source_text"],
        starred == "1",
        leads,
        others,
        row["raw_unit_text"],
        row["notes"],
    )


def _fixes(reader: _Reader, text: str, keys: set[str]) -> list[FixRow]:
    found: list[FixRow] = []
    codes: dict[str, int] = {}
    for line, row in reader.rows(text, _FIX_COLUMNS):
        code, certainty = row["id"].strip(), row["certainty"].strip()
        before = len(reader.problems)
        if not _KEY.fullmatch(code):
            reader.wrong(line, f"注记编号“{code}”应以大写字母开头，只含字母、数字和连字符。")
        elif code in codes:
            reader.wrong(line, f"注记编号 {code} 与第 {codes[code]} 行重复。")
        codes.setdefault(code, line)
        if certainty not in CERTAINTIES:
            reader.wrong(line, f"把握程度“{certainty}”应为 {'、'.join(CERTAINTIES)} 之一。")
        if not row["location"].strip() or not row["original"].strip():
            reader.wrong(line, "位置或原文没有填。")
        item_key = item_of_location(row["location"])
        if item_key is not None and item_key not in keys:
            reader.wrong(line, f"位置“{row['location']}”指向的条目 {item_key} 不在 items.csv 中。")
        if len(reader.problems) == before:
            found.append(
                FixRow(
                    code, row["location"].strip(), item_key, row["original"], row["repaired"], certainty, row["reason"]
                )
            )
    return found


def item_of_location(location: str) -> str | None:
    """Return the key of the item a location such as 附件3任务42 names, or None where it names none."""
    for pattern, letter in _PLACES:
        match = pattern.fullmatch(location.strip())
        if match:
            return f"{letter}{int(match[1]):02d}"
    return None
