"""Which unit a section of the draft is routed to when nobody says otherwise (settled numbers; R-56, R-57, R-112).

The unit comes from sections.csv where it is given; without it, the commonest first lead of the section's items, ties
by first appearance; without items, the owner of the consultation. A group is never the answer: the first real unit
takes its place.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from consult.domain.outline_model import ImportedSection
from consult.domain.plan_rows import PlanRefused, RowProblem

_COLUMNS = ("path", "heading", "item_keys", "default_lead", "units")
FILE = "sections.csv"
GIVEN, BY_ITEMS, BY_OWNER = "given", "items", "owner"


@dataclass(frozen=True, slots=True)
class SectionRule:
    """One row of sections.csv; `line` is where it stands in the file, the header being line 1."""

    line: int
    heading: str
    path: str
    item_keys: tuple[str, ...]
    default_lead: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lead:
    """A section's default lead: unit code and why: `given`, `items` or `owner`."""

    unit: str
    reason: str


@dataclass(frozen=True, slots=True)
class RulesMatched:
    """Rules by section key, and the rules that found no section of their own."""

    by_key: Mapping[str, SectionRule]
    unmatched: tuple[SectionRule, ...]


def read_section_rules(text: str, unit_codes: Collection[str], item_keys: Collection[str]) -> tuple[SectionRule, ...]:
    """Read sections.csv.

    Raises:
        PlanRefused: with every wrong row: unknown units or items, missing columns.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    problems: list[RowProblem] = []
    rules: list[SectionRule] = []
    try:
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise PlanRefused([RowProblem(FILE, 1, f"缺少列：{'、'.join(missing)}。")])
        before = reader.line_num
        for row in reader:
            line, before = before + 1, reader.line_num
            rule = _rule(line, row)
            if rule is None:
                problems.append(RowProblem(FILE, line, "列数与表头不符，或没有写章节标题。"))
                continue
            problems += _unknown(rule, unit_codes, item_keys)
            rules.append(rule)
    except csv.Error:
        problems.append(RowProblem(FILE, max(reader.line_num, 1), "这一行不是完整的 CSV。"))
    if problems:
        raise PlanRefused(problems)
    return tuple(rules)


def _rule(line: int, row: Mapping[str, str | None]) -> SectionRule | None:
    cells = {name: row.get(name) for name in _COLUMNS}
    if any(cell is None for cell in cells.values()) or None in row:
        return None
    texts = {name: str(cell).strip() for name, cell in cells.items()}
    if not texts["heading"] and not texts["path"]:
        return None
    return SectionRule(
        line,
        texts["heading"],
        texts["path"],
        _words(texts["item_keys"]),
        texts["default_lead"],
        _words(texts["units"]),
    )


def _words(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in cell.split("|") if part.strip()))


def _unknown(rule: SectionRule, unit_codes: Collection[str], item_keys: Collection[str]) -> list[RowProblem]:
    found = [
        RowProblem(FILE, rule.line, f"单位 {code} 不在计划的单位表中。")
        for code in dict.fromkeys((rule.default_lead, *rule.units))
        if code and code not in unit_codes
    ]
    found += [RowProblem(FILE, rule.line, f"条目 {key} 不在计划中。") for key in rule.item_keys if key not in item_keys]
    return found


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def match_rules(rules: Sequence[SectionRule], sections: Sequence[ImportedSection]) -> RulesMatched:
    """Give each rule its section: by the whole path, else by a heading that stands only once in the draft."""
    by_path = {_folded(section.path): section.key for section in sections}
    headings = Counter(_folded(section.heading) for section in sections)
    by_heading = {_folded(section.heading): section.key for section in sections}
    found: dict[str, SectionRule] = {}
    unmatched: list[SectionRule] = []
    for rule in rules:
        key = by_path.get(_folded(rule.path))
        if key is None and headings[_folded(rule.heading)] == 1:
            key = by_heading[_folded(rule.heading)]
        if key is None or key in found:
            unmatched.append(rule)
        else:
            found[key] = rule
    return RulesMatched(found, tuple(unmatched))


def lead_of_rule(rule: SectionRule, real: Collection[str], item_leads: Iterable[str | None], owner: str) -> Lead:
    """Return the lead a row of sections.csv gives. `real` holds the codes that may be routed to (R-57)."""
    for code in (rule.default_lead, *(rule.units if rule.default_lead else ())):
        if code in real:
            return Lead(code, GIVEN)
    return lead_of_items(item_leads, owner)


def lead_of_items(item_leads: Iterable[str | None], owner: str) -> Lead:
    """Return the commonest first lead, ties by first appearance; the owner when there is none.

    `item_leads` has for each item, in order, the first unit of its row that is no group, or None.
    """
    counts = Counter(code for code in item_leads if code is not None)
    if not counts:
        return Lead(owner, BY_OWNER)
    most = max(counts.values())
    return Lead(next(code for code, n in counts.items() if n == most), BY_ITEMS)
