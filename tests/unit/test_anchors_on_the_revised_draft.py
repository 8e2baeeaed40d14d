"""Every sentence, row and heading of the first draft, looked for in the second; truth from the list of edits."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from consult.domain.anchors import Anchor, Quote, place_quote, reanchor

DATA = Path(__file__).parents[1] / "data" / "plan"
SENTENCE = re.compile(r"[^。！？]+[。！？]?")


def blocks(name: str) -> list[str]:
    lines = (DATA / name).read_text(encoding="utf-8").split("\n")
    kept = [line for line in lines if line.strip() and not re.fullmatch(r"\|[-|]+\|", line)]
    return [re.sub(r"^(#+|>) ", "", line) for line in kept]


def paragraph_ids(texts: list[str]) -> dict[str, int]:
    """p001… are the body paragraphs: no heading, no block quotation, no table row."""
    lines = (DATA / "draft_v1.md").read_text(encoding="utf-8").split("\n")
    body = [line for line in lines if line.strip() and line[0] not in "#>|"]
    return {f"p{n:03d}": texts.index(line) for n, line in enumerate(body, 1)}


BEFORE, AFTER = blocks("draft_v1.md"), blocks("draft_v2.md")
IDS = paragraph_ids(BEFORE)
with (DATA / "edits.csv").open(encoding="utf-8-sig", newline="") as handle:
    EDITS = list(csv.DictReader(handle))


@dataclass(frozen=True)
class Case:
    quote: str
    prefix: str
    suffix: str
    block: int
    state: str
    target: str
    name: str


def expectations() -> list[Case]:
    deleted = {IDS[e["para_id_v1"]] for e in EDITS if e["kind"] == "delete_paragraph"}
    moved = {IDS[e["para_id_v1"]] for e in EDITS if e["kind"] == "move_paragraph"}
    rewords = [(IDS[e["para_id_v1"]], e["before"], e["after"]) for e in EDITS if e["kind"] == "reword_sentence"]
    headings = {e["before"]: e["after"] for e in EDITS if e["kind"] in ("rename_heading", "renumber_heading")}
    cells: dict[int, list[tuple[int, str]]] = {}
    for edit in EDITS:
        if edit["kind"] == "table_cell":
            row, column = map(int, re.findall(r"\d+", edit["para_id_v1"]))
            at = next(n for n, text in enumerate(BEFORE) if text.startswith(f"| {row} |"))
            cells.setdefault(at, []).append((column, edit["after"]))
    cases = []
    for number, text in enumerate(BEFORE):
        parts = [text] if text.startswith("|") or text in headings else SENTENCE.findall(text)
        at = 0
        for part in parts:
            start, at = text.index(part, at), text.index(part, at) + len(part)
            state, target = "exact", part
            if number in deleted:
                state, target = "deleted", ""
            elif number in moved:
                state = "moved"
            if text in headings:
                state, target = "changed", headings[text]
            for column, value in cells.get(number, ()):
                fields = target.split(" | ")
                fields[column - 1] = value + (" |" if column == len(fields) else "")
                state, target = "changed", " | ".join(fields)
            for where, old, new in rewords:
                if where == number and old in part:
                    state, target = "changed", target.replace(old, new)
            if text.endswith("（征求意见稿）"):
                state, target = "changed", text.replace("（征求意见稿）", "（征求意见稿·修改稿）")
            cases.append(Case(part, text[max(0, start - 20) : start], text[at : at + 20], number, state, target, text))
    return cases


CASES = expectations()


def verdict(case: Case, found: Anchor) -> str:
    """right, refused (no place given though there is one) or misplaced."""
    if found.block is None:
        return "right" if case.state == "deleted" else "refused"
    if case.state == "deleted":
        return "misplaced"
    home = [n for n, text in enumerate(AFTER) if case.target in text]
    if found.block not in home or (len(home) > 1 and home.index(found.block) != occurrence(case)):
        return "misplaced"
    start = AFTER[found.block].index(case.target)
    shared = min(found.end or 0, start + len(case.target)) - max(found.start or 0, start)
    spread = max(found.end or 0, start + len(case.target)) - min(found.start or 0, start)
    return "right" if shared >= 0.8 * spread else "misplaced"


def occurrence(case: Case) -> int:
    """Headings such as 1. 总体情况 stand more than once: the same one in order is meant."""
    return [n for n, text in enumerate(BEFORE) if case.quote in text].index(case.block)


def test_r11_every_sentence_of_the_first_draft_is_recovered_or_honestly_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    began = time.process_time()
    found = [reanchor(c.quote, c.prefix, c.suffix, c.block, BEFORE, AFTER) for c in CASES]
    spent = time.process_time() - began
    verdicts = [verdict(case, anchor) for case, anchor in zip(CASES, found, strict=True)]
    states = Counter((case.state, str(anchor.state)) for case, anchor in zip(CASES, found, strict=True))
    recoverable = [v for case, v in zip(CASES, verdicts, strict=True) if case.state != "deleted"]
    recovered = recoverable.count("right") / len(recoverable)
    wrong = [
        (case.state, case.quote, case.target, anchor, anchor.block is not None and AFTER[anchor.block])
        for case, anchor, v in zip(CASES, found, verdicts, strict=True)
        if v != "right" or anchor.state != case.state
    ]
    with capsys.disabled():
        print(f"\nanchors, draft 1 to 2: {len(CASES)} quotations, {recovered:.1%} of {len(recoverable)} recovered,")
        print(f"  {verdicts.count('misplaced')} misplaced, states (true, given) {dict(states)}, {spent:.2f} s")
        for line in wrong:
            print("  ", *line)
    assert verdicts.count("misplaced") == 0
    assert recovered >= 0.95
    assert sum(count for (true, given), count in states.items() if true == given) >= 0.97 * len(CASES)


def test_r11_the_reworded_clause_itself_is_found_as_changed() -> None:
    for edit in EDITS:
        if edit["kind"] != "reword_sentence":
            continue
        block = IDS[edit["para_id_v1"]]
        found = reanchor(edit["before"], "", "", block, BEFORE, AFTER)
        if edit["before"] in edit["after"]:
            assert found.state == "exact", edit["id"]
        else:
            assert found.state == "changed", edit["id"]
        assert found.block is not None
        words = AFTER[found.block][found.start : found.end]
        assert words in edit["after"] or edit["after"] in words or words[:4] in edit["after"], (edit["id"], words)


def test_a_quotation_is_placed_by_its_surroundings() -> None:
    text = "区经委负责，区科委配合；区经委按季度通报。"
    placed = place_quote(text, Quote("区经委", prefix="配合；", suffix="按季度"))
    assert placed is not None
    assert (placed.start, placed.end, placed.unique) == (12, 15, True)
    assert placed.quote.prefix.endswith("配合；")


def test_a_quotation_of_repeated_words_without_surroundings_says_so() -> None:
    placed = place_quote("区经委负责，区科委配合；区经委按季度通报。", Quote("区经委"))
    assert placed is not None
    assert (placed.start, placed.unique) == (0, False)
    hinted = place_quote("区经委负责，区科委配合；区经委按季度通报。", Quote("区经委", start=11))
    assert hinted is not None
    assert (hinted.start, hinted.unique) == (12, True)


@pytest.mark.parametrize("quoted", ["完成 30%，\n其余", "完成30％,其余", "完成３０%，其余", "完成\u200b30%，其余"])
def test_white_space_and_width_do_not_matter_when_a_quotation_is_placed(quoted: str) -> None:
    text = "已完成30%，其余同步实施。"
    placed = place_quote(text, Quote(quoted))
    assert placed is not None
    assert text[placed.start : placed.end] == "完成30%，其余"
    assert placed.quote.exact == "完成30%，其余"


def test_offsets_count_code_points_after_nfc() -> None:
    placed = place_quote("cafe\u0301的𠮷野家很好", Quote("𠮷野家"))
    assert placed is not None
    assert (placed.start, placed.end) == (5, 8)


@pytest.mark.parametrize("quoted", ["完成40%", "其余同步实施。再看", "没有的话"])
def test_words_that_are_not_in_the_block_are_refused(quoted: str) -> None:
    assert place_quote("已完成30%，其余同步实施。", Quote(quoted)) is None


def test_a_changed_figure_is_never_called_exact() -> None:
    before, after = ["断头路清单36条，打通22条。"], ["断头路清单36条，打通20条。"]
    found = reanchor("打通22条", "36条，", "。", 0, before, after)
    assert found.state == "changed"
    assert after[0][found.start : found.end] == "打通20条"


def test_one_of_two_neighbouring_twins_gone_is_ambiguous() -> None:
    before = ["甲段先说。", "按季度通报进展情况。", "按季度通报进展情况。", "乙段后说。"]
    after = ["甲段先说。", "按季度通报进展情况。", "乙段后说。"]
    assert reanchor("按季度通报进展情况。", "", "", 1, before, after).state == "ambiguous"
    assert reanchor("按季度通报进展情况。", "", "", 2, before, after).state == "ambiguous"


def test_a_twin_elsewhere_is_not_taken_for_a_deleted_paragraph() -> None:
    twin = "区经委按季度通报进展。"
    before = ["一、经济", twin, "二、交通", "区交通委管道路。", twin, "三、其他"]
    after = ["一、经济", "二、交通", "区交通委管道路。", "区经委按季度通报进展。", "三、其他"]
    assert reanchor("区经委按季度通报进展。", "", "", 1, before, after).state == "deleted"
    assert reanchor("区经委按季度通报进展。", "", "", 4, before, after).block == 3


def test_an_empty_quotation_stands_for_the_whole_block() -> None:
    before, after = ["甲。", "乙方案分三步走。"], ["新。", "甲。", "乙方案分三步走。"]
    found = reanchor("", "", "", 1, before, after)
    assert (found.state, found.block, found.start, found.end) == ("exact", 2, 0, 8)


def test_words_that_were_never_in_the_block_are_not_guessed_at() -> None:
    assert reanchor("别处的话", "", "", 0, ["这里的话。"], ["这里的话，别处的话。"]).state == "ambiguous"
    with pytest.raises(IndexError):
        reanchor("甲", "", "", 3, ["甲"], ["甲"])


def test_four_hundred_blocks_and_a_thousand_quotations_take_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    before = [f"第{n}段说明事项{n * 7}，由第{n % 13}组负责。完成情况{n * 3}项，其余{n + 5}项待办。" for n in range(400)]
    after = [text.replace("其余", "剩余的") if n % 5 == 0 else text for n, text in enumerate(before) if n % 11]
    began = time.process_time()
    for n in range(1000):
        block = n % 400
        reanchor(before[block][:18], "", before[block][18:30], block, before, after)
    spent = time.process_time() - began
    with capsys.disabled():
        print(f"\nanchors, 400 blocks and 1,000 quotations: {spent:.2f} s of CPU")
    assert spent < 8
