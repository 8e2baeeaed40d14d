"""A sealed comment: the second person decides from its metadata alone (R-36, R-38)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from consult.db import Store
from tests.support.casework import get, kinds
from tests.support.casework_pages import act, submit
from tests.support.factories import World
from tests.support.staff_site import Browser, fill, signed_in, site_on

SECRET = "这里写着一句不该外传的话，某某仓库的位置在地图上。"


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def ref(app: Flask, store: Store, world: World) -> str:
    number = submit(store, world, body=SECRET)
    page = f"/staff/comments/{number}"
    sent = {"kind": "withhold", "reason": "state_secret"}
    assert act(signed_in(app, "reviewer"), f"{page}/propose", page, sent).status_code == 303
    return number


def decide(browser: Browser, ref: str, verdict: str, **more: str) -> int:
    page = f"/staff/sealed/{ref}"
    return act(browser, page, page, {"verdict": verdict, **more}).status_code


def test_r38_a_sealed_comment_opens_for_nobody_but_its_metadata_is_listed(app: Flask, ref: str) -> None:
    browser = signed_in(app, "signer")
    assert browser.get(f"/staff/comments/{ref}").status_code == 404
    assert "封存待确认 1 件" in signed_in(app, "reviewer2").get("/staff/queue?tab=confirm").text
    assert ref in browser.get("/staff/sealed").text
    shown = browser.get(f"/staff/sealed/{ref}").text
    assert "国家秘密" in shown
    for words in (SECRET, SECRET[:8], "赵**", "下一步举措"):
        assert words not in shown


def test_r38_the_second_person_confirms_and_it_stays_sealed(app: Flask, store: Store, ref: str) -> None:
    assert decide(signed_in(app, "signer"), ref, "confirm") == 303
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.publicity, comment.sealed, comment.standing) == ("withheld", True, "withheld")
        assert kinds(session, ref) == ["submit", "propose_withhold", "confirm_withhold"]
    assert signed_in(app, "reviewer2").get(f"/staff/sealed/{ref}").status_code == 404


@pytest.mark.parametrize("who", ["reviewer", "reviewer_twin"])
def test_r36_the_proposer_is_not_the_second_person_under_any_account(
    app: Flask, store: Store, ref: str, who: str
) -> None:
    assert "须由另一位同事确认" in signed_in(app, who).get(f"/staff/sealed/{ref}").text
    assert decide(signed_in(app, who), ref, "confirm") == 422
    with store.reading() as session:
        assert get(session, ref).publicity == "pending"


def test_a_refusal_needs_its_reason_and_opens_the_comment_again(app: Flask, store: Store, ref: str) -> None:
    browser = signed_in(app, "signer")
    assert decide(browser, ref, "refuse", refusal=" ") == 422
    assert decide(browser, ref, "refuse", refusal="保密部门认定不涉密") == 303
    with store.reading() as session:
        assert (get(session, ref).sealed, get(session, ref).standing) == (False, "waiting")
    assert browser.get(f"/staff/comments/{ref}").status_code == 200


def test_only_who_may_withhold_sees_the_list(app: Flask, ref: str) -> None:
    for who in ("assigner", "supervisor", "jtw_officer", "auditor"):
        assert signed_in(app, who).get(f"/staff/sealed/{ref}").status_code == 403


def test_what_is_not_sealed_is_not_decided_here(app: Flask, store: Store, world: World) -> None:
    number = submit(store, world)
    page = f"/staff/comments/{number}"
    sent = {"kind": "withhold", "reason": "privacy"}
    assert act(signed_in(app, "reviewer"), f"{page}/propose", page, sent).status_code == 303
    browser = signed_in(app, "signer")
    assert browser.get(f"/staff/sealed/{number}").status_code == 404
    assert browser.post(f"/staff/sealed/{number}", {"verdict": "confirm", "seen_version": "2"}).status_code == 404
