"""Correcting a published reply: a new version with a public note, the old one kept (R-82)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from consult.db import Store
from consult.models.comments import Reply
from moderation.services import merging, replies, routing
from tests.support import casework
from tests.support.casework import get, kinds, version
from tests.support.casework_pages import act, submit
from tests.support.factories import CIPHER, NOW, World
from tests.support.staff_site import fill, signed_in, site_on

CORRECTED = "您提出的接驳公交建议部分采纳：今年十月起早高峰增加三个班次，站点位置与马桥镇商定后公布。"


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def ref(store: Store, world: World) -> str:
    number = submit(store, world)
    with store.writing() as session:
        casework.replied(session, world, number)
    return number


def test_r82_the_signer_corrects_on_a_form_filled_with_what_stands(app: Flask, store: Store, ref: str) -> None:
    browser = signed_in(app, "signer")
    page = f"/staff/sign-off/{ref}/correction"
    assert "更正答复" in browser.get(f"/staff/sign-off/{ref}").text
    shown = browser.get(page).text
    assert casework.GOOD_REPLY.body in shown
    sent = {
        "outcome": "partly_adopted",
        "body": CORRECTED,
        "reason": casework.GOOD_REPLY.reason,
        "draft_location": "s3@1",
        "place_detail": "第1段",
    }
    assert act(browser, page, page, {**sent, "note": ""}).status_code == 422
    preview = act(browser, page, page, {**sent, "note": "写错月份", "step": "preview"})
    assert preview.status_code == 200
    assert "写错月份" in preview.text
    answer = act(browser, page, page, {**sent, "note": "写错月份"})
    assert answer.status_code == 303
    with store.reading() as session:
        found = session.scalars(select(Reply).order_by(Reply.revision)).all()
        assert [(one.state, one.correction_note) for one in found] == [("superseded", ""), ("published", "写错月份")]
        assert found[1].body == CORRECTED
        assert kinds(session, ref)[-1] == "correct_reply"
        assert get(session, ref).handling_state == "replied"
    public = browser.get(f"/c/gangyao/comments/{ref}/").text
    assert CORRECTED in public
    assert "写错月份" in public


def test_r80_whoever_drafted_the_reply_does_not_correct_it(app: Flask, store: Store, ref: str) -> None:
    browser = signed_in(app, "signer_twin")
    page = f"/staff/sign-off/{ref}/correction"
    sent = {"outcome": "explained", "body": CORRECTED, "reason": casework.GOOD_REPLY.reason, "note": "x"}
    answer = act(browser, page, page, sent)
    assert answer.status_code == 422
    assert "起草、确认和审签不能是同一个人" in answer.text
    with store.reading() as session:
        assert len(session.scalars(select(Reply)).all()) == 1


def test_a_correction_from_an_old_page_is_a_conflict_that_keeps_the_words(app: Flask, store: Store, ref: str) -> None:
    browser = signed_in(app, "signer")
    page = f"/staff/sign-off/{ref}/correction"
    answer = act(browser, page, page, {"seen_version": "1", "body": CORRECTED, "note": "x", "outcome": "explained"})
    assert answer.status_code == 409
    assert CORRECTED in answer.text


def test_what_is_not_published_has_no_correction(app: Flask, store: Store, world: World) -> None:
    number = submit(store, world)
    with store.writing() as session:
        casework.submitted(session, world, number)
    assert signed_in(app, "signer").get(f"/staff/sign-off/{number}/correction").status_code == 404


def test_r85_a_correction_reaches_everybody_who_was_answered_together(store: Store, world: World) -> None:
    primary, member = submit(store, world), submit(store, world)
    with store.writing() as session:
        casework.to_assign(session, world, member)
        casework.to_assign(session, world, primary)
        merging.merge(session, world.viewer("assigner"), member, version(session, member), primary, "同一件事", NOW)
        casework.assign(session, world, primary)
        routing.sign_receipt(session, world.viewer("jtw_officer"), primary, version(session, primary), NOW)
        casework.draft_and_approve(session, world, primary)
        replies.sign_off(session, world.viewer("signer"), primary, version(session, primary), CIPHER, NOW)
        words = replies.ReplyDraft("explained", CORRECTED, casework.GOOD_REPLY.reason)
        replies.correct(
            session, world.viewer("signer"), primary, version(session, primary), words, "写错月份", CIPHER, NOW
        )
    with store.reading() as session:
        copy = session.scalars(
            select(Reply).where(Reply.comment_id == get(session, member).id, Reply.state == "published")
        ).one()
        assert (copy.body, copy.correction_note, copy.outcome) == (CORRECTED, "写错月份", "explained")
        assert get(session, member).outcome == "explained"
        assert kinds(session, member)[-2:] == ["merged_reply", "correct_reply"]
