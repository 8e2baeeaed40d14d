"""Taking comments so that two people do not read the same one, and going on without going back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask

from consult import clock
from consult.db import Store
from consult.domain.errors import NotFound
from moderation.queries import queue
from moderation.queries.queue import QueueFilter
from moderation.services import claims
from moderation.views import queue_today
from tests.support.casework import get, kinds
from tests.support.casework_pages import act, submit
from tests.support.factories import CALENDAR, NOW, World
from tests.support.staff_site import fill, signed_in, site_on

QUARTER = timedelta(minutes=15)


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


def ref_of(location: str) -> str:
    found = re.match(r"/staff/comments/([^?]+)", location)
    return found[1] if found else ""


def test_a_claim_keeps_others_out_for_a_quarter_of_an_hour_and_then_passes_on(store: Store, world: World) -> None:
    ref = submit(store, world)
    one, other = world.viewer("reviewer"), world.viewer("reviewer2")
    with store.writing() as session:
        assert claims.claim(session, one, ref, NOW)
        assert not claims.claim(session, other, ref, NOW + QUARTER - timedelta(seconds=1))
        assert claims.claim(session, one, ref, NOW + timedelta(minutes=10))
        assert not claims.claim(session, other, ref, NOW + QUARTER)
        assert claims.claim(session, other, ref, NOW + timedelta(minutes=25))
        assert not claims.claim(session, one, ref, NOW + timedelta(minutes=25))


def test_claiming_changes_neither_version_nor_log_so_that_no_page_grows_stale(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.reading() as session:
        before = get(session, ref)
        seen, at = before.version, before.updated_at
    with store.writing() as session:
        claims.claim(session, world.viewer("reviewer"), ref, NOW + timedelta(minutes=1))
    with store.writing() as session:
        assert claims.release(session, world.viewer("reviewer"), ref)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.version, comment.updated_at, comment.claimed_by) == (seen, at, None)
        assert kinds(session, ref) == ["submit"]


def test_nobody_releases_what_another_holds_and_nobody_claims_out_of_reach(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        claims.claim(session, world.viewer("reviewer"), ref, NOW)
        assert not claims.release(session, world.viewer("reviewer2"), ref)
        assert get(session, ref).claimed_by == world.viewer("reviewer").staff_id
        for who in ("jtw_officer", "auditor", "signer"):
            with pytest.raises(NotFound):
                claims.claim(session, world.viewer(who), ref, NOW)


def test_many_at_once_are_each_given_another_comment(store: Store, world: World) -> None:
    refs = [submit(store, world) for _ in range(8)]
    viewers = [world.viewer(name) for name in ("reviewer", "reviewer2", "moderator", "assigner")] * 2

    def take(place: int) -> str:
        viewer = viewers[place]
        with store.writing() as session:
            free = queue.next_free(session, viewer, QueueFilter(), queue_today(CALENDAR, NOW), claims.is_free(-1, NOW))
            return claims.claim_first(session, viewer, free, NOW)

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(take, range(4)))
    assert len(set(taken)) == 4
    assert set(taken) <= set(refs)


def test_the_next_is_the_oldest_nobody_else_holds_and_goes_round(store: Store, world: World) -> None:
    refs = [submit(store, world, now=NOW + timedelta(minutes=n)) for n in range(4)]
    viewer = world.viewer("reviewer")
    today = queue_today(CALENDAR, NOW)
    with store.writing() as session:
        claims.claim(session, world.viewer("reviewer2"), refs[2], NOW)
        free = claims.is_free(viewer.staff_id, NOW)
        ids = {get(session, ref).id: ref for ref in refs}
        found = [ids[key] for key in queue.next_free(session, viewer, QueueFilter(), today, free)]
        assert found == [refs[0], refs[1], refs[3]]
        after = queue.position_of(session, refs[1])
        found = [ids[key] for key in queue.next_free(session, viewer, QueueFilter(), today, free, after)]
        assert found == [refs[3], refs[0]]


def test_one_button_takes_the_oldest_and_the_queue_tells_others(app: Flask, store: Store, world: World) -> None:
    older, newer = submit(store, world), submit(store, world, now=NOW + timedelta(hours=1))
    one, other = signed_in(app, "reviewer"), signed_in(app, "reviewer2")
    first = act(one, "/staff/queue/next", "/staff/queue", {})
    assert ref_of(first.location) == older
    assert "您已领取" in one.get(first.location).text
    assert "reviewer（测试）正在看" in other.get("/staff/queue").text
    assert "请先看别的" in other.get(f"/staff/comments/{older}").text
    assert ref_of(act(other, "/staff/queue/next", "/staff/queue", {}).location) == newer
    third = act(signed_in(app, "moderator"), "/staff/queue/next", "/staff/queue", {})
    assert "done=all" in third.location


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("accept", {"publicity": "full"}),
        ("propose", {"kind": "not_accept", "reason": "gibberish"}),
        ("channel", {"channel": "petition"}),
        ("supplement", {"points": "请写明站点"}),
    ],
)
def test_every_decision_gives_the_comment_back_and_goes_on(
    app: Flask, store: Store, world: World, path: str, sent: dict[str, str]
) -> None:
    first, second = submit(store, world), submit(store, world, now=NOW + timedelta(hours=1))
    browser = signed_in(app, "reviewer")
    assert ref_of(act(browser, "/staff/queue/next", "/staff/queue", {}).location) == first
    page = f"/staff/comments/{first}"
    shown = browser.get(page).text
    form = next(one for one in re.findall(r"<form.*?</form>", shown, re.DOTALL) if f'action="{page}/{path}"' in one)
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    if path == "propose":
        hidden["kind"] = "not_accept"
    answer = browser.send(f"{page}/{path}", {**hidden, **sent})
    assert answer.status_code == 303
    assert ref_of(answer.location) == second
    with store.reading() as session:
        assert get(session, first).claimed_by is None
        assert get(session, second).claimed_by == world.viewer("reviewer").staff_id


def test_going_on_stays_within_the_filter(app: Flask, store: Store, world: World) -> None:
    first = submit(store, world, section="s2")
    submit(store, world, section="s3", now=NOW + timedelta(minutes=1))
    third = submit(store, world, section="s2", now=NOW + timedelta(minutes=2))
    browser = signed_in(app, "reviewer")
    listed = browser.get("/staff/queue?consultation=gangyao&section=s2").text
    link = re.search(rf'href="(/staff/comments/{first}\?within=[^"]+)"', listed)
    assert link
    answer = act(browser, f"/staff/comments/{first}/accept", link[1].replace("&amp;", "&"), {"publicity": "full"})
    assert ref_of(answer.location) == third
    assert "within=" in answer.location


def test_leaving_one_undecided_gives_it_back_and_goes_on(app: Flask, store: Store, world: World) -> None:
    first, second = submit(store, world), submit(store, world, now=NOW + timedelta(hours=1))
    browser = signed_in(app, "reviewer")
    page = f"/staff/comments/{first}"
    assert act(browser, f"{page}/claim", page, {}).status_code == 303
    answer = act(browser, f"{page}/release", page, {"onward": "review"})
    assert ref_of(answer.location) == second
    with store.reading() as session:
        assert get(session, first).claimed_by is None


def test_a_colleagues_claim_does_not_stop_a_decision_the_version_does(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    page = f"/staff/comments/{ref}"
    browser = signed_in(app, "reviewer")
    with store.writing() as session:
        claims.claim(session, world.viewer("reviewer2"), ref, clock.utc_now())
    assert act(browser, f"{page}/accept", page, {"publicity": "full"}).status_code == 303
    with store.reading() as session:
        assert get(session, ref).handling_state == "accepted"
