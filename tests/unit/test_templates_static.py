"""Every page template with sample data under strict rendering, and the weight of what pages link."""

from __future__ import annotations

import functools
import gzip
import importlib.util
import itertools
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from lxml import html
from markupsafe import Markup

ROOT = Path(__file__).resolve().parents[2]
OWN = ("layouts", "components", "public", "errors")
HAN = re.compile(r"[\u4e00-\u9fff]")


def _load() -> ModuleType:
    scripts = str(ROOT / "scripts")
    sys.path.insert(0, scripts)
    try:
        spec = importlib.util.spec_from_file_location("preview_pages", ROOT / "scripts" / "preview_pages.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(scripts)
    return module


preview = _load()
SAMPLES: dict[str, tuple[str, dict[str, Any]]] = preview.pages()


@functools.cache
def _html(name: str, **prefs: str) -> str:
    template, context = SAMPLES[name]
    text: str = preview.environment(**prefs).get_template(template).render(**context)
    return text


def _tree(name: str) -> Any:
    return html.document_fromstring(_html(name))


def _templates(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / "templates" / folder).glob("*.html"))]


def _gz(paths: set[str]) -> int:
    return sum(len(gzip.compress((ROOT / path.lstrip("/")).read_bytes(), 9, mtime=0)) for path in paths)


def test_every_public_and_error_template_has_a_sample() -> None:
    shown = {template for template, _ in SAMPLES.values()}
    assert shown == {str(path.relative_to(ROOT / "templates")) for path in _templates("public", "errors")}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_has_one_heading_one_main_and_nothing_inline(name: str) -> None:
    tree = _tree(name)
    assert len(tree.xpath("//h1")) == 1
    assert tree.xpath("//main[@id='main']")
    assert tree.xpath("//body/*")[0].get("href") == "#main", "the skip link comes first"
    assert not tree.xpath("//style | //*[@style] | //script[not(@src)]")
    assert not [key for element in tree.iter() for key in element.attrib if key.startswith("on")]
    # A canonical address is said, never fetched.
    for address in tree.xpath("//@src | //link[not(@rel='canonical')]/@href | //form/@action"):
        assert address.startswith("/"), address


@pytest.mark.parametrize("name", SAMPLES)
def test_r109_ids_are_unique_and_every_reference_has_its_target(name: str) -> None:
    tree = _tree(name)
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids)), sorted(each for each in ids if ids.count(each) > 1)
    wanted = {
        part
        for attribute in ("aria-describedby", "aria-labelledby", "for", "data-count")
        for value in tree.xpath(f"//@{attribute}")
        for part in value.split()
    }
    wanted |= {href[1:] for href in tree.xpath("//a/@href") if href.startswith("#") and len(href) > 1}
    assert wanted <= set(ids)


@pytest.mark.parametrize("name", SAMPLES)
def test_r109_every_control_has_a_label_or_words(name: str) -> None:
    tree = _tree(name)
    labelled = set(tree.xpath("//label/@for"))
    for control in tree.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        assert control.get("id") in labelled, html.tostring(control)
    for button in tree.xpath("//button | //a"):
        assert button.text_content().strip(), html.tostring(button)
    for image in tree.xpath("//img"):
        assert image.get("alt")


@pytest.mark.parametrize("name", SAMPLES)
def test_heading_levels_do_not_skip(name: str) -> None:
    levels = [int(each.tag[1]) for each in _tree(name).xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")]
    after_first = levels[levels.index(1) :]
    assert all(later - earlier <= 1 for earlier, later in itertools.pairwise(after_first)), levels


def test_r44_the_whole_notice_stands_before_the_visible_submit_button() -> None:
    tree = _tree("comment_form")
    items = tree.xpath("//section[@class='notice']//li")
    assert len(items) == 9
    notice = tree.xpath("//section[@class='notice']")[0].text_content()
    for words in ("闵行区发展和改革委员会", "021-5555 0100", "核对意见", "6 个月", "撤回公开姓名", "区经委"):
        assert words in notice
    order = list(tree.iter())
    submit = tree.xpath("//div[@class='buttons']/button[not(@name)]")[0]
    assert order.index(items[-1]) < order.index(submit)


def test_r45_both_consents_are_separate_and_unticked_at_first() -> None:
    boxes = _tree("comment_form").xpath("//input[@type='checkbox']")
    assert [box.get("name") for box in boxes] == ["consent_process", "consent_publish_name", "consent_publish_org_name"]
    assert not any(box.get("checked") for box in boxes)
    assert not _tree("comment_form").xpath("//input[@name='age_statement'][@checked]")


def test_the_form_has_every_field_of_the_contract() -> None:
    names = set(_tree("comment_form").xpath("//main//@name"))
    assert names >= {
        "section", "block", "quote", "submitter_kind", "name", "organisation", "credit_code", "contact", "email",
        "body", "age_statement", "consent_process", "consent_publish_name", "consent_publish_org_name",
        "captcha_id", "captcha_answer", "csrf_token", "step", "refresh_captcha",
    }  # fmt: skip


def test_enter_in_a_text_field_submits_and_does_not_change_the_captcha() -> None:
    first = _tree("comment_form").xpath("//main//form//button")[0]
    assert first.get("name") is None


def test_an_invalid_form_keeps_every_word_and_empties_only_the_captcha() -> None:
    tree = _tree("comment_errors")
    assert tree.xpath("//title")[0].text.startswith("有6处需要修改：")
    assert tree.xpath("//textarea[@name='body']")[0].text.strip() == "燃气管线迁移实在太慢了"
    assert tree.xpath("//select[@name='section']/option[@selected]/@value") == ["yuanyin"]
    assert tree.xpath("//input[@name='email']/@value") == ["resident@example.com"]
    assert tree.xpath("//input[@value='individual']/@checked")
    assert tree.xpath("//input[@name='captcha_answer']/@value") == [""]
    assert tree.xpath("//input[@name='name']/@aria-invalid") == ["true"]
    assert len(tree.xpath("//div[@role='alert']//a")) == 6


def test_r101_the_public_table_has_its_columns_in_order() -> None:
    heads = [each.text for each in _tree("table").xpath("//table//thead//th")]
    assert heads == ["咨询人", "意见与建议", "回复内容", "提交时间", "回复单位", "回复时间", "采纳情况", "章节"]


def test_what_a_visitor_typed_is_text_and_never_markup() -> None:
    evil = "<script>alert(1)</script>\"'&"
    env = preview.environment()
    for name in ("comment", "status", "closed"):
        template, context = SAMPLES[name]
        page = preview.S(**{**vars(context["page"]), "text": evil, "kept": (preview.S(label=evil, text=evil),)})
        text = env.get_template(template).render(**{**context, "page": page})
        assert "<script>alert" not in text
        assert str(Markup.escape(evil)) in text


def test_reading_modes_are_attributes_of_the_root_and_pressed_buttons() -> None:
    tree = html.document_fromstring(_html("home", size="xlarge", contrast="high"))
    assert tree.get("data-size") == "xlarge"
    assert tree.get("data-contrast") == "high"
    pressed = [each.text for each in tree.xpath("//form[@class='prefs']/button[@aria-pressed='true']")]
    assert pressed == ["特大字", "高对比"]


def test_message_ids_are_chinese() -> None:
    for path in _templates(*OWN):
        for message in re.findall(r"""\b_\(\s*(['"])(.*?)\1""", path.read_text(encoding="utf-8")):
            assert HAN.search(message[1]) or message[1] in set("：。、（），；"), (path.name, message[1])


@pytest.mark.parametrize("name", SAMPLES)
def test_style_sheets_and_scripts_of_a_page_keep_their_weight(name: str) -> None:
    tree = _tree(name)
    screen = set(tree.xpath("//link[@rel='stylesheet'][not(@media='print')]/@href"))
    assert _gz(screen) <= 6 * 1024, screen
    assert _gz(set(tree.xpath("//script/@src"))) <= 6 * 1024


def test_staff_pages_keep_their_weight_and_escape_the_menu() -> None:
    env = preview.environment()
    item = preview.S(label="<b>待分办</b>", url="/staff/queue", count=23, current=True)
    viewer = preview.S(name="李测", unit="区发改委", role="分办员")
    text = env.get_template("layouts/staff.html").render(menu=[item], viewer=viewer, keys="off")
    tree = html.document_fromstring(text)
    assert tree.get("data-keys") == "off"
    assert "&lt;b&gt;待分办" in text
    screen = set(tree.xpath("//link[@rel='stylesheet'][not(@media='print')]/@href"))
    assert _gz(screen) <= 7.5 * 1024


def test_style_sheets_use_nothing_that_old_browsers_drop() -> None:
    for path in sorted((ROOT / "static/css").glob("*.css")):
        text = path.read_text(encoding="utf-8")
        for word in ("@layer", ":has(", "@import", "url(", "@container"):
            assert word not in text, (path.name, word)
        inside = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
        crowded = [line for line in inside.splitlines() if line.count(";") > 1]
        assert not crowded, (path.name, crowded)
