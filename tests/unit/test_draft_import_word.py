"""Word files: what is imported, and what a person is told to look at (issue of importing, R-12)."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from consult.domain.outline import DraftRefused, ImportedDraft, lost_characters
from consult.domain.outline_texts import WARNING_TEXTS, warning_sentence
from consult.gateways.draft_import import read_draft
from tests.support.word_documents import (
    cell,
    document,
    in_list,
    notes,
    numbering,
    paragraph,
    relationships,
    run,
    table,
)

HEADING = paragraph("一、进展情况", style="h1")


def read(*body: str, parts: Mapping[str, str | bytes] | None = None) -> ImportedDraft:
    return read_draft(document(*body, parts=parts), "评估稿.docx")


def codes(draft: ImportedDraft) -> list[tuple[int | None, str]]:
    for warning in draft.warnings:
        assert "%(" not in warning_sentence(warning)
    return [(warning.line, warning.code) for warning in draft.warnings]


def texts(draft: ImportedDraft) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for section in draft.sections for block in section.blocks]


def test_headings_come_from_styles_also_from_inherited_ones_and_from_outline_levels() -> None:
    draft = read(
        paragraph("清河区评估报告", style="t"),
        paragraph("一、进展情况", style="own"),
        paragraph("（一）指标", properties='<w:outlineLvl w:val="1"/>'),
        paragraph("正文。"),
    )
    assert draft.title == "清河区评估报告"
    assert [(one.key, one.label, one.title, one.level) for one in draft.sections] == [
        ("s1", "一、", "进展情况", 1),
        ("s1-1", "（一）", "指标", 2),
    ]
    assert draft.sections[1].path == "一、进展情况 > （一）指标"
    assert codes(draft) == []


def test_automatic_numbers_are_computed_as_shown_and_warned_about_by_paragraph() -> None:
    levels = [("chineseCountingThousand", "%1、"), ("chineseCounting", "（%2）"), ("decimal", "%3.")]
    draft = read(
        paragraph("进展情况", style="h1", properties=in_list(0)),
        paragraph("指标", style="h2", properties=in_list(1)),
        paragraph("任务", style="h2", properties=in_list(1)),
        paragraph("问题", style="h1", properties=in_list(0)),
        paragraph("原因", style="h2", properties=in_list(1)),
        paragraph("逐项说明", properties=in_list(2)),
        parts={"word/numbering.xml": numbering(levels)},
    )
    assert [one.heading for one in draft.sections] == [
        "一、进展情况",
        "（一）指标",
        "（二）任务",
        "二、问题",
        "（一）原因",
    ]
    assert texts(draft) == [("list_item", "1.逐项说明")]
    assert codes(draft) == [
        (1, "auto_number"),
        (2, "auto_number"),
        (3, "auto_number"),
        (4, "auto_number"),
        (5, "auto_number"),
        (6, "auto_number_lists"),
    ]


def test_a_style_may_bring_its_own_numbering() -> None:
    draft = read(
        paragraph("总则", style="n1"),
        paragraph("附则", style="n1"),
        parts={"word/numbering.xml": numbering([("chineseCounting", "第%1章")])},
    )
    assert [(one.label.strip(), one.title) for one in draft.sections] == [("第一章", "总则"), ("第二章", "附则")]


def test_without_heading_styles_numbers_are_recognised_and_that_is_said() -> None:
    draft = read(
        paragraph("清河区评估报告"),
        paragraph("一、进展情况"),
        paragraph("（一）总体判断。指标总体符合预期。任务全部启动。"),
    )
    assert [(one.label, one.title, one.run_in) for one in draft.sections] == [
        ("一、", "进展情况", False),
        ("（一）", "总体判断", True),
    ]
    assert codes(draft) == [(None, "no_heading_styles")]


def test_automatic_numbers_of_unstyled_paragraphs_are_recognised_too() -> None:
    draft = read(
        paragraph("进展情况", properties=in_list(0)),
        paragraph("指标总体符合预期。"),
        paragraph("问题分析", properties=in_list(0)),
        parts={"word/numbering.xml": numbering([("chineseCounting", "%1、")])},
    )
    assert [one.heading for one in draft.sections] == ["一、进展情况", "二、问题分析"]


def test_tracked_changes_are_taken_as_accepted() -> None:
    draft = read(
        HEADING,
        paragraph(
            "完成",
            '<w:del w:id="1"><w:r><w:delText>三</w:delText></w:r></w:del>',
            f'<w:ins w:id="2">{run("四")}</w:ins>',
            "项。",
        ),
    )
    assert texts(draft) == [("paragraph", "完成四项。")]
    assert codes(draft) == [(2, "tracked_changes")]


def test_comments_in_the_file_are_warned_about_and_never_imported() -> None:
    draft = read(
        HEADING,
        paragraph('<w:commentRangeStart w:id="0"/>', "完成四项。", '<w:r><w:commentReference w:id="0"/></w:r>'),
        parts={"word/comments.xml": notes("comment", {"0": "这个数不能公开"})},
    )
    assert texts(draft) == [("paragraph", "完成四项。")]
    assert codes(draft) == [(2, "comment")]
    assert "不能公开" not in "".join(draft.texts())


def test_footnotes_follow_their_paragraph_as_notes() -> None:
    draft = read(
        HEADING,
        paragraph("增长4.2%", '<w:r><w:footnoteReference w:id="2"/></w:r>', "。"),
        paragraph("下一段。"),
        parts={"word/footnotes.xml": notes("footnote", {"2": "按可比价计算。"})},
    )
    assert texts(draft) == [("paragraph", "增长4.2%。"), ("note", "按可比价计算。"), ("paragraph", "下一段。")]
    assert codes(draft) == [(2, "footnote")]


def test_text_boxes_are_read_once_although_the_file_holds_them_twice() -> None:
    box = f"<w:txbxContent>{paragraph('专栏1 重点工程')}</w:txbxContent>"
    drawing = (
        f"<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wps:txbx>{box}</wps:txbx></w:drawing>"
        f"</mc:Choice><mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
    )
    draft = read(HEADING, paragraph("正文。", drawing))
    assert texts(draft) == [("paragraph", "正文。"), ("note", "专栏1 重点工程")]
    assert codes(draft) == [(2, "text_box")]


def test_merged_cells_keep_the_text_in_the_first_and_leave_the_others_empty() -> None:
    draft = read(
        HEADING,
        table(
            ["类别", "指标", "目标"],
            [cell("经济", '<w:vMerge w:val="restart"/>'), "生产总值", "5以上"],
            [cell("<w:p/>", "<w:vMerge/>"), "固定资产投资", "5年累计600"],
            [cell("合计", '<w:gridSpan w:val="2"/>'), "2项"],
        ),
    )
    blocks = draft.sections[0].blocks
    assert [block.key for block in blocks] == ["t1h", "t1r1", "t1r2", "t1r3"]
    assert [block.cells for block in blocks[1:]] == [
        ("经济", "生产总值", "5以上"),
        ("", "固定资产投资", "5年累计600"),
        ("合计", "", "2项"),
    ]
    assert blocks[1].header == ("类别", "指标", "目标")
    assert codes(draft) == [(2, "merged_cells")]


def test_r114_targets_stay_text_exactly_as_written() -> None:
    targets = ["5以上", "完成市政府下达目标", "控制在0.016以内", "≥73％", "（86.4％）", "〔20239"]
    draft = read(HEADING, table(["指标", "目标"], *[[f"第{i}项", target] for i, target in enumerate(targets)]))
    assert [block.cells[1] for block in draft.sections[0].blocks[1:]] == targets


def test_a_boxed_column_is_a_note_and_images_and_hidden_words_are_warned_about() -> None:
    image = '<w:r><w:drawing><a:blip r:embed="r9"/></w:drawing></w:r>'
    draft = read(
        HEADING,
        table(["专栏1 重点工程"], ["建设泵站3座。"]),
        paragraph("见图。", image),
        paragraph("公开的话。", run("内部的话。", "<w:vanish/>")),
    )
    assert texts(draft) == [
        ("note", "专栏1 重点工程"),
        ("note", "建设泵站3座。"),
        ("paragraph", "见图。"),
        ("image", ""),
        ("paragraph", "公开的话。"),
    ]
    assert codes(draft) == [(2, "boxed_text"), (4, "image"), (5, "hidden_text")]


def test_a_table_in_a_cell_becomes_text_of_the_cell() -> None:
    inner = table(["甲", "乙"])
    draft = read(HEADING, table(["项目", "说明"], ["泵站", cell(paragraph("分两期：") + inner + paragraph(""))]))
    assert draft.sections[0].blocks[1].cells == ("泵站", "分两期：\n甲　乙")
    assert [code for _, code in codes(draft)] == ["nested_table"]


def test_the_table_of_contents_is_set_aside_and_counted() -> None:
    draft = read(paragraph("一、进展情况\t1", style="toc1"), HEADING, paragraph("正文。"))
    assert [one.heading for one in draft.sections] == ["一、进展情况"]
    assert draft.preamble == ()
    assert draft.set_aside == ("一、进展情况\t1",)
    assert codes(draft) == [(None, "table_of_contents")]


def test_links_to_pages_are_allowed_and_keep_their_words() -> None:
    link = f'<w:hyperlink r:id="r1">{run("区政府网站")}</w:hyperlink>'
    draft = read(
        HEADING,
        paragraph("详见", link, "。"),
        parts={"word/_rels/document.xml.rels": relationships(("hyperlink", "https://www.example.gov.cn/", "External"))},
    )
    assert texts(draft) == [("paragraph", "详见区政府网站。")]


@pytest.mark.parametrize("name", ["草案.doc", "草案.wps", "草案.rtf", "草案.docm"])
def test_old_formats_are_refused_with_advice_how_to_save(name: str) -> None:
    with pytest.raises(DraftRefused) as caught:
        read_draft(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), name)
    assert caught.value.code == "save_as_docx"


def test_an_old_or_locked_file_with_a_new_name_is_recognised_by_its_content() -> None:
    with pytest.raises(DraftRefused) as caught:
        read_draft(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "草案.docx")
    assert caught.value.code == "save_as_docx"


def test_no_warning_lacks_its_sentence_and_no_character_is_lost_in_a_mixed_document() -> None:
    source = ["一、进展情况", "（一）指标", "完成率为62.5%，其中Ⅲ类以上12处。", "第二段\u3000有全角空格。"]
    draft = read(
        paragraph(source[0], style="h1"),
        paragraph(source[1], style="h2"),
        paragraph(source[2]),
        paragraph(source[3]),
    )
    assert not lost_characters("".join(source), draft)
    assert all(warning.code in WARNING_TEXTS for warning in draft.warnings)
