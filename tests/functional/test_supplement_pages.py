"""Asking a submitter for more, and reading what came, on the comment's page (T03, R-71)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from consult.db import Store
from consult.models.comments import Supplement
from tests.support.casework import get, kinds
from tests.support.casework_pages import act, submit
from tests.support.factories import NOW, World
from tests.support.staff_site import fill, signed_in, site_on


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


def test_a_reviewer_asks_for_points_with_a_due_day_on_the_page(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    page = f"/staff/comments/{ref}"
    browser = signed_in(app, "reviewer")
    assert "提交人最迟7月25日补充" in browser.get(page).text
    answer = act(browser, f"{page}/supplement", page, {"points": "请写明是哪个站点"})
    assert answer.status_code == 303
    with store.reading() as session:
        assert get(session, ref).handling_state == "awaiting_supplement"
        assert kinds(session, ref) == ["submit", "ask_supplement"]
    text = browser.get(page).text
    assert "请写明是哪个站点" in text
    assert "等到7月25日" in text
    assert "/supplement" not in text


def test_no_points_are_pointed_out_and_nothing_is_asked(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    page = f"/staff/comments/{ref}"
    answer = act(signed_in(app, "reviewer"), f"{page}/supplement", page, {"points": "  "})
    assert answer.status_code == 422
    assert '<a href="#f-points">' in answer.text
    with store.reading() as session:
        assert get(session, ref).handling_state == "pending_review"


def test_somebody_without_a_mailbox_is_not_asked(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world, contact={"name": "赵晓梅", "phone": "13800138000"})
    text = signed_in(app, "reviewer").get(f"/staff/comments/{ref}").text
    assert "提交人没有留邮箱" in text
    assert "/supplement" not in text


def test_an_assigner_is_not_offered_the_form_and_may_not_send_it(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    browser = signed_in(app, "assigner")
    assert "要求补充" not in browser.get(f"/staff/comments/{ref}").text
    answer = browser.post(f"/staff/comments/{ref}/supplement", {"points": "x", "seen_version": "1"})
    assert answer.status_code == 403


def test_what_the_submitter_added_stands_on_the_page_beside_the_first_words(
    app: Flask, store: Store, world: World
) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        session.add(
            Supplement(comment_id=get(session, ref).id, text="是元江路站的三号口", given_at=NOW + timedelta(days=1))
        )
    text = signed_in(app, "reviewer").get(f"/staff/comments/{ref}").text
    assert "是元江路站的三号口" in text
    assert "提交人主动补充" in text
