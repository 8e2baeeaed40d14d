"""Heading numbers, run-in titles, and the default outline."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.domain.errors import DomainError
from consult.domain.outline import DraftRefused, assemble, default_outline, find_sections, lost_characters, split_lines
from consult.domain.outline_markers import find_marker, numeral, read_title
from consult.domain.outline_texts import REFUSAL_TEXTS, WARNING_TEXTS, refusal_sentence
from consult.gateways.draft_import.numbering import chinese_number, number_text


@given(st.integers(1, 999))
def test_chinese_numbers_read_back_as_themselves(value: int) -> None:
    assert numeral(chinese_number(value)) == value


@pytest.mark.parametrize(
    ("line", "kind", "number", "label"),
    [
        ("第一章  总则", "chapter", 1, "第一章"),
        ("第 十二 章 附则", "chapter", 12, "第十二章"),
        ("第二十一条 为了", "article", 21, "第二十一条"),
        ("第四条之一 另有规定", "article", 4, "第四条之一"),
        ("第三节 管理", "division", 3, "第三节"),
        ("第二部分 任务", "part", 2, "第二部分"),
        ("一、进展", "cn", 1, "一、"),
        ("十二、其他", "cn", 12, "十二、"),
        ("（三）目标", "cn_paren", 3, "（三）"),
        ("(三)目标", "cn_paren", 3, "(三)"),
        ("㈡目标", "cn_paren", 2, "㈡"),
        ("1.总体", "arabic", 1, "1."),
        ("2、总体", "arabic", 2, "2、"),
        ("３．总体", "arabic", 3, "３．"),
        ("（1）海塘", "arabic_paren", 1, "（1）"),
        ("2.1 道路", "dec2", 1, "2.1"),
        ("①海塘", "circled", 1, "①"),
        ("附件3", "annex", 3, "附件3"),
    ],
)
def test_a_number_at_the_start_of_a_line_is_read(line: str, kind: str, number: int, label: str) -> None:
    found = find_marker(line)
    assert found is not None
    assert (found.kind, found.number, found.label) == (kind, number, label)


@pytest.mark.parametrize(
    "line",
    [
        "第二十条规定的职责",
        "第三条、第四条",
        "一是坚持突出重点。",
        "一、二级保护动物",
        "2.5亿元的资金",
        "120.14平方公里",
        "37.7％",
        "2023.6",
        "2023年6月30日",
        "十四五规划",
        "",
    ],
)
def test_what_only_looks_like_a_number_of_a_heading_is_left_alone(line: str) -> None:
    assert find_marker(line) is None


@pytest.mark.parametrize(
    ("line", "title", "body"),
    [
        ("1.总体目标。力争到期末建成。", "总体目标", "力争到期末建成。"),
        ("（3）骨干（市、区管）河道整治。整治66公里。", "骨干（市、区管）河道整治", "整治66公里。"),
        ("（一）加强领导，落实责任。各部门配合。", "加强领导，落实责任", "各部门配合。"),
        (
            "（二）深化农业供给侧结构性改革，推动农业农村高质量发展。优化布局。",
            "深化农业供给侧结构性改革，推动农业农村高质量发展",
            "优化布局。",
        ),
        ("（一）总体目标：到2025年，基本建成网络，覆盖全部街镇，满意度提高。", "总体目标", None),
        ("1.提升能力，建设专家库，定期开展评价。加大监管力度。", None, None),
        ("（1）完成水文测报站网升级改造。", None, None),
        ("（一）强化体系建设，保障防汛安全", "强化体系建设，保障防汛安全", ""),
        ("二、附\u3000则", "附则", ""),
        ("1. 案例一：老厂房变身科创街区", "案例一：老厂房变身科创街区", ""),
        ("第一条（目的）\u3000为了保护。", "目的", "为了保护。"),
        ("第二条 本规定适用于本区。", None, "本规定适用于本区。"),
    ],
)
def test_a_title_ends_where_the_source_ends_it(line: str, title: str | None, body: str | None) -> None:
    marker = find_marker(line)
    assert marker is not None
    found = read_title(line, marker, body_follows=False)
    assert found.text == title
    if body is not None:
        assert line[found.end :].strip() == body


def test_levels_are_depths_of_this_document() -> None:
    text = "第一章 甲\n第一条 一。\n第二章 乙\n第一节 丙\n第二条 二。\n第三章 丁\n第三条 三。"
    assert find_sections(text) == [
        ("第一章", "甲", 1),
        ("第一条", None, 2),
        ("第二章", "乙", 1),
        ("第一节", "丙", 2),
        ("第二条", None, 3),
        ("第三章", "丁", 1),
        ("第三条", None, 2),
    ]


def test_a_gap_or_a_repeat_in_the_numbers_is_kept_and_warned_about_by_line() -> None:
    draft = assemble(split_lines("一、甲部分\n话。\n三、丙部分\n话。\n三、丁部分\n话。"))
    assert [section.title for section in draft.sections] == ["甲部分", "丙部分", "丁部分"]
    assert [(one.line, one.code) for one in draft.warnings] == [(3, "numbering_gap"), (5, "numbering_repeat")]


def test_documents_that_put_arabic_numbers_above_chinese_brackets_are_read_too() -> None:
    text = "评估报告\n1.甲部分\n（一）子一\n话。\n（二）子二\n话。\n2.乙部分\n（一）子三\n话。"
    assert [(label, level) for label, _, level in find_sections(text)] == [
        ("1.", 1),
        ("（一）", 2),
        ("（二）", 2),
        ("2.", 1),
        ("（一）", 2),
    ]


def test_a_foreword_is_a_section_beside_the_numbered_ones() -> None:
    text = "清河区规划\n前　言\n话。\n第一章 甲\n一、乙\n话。\n结语\n话。"
    assert find_sections(text) == [
        ("", "前言", 1),
        ("第一章", "甲", 1),
        ("一、", "乙", 2),
        ("", "结语", 1),
    ]


def test_a_second_document_after_the_first_begins_its_numbers_again() -> None:
    text = "一、请报名\n话。\n二、请准时\n话。\n清河区评估办法\n一、总体要求\n话。\n二、工作安排\n话。"
    assert [title for _, title, _ in find_sections(text)] == ["请报名", "请准时", "总体要求", "工作安排"]


LINES = [
    "一、进展情况", "二、问题分析", "（一）目标", "（二）任务", "1.总体。力争建成。", "2.主要指标",
    "（1）完成；", "注：1.数据", "第一章 总则", "第一条 为了保护。", "第二条规定的", "目录", "附件1",
    "附件：1.名单", "专栏1 工程", "2024年5月1日", "", "区政府办公室", "清河区评估报告", "====", "标题：甲",
    "甲\t乙\t丙", "—— 一段话。", "1.1 背景", "1 概述", "①甲", "………… 3",
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=30))
def test_r12_whatever_the_lines_no_character_is_lost(rows: list[str]) -> None:
    text = "\n".join([*rows, "结束。"])
    draft = assemble(split_lines(text))
    assert not lost_characters(text, draft)
    levels = [section.level for section in draft.sections]
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    keys = [section.key for section in draft.sections]
    assert len(set(keys)) == len(keys)


def test_r110_the_default_outline_is_that_of_annex_5() -> None:
    outline = default_outline()
    assert [(one.level, one.label, one.title) for one in outline.sections] == [
        (1, "一、", "进展情况"),
        (2, "（一）", "目标指标进展"),
        (2, "（二）", "主要任务进展"),
        (2, "（三）", "典型案例剖析"),
        (2, "（四）", "重大项目进展"),
        (1, "二、", "趋势和问题分析"),
        (2, "（一）", "环境趋势分析"),
        (2, "（二）", "问题原因分析"),
        (1, "三、", "思路举措"),
        (2, "（一）", "发展思路"),
        (2, "（二）", "下一步工作举措"),
        (1, "四、", "调整方案"),
    ]
    assert [one.key for one in outline.sections][:3] == ["s1", "s1-1", "s1-2"]


def test_a_refusal_is_a_coded_error_with_one_sentence() -> None:
    refusal = DraftRefused("paragraph_too_long", 12, length=30_000, limit=20_000)
    assert isinstance(refusal, DomainError)
    assert refusal_sentence(refusal) == "第12行（段）：这一段有 30000 个字，超过 20000 个，请分段后再导入。"
    for text in [*REFUSAL_TEXTS.values(), *WARNING_TEXTS.values()]:
        assert text.endswith("。")
        assert "！" not in text


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (12, "chineseCountingThousand", "十二"),
        (20, "japaneseCounting", "二十"),
        (103, "chineseCounting", "一百零三"),
        (3, "decimalEnclosedCircleChinese", "③"),
        (4, "upperRoman", "IV"),
        (28, "lowerLetter", "bb"),
        (7, "decimalZero", "07"),
        (12, "decimalFullWidth", "１２"),
        (5, "unheardOf", "5"),
    ],
)
def test_automatic_numbers_are_shown_as_word_shows_them(value: int, form: str, shown: str) -> None:
    assert number_text(value, form) == shown
