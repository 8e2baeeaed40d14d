"""The Atom feed, the file of the public table, robots, the site map, and what pages say when they are shared."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import pytest

from consult.db import Store
from tests.support import casework
from tests.support.factories import NOW, make_comment
from tests.support.public_site import Site, open_site

ATOM = "{http://www.w3.org/2005/Atom}"
MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
FEED = "/c/gangyao/feed.atom"
FILE = "/c/gangyao/comments.csv"
HEADER = ["咨询人", "意见与建议", "回复内容", "提交时间", "回复单位", "回复时间", "采纳情况", "章节"]
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00")


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def add(site: Site, body: str, *, minutes: int = 0, accepted: bool = True) -> str:
    with site.store.writing() as session:
        sent = NOW + timedelta(minutes=minutes)
        ref = make_comment(session, site.world, sent, body=body).receipt_no
        if accepted:
            casework.accept(session, site.world, ref, sent)
    return ref


def xml(site: Site, path: str) -> ElementTree.Element:
    page = site.visitor().get(path)
    assert page.status == 200
    return ElementTree.fromstring(page.data)


def lines(site: Site, path: str = FILE) -> list[list[str]]:
    page = site.visitor().get(path)
    assert page.status == 200
    assert page.data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(page.data.decode("utf-8-sig"), newline="")))


def test_a_feed_is_valid_atom_even_when_nothing_is_published(site: Site) -> None:
    for filled in (False, True):
        if filled:
            add(site, "望江亭 <b>东侧</b> & 西侧\u0008建风雨连廊。")
        feed = xml(site, FEED)
        assert feed.tag == f"{ATOM}feed"
        for node in (feed, *feed.iter(f"{ATOM}entry")):
            for name in ("id", "title", "updated"):
                assert len(node.findall(f"{ATOM}{name}")) == 1
            assert urlsplit(node.findtext(f"{ATOM}id", "")).scheme == "http"
            assert MOMENT.fullmatch(node.findtext(f"{ATOM}updated", ""))
            assert node.findtext(f"{ATOM}author/{ATOM}name")
            links = {(link.get("rel"), link.get("type")) for link in node.findall(f"{ATOM}link")}
            assert ("alternate", "text/html") in links
        assert len(feed.findall(f"{ATOM}entry")) == filled
    assert feed.findtext(f"{ATOM}entry/{ATOM}content") == "望江亭 <b>东侧</b> & 西侧建风雨连廊。"
    assert site.visitor().get(FEED).headers["content-type"].startswith("application/atom+xml")


def test_a_feed_tells_comments_and_replies_newest_first(site: Site) -> None:
    first, second = add(site, "公交太少。", accepted=False), add(site, "请修路。", minutes=1)
    with site.store.writing() as session:
        casework.replied(session, site.world, first, NOW + timedelta(minutes=5))
    feed = xml(site, FEED)
    ids = [entry.findtext(f"{ATOM}id", "").split("/comments/")[1] for entry in feed.iter(f"{ATOM}entry")]
    assert ids == [f"{first}/#reply", f"{second}/", f"{first}/"]
    moments = [entry.findtext(f"{ATOM}updated", "") for entry in feed.iter(f"{ATOM}entry")]
    assert moments == sorted(moments, reverse=True)
    assert feed.findtext(f"{ATOM}updated") == moments[0]
    for entry in feed.iter(f"{ATOM}entry"):
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert site.visitor().get(urlsplit(link.get("href") or "").path).status == 200


def test_r27_feed_file_and_map_hold_nothing_unreviewed(site: Site) -> None:
    ref = add(site, "独一无二的提法。", accepted=False)
    for path in (FEED, FILE, "/sitemap.xml"):
        page = site.visitor().get(path)
        assert page.status == 200
        assert "独一无二" not in page.text
        assert ref not in page.text
    site.accept(ref)
    assert "独一无二" in site.visitor().get(FEED).text
    assert "独一无二" in site.visitor().get(FILE).text
    assert ref in site.visitor().get("/sitemap.xml").text


def test_the_feed_and_the_map_answer_304_while_nothing_changes(site: Site) -> None:
    for path in (FEED, "/sitemap.xml"):
        first = site.visitor().get(path)
        assert first.all_of("set-cookie") == []
        assert site.visitor().ask("GET", path, None, **{"If-None-Match": first.headers["etag"]}).status == 304
    before = site.visitor().get(FEED).headers["etag"]
    add(site, "公交太少。")
    assert site.visitor().ask("GET", FEED, None, **{"If-None-Match": before}).status == 200


def test_r101_the_file_has_the_columns_of_the_notice_and_all_rows_newest_first(site: Site) -> None:
    for n in range(7):
        add(site, f"第{n}条", minutes=n)
    found = lines(site)
    assert found[0] == HEADER
    assert [row[1] for row in found[1:]] == [f"第{n}条" for n in range(6, -1, -1)]
    assert {row[2] for row in found[1:]} == {"办理中"}


def test_r102_formulas_are_put_out_of_action_and_words_come_back_as_they_were(site: Site) -> None:
    bodies = ('=HYPERLINK("http://x")', "＋1 号楼", " @某人", '他说“好”,\n第二行 "引号" 😀𠮷', "平常的话")
    for n, body in enumerate(bodies):
        add(site, body, minutes=n)
    found = [row[1] for row in lines(site)[1:]][::-1]
    assert found == [f"'{body}" if n < 3 else body for n, body in enumerate(bodies)]
    raw = site.visitor().get(FILE).data
    assert b"\r\n" in raw
    assert all(line.startswith(b'"') for line in raw.removeprefix(b"\xef\xbb\xbf").split(b"\r\n") if line)


def test_the_file_is_narrowed_like_the_page_and_linked_from_it(site: Site) -> None:
    add(site, "公交太少。")
    add(site, "请修路。", minutes=1)
    page = site.visitor().get(f"/c/gangyao/comments/?q={quote('公交')}").text
    link = unescape(re.search(r'href="([^"]+comments\.csv[^"]*)"', page)[1])  # type: ignore[index]
    assert [row[1] for row in lines(site, link)[1:]] == ["公交太少。"]
    assert lines(site, FILE + "?outcome=adopted") == [HEADER]
    assert 'comments.csv"' in site.visitor().get("/c/gangyao/comments/").text


def test_the_file_is_named_without_a_number_or_a_person(site: Site) -> None:
    page = site.visitor().get(FILE)
    assert page.headers["content-type"] == "text/csv; charset=utf-8"
    told = page.headers["content-disposition"]
    assert f"filename*=UTF-8''ZP_{quote('征集公众意见')}_20230718-1000.csv" in told
    assert page.all_of("set-cookie") == []


def test_long_files_come_in_pieces_and_are_complete(site: Site, tmp_path: Path) -> None:
    with site.store.writing() as session:
        for n in range(520):
            ref = make_comment(session, site.world, NOW + timedelta(seconds=n // 3), body=f"第{n}条").receipt_no
            casework.accept(session, site.world, ref)
    assert [row[1] for row in lines(site)[1:]] == [f"第{n}条" for n in range(519, -1, -1)]


@pytest.mark.parametrize("path", ["/c/none/feed.atom", "/c/none/comments.csv"])
def test_an_unknown_consultation_is_not_found(site: Site, path: str) -> None:
    assert site.visitor().get(path).status == 404


def test_robots_are_kept_to_what_is_published(site: Site) -> None:
    page = site.visitor().get("/robots.txt")
    assert page.headers["content-type"].startswith("text/plain")
    for kept_out in ("/staff/", "/status/", "/captcha/", "/*/receipt/", "/*/comment/"):
        assert f"Disallow: {kept_out}\n" in page.text
    assert "Sitemap: http://localhost/sitemap.xml\n" in page.text
    assert "Disallow: /\n" not in page.text


def test_every_address_of_the_map_is_a_page(site: Site) -> None:
    add(site, "公交太少。")
    found = [node.text or "" for node in xml(site, "/sitemap.xml").iter(f"{MAP}loc")]
    assert len(found) == len(set(found)) > 10
    paths = [urlsplit(one).path for one in found]
    assert {"/", "/c/gangyao/", "/c/gangyao/draft/s3/", "/c/gangyao/comments/ZP-0001/", "/plan/T01/"} <= set(paths)
    assert {path: site.visitor().get(path).status for path in paths} == dict.fromkeys(paths, 200)
    assert not any(path.startswith(("/staff", "/status")) for path in paths)


def test_the_site_names_its_own_address_and_never_the_one_asked_for(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path, base_url="https://kaimen.example.org") as opened:
        add(opened, "公交太少。")
        html = opened.visitor().get("/c/gangyao/").text
        assert '<link rel="canonical" href="https://kaimen.example.org/c/gangyao/">' in html
        assert "https://kaimen.example.org/c/gangyao/comments/ZP-0001/" in opened.visitor().get(FEED).text
        assert "Sitemap: https://kaimen.example.org/sitemap.xml" in opened.visitor().get("/robots.txt").text


def test_pages_without_an_address_of_their_own_claim_none(site: Site) -> None:
    html = site.visitor(Host="evil.example").get("/c/gangyao/").text
    assert "evil.example" not in html
    assert "og:url" not in html


def test_pages_say_what_they_are_when_they_are_shared(site: Site) -> None:
    ref = add(site, '公交"太少"<b>。\n第二行。')
    html = site.visitor().get(f"/c/gangyao/comments/{ref}/").text
    told = dict(re.findall(r'<meta property="(og:\w+)" content="([^"]*)">', html))
    assert unescape(told["og:description"]) == '公交"太少"<b>。 第二行。'
    assert told["og:title"].startswith("ZP-0001 · “十四五”规划纲要实施中期评估报告")
    assert told["og:type"] == "article"
    assert 'itemtype="https://schema.org/Comment"' in html
    overview = site.visitor().get("/c/gangyao/").text
    assert '<link rel="alternate" type="application/atom+xml" href="/c/gangyao/feed.atom"' in overview
    assert '<meta property="og:description" content="起草说明">' in overview
