"""Every answer carries the security headers; reading sets no cookie; nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from consult.db import Store
from tests.support import casework
from tests.support.factories import make_comment
from tests.support.public_site import Site, open_site
from tests.support.visitors import FILLED, Page

READING = (
    *("/", "/plan/", "/plan/T01/", "/help/", "/offline/", "/privacy/", "/accessibility/"),
    *("/c/gangyao/", "/c/gangyao/draft/", "/c/gangyao/draft/s1/", "/c/gangyao/draft/s3/", "/c/gangyao/comments/"),
    *("/c/gangyao/comments/ZP-0001/", "/c/gangyao/comments/ZP-0002/", "/c/gangyao/comments/?q=公交&section=s3"),
    *("/en/", "/en/c/gangyao/", "/en/c/gangyao/comments/"),
)
FAILING = ("/nowhere/", "/c/none/", "/c/gangyao/draft/s99/", "/c/gangyao/comments/ZP-0009/", "/c/gangyao/compare/1/9/")
OTHERS = (
    "/healthz",
    "/readyz",
    "/status/",
    "/c/gangyao/comment/",
    "/staff/sign-in",
    "/static/x",
)
POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    **dict.fromkeys(
        ("script-src", "style-src", "img-src", "media-src", "font-src", "connect-src", "worker-src", "form-action"),
        "'self'",
    ),
}


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        with store.writing() as session:
            for _ in range(2):
                make_comment(session, opened.world, body="公交<script>alert(1)</script>太少，建议增加两班。")
            casework.replied(session, opened.world, "ZP-0001")
            casework.accept(session, opened.world, "ZP-0002")
        opened.app.config["KAIMEN_RAISE"] = False
        yield opened


def check_headers(page: Page, what: str) -> None:
    given = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert given == POLICY, what
    assert page.headers["x-content-type-options"] == "nosniff", what
    assert page.headers["referrer-policy"] == "same-origin", what
    assert page.headers["cross-origin-opener-policy"] == "same-origin", what
    assert page.headers["cross-origin-resource-policy"] == "same-origin", what
    assert page.headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()", what


def test_every_answer_carries_the_headers(site: Site) -> None:
    for path in (*READING, *FAILING, *OTHERS):
        check_headers(site.visitor().get(path), path)
    visitor = site.visitor()
    check_headers(visitor.post("/c/gangyao/comment/", {}), "an empty form")
    check_headers(visitor.comment(), "a redirect")
    check_headers(visitor.submit({**FILLED, "body": "长" * 100_000}), "too large")
    check_headers(visitor.ask("DELETE", "/"), "a wrong method")
    check_headers(visitor.ask("OPTIONS", "/"), "a question for methods")
    check_headers(visitor.post("/status/", {"code": "x"}), "no token")
    challenge = visitor.open_form()["captcha_id"]
    for path in (f"/captcha/{challenge}.png", f"/captcha/{challenge}.wav", "/captcha/nobody.png"):
        check_headers(visitor.get(path), path)


def test_reading_sets_no_cookie_and_answers_200(site: Site) -> None:
    for path in READING:
        page = site.visitor().get(path)
        assert page.status == 200, path
        assert page.all_of("set-cookie") == [], path
    for path in (*FAILING, "/healthz"):
        assert site.visitor().get(path).all_of("set-cookie") == [], path


def test_the_session_cookie_is_closed_to_scripts_and_to_other_sites(site: Site) -> None:
    cookie = site.visitor().get("/c/gangyao/comment/").all_of("set-cookie")
    assert len(cookie) == 1
    assert "HttpOnly" in cookie[0]
    assert "SameSite=Lax" in cookie[0]
    assert "Path=/" in cookie[0]


def test_what_is_about_one_person_is_kept_in_no_cache(site: Site) -> None:
    visitor = site.visitor()
    form = visitor.open_form()
    pages = [
        visitor.get("/c/gangyao/comment/"),
        visitor.get(f"/captcha/{form['captcha_id']}.png"),
        visitor.get("/status/"),
        visitor.look_up("0000-0000-0000"),
        visitor.get(visitor.comment().location),
        visitor.get("/staff/sign-in"),
        visitor.get("/nowhere/"),
    ]
    assert ["no-store" in page.headers.get("cache-control", "") for page in pages] == [True] * len(pages)


class Markup(HTMLParser):
    """Collects what a strict policy would block, and what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.fetched: list[str] = []
        self._in_script = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag in {"style", "base", "iframe", "object", "embed"}:
            self.inline.append(tag)
        self._in_script = tag if tag in {"script", "style"} else ""
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            value = given.get(name) or ""
            if value and (tag != "a" or name != "href"):
                self.fetched.append(value)
            if value.strip().lower().startswith(("javascript:", "data:", "vbscript:")):
                self.inline.append(f"{tag} {name}={value[:30]}")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.inline.append(f"inline {self._in_script}")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = ""


def test_no_page_has_anything_inline_or_from_another_host(site: Site) -> None:
    visitor = site.visitor()
    invalid = visitor.submit({**visitor.filled(), "name": ""})
    check = visitor.submit({**visitor.filled(), "step": "check"})
    receipt = visitor.get(visitor.comment().location)
    own = visitor.look_up(visitor.query_code(visitor.comment(body="另一条建议：增设过街天桥。").location))
    pages = {path: site.visitor().get(path) for path in (*READING, *FAILING, "/status/", "/staff/sign-in")}
    pages |= {"invalid": invalid, "check": check, "receipt": receipt, "own": own}
    pages["too large"] = visitor.submit({**FILLED, "body": "长" * 100_000})
    pages["form"] = visitor.get("/c/gangyao/comment/?section=s3&block=p6")
    site.change_consultation(ends_on=site.world_day(-1))
    pages["closed"] = visitor.get("/c/gangyao/comment/")
    assert pages["closed"].status == 403
    for name, page in pages.items():
        found = Markup()
        found.feed(page.text)
        assert found.inline == [], name
        assert [one for one in found.fetched if not one.startswith("/") or one.startswith("//")] == [], name
        assert "alert(1)" not in page.text or "&lt;script&gt;alert(1)" in page.text, name


def test_static_files_name_no_other_host(site: Site) -> None:
    root = Path(str(site.app.static_folder))
    for file in root.rglob("*"):
        if file.suffix in {".css", ".js"}:
            content = file.read_text("utf-8")
            assert not re.search(r"(?:url\(|import |fetch\(|@import )\s*[\"']?(?:https?:)?//", content), file.name


def test_a_fault_shows_an_error_number_and_never_a_stack(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.app.config["TESTING"] = False

    def broken() -> str:
        raise RuntimeError("secret 13800138000 inside")

    site.app.view_functions["pages.help"] = broken
    page = site.visitor().get("/help/")
    assert page.status == 500
    check_headers(page, "a fault")
    for word in ("Traceback", "RuntimeError", "13800138000", 'File "', "site-packages", "broken"):
        assert word not in page.text
    assert re.search(r"错误号 [0-9a-f]{8}", page.text)


def test_a_store_that_is_away_answers_503_and_gives_the_words_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from consult.domain.errors import StoreUnavailable

    visitor = site.visitor()
    typed = visitor.filled()

    def away() -> object:
        raise StoreUnavailable(reason="test")

    monkeypatch.setattr(site.store, "reading", away)
    page = visitor.submit(typed)
    assert page.status == 503
    assert int(page.headers["retry-after"]) > 0
    check_headers(page, "503")
    for name in ("body", "name", "contact", "email"):
        assert typed[name] in page.text
