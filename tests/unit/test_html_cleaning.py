"""The sanitising gateway: what comes out holds allowed elements only, whatever goes in."""

from __future__ import annotations

import json
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from consult.gateways.html_cleaning import (
    ALLOWED_PROTOCOLS,
    MAX_REPLY_CHARACTERS,
    REPLY_TAGS,
    SECTION_TAGS,
    MarkupRefused,
    clean_reply,
    clean_section,
)


class _Elements(HTMLParser):
    """Collects what a parser of HTML sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.other: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend((tag, name, value) for name, value in attrs)

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def handle_decl(self, decl: str) -> None:
        self.other.append(decl)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)


def assert_harmless(markup: str, allowed: frozenset[str]) -> None:
    seen = _Elements()
    seen.feed(markup)
    seen.close()
    assert set(seen.tags) <= allowed
    assert not seen.other
    for tag, name, value in seen.attributes:
        assert (tag, name) == ("a", "href")
        address = "".join((value or "").split()).lower()
        scheme = address.split(":", 1)[0] if ":" in address.split("/", 1)[0] else ""
        assert not scheme or scheme in ALLOWED_PROTOCOLS


FRAGMENTS = [
    "<p>", "</p>", "<script>", "</script>", "<svg>", "<math>", "<style>", "<img src=x onerror=alert(1)>",
    "<!--", "-->", "<a href='javascript:alert(1)'>", '<a href="https://example.gov.cn/?a=1&b=2">', "</a>",
    "<table>", "<td>", "<tr>", "<iframe src=//x>", "<a href=' java\tscript:alert(1)'>",
    "<a href='data:text/html,x'>", "<h3 onclick=x>", "<br/>", "&lt;script&gt;", "&#x3c;b&#62;", "<noscript>",
    "<textarea>", "<title>", "<template>", "<![CDATA[", "]]>", "<?php ", "<mglyph>", "<mtext>", "<form>",
    "<base href=//x>", "<meta http-equiv=refresh>", "<p style='x'>", "正文。", "\x00", "<",
]  # fmt: skip
soup = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=8)), max_size=12).map("".join)


@settings(max_examples=300, deadline=None)
@given(soup)
@example("<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>")
@example("<noscript><p title='</noscript><img src=x onerror=alert(1)>'>")
def test_whatever_goes_in_only_allowed_elements_come_out(markup: str) -> None:
    for clean, allowed in ((clean_section, SECTION_TAGS), (clean_reply, REPLY_TAGS)):
        once = clean(markup)
        assert_harmless(once, allowed)
        assert clean(once) == once


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=60))
def test_plain_words_come_out_as_they_went_in(words: str) -> None:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert clean_section(escaped) == escaped


def test_allowed_markup_stays_and_the_rest_leaves_its_words() -> None:
    markup = (
        '<h3>一</h3><div><p class="x">二<strong>三</strong></p></div><table><tbody><tr><td>四</td></tr></tbody></table>'
    )
    assert clean_section(markup) == (
        "<h3>一</h3>\n<p>二<strong>三</strong></p><table><tbody><tr><td>四</td></tr></tbody></table>"
    )
    assert clean_reply("<h3>一</h3><p>二</p>") == "一<p>二</p>"
    assert clean_section("<p>前<script>alert(1)</script>后</p>") == "<p>前后</p>"


def test_addresses_keep_only_three_protocols() -> None:
    kept = '<a href="https://example.gov.cn/a">x</a><a href="mailto:a@example.cn">y</a>'
    assert clean_section(kept) == kept
    assert clean_section('<a href="javascript:alert(1)">x</a><a href="data:text/html,y">y</a>') == "<a>x</a><a>y</a>"


def test_over_length_is_refused_before_anything_is_parsed() -> None:
    start = time.perf_counter()
    with pytest.raises(MarkupRefused) as caught:
        clean_reply("<b>" * MAX_REPLY_CHARACTERS)
    assert caught.value.code == "markup_too_long"
    assert time.perf_counter() - start < 0.5


@pytest.mark.parametrize("markup", ["<strong>" * 20_000, "<strong></x>" * 15_000, "<div><em>" * 10_000])
def test_deep_nesting_is_refused_quickly(markup: str) -> None:
    start = time.perf_counter()
    with pytest.raises(MarkupRefused) as caught:
        clean_section(markup)
    assert caught.value.code == "markup_too_deep"
    assert time.perf_counter() - start < 0.5


def test_hundreds_of_unclosed_paragraphs_are_ordinary_markup() -> None:
    assert clean_section("<p>段" * 500).count("<p>段</p>") == 500


def test_the_hostile_corpus_comes_out_harmless() -> None:
    corpus = Path(__file__).parents[3] / "shared" / "security" / "hostile_inputs.jsonl"
    if not corpus.exists():
        pytest.skip("../shared/security/hostile_inputs.jsonl is not here")
    for line in corpus.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)["input"]
        if isinstance(value, str) and len(value) <= MAX_REPLY_CHARACTERS:
            value = value.encode("utf-8", "replace").decode()
            assert_harmless(clean_reply(value), REPLY_TAGS)
            assert_harmless(clean_section(value), SECTION_TAGS)
