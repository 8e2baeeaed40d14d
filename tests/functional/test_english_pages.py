"""The public site in English: no Chinese word that is not marked as Chinese, and no link that leaves the language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from lxml import html

from consult.db import Store
from consult.services import moves
from tests.support import casework
from tests.support.factories import NOW, make_comment
from tests.support.public_site import Site, open_site
from tests.support.visitors import Page, Visitor, form_fields

CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
SHOWN_ATTRIBUTES = ("aria-label", "alt", "title", "placeholder", "data-l", "data-label", "data-words", "data-quote")
FORM = "/en/c/gangyao/comment/"


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def untranslated(page: Page) -> list[str]:
    """Chinese text and attributes outside elements marked as Chinese; a page's `<title>` cannot be marked in part."""
    tree = html.document_fromstring(page.text)
    assert tree.get("lang") == "en", page.status
    found = []
    for element in tree.iter():
        if not isinstance(element.tag, str) or element.tag == "title":
            continue
        language = next((one.get("lang") for one in (element, *element.iterancestors()) if one.get("lang")), "")
        texts = [] if element.tag == "textarea" else [element.text]  # a textarea holds what somebody typed
        texts += [child.tail for child in element]
        texts += [element.get(name) for name in SHOWN_ATTRIBUTES]
        if not language.startswith("zh"):
            found += [f"<{element.tag}> {text.strip()}" for text in texts if text and CHINESE.search(text)]
        broken = [text for text in (*texts, *element.values()) if text and "<span" in text]
        found += [f"<{element.tag}> markup shown as text: {text}" for text in broken]
    return found


def crawl(visitor: Visitor, *start: str) -> dict[str, Page]:
    """Every page reached by links, each address once; a link that loses the prefix leads to a Chinese page."""
    found: dict[str, Page] = {}
    waiting = list(start)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = page = visitor.get(path)
        if page.status != 200 or not page.headers["content-type"].startswith("text/html"):
            continue
        for link in html.document_fromstring(page.text).xpath("//a/@href | //form/@action"):
            target = urlsplit(urljoin(path, link))
            if not target.netloc and target.path != "/en/preferences" and not target.path.startswith("/static/"):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return found


def fill(site: Site) -> None:
    """Comments that wait, are accepted, assigned and replied; one of them on a quotation."""
    with site.store.writing() as session:
        refs = [make_comment(session, site.world).receipt_no for _n in range(3)]
        refs.append(make_comment(session, site.world, block="p6", quote="优化公交线网").receipt_no)
        casework.accept(session, site.world, refs[1])
        casework.assigned(session, site.world, refs[2], co=("FGJ",))
        casework.replied(session, site.world, refs[3])
        assert moves.lock(session, refs[3], None).handling_state == "replied"


def test_every_page_reached_from_the_english_home_page_is_english(site: Site) -> None:
    fill(site)
    visitor = site.visitor()
    start = (
        "/en/",
        "/en/c/gangyao/comments/?outcome=adopted&q=公交",
        f"{FORM}?section=s3&block=p6",
    )
    pages = crawl(visitor, *start, "/en/c/gangyao/receipt/unknown/", "/en/c/nowhere/")
    assert all(path.startswith("/en/") for path in pages), [path for path in pages if not path.startswith("/en/")]
    assert {page.status for page in pages.values()} <= {200, 404}
    flaws = {
        path: untranslated(page) for path, page in pages.items() if page.headers["content-type"].startswith("text/html")
    }
    assert {path: found for path, found in flaws.items() if found} == {}
    for name in ("draft/", "draft/s3/", "comments/", "comment/", ""):
        assert pages[f"/en/c/gangyao/{name}"].status == 200
    assert len(pages) > 25


def test_commenting_and_following_a_comment_stays_english(site: Site) -> None:
    visitor = site.visitor()
    english = visitor
    shown = english.get(FORM)
    fields = form_fields(shown.text)
    refused = english.post(FORM, {**fields, "captcha_answer": "wrong"})
    assert refused.status == 422
    assert untranslated(refused) == []
    sent = {**form_fields(refused.text), **_FILLED, "captcha_answer": "test-answer"}
    checked = english.post(FORM, {**sent, "step": "check"})
    assert checked.status == 200
    assert untranslated(checked) == []
    submitted = english.post(FORM, sent)
    assert submitted.status == 303
    assert submitted.location.startswith("/en/c/gangyao/receipt/")
    receipt = english.get(submitted.location)
    assert "Thank you. We have received your comment" in receipt.text
    assert untranslated(receipt) == []
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", receipt.text)
    assert code is not None
    ref = site.newest().receipt_no
    for step in (None, casework.replied):
        if step is not None:
            with site.store.writing() as session:
                step(session, site.world, ref)
        lookup = english.get("/en/status/")
        status = english.post("/en/status/", {**form_fields(lookup.text, "code"), "code": code.group()})
        assert status.status == 200
        assert ref in status.text
        assert untranslated(status) == []


def test_the_results_page_is_english_with_and_without_comments(site: Site) -> None:
    site.change_consultation(stage="feedback_published", feedback_published_at=NOW)
    empty = site.visitor().get("/en/c/gangyao/results/")
    assert "No comments were received." in empty.text
    assert untranslated(empty) == []
    fill(site)
    page = site.visitor().get("/en/c/gangyao/results/")
    assert "Outcomes: adopted" in page.text
    assert untranslated(page) == []


def test_refusals_without_a_form_are_english(site: Site) -> None:
    visitor = site.visitor()
    for page in (
        visitor.get("/en/c/nowhere/"),
        visitor.ask("POST", "/en/help/"),
        visitor.post("/en/status/", {"code": "x"}),
        visitor.post(FORM, {"body": "x" * 200_000}),
        visitor.ask("POST", "/en/preferences", **{"Sec-Fetch-Site": "cross-site"}),
    ):
        assert page.status >= 400
        assert untranslated(page) == []


def test_outside_the_period_the_page_is_english(site: Site) -> None:
    site.change_consultation(ends_on=site.world_day(-1))
    page = site.visitor().get(FORM)
    assert "The consultation has closed" in page.text
    assert untranslated(page) == []


def test_settings_and_new_captchas_keep_the_language(site: Site) -> None:
    visitor = site.visitor()
    headers = {"Sec-Fetch-Site": "same-origin"}
    body = b"size=large&next=/c/gangyao/"
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = visitor.ask("POST", "/en/preferences", body, **headers, **kind)
    assert (answer.status, answer.location) == (303, "/en/c/gangyao/")
    answer = visitor.ask("POST", "/en/preferences", body + b"&language=zh-Hans", **headers, **kind)
    assert answer.location == "/c/gangyao/"
    answer = visitor.ask("POST", "/preferences", body + b"&language=en", **headers, **kind)
    assert answer.location == "/en/c/gangyao/"
    shown = visitor.get(FORM)
    token = form_fields(shown.text)["csrf_token"]
    renewed = visitor.ask("POST", "/en/captcha/", f"form=gangyao&csrf_token={token}".encode(), **kind)
    assert '"/en/captcha/' in renewed.text
    assert visitor.get(re.findall(r'"image":\s*"([^"]+)"', renewed.text)[0]).status == 200


def test_static_files_have_one_address_in_both_languages(site: Site) -> None:
    for path in ("/", "/en/"):
        assert set(re.findall(r'(?:href|src)="([^"]*static/)', site.visitor().get(path).text)) == {"/static/"}


def test_an_english_page_says_that_drafts_and_comments_are_chinese(site: Site) -> None:
    page = site.visitor().get("/en/c/gangyao/draft/s3/")
    assert (
        "Drafts, public comments and replies are in Chinese only. You may write your comment in English." in page.text
    )
    assert '<h1 lang="zh-Hans">' in page.text
    chinese = site.visitor().get("/c/gangyao/draft/s3/")
    assert 'lang="zh-Hans"' not in chinese.text.replace('<html lang="zh-Hans"', "")


_FILLED = {
    "section": "s3",
    "submitter_kind": "individual",
    "name": "张三丰",
    "contact": "13800138000",
    "email": "zhang.san@example.com",
    "body": "Please build a footbridge at Shili Road; crossing is dangerous for old people.",
    "age_statement": "over_14",
    "consent_process": "yes",
}
