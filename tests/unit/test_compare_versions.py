"""Two versions side by side: which blocks changed, and which words inside them."""

from __future__ import annotations

import csv
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.domain.compare import (
    Change,
    Comparison,
    Op,
    TextRun,
    VersionBlock,
    compare_tables,
    compare_text,
    compare_versions,
    match_blocks,
)

DATA = Path(__file__).parents[1] / "data" / "plan"


def marked(runs: tuple[TextRun, ...]) -> str:
    marks = {Op.SAME: "{}", Op.ADDED: "[+{}]", Op.DELETED: "[-{}]"}
    return "".join(marks[run.op].format(run.text) for run in runs)


def draft(name: str) -> list[VersionBlock]:
    found = []
    for line in (DATA / name).read_text(encoding="utf-8").split("\n"):
        if line.startswith("|") and not re.fullmatch(r"\|[-|]+\|", line):
            found.append(VersionBlock(line, cells=tuple(cell.strip() for cell in line.strip("|").split("|"))))
        elif line.strip() and not line.startswith("|"):
            found.append(VersionBlock(re.sub(r"^(#+|>) ", "", line)))
    return found


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return compare_versions(draft("draft_v1.md"), draft("draft_v2.md"))


def test_every_edit_of_the_list_shows_and_nothing_else(compared: Comparison) -> None:
    with (DATA / "edits.csv").open(encoding="utf-8-sig", newline="") as handle:
        edits = list(csv.DictReader(handle))
    counts = compared.counts
    assert counts[Change.DELETED] == sum(e["kind"] == "delete_paragraph" for e in edits) == 5
    assert counts[Change.MOVED] == sum(e["kind"] == "move_paragraph" for e in edits) - 1  # two swapped
    sections = sum(e["kind"] == "insert_section" for e in edits)  # a heading and a paragraph each
    assert counts[Change.ADDED] == sum(e["kind"] == "insert_paragraph" for e in edits) + 2 * sections
    assert sum(row.joined for row in compared.rows) == sum(e["kind"] == "merge_paragraphs" for e in edits)
    assert sum(row.split for row in compared.rows) == 2 * sum(e["kind"] == "split_paragraph" for e in edits)
    assert sum(any(c.change is Change.CHANGED for c in row.cells) for row in compared.rows) == 9
    text = "\n".join(marked(row.runs) for row in compared.rows)
    for edit in edits:
        if edit["kind"] == "reword_sentence" and edit["after"].startswith(edit["before"]):
            assert f"[+{edit['after'][len(edit['before']) :]}]" in text, edit["id"]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("断头路清单36条，打通22条。", "断头路清单36条，打通20条。", "断头路清单36条，打通[-22][+20]条。"),
        ("增长4.2%。", "增长14.2%。", "增长[-4.2%][+14.2%]。"),
        (
            "一次申报、多项联评。",
            "一次申报、一次公示、多项联评。",
            "一次申报[+、一次公示]、多项联评。",
        ),
        (
            "充电难、燃油车占位等现象比较普遍。",
            "充电难、燃油车占位等现象较为普遍，物业不配合。",
            "充电难、燃油车占位等现象[-比较][+较为]普遍[+，物业不配合]。",
        ),
        ("甲事已办。乙事在办。", "甲事已办。丙处新增一条。乙事在办。", "甲事已办。[+丙处新增一条。]乙事在办。"),
        ("甲事已办。乙事在办。", "乙事在办。", "[-甲事已办。]乙事在办。"),
        ("需要调整业态定位。", "拟引入社区服务和亲子业态。", "[-需要调整业态定位][+拟引入社区服务和亲子业态]。"),
        ("使用5G基站。", "使用Wi-Fi基站。", "使用[-5G][+Wi-Fi]基站。"),
        ("不变", "不变", "不变"),
        ("", "新", "[+新]"),
    ],
)
def test_the_words_that_changed_are_marked_as_a_reader_would(old: str, new: str, shown: str) -> None:
    assert marked(compare_text(old, new)) == shown


def test_a_table_shows_its_changes_cell_by_cell() -> None:
    old = [["14", "森林覆盖率", "18.7", "滞后"], ["15", "路网密度", "3.71", "滞后"]]
    new = [["14", "路网密度", "3.72", "滞后"], ["15", "森林覆盖率", "18.7", "滞后（加力推进）"]]
    rows = compare_tables(old, new).rows
    assert [(row.old, row.new) for row in rows] == [((1,), 0), ((0,), 1)]
    assert [cell.change for cell in rows[0].cells] == ["changed", "same", "changed", "same"]
    assert marked(rows[1].cells[3].runs) == "滞后[+（加力推进）]"


def test_a_column_put_in_is_one_cell_added_in_every_row() -> None:
    rows = compare_tables([["甲", "1"], ["乙", "2"]], [["甲", "2022", "1"], ["乙", "2022", "2"]]).rows
    for row in rows:
        assert [cell.change for cell in row.cells] == ["same", "added", "same"]


def test_equal_keys_pair_blocks_whatever_became_of_their_words() -> None:
    old = [VersionBlock("旧的说法。", "p1"), VersionBlock("第二段。", "p2")]
    new = [VersionBlock("第二段。", "p2"), VersionBlock("全然不同。", "p1")]
    rows = compare_versions(old, new).rows
    assert {row.new: row.old for row in rows} == {0: (1,), 1: (0,)}


def test_a_joined_paragraph_names_both_sources_and_marks_no_words() -> None:
    old = [VersionBlock("养老床位达到15620张。"), VersionBlock("助餐点分布不均，餐品口味单一。")]
    rows = compare_versions(old, [VersionBlock("养老床位达到15620张。助餐点分布不均，餐品口味单一。")]).rows
    assert [(row.old, row.joined, row.reworded) for row in rows] == [((0, 1), True, False)]


def test_stable_keys_can_follow_blocks_into_a_new_version() -> None:
    old = ["一、总体", "断头路清单36条，打通22条。", "删去的一段话没有了。"]
    new = ["引言是新写的。", "一、总体", "断头路清单36条，已打通20条。"]
    assert match_blocks(old, new) == {1: 0, 2: 1}


@settings(max_examples=200, deadline=None)
@given(st.text("甲乙丙丁，。；12a ", max_size=40), st.text("甲乙丙丁，。；12a ", max_size=40))
def test_the_marked_text_holds_both_versions_letter_for_letter(old: str, new: str) -> None:
    runs = compare_text(old, new)
    assert "".join(run.text for run in runs if run.op is not Op.DELETED) == new
    assert "".join(run.text for run in runs if run.op is not Op.ADDED) == old
    assert all(run.text for run in runs)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 99_999))
def test_no_block_is_lost_or_shown_twice(seed: int) -> None:
    rng = random.Random(seed)
    source = [block for block in draft("draft_v1.md") if not block.cells]
    old = rng.sample(source, 12)
    new = [rng.choice([block, block, VersionBlock(block.text[: rng.randrange(len(block.text))])]) for block in old]
    rng.shuffle(new)
    rows = compare_versions(old, new[: rng.randrange(3, 12)]).rows
    shown = [row.new for row in rows if row.new is not None]
    assert shown == sorted(set(shown)) == list(range(len(shown)))
    assert {i for row in rows for i in row.old} == set(range(len(old)))


def test_four_hundred_blocks_compare_in_a_second_or_two(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = draft("draft_v1.md")
    old = [VersionBlock(f"{n}组：{block.text}") for n in (1, 2) for block in blocks]
    new = [VersionBlock(block.text.replace("推进", "加快推进")) for block in old if "问题" not in block.text]
    began = time.process_time()
    compare_versions(old, new)
    spent = time.process_time() - began
    with capsys.disabled():
        print(f"\ncompare: {len(old)} with {len(new)} blocks in {spent:.2f} s of CPU")
    assert spent < 6
