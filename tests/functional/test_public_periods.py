"""Opens 00:00 and closes 24:00 in Shanghai, from the clock alone (R-04, R-05, R-09)."""

from __future__ import annotations

import html
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consult import clock
from consult.db import Store
from tests.support.factories import NOW
from tests.support.public_site import Site, open_site
from tests.support.visitors import ANSWER, FILLED, Visitor

OPENS = datetime(2023, 7, 16, 16, 0, tzinfo=UTC)
"""2023-07-17 00:00 in Shanghai."""
CLOSES = datetime(2023, 8, 16, 16, 0, tzinfo=UTC)
"""2023-08-16 24:00 in Shanghai."""
SECOND = timedelta(seconds=1)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Shanghai"])
def server_zone(request: pytest.FixtureRequest) -> Iterator[str]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_r04_it_opens_at_midnight_and_closes_at_24_00_whatever_the_servers_zone(site: Site, server_zone: str) -> None:
    form = site.visitor().form_path
    for moment, status in (
        (OPENS - 30 * SECOND, 403),
        (OPENS, 200),
        (CLOSES - 30 * SECOND, 200),
        (CLOSES, 403),
        (CLOSES + timedelta(days=300), 403),
    ):
        clock.start_at(moment)
        assert site.visitor().get(form).status == status, (server_zone, moment)


def test_r09_pages_say_so_by_themselves(site: Site) -> None:
    for moment, words in ((OPENS - SECOND * 30, "未开始"), (NOW, "征集中"), (CLOSES, "已截止")):
        clock.start_at(moment)
        for path in ("/", "/c/gangyao/"):
            assert words in site.visitor().get(path).text, (path, moment)
    clock.start_at(NOW)
    assert "8月16日 24:00" in site.visitor().get("/c/gangyao/").text


def sent_late(site: Site) -> tuple[Visitor, dict[str, str]]:
    clock.start_at(CLOSES - timedelta(minutes=5))
    visitor = site.visitor()
    typed = {
        **visitor.open_form(),
        **FILLED,
        "body": "<最后一刻> 写好的意见 & 建议",
        "quote": "优化公交线网",
        "submitter_kind": "organisation",
        "organisation": "示例公司",
        "captcha_answer": ANSWER,
    }
    clock.start_at(CLOSES)
    return visitor, typed


@pytest.mark.parametrize("button", [{}, {"step": "check"}, {"step": "edit"}, {"refresh_captcha": "1"}])
def test_r05_closing_while_the_form_is_open_refuses_it_and_gives_the_words_back(
    site: Site, button: dict[str, str]
) -> None:
    visitor, typed = sent_late(site)
    page = visitor.submit({**typed, **button})
    assert page.status == 403
    assert site.count() == 0
    for name in ("body", "quote", "name", "organisation", "contact", "email"):
        assert html.escape(typed[name], quote=False) in page.text, name
    assert "2023年8月16日 24:00" in page.text
    assert "<textarea" in page.text


def test_the_last_second_counts(site: Site) -> None:
    visitor, typed = sent_late(site)
    clock.start_at(CLOSES - 2 * SECOND)
    assert visitor.submit(typed).status == 303


def test_before_the_opening_the_page_says_when(site: Site) -> None:
    clock.start_at(OPENS - timedelta(days=1))
    page = site.visitor().get("/c/gangyao/comment/")
    assert page.status == 403
    assert "2023年7月17日 00:00" in page.text


def test_a_draft_consultation_is_on_no_page(site: Site) -> None:
    site.change_consultation(stage="draft")
    for path in ("/c/gangyao/", "/c/gangyao/comment/", "/c/gangyao/draft/", "/c/gangyao/comments/"):
        assert site.visitor().get(path).status == 404
    assert "gangyao" not in site.visitor().get("/").text
    assert site.visitor().post("/c/gangyao/comment/", FILLED).status == 404


@pytest.mark.parametrize("stage", ["collating", "feedback_published", "archived"])
def test_no_comment_is_taken_in_a_later_stage(site: Site, stage: str) -> None:
    visitor = site.visitor()
    typed = visitor.filled()
    site.change_consultation(stage=stage)
    assert visitor.submit(typed).status == 403
    assert site.count() == 0
