"""How much one client may do, and twenty clicks at once (R-17, R-18; security guide, chapters 1 to 3)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from consult import clock
from consult.db import Store
from tests.support.factories import NOW
from tests.support.public_site import Site, open_site
from tests.support.visitors import Page, Visitor, error_fields, form_fields

N = 6
CLICKS = 20


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path, limits_on=True) as opened:
        yield opened


@pytest.fixture
def free_site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


class Clock:
    """Moves on by hand, so that nobody waits for the four seconds a person takes."""

    def __init__(self) -> None:
        self.now = NOW

    def on(self, **by: int) -> None:
        self.now += timedelta(**by)
        clock.start_at(self.now)


def slowly(visitor: Visitor, hands: Clock, **changes: str) -> Page:
    """Fill in the form and send it half a minute later."""
    form = visitor.filled(**changes)
    hands.on(seconds=30)
    return visitor.submit(form)


def test_six_comments_an_hour_and_address_then_429_with_everything_kept(site: Site) -> None:
    hands = Clock()
    pages = [slowly(site.visitor(), hands) for _ in range(N + 2)]
    assert [page.status for page in pages] == [303] * N + [429] * 2
    refused = pages[-1]
    assert 0 < int(refused.headers["retry-after"]) <= 3_601
    assert form_fields(refused.text)["contact"] == "13800138000"
    assert form_fields(refused.text)["body"]
    assert site.count() == N
    assert slowly(site.visitor("192.0.2.8"), hands).status == 303, "the neighbour is another client"
    hands.on(hours=1)
    assert slowly(site.visitor(), hands).status == 303, "an hour later"


@pytest.mark.parametrize(
    ("addresses", "same"),
    [
        (("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff"), True),
        (("2001:db8:0:1::1", "2001:db8:0:2::1"), False),
        (("192.0.2.7", "::ffff:192.0.2.7"), True),
        (("192.0.2.7", "192.0.2.8"), False),
    ],
)
def test_an_ipv6_64_is_one_client(site: Site, addresses: tuple[str, str], same: bool) -> None:
    hands = Clock()
    for _ in range(N):
        assert slowly(site.visitor(addresses[0]), hands).status == 303
    assert slowly(site.visitor(addresses[1]), hands).status == (429 if same else 303)


def test_forged_headers_change_nothing_without_a_proxy(site: Site) -> None:
    hands = Clock()
    pages = [slowly(site.visitor(**{"X-Forwarded-For": f"203.0.113.{n}"}), hands) for n in range(N + 1)]
    assert [page.status for page in pages] == [303] * N + [429]


def test_behind_one_proxy_the_last_hop_is_believed_and_no_other(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path, limits_on=True, trusted_proxies=1) as site:
        hands = Clock()
        forged = [site.visitor(**{"X-Forwarded-For": f"9.9.9.{n}, 203.0.113.5"}) for n in range(N + 1)]
        assert [slowly(one, hands).status for one in forged] == [303] * N + [429]
        assert slowly(site.visitor(**{"X-Forwarded-For": "203.0.113.6"}), hands).status == 303


def test_a_double_click_counts_once(site: Site) -> None:
    hands = Clock()
    for _ in range(N):
        visitor = site.visitor()
        form = visitor.filled()
        hands.on(seconds=30)
        assert [visitor.submit(form).status for _ in range(3)] == [303] * 3
    assert site.count() == N


def test_five_wrong_answers_of_one_session_then_429_with_the_words_kept(site: Site) -> None:
    hands = Clock()
    visitor = site.visitor()
    pages = [slowly(visitor, hands, captcha_answer="33333") for _ in range(6)]
    assert [page.status for page in pages] == [422] * 5 + [429]
    assert int(pages[-1].headers["retry-after"]) > 0
    assert form_fields(pages[-1].text)["body"]
    hands.on(minutes=10)
    assert slowly(visitor, hands).status == 303


def test_twenty_wrong_answers_of_one_address_then_429(site: Site) -> None:
    hands = Clock()
    statuses = []
    for _ in range(5):
        visitor = site.visitor()
        statuses += [slowly(visitor, hands, captcha_answer="33333").status for _ in range(4)]
        hands.on(minutes=3)
    assert statuses == [422] * 20
    assert slowly(site.visitor(), hands).status == 429
    assert slowly(site.visitor("192.0.2.8"), hands).status == 303


def test_pictures_and_sounds_are_limited(site: Site) -> None:
    visitor = site.visitor()
    pages = [visitor.get(visitor.form_path) for _ in range(31)]
    assert [page.status for page in pages] == [200] * 30 + [429]
    assert int(pages[-1].headers["retry-after"]) > 0
    other = site.visitor("192.0.2.8")
    sounds = [other.get(f"/captcha/{other.open_form()['captcha_id']}.wav") for _ in range(6)]
    assert [page.status for page in sounds] == [200] * 5 + [429]


def test_a_form_sent_back_too_soon_is_refused_and_kept(site: Site) -> None:
    visitor = site.visitor()
    page = visitor.submit(visitor.filled())
    assert page.status == 422
    assert list(error_fields(page.text)) == ["captcha_answer"]
    assert form_fields(page.text)["name"] == "张三丰"


def test_r18_twenty_clicks_at_once_make_one_comment_and_lead_to_one_receipt(free_site: Site) -> None:
    for number in range(1, 4):
        visitor = free_site.visitor()
        form = visitor.filled()
        together = threading.Barrier(CLICKS)

        def click(
            cookies: dict[str, str] = visitor.cookies,
            form: dict[str, str] = form,
            together: threading.Barrier = together,
        ) -> Page:
            mine = free_site.visitor()
            mine.cookies = dict(cookies)
            together.wait(timeout=20)
            return mine.submit(form)

        with ThreadPoolExecutor(CLICKS) as pool:
            pages = [one.result() for one in [pool.submit(click) for _ in range(CLICKS)]]
        assert [page.status for page in pages] == [303] * CLICKS
        assert len({page.location for page in pages}) == 1
        assert free_site.count() == free_site.count("contact_details") == number
