"""Two people on one comment: the second gets 409 with both versions, and nothing is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from consult.db import Store
from consult.domain.errors import ChangedMeanwhile, DomainError
from consult.models.comments import Assignment, CommentEvent
from moderation.services import routing
from moderation.services.routing import Routing
from tests.functional.test_staff_pages_casework import fields
from tests.support import casework
from tests.support.casework import get, kinds, version
from tests.support.factories import CALENDAR, NOW, World, make_comment
from tests.support.staff_site import fill, signed_in, site_on


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def waiting(store: Store, world: World) -> str:
    with store.writing() as session:
        ref = make_comment(session, world).receipt_no
        casework.to_assign(session, world, ref)
        return ref


def test_r91_the_second_of_two_pages_gets_409_with_both_versions(
    app: Flask, store: Store, world: World, waiting: str
) -> None:
    first, second = signed_in(app, "assigner"), signed_in(app, "moderator")
    path, page = f"/staff/comments/{waiting}/assign", f"/staff/comments/{waiting}"
    seen_first = fields(first.get(page).text, path)
    seen_second = fields(second.get(page).text, path)
    assert first.send(path, {**seen_first, "lead_unit": "JTW"}).status_code == 303
    answer = second.send(path, {**seen_second, "lead_unit": "FGJ", "note": "请房管局牵头研究"})
    assert answer.status_code == 409
    assert "请房管局牵头研究" in answer.text
    assert "已转办（待签收）" in answer.text
    assert "assigner（测试）" in answer.text
    with store.reading() as session:
        assert session.scalars(select(Assignment.lead_unit_id)).all() == [world.units["JTW"]]
        assert kinds(session, waiting).count("assign") == 1


def test_r90_a_step_the_table_does_not_have_is_409_and_says_where_the_comment_stands(
    app: Flask, store: Store, world: World, waiting: str
) -> None:
    browser = signed_in(app, "reviewer")
    with store.reading() as session:
        seen = version(session, waiting)
    answer = browser.post(f"/staff/comments/{waiting}/route", {"seen_version": str(seen)})
    assert answer.status_code == 409
    assert "待转办" in answer.text


def test_a_reply_written_on_a_stale_page_comes_back_to_copy(
    app: Flask, store: Store, world: World, waiting: str
) -> None:
    with store.writing() as session:
        casework.assign(session, world, waiting)
        routing.sign_receipt(session, world.viewer("jtw_officer"), waiting, version(session, waiting), NOW)
    browser = signed_in(app, "jtw_officer")
    path = f"/staff/unit/{waiting}/reply"
    stale = fields(browser.get(path).text, path)
    with store.writing() as session:
        casework.draft_and_approve(session, world, waiting)
    answer = browser.send(path, {**stale, "step": "save", "body": "写了一下午的答复内容"})
    assert answer.status_code == 409
    assert "写了一下午的答复内容" in answer.text
    assert "待审签" in answer.text


@pytest.mark.parametrize("seen", ["", "0", "x", "-1", "999999999999999999999"])
def test_a_form_without_a_version_changes_nothing(app: Flask, store: Store, waiting: str, seen: str) -> None:
    browser = signed_in(app, "assigner")
    answer = browser.post(f"/staff/comments/{waiting}/assign", {"seen_version": seen, "lead_unit": "JTW"})
    assert answer.status_code == 409
    with store.reading() as session:
        assert get(session, waiting).handling_state == "to_assign"


def test_of_eight_people_who_route_at_once_exactly_one_does(store: Store, world: World, waiting: str) -> None:
    with store.reading() as session:
        seen = version(session, waiting)
    start = threading.Barrier(8)
    outcomes: list[str] = []

    def attempt(lead: str) -> None:
        start.wait()
        try:
            with store.writing() as session:
                routing.assign(session, world.viewer("assigner"), waiting, seen, Routing(lead), CALENDAR, NOW)
            outcomes.append("done")
        except ChangedMeanwhile:
            outcomes.append("conflict")
        except DomainError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=attempt, args=(("JTW", "FGJ")[n % 2],)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 7 + ["done"]
    with store.reading() as session:
        assert len(session.scalars(select(Assignment.id)).all()) == 1
        comment = get(session, waiting)
        assert comment.event_seq == len(session.scalars(select(CommentEvent.id)).all()) == 4
