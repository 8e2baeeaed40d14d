"""Reading drafts: the demonstration plan, text, Markdown and HTML of our own, and real documents where present."""

from __future__ import annotations

import csv
import json
from difflib import SequenceMatcher
from pathlib import Path

import pytest

import consult
from consult.domain.outline import DraftRefused, ImportedDraft, lost_characters, visible_length
from consult.gateways.draft_import import label_sections, read_draft
from consult.gateways.draft_import.plain import with_loss_warning

DATA = Path(__file__).parents[1] / "data"
DRAFTS = DATA / "drafts"
DEMO = Path(consult.__file__).parent / "demo_data"
REAL = Path(__file__).parents[3] / "shared" / "real_docs"
EXPECTED = json.loads((DRAFTS / "expected.json").read_text(encoding="utf-8"))


def demo(name: str) -> ImportedDraft:
    return read_draft(DATA / "plan" / name, name)


def tree(draft: ImportedDraft) -> list[tuple[str, str, int, str]]:
    return [(one.key, one.heading, one.level, one.path) for one in draft.sections]


# -- the demonstration draft ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["draft_v1.md", "draft_v1.docx"])
def test_the_demonstration_draft_has_54_sections_as_sections_csv_names_them(name: str) -> None:
    with (DEMO / "sections.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [(row["heading"], int(row["level"]), row["path"]) for row in csv.DictReader(file)]
    draft = demo(name)
    assert len(rows) == 54
    assert [(heading, level, path) for _, heading, level, path in tree(draft)] == rows
    assert draft.title == "闵行区“十四五”规划实施中期评估报告（征求意见稿）"
    assert [block.kind for block in draft.preamble] == ["quote", "paragraph", "paragraph"]
    assert draft.warnings == ()


def test_word_and_markdown_give_the_same_draft_block_by_block() -> None:
    markdown, word = demo("draft_v1.md"), demo("draft_v1.docx")
    assert tree(markdown) == tree(word)
    for left, right in zip(markdown.sections, word.sections, strict=True):
        assert [(b.key, b.kind, b.text, b.cells) for b in left.blocks] == [
            (b.key, b.kind, b.text, b.cells) for b in right.blocks
        ]


def test_r111_r114_the_22_indicators_are_rows_with_their_targets_as_text() -> None:
    section = demo("draft_v1.docx").sections[3]
    rows = [block for block in section.blocks if block.kind == "table_row"]
    assert [block.key for block in rows] == [f"t1r{number}" for number in range(1, 23)]
    assert {block.header[5] for block in rows} == {"2025年目标"}
    targets = [block.cells[5] for block in rows]
    assert targets[0] == "5以上"
    assert targets[9] == "完成市政府下达目标"
    assert targets[21] == "控制在0.016以内"


def test_keys_are_ascii_short_and_unique() -> None:
    draft = demo("draft_v2.md")
    keys = [section.key for section in draft.sections]
    assert len(set(keys)) == len(keys)
    assert all(key.isascii() and key.replace("-", "").isalnum() and len(key) <= 40 for key in keys)
    for section in draft.sections:
        blocks = [block.key for block in section.blocks]
        assert len(set(blocks)) == len(blocks)


def test_the_packaged_demonstration_data_is_complete() -> None:
    names = {path.name for path in DEMO.iterdir()}
    assert {
        "draft_v1.md", "draft_v1.docx", "draft_v2.md", "sections.csv", "units.csv", "items.csv", "fixes.csv",
        "comments_demo.jsonl",
    } <= names  # fmt: skip


# -- documents of our own ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", EXPECTED)
def test_headings_of_our_own_documents_are_recognised(name: str) -> None:
    draft = read_draft(DRAFTS / name, name)
    assert draft.title == EXPECTED[name]["title"]
    found = [[one.label, one.title, one.level] for one in draft.sections]
    assert found == EXPECTED[name]["sections"]
    assert [one.code for one in draft.warnings] == EXPECTED[name]["warnings"]


@pytest.mark.parametrize("name", EXPECTED)
def test_r12_no_character_of_our_own_documents_is_lost_and_their_order_stays(name: str) -> None:
    source = (DRAFTS / name).read_text(encoding="utf-8")
    draft = read_draft(DRAFTS / name, name)
    assert not lost_characters(source, draft)
    wanted = "".join(source.split())
    for text in draft.set_aside:
        wanted = wanted.replace("".join(text.split()), "", 1)
    shown = [draft.title] + [b.text for b in draft.preamble]
    for section in draft.sections:
        shown += [section.heading, *(b.text for b in section.blocks)]
    have = "".join("".join(shown).split())
    assert sorted(have) == sorted(wanted)
    if not any(block.kind == "note" for block in draft.preamble):
        assert have == wanted


def test_lost_characters_are_counted_when_something_is_missing() -> None:
    draft = read_draft("一、概述\n完成62.5%。".encode(), "a.txt")
    assert lost_characters("一、概述\n完成62.75%。", draft) == {"7": 1}
    assert with_loss_warning("一、概述甲", draft).warnings[-1].code == "characters_lost"


def test_a_text_in_gb18030_is_read_and_that_is_said() -> None:
    draft = read_draft("一、概述\n完成四项，𠮷祥里小区。".encode("gb18030"), "草案.TXT")
    assert draft.sections[0].blocks[0].text == "完成四项，𠮷祥里小区。"
    assert [one.code for one in draft.warnings] == ["read_as_gb18030"]


def test_markdown_keeps_emphasis_lists_quotations_links_and_shows_html_as_words() -> None:
    source = (
        "# 评估报告\n\n## 一、概述\n\n完成**四项**，见[网站](https://example.gov.cn/a?b=1&c=2)和[坏](javascript:x)。\n\n"
        "1. 第一件\n2. 第二件\n   - 细目\n\n> 引用的话\n\n<script>alert(1)</script>\n\n![图一](a.png)\n"
    )
    draft = read_draft(source.encode(), "a.md")
    blocks = draft.sections[0].blocks
    assert [(block.kind, block.text) for block in blocks] == [
        ("paragraph", "完成四项，见网站和[坏](javascript:x)。"),
        ("list_item", "1. 第一件"),
        ("list_item", "2. 第二件"),
        ("list_item", "细目"),
        ("quote", "引用的话"),
        ("paragraph", "<script>alert(1)</script>"),
        ("image", "图一"),
    ]
    assert blocks[0].html.startswith(
        '完成<strong>四项</strong>，见<a href="https://example.gov.cn/a?b=1&amp;c=2">网站</a>'
    )
    assert blocks[5].html == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert draft.title == "评估报告"
    assert [(one.line, one.code) for one in draft.warnings] == [(15, "image")]


def test_markdown_without_headings_is_read_as_a_text() -> None:
    draft = read_draft("清河区评估报告\n\n一、概述\n正文一。\n\n1. 道路\n\n2. 桥梁\n".encode(), "a.md")
    assert [(one.label, one.title) for one in draft.sections] == [("一、", "概述"), ("1.", "道路"), ("2.", "桥梁")]


def test_articles_below_styled_chapters_are_sections_of_their_own() -> None:
    source = (
        "---\ntitle: 登记\n---\n# 河道公园管理办法\n\n2024年3月5日通过\n\n<!-- INFO END -->\n\n"
        "## 第一章　总则\n\n第一条　为了保护。\n\n"
        "第二条　（适用范围）适用于本区。\n\n第三条规定的职责。\n\n"
        "第三条　部门负责：\n\n（一）规划；\n\n## 第二章　附则\n\n第四条　施行。\n"
    )
    draft = read_draft(source.encode(), "a.md")
    assert [(one.label, one.title, one.level, one.line) for one in draft.sections] == [
        ("第一章", "总则", 1, 10),
        ("第一条", None, 2, 12),
        ("第二条", "适用范围", 2, 14),
        ("第三条", None, 2, 18),
        ("第二章", "附则", 1, 22),
        ("第四条", None, 2, 24),
    ]
    assert [block.text for block in draft.sections[3].blocks] == ["部门负责：", "（一）规划；"]
    assert draft.set_aside == ("title: 登记", "<!-- INFO END -->")
    assert [block.text for block in draft.preamble] == ["2024年3月5日通过"]
    assert draft.warnings == ()


def test_html_gives_headings_rows_and_words_and_drops_scripts() -> None:
    source = (
        "<html><head><title>x</title><script>var 秘='1'</script></head><body><h1>评估报告</h1><h2>一、概述</h2>"
        "<p>完成<b>四项</b>，<a href='javascript:x'>详</a>。</p><ul><li>甲</li><li>乙</li></ul>"
        "<table><tr><th>类别</th><th>指标</th><th>目标</th></tr>"
        "<tr><td rowspan=2>经济</td><td>总值</td><td>5以上</td></tr>"
        "<tr><td>投资</td><td>600</td></tr></table><p>尾。</p></body></html>"
    )
    draft = read_draft(source.encode(), "a.htm")
    assert draft.title == "评估报告"
    blocks = draft.sections[0].blocks
    assert [(b.kind, b.text.replace("\t", "|")) for b in blocks] == [
        ("paragraph", "完成四项，详。"),
        ("list_item", "甲"),
        ("list_item", "乙"),
        ("table_head", "类别|指标|目标"),
        ("table_row", "经济|总值|5以上"),
        ("table_row", "|投资|600"),
        ("paragraph", "尾。"),
    ]
    assert blocks[0].html == "完成<strong>四项</strong>，详。"
    assert {one.code for one in draft.warnings} == {"merged_cells"}


def test_a_file_that_cannot_be_opened_is_refused_plainly(tmp_path: Path) -> None:
    with pytest.raises(DraftRefused) as caught:
        read_draft(tmp_path / "没有.txt", "没有.txt")
    assert caught.value.code == "file_unreadable"


def test_label_sections_writes_one_line_per_document_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text("一、概述\n正文。", encoding="utf-8")
    (tmp_path / "a.md").write_text("# 报告\n\n## 概述\n\n正文。", encoding="utf-8")
    (tmp_path / "c.docx").write_bytes(b"PK\x03\x04broken")
    (tmp_path / "d.json").write_text("{}", encoding="utf-8")
    assert list(label_sections(tmp_path)) == [
        {"file": "a.md", "sections": [{"label": None, "title": "概述", "level": 1}]},
        {"file": "b.txt", "sections": [{"label": "一、", "title": "概述", "level": 1}]},
        {"file": "c.docx", "sections": [], "refused": "not_a_docx"},
    ]


# -- real documents ---------------------------------------------------------------------------------


def real_documents() -> list[dict[str, object]]:
    gold = REAL / "structure_gold.json"
    if not gold.exists():
        return []
    documents: list[dict[str, object]] = json.loads(gold.read_text(encoding="utf-8"))["documents"]
    return documents


needs_real = pytest.mark.skipif(not real_documents(), reason="../shared/real_docs is not here")


@needs_real
def test_at_least_nine_in_ten_sections_of_real_documents_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    labelled = {str(one["file"]): one["sections"] for one in label_sections(REAL)}
    total = right = invented = 0
    for gold in real_documents():
        wanted = [(s["label"], s["title"], s["level"]) for s in gold["sections"]]  # type: ignore[attr-defined]
        found = [(s["label"], s["title"], s["level"]) for s in labelled[str(gold["file"])]]  # type: ignore[attr-defined]
        same = sum(run.size for run in SequenceMatcher(None, wanted, found, autojunk=False).get_matching_blocks())
        total, right, invented = total + len(wanted), right + same, invented + len(found) - same
    with capsys.disabled():
        print(
            f"\nsections of real documents: {right} of {total} found, {right / total:.1%}; {invented} not in the gold"
        )
    assert right / total >= 0.9
    assert invented <= total * 0.05


@needs_real
@pytest.mark.parametrize("gold", real_documents(), ids=lambda one: str(one["file"]))
def test_r12_real_documents_keep_every_character_where_the_gold_counts_it(gold: dict[str, object]) -> None:
    name = str(gold["file"])
    draft = read_draft(REAL / name, name)
    assert draft.title == gold["doc_title"]
    preamble = visible_length(draft.title) + sum(visible_length(block.text) for block in draft.preamble)
    counts = [
        visible_length(section.heading) + sum(visible_length(block.text) for block in section.blocks)
        for section in draft.sections
    ]
    assert preamble == gold["preamble_chars"]
    assert preamble + sum(counts) == gold["total_chars"]
    assert counts == [section["chars"] for section in gold["sections"]]  # type: ignore[attr-defined]
    assert not lost_characters((REAL / name).read_text(encoding="utf-8"), draft)


@needs_real
def test_the_seed_notice_is_read_with_its_annexes_and_its_lost_digits_as_they_are() -> None:
    path = REAL.parent / "seed" / "minhang_midterm_evaluation_notice.txt"
    draft = read_draft(path, path.name)
    top = [one.title for one in draft.sections if one.level == 1]
    assert top[:6] == ["总体要求", "评估范围和重点", "评估方法", "责任分工", "进度安排", "工作要求"]
    assert [one.label for one in draft.sections if one.label.startswith("附件")] == [f"附件{n}" for n in range(1, 7)]
    assert "〔20239" in "".join(draft.texts())
    assert not lost_characters(path.read_text(encoding="utf-8"), draft)
