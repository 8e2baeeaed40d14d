"""R-56, R-112: routing suggestions, measured on the labelled comments and on each half of their sources."""

from __future__ import annotations

import csv
import json
import zlib
from pathlib import Path
from typing import Any

import pytest

from moderation.domain.everyday_words import WORDS
from moderation.domain.suggestions import PlanItem, PlanSection, PlanUnit, ReasonKind, Suggester

DATA = Path(__file__).parents[1] / "data"
ROWS = [json.loads(line) for line in (DATA / "routing_dev.jsonl").read_text(encoding="utf-8").splitlines()]


def table(name: str) -> list[dict[str, str]]:
    with (DATA / "plan" / name).open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def listed(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split("|") if part)


@pytest.fixture(scope="module")
def suggester() -> Suggester:
    items = [
        PlanItem(r["key"], r["title"], r["text"], listed(r["lead_units"]), listed(r["other_units"]))
        for r in table("items.csv")
    ]
    units = [
        PlanUnit(
            r["code"],
            r["name"],
            r["short_name"],
            listed(r["aliases"]),
            r["kind"],
            assignable=r["kind"] != "group" and "不参与分派" not in r["note"],
        )
        for r in table("units.csv")
    ]
    sections = [
        PlanSection(r["heading"], listed(r["item_keys"]), r["default_lead"], listed(r["units"]))
        for r in table("sections.csv")
    ]
    return Suggester(items, units, sections)


def measured(suggester: Suggester, rows: list[dict[str, Any]]) -> tuple[float, float, float, float]:
    """Shares: first unit acceptable, first unit the preferred one, preferred in three, item in three."""
    acceptable = lead = three = item = with_item = 0
    for row in rows:
        found = suggester.suggest(row["text"], row["section"])
        codes = [unit.code for unit in found.units]
        acceptable += codes[0] in row["acceptable"]
        lead += codes[0] == row["gold_lead"]
        three += row["gold_lead"] in codes[:3]
        with_item += row["gold_item"] is not None
        item += row["gold_item"] is not None and row["gold_item"] in [i.key for i in found.items[:3]]
    return acceptable / len(rows), lead / len(rows), three / len(rows), item / with_item


def half_of(row: dict[str, Any]) -> int:
    """Variants of one sentence stay in one half."""
    return zlib.crc32((row["text"] if row["src"] == "item" else row["src"]).encode()) % 2


def test_r56_the_first_suggestion_is_acceptable_for_nearly_every_labelled_comment(
    suggester: Suggester, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {
        "all": ROWS,
        "half A": [row for row in ROWS if half_of(row) == 0],
        "half B": [row for row in ROWS if half_of(row) == 1],
        "from items": [row for row in ROWS if row["src"] == "item"],
        "hand-written": [row for row in ROWS if row["src"] != "item"],
        "no section": [row for row in ROWS if row["section"] is None],
    }
    with capsys.disabled():
        print("\nrouting: part, comments, first acceptable, first preferred, preferred in 3, item in 3")
        for name, rows in parts.items():
            print(f"  {name:13}{len(rows):5}", *(f"{share:7.3f}" for share in measured(suggester, rows)))
    acceptable, lead, three, item = measured(suggester, ROWS)
    assert acceptable >= 0.96
    assert lead >= 0.88
    assert three >= 0.98
    assert item >= 0.8
    for half in ("half A", "half B"):
        assert measured(suggester, parts[half])[0] >= 0.94


def test_the_plans_own_words_carry_without_the_table_of_everyday_words(
    suggester: Suggester, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = Suggester(suggester.items, suggester.units, suggester.sections, words={})
    acceptable, lead, three, _ = measured(bare, ROWS)
    with capsys.disabled():
        print(f"\nrouting without everyday words: {acceptable:.3f} acceptable, {lead:.3f} preferred, {three:.3f} in 3")
    assert acceptable >= 0.6


def test_every_suggestion_says_why(suggester: Suggester) -> None:
    for row in ROWS:
        for unit in suggester.suggest(row["text"], row["section"]).units:
            assert unit.reasons
            assert all(reason.detail for reason in unit.reasons)


def test_an_item_named_in_its_own_words_comes_first_with_the_words_shown(suggester: Suggester) -> None:
    found = suggester.suggest("孤独症援助中心什么时候建好？")
    assert found.items[0].key == "P74"
    assert found.items[0].words[0] == "孤独症援助中心"
    assert found.lead == "MZJ"
    assert (found.units[0].reasons[0].kind, found.units[0].reasons[0].detail) == (ReasonKind.ITEM, "P74")


def test_a_unit_named_in_the_text_is_a_reason(suggester: Suggester) -> None:
    reasons = suggester.suggest("请区水务局回复一下。").units[0].reasons
    assert (ReasonKind.UNIT_NAMED, "区水务局") in [(r.kind, r.detail) for r in reasons]


def test_a_town_leads_where_the_section_is_about_towns(suggester: Suggester) -> None:
    text = "七宝这一段写得太少，请多写几句。"
    assert suggester.suggest(text, "4. 区域规划实施情况").lead == "QBZ"


def test_the_section_alone_is_only_a_weak_hint(suggester: Suggester) -> None:
    found = suggester.suggest("这一段看不太明白。", "（5）推进高效智慧城区治理")
    assert found.lead == "FGW"
    assert "JTW" in [unit.code for unit in found.units]


def test_words_that_mean_nothing_to_the_plan_go_to_the_organiser(suggester: Suggester) -> None:
    for text in ("", "！！！", "祝大家节日快乐"):
        found = suggester.suggest(text)
        assert found.lead == "FGW"
        assert found.units[0].reasons[0].kind is ReasonKind.FALLBACK
        assert found.items == ()


def test_no_group_and_no_deliberating_body_is_ever_suggested(suggester: Suggester) -> None:
    blocked = {r["code"] for r in table("units.csv") if r["kind"] == "group" or "不参与分派" in r["note"]}
    for row in ROWS:
        assert not blocked & {unit.code for unit in suggester.suggest(row["text"], row["section"], 9).units}


def test_traditional_characters_and_width_do_not_change_the_suggestion(suggester: Suggester) -> None:
    one = suggester.suggest("社區醫院開不到降壓藥，５Ｇ信號也不好")
    two = suggester.suggest("社区医院开不到降压药,5G信号也不好")
    assert one == two


def test_of_several_requests_the_first_decides_the_lead(suggester: Suggester) -> None:
    text = "代表大家提几条：1.学校门口学位不够，幼儿园也少，孩子入学要统筹到很远的地方去，家长天天接送。" * 2
    rest = "2.河道发黑发臭，污水直排。3.河道两边积水，排水不畅，雨污混接。4.河道水质差，请水务尽快治理。"
    assert suggester.suggest(text + rest).lead == "JYJ"


def test_the_table_of_everyday_words_names_real_units_only() -> None:
    codes = {r["code"] for r in table("units.csv")}
    assert {code for some in WORDS.values() for code in some} <= codes
    assert all(len(word) > 1 for word in WORDS)
