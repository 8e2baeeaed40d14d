"""Every template: it compiles, carries nothing inline, and says what people read through the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, StrictUndefined, meta, nodes

from consult.db import Store
from tests.support.factories import make_comment
from tests.support.staff_site import fill, signed_in, site_on

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
NAMES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
HAN = re.compile(r"[\u4e00-\u9fff]")
INLINE = re.compile(r"<style|\sstyle\s*=|\son[a-z]{3,}\s*=|javascript:|<script(?![^>]*\ssrc=)", re.IGNORECASE)
_JINJA = re.compile(r"\{[%#{].*?[%#}]\}", re.DOTALL)
_TRANSLATES = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
ROLES = ("reviewer", "moderator", "jtw_officer", "jtw_leader", "signer", "supervisor", "sysadmin", "auditor")


_PICTURE = re.compile(r'<svg[^>]*aria-hidden="true".*?</svg>', re.DOTALL)


def source(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def words_of(name: str) -> str:
    """The source without its drawn pictures: the characters of the seal are a picture, hidden from readers."""
    return _PICTURE.sub("", source(name))


def environment() -> Environment:
    made = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    return made


def spoken(node: nodes.Node, *, translated: bool = False) -> Iterator[str]:
    """Chinese a template holds outside the calls that translate it."""
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in _TRANSLATES:
        translated = True
    if not translated:
        if isinstance(node, nodes.TemplateData) and HAN.search(node.data):
            yield node.data.strip()
        if isinstance(node, nodes.Const) and isinstance(node.value, str) and HAN.search(node.value):
            yield node.value
    for child in node.iter_child_nodes():
        yield from spoken(child, translated=translated)


@pytest.fixture
def app(store: Store, tmp_path: Path) -> Iterator[Flask]:
    with site_on(store) as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_no_template_carries_style_script_or_handlers_of_its_own(name: str) -> None:
    assert not INLINE.findall(_JINJA.sub("", source(name)))


@pytest.mark.parametrize("name", NAMES)
def test_every_chinese_word_of_a_template_goes_through_the_catalogue(name: str) -> None:
    assert not list(spoken(environment().parse(words_of(name))))


def test_untranslated_words_and_inline_styles_would_be_noticed() -> None:
    parsed = environment().parse('<p title="提示">正文</p>{{ field("姓名") }}{{ _("说明%(n)s", n="不算") }}')
    assert len(list(spoken(parsed))) == 2
    for bad in ('<p style="x">', "<a onclick='x'>", "<script>", '<STYLE media="x">', '<a href="javascript:x">'):
        assert INLINE.search(bad), bad
    assert not INLINE.search('<script src="/static/js/quote.js" defer></script>')


def test_every_template_compiles_in_the_application_and_finds_what_it_includes(app: Flask) -> None:
    known = set(NAMES)
    for name in NAMES:
        app.jinja_env.get_template(name)
        wanted = meta.find_referenced_templates(environment().parse(source(name)))
        assert {one for one in wanted if one} <= known, name


def test_every_staff_page_without_a_number_in_its_address_renders_strictly(app: Flask, store: Store) -> None:
    """A page an account may open is drawn without one unknown name; a page it may not open answers 403."""
    world = fill(store)
    with store.writing() as session:
        refs = [make_comment(session, world).receipt_no for _ in range(3)]
    app.jinja_env.undefined = StrictUndefined
    plain = sorted(
        str(rule)
        for rule in app.url_map.iter_rules()
        if str(rule).startswith("/staff/") and "GET" in (rule.methods or ()) and not rule.arguments
    )
    assert len(plain) >= 5
    drawn: set[str] = set()
    for role in ROLES:
        browser = signed_in(app, role)
        for path in (*plain, f"/staff/comments/{refs[0]}"):
            answer = browser.get(path)
            assert answer.status_code in {200, 303, 403, 404}, (role, path, answer.status_code)
            if answer.status_code == 200:
                drawn.add(path)
                assert not INLINE.search(answer.text), (role, path)
    unseen = set(plain) - drawn - {"/staff/sign-in"}
    assert not unseen, f"nobody could open {unseen}"
