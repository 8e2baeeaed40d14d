"""The public table: its columns, its pages, its filters (R-27, R-89, R-101)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from consult.db import Store
from tests.support import casework
from tests.support.factories import NOW, make_comment
from tests.support.public_site import Site, open_site

COLUMNS = ["咨询人", "意见与建议", "回复内容", "提交时间", "回复单位", "回复时间", "采纳情况", "章节"]
TOTAL, PAGE = 23, 5


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        opened.app.extensions["kaimen"] = replace(opened.app.extensions["kaimen"], page_size=PAGE)
        with store.writing() as session:
            for number in range(1, TOTAL + 1):
                # Three at a time share one moment, so that a page may end between equals.
                sent = NOW - timedelta(minutes=number // 3)
                section = (None, "s1", "s3")[number % 3]
                body = f"第{number}条建议：100%_加密\\公交{'班次' if number % 2 else '线路'}。"
                make_comment(session, opened.world, sent, body=body, section=section)
                if number != 7:
                    casework.accept(session, opened.world, f"ZP-{number:04d}", sent)
        yield opened


def refs(html: str) -> list[str]:
    return re.findall(r'<th scope="row".*?>(ZP-\d{4})</a>', html, re.DOTALL)


def link(html: str, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', html)
    return found[1].replace("&amp;", "&") if found else ""


def walk(site: Site, path: str, rel: str = "next") -> list[list[str]]:
    pages = []
    while path:
        html = site.visitor().get(path).text
        pages.append(refs(html))
        path = link(html, rel)
        assert len(pages) < 30
    return pages


def test_r101_columns_stand_in_the_order_of_the_notice(site: Site) -> None:
    html = site.visitor().get("/c/gangyao/comments/").text
    assert re.findall(r'<th scope="col">([^<]+)</th>', html) == COLUMNS


def test_every_public_comment_is_on_exactly_one_page_newest_first(site: Site) -> None:
    pages = walk(site, "/c/gangyao/comments/")
    seen = [ref for page in pages for ref in page]
    assert [len(page) for page in pages] == [PAGE, PAGE, PAGE, PAGE, 2]
    assert len(seen) == len(set(seen)) == TOTAL - 1
    assert "ZP-0007" not in seen
    with site.store.reading() as session:
        sent = {ref: casework.get(session, ref).submitted_at for ref in seen}
    assert seen == sorted(seen, key=lambda ref: (sent[ref], ref), reverse=True)


def test_going_back_shows_the_same_pages(site: Site) -> None:
    forward = walk(site, "/c/gangyao/comments/")
    path = "/c/gangyao/comments/"
    while following := link(site.visitor().get(path).text, "next"):
        path = following
    backward = walk(site, path, "prev")
    assert [ref for page in reversed(backward) for ref in page][-10:] == [ref for page in forward for ref in page][-10:]


def test_a_comment_published_meanwhile_moves_no_later_page(site: Site) -> None:
    first = site.visitor().get("/c/gangyao/comments/").text
    second = link(first, "next")
    before = refs(site.visitor().get(second).text)
    with site.store.writing() as session:
        make_comment(session, site.world, NOW + timedelta(minutes=1))
        casework.accept(session, site.world, f"ZP-{TOTAL + 1:04d}", NOW + timedelta(minutes=1))
    assert refs(site.visitor().get(second).text) == before
    assert refs(site.visitor().get("/c/gangyao/comments/").text)[0] == f"ZP-{TOTAL + 1:04d}"


@pytest.mark.parametrize("q", ["100%_", "_加密", "\\公交", "班次", "zp-0003", "ZP-0003"])
def test_signs_in_a_search_are_signs(site: Site, q: str) -> None:
    found = [ref for page in walk(site, "/c/gangyao/comments/?q=" + quote(q)) for ref in page]
    expected = 1 if q.upper().startswith("ZP") else 11 if q == "班次" else TOTAL - 1
    assert len(found) == expected


def test_a_search_without_hits_says_so(site: Site) -> None:
    html = site.visitor().get("/c/gangyao/comments/?q=" + quote("没有的词<b>")).text
    assert refs(html) == []
    assert "<b>" not in html.split("<main", 1)[1].replace("<b>开", "")


def test_filters_narrow_to_a_section_and_are_kept_over_pages(site: Site) -> None:
    by_section = {key: walk(site, f"/c/gangyao/comments/?section={key}") for key in ("whole", "s1", "s2", "s3")}
    sizes = {key: sum(map(len, pages)) for key, pages in by_section.items()}
    assert sizes == {"whole": 7, "s1": 7, "s2": 0, "s3": 8}
    everything = [ref for pages in by_section.values() for page in pages for ref in page]
    assert len(everything) == len(set(everything)) == TOTAL - 1


def test_filters_by_unit_and_outcome_follow_the_reply(site: Site) -> None:
    with site.store.writing() as session:
        make_comment(session, site.world, section="s3")
        casework.replied(session, site.world, f"ZP-{TOTAL + 1:04d}")
    ref = f"ZP-{TOTAL + 1:04d}"
    assert refs(site.visitor().get("/c/gangyao/comments/?unit=JTW").text) == [ref]
    assert refs(site.visitor().get("/c/gangyao/comments/?outcome=partly_adopted").text) == [ref]
    assert ref not in str(walk(site, "/c/gangyao/comments/?outcome=waiting"))
    row = site.visitor().get("/c/gangyao/comments/?unit=JTW").text
    for words in ("区交通委", "部分采纳", "接驳公交建议部分采纳"):
        assert words in row


@pytest.mark.parametrize("asked", ["?section=none", "?unit=none", "?outcome=none", "?after=none", "?before=none"])
def test_an_unknown_filter_is_no_fault(site: Site, asked: str) -> None:
    assert site.visitor().get("/c/gangyao/comments/" + asked).status == 200


def test_an_empty_table_says_what_is_waiting(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path) as opened:
        page = opened.visitor().get("/c/gangyao/comments/")
        assert page.status == 200
        assert refs(page.text) == []
        assert opened.visitor().comment().status == 303
        assert "待审核 1" in re.sub(r"\s+", " ", opened.visitor().get("/c/gangyao/comments/").text)
