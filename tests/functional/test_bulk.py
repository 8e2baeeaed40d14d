"""One decision on several comments: it waits, can be undone, and is then made row by row (R-36, R-40, R-43)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from consult import clock
from consult.db import Store
from consult.domain.errors import DomainError, NotAllowed, NotFound, Refused
from consult.models.comments import Comment
from consult.models.plan import PlanItem
from moderation.domain.bulk import BulkRequest
from moderation.models import PendingBulk, RoleGrant, TwoPersonDecision
from moderation.services import bulk, claims
from moderation.services.bulk import UNDO_FOR
from tests.support import casework
from tests.support.casework import get, kinds, version
from tests.support.casework_pages import act, submit
from tests.support.factories import CIPHER, NOW, World
from tests.support.staff_site import fill, signed_in, site_on

LATER = NOW + UNDO_FOR
LIFT = "我们楼要既有多层住宅加装电梯，管线迁移拖了两年。"
PHONE = "建议增加班次，请电话联系13800138000谢谢。"


@pytest.fixture
def world(store: Store) -> World:
    made = fill(store)
    with store.writing() as session:
        session.add_all(
            PlanItem(
                key=f"X{n}",
                kind="key_task",
                position=10 + n,
                title=title,
                text=title,
                source_text=title,
                raw_unit_text="",
            )
            for n, title in enumerate(
                ("水环境治理", "产业园区升级", "教育资源均衡", "数字政务", "绿地林地", "养老床位")
            )
        )
    return made


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


def ask(store: Store, world: World, who: str, action: str, refs: list[str], **more: str) -> int:
    with store.writing() as session:
        rows = [(ref, version(session, ref)) for ref in refs]
        return bulk.ask(session, world.viewer(who), BulkRequest(action, rows, **more), NOW).id


def codes(store: Store, bulk_id: int) -> list[str]:
    with store.reading() as session:
        return [code for _ref, code, _params in session.get_one(PendingBulk, bulk_id).results]


def state(store: Store, ref: str) -> str:
    with store.reading() as session:
        return get(session, ref).handling_state


def test_nothing_happens_for_half_a_minute_and_then_every_row_is_decided(store: Store, world: World) -> None:
    refs = [submit(store, world) for _ in range(3)]
    number = ask(store, world, "reviewer", "accept", refs)
    assert bulk.apply_due(store.writing, CIPHER, LATER - timedelta(seconds=1)) == 0
    assert [state(store, ref) for ref in refs] == ["pending_review"] * 3
    assert bulk.apply_due(store.writing, CIPHER, LATER) == 3
    assert [state(store, ref) for ref in refs] == ["accepted"] * 3
    assert codes(store, number) == ["", "", ""]
    assert bulk.apply_due(store.writing, CIPHER, LATER) == 0
    with store.reading() as session:
        assert kinds(session, refs[0]) == ["submit", "accept"]


def test_undone_in_time_nothing_is_ever_changed(store: Store, world: World) -> None:
    ref = submit(store, world)
    number = ask(store, world, "reviewer", "accept", [ref])
    with store.writing() as session:
        with pytest.raises(NotFound):
            bulk.undo(session, world.viewer("reviewer2"), number, NOW)
        bulk.undo(session, world.viewer("reviewer"), number, NOW)
    assert bulk.apply_due(store.writing, CIPHER, LATER) == 0
    with store.reading() as session:
        assert kinds(session, ref) == ["submit"]


def test_what_has_taken_effect_is_not_undone(store: Store, world: World) -> None:
    number = ask(store, world, "reviewer", "accept", [submit(store, world)])
    bulk.apply_due(store.writing, CIPHER, LATER)
    with store.writing() as session, pytest.raises(Refused, match="bulk_in_effect"):
        bulk.undo(session, world.viewer("reviewer"), number, LATER)


def test_one_refusal_spoils_nothing_and_each_row_tells_its_own(store: Store, world: World) -> None:
    good, personal, changed, held = (submit(store, world, body=body) for body in (LIFT, PHONE, LIFT, LIFT))
    number = ask(store, world, "reviewer", "accept", [personal, good, changed, held])
    with store.writing() as session:
        casework.accept(session, world, changed)
        claims.claim(session, world.viewer("reviewer2"), held, NOW)
    bulk.apply_due(store.writing, CIPHER, LATER)
    assert codes(store, number) == ["findings_unresolved", "", "state_changed", "claimed_by_other"]
    assert [state(store, ref) for ref in (personal, good, held)] == ["pending_review", "accepted", "pending_review"]


def test_each_goes_to_its_own_suggestion_but_not_where_the_suggestion_is_weak(store: Store, world: World) -> None:
    lift = submit(store, world, body=LIFT, section="s2")
    bus = submit(store, world, section="s3", item="T01")
    vague = submit(store, world, body="挺好的，支持，谢谢大家的工作。", section=None)
    number = ask(store, world, "moderator", "accept_and_route", [lift, bus, vague])
    bulk.apply_due(store.writing, CIPHER, LATER)
    assert codes(store, number) == ["", "", "suggestion_weak"]
    with store.reading() as session:
        assert get(session, lift).lead_unit_id == world.units["FGJ"]
        assert get(session, bus).lead_unit_id == world.units["JTW"]
        assert kinds(session, lift) == ["submit", "accept", "route", "assign"]
        assert kinds(session, vague) == ["submit"]


def test_accepted_ones_and_those_to_be_routed_go_to_one_unit(store: Store, world: World) -> None:
    accepted, waiting = submit(store, world), submit(store, world)
    with store.writing() as session:
        casework.accept(session, world, accepted)
        casework.to_assign(session, world, waiting)
    number = ask(store, world, "moderator", "assign", [accepted, waiting], unit="FGJ")
    bulk.apply_due(store.writing, CIPHER, LATER)
    assert codes(store, number) == ["", ""]
    with store.reading() as session:
        assert {get(session, ref).lead_unit_id for ref in (accepted, waiting)} == {world.units["FGJ"]}


@pytest.mark.parametrize(("action", "reason"), [("withhold", "privacy"), ("not_accept", "gibberish")])
def test_r36_r40_withholding_and_not_accepting_are_only_proposed(
    store: Store, world: World, action: str, reason: str
) -> None:
    refs = [submit(store, world) for _ in range(2)]
    ask(store, world, "reviewer", action, refs, reason=reason)
    bulk.apply_due(store.writing, CIPHER, LATER)
    with store.reading() as session:
        found = session.execute(select(TwoPersonDecision.kind, TwoPersonDecision.state)).all()
        assert [tuple(row) for row in found] == [(action, "proposed")] * 2
        for ref in refs:
            comment = get(session, ref)
            assert (comment.handling_state, comment.publicity, comment.standing) == (
                "pending_review",
                "pending",
                "waiting",
            )


@pytest.mark.parametrize(
    ("who", "request_", "error"),
    [
        ("reviewer", BulkRequest("withhold", [("ZP-0001", 1)], "submitter_request"), "reason_not_in_bulk"),
        ("reviewer", BulkRequest("withhold", [("ZP-0001", 1)], "state_secret"), "reason_not_in_bulk"),
        ("reviewer", BulkRequest("not_accept", [("ZP-0001", 1)], ""), "not_accept_reason_required"),
        ("reviewer", BulkRequest("withhold", [("ZP-0001", 1)], "critical"), "withhold_reason_required"),
        ("moderator", BulkRequest("assign", [("ZP-0001", 1)]), "lead_unit_required"),
        ("moderator", BulkRequest("accept", []), "rows_required"),
        ("moderator", BulkRequest("accept", [(f"ZP-{n}", 1) for n in range(101)]), "rows_too_many"),
        ("moderator", BulkRequest("reject_all", [("ZP-0001", 1)]), "bulk_action_unknown"),
        ("assigner", BulkRequest("accept", [("ZP-0001", 1)]), "not_allowed"),
        ("reviewer", BulkRequest("accept_and_route", [("ZP-0001", 1)]), "not_allowed"),
        ("jtw_officer", BulkRequest("assign", [("ZP-0001", 1)], unit="JTW"), "not_allowed"),
    ],
)
def test_what_cannot_be_decided_for_many_is_refused_at_once(
    store: Store, world: World, who: str, request_: BulkRequest, error: str
) -> None:
    with store.writing() as session, pytest.raises(DomainError) as caught:
        bulk.ask(session, world.viewer(who), request_, NOW)
    assert caught.value.code == error
    assert isinstance(caught.value, Refused | NotAllowed)


def test_r96_a_role_revoked_meanwhile_decides_nothing_any_more(store: Store, world: World) -> None:
    ref = submit(store, world)
    number = ask(store, world, "reviewer", "accept", [ref])
    with store.writing() as session:
        session.execute(
            update(RoleGrant).where(RoleGrant.staff_id == world.viewer("reviewer").staff_id).values(revoked_at=NOW)
        )
    bulk.apply_due(store.writing, CIPHER, LATER)
    assert codes(store, number) == ["not_allowed"]
    assert state(store, ref) == "pending_review"


def test_a_run_that_broke_off_goes_on_where_it_stopped(store: Store, world: World) -> None:
    refs = [submit(store, world) for _ in range(3)]
    number = ask(store, world, "reviewer", "accept", refs)
    assert bulk._due(store.writing, LATER, None) == number
    assert bulk._one_row(store.writing, number, CIPHER, LATER)
    assert [state(store, ref) for ref in refs] == ["accepted", "pending_review", "pending_review"]
    assert bulk.apply_due(store.writing, CIPHER, LATER) == 2
    assert codes(store, number) == ["", "", ""]
    with store.reading() as session:
        assert kinds(session, refs[0]) == ["submit", "accept"]
        assert session.get_one(PendingBulk, number).state == "done"


def test_the_queue_takes_ticked_rows_offers_undo_and_tells_each_result(app: Flask, store: Store, world: World) -> None:
    good, personal = submit(store, world), submit(store, world, body=PHONE)
    browser = signed_in(app, "moderator")
    listed = browser.get("/staff/queue").text
    rows = re.findall(r'name="rows" value="([^"]+)"', listed)
    assert rows == [f"{good}@1", f"{personal}@1"]
    answer = act(browser, "/staff/queue/bulk", "/staff/queue", {"rows": rows, "action": "accept"})
    assert answer.status_code == 303
    shown = browser.get(answer.location).text
    assert "2件：受理，全文公开" in shown
    undo = re.search(r'action="(/staff/queue/bulk/(\d+)/undo)"', shown)
    assert undo
    assert act(browser, undo[1], "/staff/queue", {}).status_code == 303
    assert "已撤销" in browser.get("/staff/queue").text
    act(browser, "/staff/queue/bulk", "/staff/queue", {"rows": rows, "action": "accept"})
    clock.start_at(clock.utc_now() + UNDO_FOR)
    shown = browser.get("/staff/queue").text
    assert "办成1件，没有办成1件" in shown
    assert state(store, good) == "accepted"
    link = re.search(r'href="(/staff/queue/bulk/\d+)"', shown)
    assert link
    results = browser.get(link[1]).text
    assert "已办成" in results
    assert "还有个人信息没有处置" in results
    assert signed_in(app, "reviewer").get(link[1]).status_code == 404


def test_what_is_missing_is_said_and_the_ticks_stay(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    browser = signed_in(app, "reviewer")
    sent = {"rows": f"{ref}@1", "action": "withhold", "withhold_reason": ""}
    answer = act(browser, "/staff/queue/bulk", "/staff/queue", sent)
    assert answer.status_code == 422
    assert "请从清单中选择不予公开的原因" in answer.text
    assert re.search(rf'value="{ref}@1"[^>]* checked', answer.text)
    answer = act(browser, "/staff/queue/bulk", "/staff/queue", {"action": "accept"})
    assert answer.status_code == 422
    assert '<a href="#f-bulk_rows">' in answer.text
    with store.reading() as session:
        assert session.scalars(select(PendingBulk)).all() == []
        assert session.scalars(select(Comment.handling_state)).all() == ["pending_review"]


@pytest.mark.parametrize(
    ("who", "tab", "expected"),
    [
        ("moderator", "review", {"accept_and_route", "accept", "withhold", "not_accept"}),
        ("reviewer", "review", {"accept", "withhold", "not_accept"}),
        ("assigner", "route", {"assign_suggested", "assign"}),
        ("assigner", "review", set()),
        ("supervisor", "route", set()),
    ],
)
def test_everybody_is_offered_what_their_roles_allow(
    app: Flask, store: Store, world: World, who: str, tab: str, expected: set[str]
) -> None:
    submit(store, world)
    routed = submit(store, world)
    with store.writing() as session:
        casework.to_assign(session, world, routed)
    text = signed_in(app, who).get(f"/staff/queue?tab={tab}").text
    assert set(re.findall(r'name="action" value="(\w+)"', text)) == expected
