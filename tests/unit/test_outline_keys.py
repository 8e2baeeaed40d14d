"""Addresses survive a new version: section and block keys follow the words, not the numbers (R-11)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.domain.outline import ImportedDraft, SourcePiece, assemble, carry_keys
from consult.domain.outline import split_lines as lines
from consult.domain.outline_model import PREAMBLE_KEY
from consult.gateways.draft_import import read_draft

PLAN = Path(__file__).parents[1] / "data" / "plan"


def draft(text: str) -> ImportedDraft:
    return assemble(lines(text))


def keys(one: ImportedDraft) -> dict[str, str]:
    return {section.title or section.label: section.key for section in one.sections}


@pytest.fixture(scope="module")
def versions() -> tuple[ImportedDraft, ImportedDraft]:
    first = read_draft(PLAN / "draft_v1.md", "draft_v1.md")
    return first, carry_keys(first, read_draft(PLAN / "draft_v2.md", "draft_v2.md"))


def test_r11_unchanged_sections_and_blocks_of_the_second_draft_keep_their_keys(
    versions: tuple[ImportedDraft, ImportedDraft],
) -> None:
    first, second = versions
    by_key = {section.key: section for section in second.sections}
    kept = total = 0
    for section in first.sections:
        assert section.key in by_key, section.path
        texts = {block.text: block.key for block in by_key[section.key].blocks}
        for block in section.blocks:
            if block.text in texts:
                total += 1
                kept += texts[block.text] == block.key
    assert total > 90
    assert kept == total


def test_r11_renumbered_and_renamed_headings_of_the_second_draft_keep_their_keys(
    versions: tuple[ImportedDraft, ImportedDraft],
) -> None:
    first, second = versions
    before, after = keys(first), keys(second)
    assert after["城市治理精细化程度有待提升"] == before["城市治理精细化程度有待提升"]
    assert after["改革举措系统集成不足"] == before["改革举措系统集成不足"]
    assert after["完善综合交通、慢行系统和市政设施"] == before["完善综合交通和市政设施"]
    assert after["产业新旧动能转换不够快"] == before["产业发展动能转换不够快"]
    assert after["重大产业类项目"] == before["重大产业项目"]
    old = {section.key for section in first.sections}
    fresh = [section.title for section in second.sections if section.key not in old]
    assert fresh == ["社区心理与家庭支持服务供给不足", "加强意见办理和公开反馈"]


def test_r11_changed_cells_keep_the_key_of_their_row(versions: tuple[ImportedDraft, ImportedDraft]) -> None:
    first, second = versions
    names = {block.key: block.cells[1] for block in first.sections[3].blocks if block.kind == "table_row"}
    assert names == {block.key: block.cells[1] for block in second.sections[3].blocks if block.kind == "table_row"}
    assert second.section("s1-1-2") is not None


def test_r11_the_longer_half_of_a_divided_paragraph_keeps_the_key() -> None:
    whole = "家庭医生签约服务质量稳步提高，重点人群签约率达到七成以上，社区普遍开设中医馆。居民反映药品不全。"
    half = whole.index("居民")
    before = draft(f"一、概述\n{whole}\n尾声。")
    after = carry_keys(before, draft(f"一、概述\n新的开头。\n{whole[:half]}\n{whole[half:]}\n尾声。"))
    assert [(block.key, block.text[:4]) for block in after.sections[0].blocks] == [
        ("p3", "新的开头"),
        ("p1", "家庭医生"),
        ("p4", "居民反映"),
        ("p2", "尾声。"),
    ]


def test_r11_inserting_an_article_moves_numbers_and_not_keys() -> None:
    bodies = ["为了保护河道，制定本办法。", "区水务部门负责河道管理工作。", "违反本办法的，责令改正并处罚款。"]
    before = draft("\n".join(f"第{n}条 {body}" for n, body in zip("一二三", bodies, strict=True)))
    new = [bodies[0], "本办法适用于本区全部河道和湖泊。", *bodies[1:]]
    after = carry_keys(before, draft("\n".join(f"第{n}条 {body}" for n, body in zip("一二三四", new, strict=True))))
    assert [(section.label, section.key) for section in after.sections] == [
        ("第一条", "s1"),
        ("第二条", "s4"),
        ("第三条", "s2"),
        ("第四条", "s3"),
    ]


def test_r11_a_moved_section_takes_its_key_along_and_children_follow() -> None:
    before = draft("一、甲方案\n（一）目标一\n甲。\n二、乙方案\n（一）目标二\n乙。")
    after = carry_keys(before, draft("一、乙方案\n（一）目标二\n乙。\n二、甲方案\n（一）目标一\n甲。"))
    assert [(s.title, s.key, s.parent) for s in after.sections] == [
        ("乙方案", "s2", None),
        ("目标二", "s2-1", "s2"),
        ("甲方案", "s1", None),
        ("目标一", "s1-1", "s1"),
    ]


def test_keys_of_older_versions_are_never_given_again() -> None:
    before = draft("一、甲部分\n甲的正文。")
    after = carry_keys(before, draft("一、甲部分\n甲的正文。\n二、全新内容\n话。"), retired=["s2", "s3"])
    assert [section.key for section in after.sections] == ["s1", "s4"]
    more = carry_keys(before, draft("一、甲部分\n甲的正文。\n另一段全新的话语。"), retired_blocks={"s1": ["p2"]})
    assert [block.key for block in more.sections[0].blocks] == ["p1", "p3"]


WORDS = ["水系", "交通", "养老", "绿化", "教育", "产业", "住房", "文化", "安全", "数字"]
outlines = st.lists(
    st.tuples(st.sampled_from(WORDS), st.lists(st.sampled_from(WORDS), max_size=4), st.integers(0, 3)), max_size=6
)


def _draft_of(outline: list[tuple[str, list[str], int]]) -> ImportedDraft:
    rows = ["## 报告"]
    pieces = []
    number = 0
    for title, paragraphs, level in outline:
        number += 1
        pieces.append(SourcePiece(f"{title}建设", number, level=level + 1))
        for words in paragraphs:
            number += 1
            pieces.append(SourcePiece(f"推进{words}工作，{rows[0]}", number))
    pieces.append(SourcePiece("结语", number + 1, level=1))
    return assemble(pieces)


@settings(max_examples=200, deadline=None)
@given(outlines, outlines)
def test_any_two_versions_get_unique_keys_and_the_same_version_gets_its_own(
    one: list[tuple[str, list[str], int]], two: list[tuple[str, list[str], int]]
) -> None:
    first, second = _draft_of(one), _draft_of(two)
    carried = carry_keys(first, second)
    section_keys = [section.key for section in carried.sections]
    assert len(set(section_keys)) == len(section_keys)
    assert PREAMBLE_KEY not in section_keys
    assert all(len(key) <= 40 for key in section_keys)
    assert [s.heading for s in carried.sections] == [s.heading for s in second.sections]
    for section in carried.sections:
        assert section.parent is None or section.parent in section_keys
        blocks = [block.key for block in section.blocks]
        assert len(set(blocks)) == len(blocks)
    unchanged = carry_keys(first, first)
    if len({section.path for section in first.sections}) == len(first.sections):
        assert [section.key for section in unchanged.sections] == [section.key for section in first.sections]


def test_two_versions_without_a_common_word_are_told_apart_in_time() -> None:
    """2,000 sections against 2,000 others: only neighbours are compared."""
    one = [SourcePiece(f"甲{number:04d}", number, level=1) for number in range(1, 2001)]
    two = [SourcePiece(f"乙丙丁{number:04x}戊", number, level=1) for number in range(1, 2001)]
    start = time.process_time()
    carried = carry_keys(assemble(one), assemble(two))
    assert time.process_time() - start < 10
    assert len({section.key for section in carried.sections}) == 2000


def test_20000_equal_paragraphs_are_paired_in_time() -> None:
    one = assemble([SourcePiece("是。", number) for number in range(1, 20_001)])
    start = time.process_time()
    carried = carry_keys(one, one)
    assert time.process_time() - start < 10
    assert carried == one
