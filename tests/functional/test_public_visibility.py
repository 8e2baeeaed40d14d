"""What the public may see: nothing before a person accepted it, on any address (R-27, R-28, R-106)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest

from consult.db import Store
from consult.domain.comment_states import Publicity
from consult.domain.personal_data import PiiType
from consult.services import moves, own_comment
from moderation.services import screening
from moderation.services.screening import Acceptance, Covered
from tests.support import casework
from tests.support.factories import NOW, make_comment
from tests.support.public_site import Site, open_site
from tests.support.visitors import Page, Visitor, all_forms

SECRET = "独一无二的提法：请在望江亭东侧建一座风雨连廊。"
START = (
    *("/", "/plan/", "/help/", "/offline/", "/privacy/", "/accessibility/", "/status/", "/en/", "/healthz", "/readyz"),
    *("/c/gangyao/", "/c/gangyao/comments/", "/c/gangyao/results/", "/c/gangyao/feed.atom", "/c/gangyao/comment/"),
    *("/c/gangyao/comments/ZP-0001/", "/c/gangyao/comments/zp-0001/", "/c/gangyao/comments/1/"),
    *("/c/gangyao/comments/?q=望江亭", "/c/gangyao/comments/?section=s3", "/c/gangyao/comments/?outcome=waiting"),
    *("/c/gangyao/comments/?q=ZP-0001", "/c/gangyao/comments/?unit=JTW", "/c/gangyao/comment/?section=s3"),
    *("/api/v1/consultations", "/api/v1/openapi.json", "/metrics", "/robots.txt", "/sitemap.xml", "/favicon.ico"),
)
SKIPPED = ("/static/", "/captcha/", "/staff/")


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def crawl(visitor: Visitor) -> dict[str, Page]:
    """Every page that can be reached from the start by links, each address once."""
    found: dict[str, Page] = {}
    waiting = list(START)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = page = visitor.get(path)
        for link in re.findall(r'(?:href|src|action)="([^"#]*)', page.text):
            target = urlsplit(urljoin(path, unescape(link)))
            if not target.netloc and target.path.startswith("/") and not target.path.startswith(SKIPPED):
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return found


def test_r27_a_comment_is_on_no_public_address_before_it_is_accepted(site: Site) -> None:
    assert site.visitor().comment(body=SECRET, section="s3", block="p6", quote="优化公交线网").status == 303
    pages = crawl(site.visitor())
    assert len(pages) > 30
    assert {path: page.status for path, page in pages.items() if page.status >= 500} == {}
    leaking = [path for path, page in pages.items() if "风雨连廊" in page.text]
    assert leaking == []
    assert [path for path, page in pages.items() if "<bdi>张**</bdi>" in page.text] == []
    assert site.visitor().get("/c/gangyao/comments/ZP-0001/").status == 404

    site.accept("ZP-0001")
    pages = crawl(site.visitor())
    showing = {path for path, page in pages.items() if SECRET in unescape(page.text)}
    assert showing >= {"/c/gangyao/comments/", "/c/gangyao/comments/ZP-0001/", "/c/gangyao/draft/s3/"}
    assert not any("张三丰" in page.text or "13800138000" in page.text for page in pages.values())


def test_r27_unknown_and_unpublished_answer_alike(site: Site) -> None:
    assert site.visitor().comment().status == 303
    unpublished = site.visitor().get("/c/gangyao/comments/ZP-0001/")
    unknown = site.visitor().get("/c/gangyao/comments/ZP-9999/")
    assert (unpublished.status, unknown.status) == (404, 404)
    assert unpublished.text.replace("ZP-0001", "-") == unknown.text.replace("ZP-9999", "-")


@pytest.mark.parametrize("how", ["withheld", "not_accepted", "channel_notice", "withdrawn", "hidden"])
def test_what_is_not_public_any_more_is_on_no_public_address(site: Site, how: str) -> None:
    one, two = site.world.viewer("reviewer"), site.world.viewer("reviewer2")
    with site.store.writing() as session:
        ref = make_comment(session, site.world, body=SECRET).receipt_no
        if how in {"withheld", "not_accepted"}:
            kind, reason = ("withhold", "trade_secret") if how == "withheld" else ("not_accept", "advertising")
            proposal = screening.Proposal(kind, reason, "测试用的理由，写足十个字。")
            screening.propose(session, one, ref, casework.version(session, ref), proposal, NOW)
            screening.confirm(session, two, ref, casework.version(session, ref), NOW)
        elif how == "channel_notice":
            screening.channel_notice(session, one, ref, casework.version(session, ref), "complaint", NOW)
        else:
            casework.accept(session, site.world, ref)
            if how == "withdrawn":
                own_comment.withdraw(session, ref, NOW)
            else:
                comment = moves.lock(session, ref)
                comment.hidden_at = NOW
                moves.refresh_standing(session, comment, NOW)
        assert casework.get(session, ref).standing == ("withheld" if how == "hidden" else how)
    pages = crawl(site.visitor())
    assert [path for path, page in pages.items() if SECRET in unescape(page.text)] == []


def test_r30_what_was_covered_is_on_no_public_page(site: Site) -> None:
    body = "请致电13900139000与我联系，建议增设过街天桥。"
    assert site.visitor().comment(body=body).status == 303
    start = body.index("13900139000")
    how = Acceptance(Publicity.REDACTED, redactions=(Covered(start, start + 11, PiiType.MOBILE),))
    with site.store.writing() as session:
        seen = casework.version(session, "ZP-0001")
        screening.accept(session, site.world.viewer("reviewer"), "ZP-0001", seen, how, site.cipher, NOW)
    pages = crawl(site.visitor())
    assert not any("13900139000" in page.text for page in pages.values())
    assert "[已隐去" in pages["/c/gangyao/comments/"].text


def test_r47_taking_back_the_consent_masks_the_name_everywhere_at_once(site: Site) -> None:
    visitor = site.visitor()
    receipt = visitor.comment(consent_publish_name="yes")
    site.accept("ZP-0001")
    assert "张三丰" in site.visitor().get("/c/gangyao/comments/").text
    own = visitor.look_up(visitor.query_code(receipt.location))
    form = next(one for one in all_forms(own.text) if "token" in one)
    assert visitor.post("/status/", {**form, "action": "revoke_name"}).status == 200
    assert not any("张三丰" in page.text for page in crawl(site.visitor()).values())
    assert "<bdi>张**</bdi>" in site.visitor().get("/c/gangyao/comments/").text
