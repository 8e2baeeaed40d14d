"""Today's work: each role sees how much waits for it, and nothing of what it cannot reach."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event

from consult.db import Store
from consult.domain.calendar import local_day
from consult.domain.comment_states import Role
from moderation.queries import today
from tests.support import casework
from tests.support.factories import NOW, World, make_comment, make_consultation, make_staff
from tests.support.staff_site import fill, password_hash, signed_in, site_on


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def busy(store: Store, world: World) -> World:
    """Two comments in review, two to be routed, two with 区交通委 (one signed for), one at sign-off."""
    with store.writing() as session:
        refs = [make_comment(session, world).receipt_no for _ in range(7)]
        for ref in refs[2:4]:
            casework.to_assign(session, world, ref)
        casework.assigned(session, world, refs[4], lead="JTW", co=("FGJ",))
        casework.in_progress(session, world, refs[5], lead="JTW")
        casework.submitted(session, world, refs[6])
    return world


def _waiting(store: Store, world: World, username: str, days: int = 0) -> dict[str, tuple[int, int]]:
    now = NOW + timedelta(days=days)
    with store.reading() as session:
        found = today.waiting(session, world.viewer(username), local_day(now), now)
    return {each.kind: (each.n, each.late) for each in found}


@pytest.mark.parametrize(
    ("username", "expected"),
    [
        ("reviewer", {"review": (2, 0), "confirm": (0, 0)}),
        ("assigner", {"assign": (2, 0), "returns": (0, 0), "extensions": (0, 0)}),
        ("jtw_officer", {"receipt": (1, 0), "reply": (1, 0), "co_feedback": (0, 0)}),
        ("jtw_leader", {"approve": (0, 0), "explain": (0, 0), "co_feedback": (0, 0)}),
        ("fgj_officer", {"receipt": (0, 0), "reply": (0, 0), "co_feedback": (1, 0)}),
        ("mqz_officer", {"receipt": (0, 0), "reply": (0, 0), "co_feedback": (0, 0)}),
        ("supervisor", {"overdue": (0, 0), "designate": (0, 0), "supervised": (0, 0)}),
        ("auditor", {"refused_tries": (0, 0)}),
    ],
)
def test_each_role_sees_what_waits_for_it(
    store: Store, busy: World, username: str, expected: dict[str, tuple[int, int]]
) -> None:
    assert _waiting(store, busy, username) == expected


def test_the_signer_sees_replies_to_sign_and_drafts_to_publish(store: Store, busy: World) -> None:
    found = _waiting(store, busy, "signer")
    assert found["sign_off"] == (1, 0)
    assert found["publish"] == (0, 0)


def test_what_is_past_its_day_is_counted_as_late(store: Store, busy: World) -> None:
    assert _waiting(store, busy, "reviewer", days=30)["review"] == (2, 2)
    assert _waiting(store, busy, "jtw_officer", days=60)["receipt"] == (1, 1)
    assert _waiting(store, busy, "fgj_officer", days=60)["co_feedback"] == (1, 1)
    assert _waiting(store, busy, "supervisor", days=60)["overdue"] == (2, 2)


def test_r97_the_administrator_sees_how_many_units_have_no_officer(store: Store, world: World) -> None:
    before = _waiting(store, world, "sysadmin")["units_without_officer"][0]
    with store.writing() as session:
        make_staff(session, "xcb_officer", world.units["XCB"], (Role.UNIT_OFFICER,))
    assert _waiting(store, world, "sysadmin")["units_without_officer"][0] == before - 1


def test_a_reviewer_of_one_consultation_counts_only_its_comments(store: Store, busy: World) -> None:
    with store.writing() as session:
        other = make_consultation(
            session, busy.programme_id, busy.units, busy.items, slug="jiaotong", short_code="JT", title="专项规划"
        )
        for _ in range(3):
            make_comment(session, other)
        elsewhere = make_staff(
            session, "elsewhere", busy.units["FGW"], (Role.REVIEWER,), consultation_id=other.consultation_id
        )
        found = today.waiting(session, elsewhere, local_day(NOW), NOW)
    assert {each.kind: each.n for each in found}["review"] == 3
    assert _waiting(store, busy, "reviewer")["review"] == (5, 0)


def test_the_page_shows_what_waits_first_and_the_menu_has_the_same_count(app: Flask, busy: World) -> None:
    page = signed_in(app, "moderator").get("/staff/").text
    lines = re.findall(r'<dt>(?:<a href="([^"]*)">)?([^<]+)', page)
    assert [label for _url, label in lines][:2] == ["待审核的意见", "待分办的意见"]
    assert lines[0][0] == "/staff/queue?tab=review"
    assert re.search(r'审核分办<span class="badge">4<', page)


def test_somebody_without_a_role_is_told_whom_to_ask(app: Flask, store: Store, world: World) -> None:
    with store.writing() as session:
        make_staff(session, "newcomer", None, (), password_hash=password_hash())
    assert "请联系系统管理员" in signed_in(app, "newcomer").get("/staff/").text


def test_counting_takes_the_same_few_queries_however_much_waits(store: Store, busy: World) -> None:
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    _waiting(store, busy, "moderator")
    few = len([each for each in statements if each.startswith("SELECT")])
    with store.writing() as session:
        for _ in range(20):
            make_comment(session, busy)
    statements.clear()
    _waiting(store, busy, "moderator")
    assert len([each for each in statements if each.startswith("SELECT")]) == few <= 6
