"""Merging on the pages: what reads alike is suggested, a person decides, each is answered by its own number."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from consult.db import Store
from moderation.services import replies, routing
from tests.support import casework
from tests.support.casework import get, kinds, to_assign
from tests.support.casework_pages import act, submit
from tests.support.factories import CIPHER, NOW, World, make_comment
from tests.support.staff_site import fill, signed_in, site_on

CAMPAIGN = "马桥到地铁站的接驳公交班次太少，早高峰要走二十五分钟，请尽快加密班次，最好十分钟一班。"
CAMPAIGN_TOO = "马桥到地铁站的接驳公交班次太少了，早高峰要走二十五分钟，希望尽快加密班次，最好十分钟一班！"
OTHER = "社区综合为老服务中心请延长开放时间，周末也要有人值班，方便老人就近吃饭和看病。"


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def refs(store: Store, world: World) -> list[str]:
    with store.writing() as session:
        made = [make_comment(session, world, body=body).receipt_no for body in (CAMPAIGN, CAMPAIGN_TOO, OTHER)]
        for ref in made:
            to_assign(session, world, ref)
    return made


def test_the_page_suggests_what_reads_alike_and_not_the_rest(app: Flask, refs: list[str]) -> None:
    first, alike, other = refs
    text = signed_in(app, "assigner").get(f"/staff/comments/{first}/merge").text
    assert alike in text
    assert "几乎相同" in text
    assert other not in text


def test_a_comment_is_put_under_the_suggested_one_and_taken_out_again(
    app: Flask, store: Store, refs: list[str]
) -> None:
    first, alike, _other = refs
    browser = signed_in(app, "assigner")
    page = f"/staff/comments/{alike}/merge"
    answer = act(browser, page, page, {"primary": first, "reason": "同一联名信"})
    assert answer.status_code == 303
    show = f"/staff/comments/{alike}"
    assert f'<a href="/staff/comments/{first}">' in browser.get(show).text
    assert alike in browser.get(f"/staff/comments/{first}").text
    answer = act(browser, f"{show}/unmerge", show, {"unmerge_reason": "说的是另一条线"})
    assert answer.status_code == 303
    with store.reading() as session:
        assert get(session, alike).handling_state == "to_assign"
        assert kinds(session, alike)[-2:] == ["merge", "unmerge"]


def test_what_is_missing_is_said_and_what_was_typed_stays(app: Flask, refs: list[str]) -> None:
    browser = signed_in(app, "assigner")
    page = f"/staff/comments/{refs[1]}/merge"
    answer = act(browser, page, page, {"reason": "同一联名信"})
    assert answer.status_code == 422
    assert '<a href="#f-primary">' in answer.text
    assert "同一联名信" in answer.text
    answer = act(browser, page, page, {"other_primary": refs[0], "reason": ""})
    assert answer.status_code == 422
    assert '<a href="#f-reason">' in answer.text
    answer = act(browser, page, page, {"other_primary": "ZP-9999", "reason": "x"})
    assert answer.status_code == 422


def test_several_are_gathered_and_each_tells_how_it_went(app: Flask, store: Store, refs: list[str]) -> None:
    first, alike, other = refs
    browser = signed_in(app, "assigner")
    page = f"/staff/comments/{first}/merge"
    sent = {"members": [alike, other], f"seen_{other}": "1", "gather_reason": "同一联名信"}
    answer = act(browser, f"/staff/comments/{first}/gather", page, sent)
    assert answer.status_code == 200
    assert "已并入" in answer.text
    assert "刚刚被别人改动" in answer.text
    with store.reading() as session:
        assert get(session, alike).handling_state == "merged"
        assert get(session, other).handling_state == "to_assign"


def test_what_was_answered_meanwhile_is_suggested_no_more(
    app: Flask, store: Store, world: World, refs: list[str]
) -> None:
    first, alike, _other = refs
    browser = signed_in(app, "assigner")
    assert alike in browser.get(f"/staff/comments/{first}/merge").text
    with store.writing() as session:
        casework.assign(session, world, alike)
        routing.sign_receipt(session, world.viewer("jtw_officer"), alike, casework.version(session, alike), NOW)
        casework.draft_and_approve(session, world, alike)
        replies.sign_off(session, world.viewer("signer"), alike, casework.version(session, alike), CIPHER, NOW)
    assert alike not in browser.get(f"/staff/comments/{first}/merge").text


def test_merging_is_the_assigners_and_not_the_reviewers(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    assert signed_in(app, "reviewer").get(f"/staff/comments/{ref}/merge").status_code == 403
    assert signed_in(app, "assigner").get("/staff/comments/ZP-9999/merge").status_code == 404
