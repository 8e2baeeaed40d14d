"""Suggesting who should lead: the words of the comment, the section and the plan, with reasons (R-43, R-56, R-57)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import event, update

from consult.db import Store
from consult.models.plan import PlanItem
from moderation.queries.suggested_leads import Why, load, suggest, suggested_lead
from moderation.services import screening
from moderation.services.screening import Proposal
from tests.support import casework
from tests.support.casework import get, version
from tests.support.casework_pages import submit
from tests.support.factories import CALENDAR, NOW, World
from tests.support.staff_site import fill, signed_in, site_on

LIFT = "我们楼要既有多层住宅加装电梯，管线迁移拖了两年。"


@pytest.fixture
def world(store: Store) -> World:
    """The small district with a plan long enough to tell common words from rare ones."""
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


def test_r56_the_words_lead_where_the_section_says_another_unit_which_stays_second(store: Store, world: World) -> None:
    ref = submit(store, world, body=LIFT, section="s3")
    with store.reading() as session:
        found = suggest(session, get(session, ref))
    assert [one.code for one in found[:2]] == ["FGJ", "JTW"]
    assert Why("alike", "既有多层住宅加装电梯") in found[0].reasons
    assert found[1].reasons[0] == Why("section_given")


def test_the_default_lead_comes_first_and_sure_when_the_words_agree(store: Store, world: World) -> None:
    ref = submit(store, world, body=LIFT, section="s2")
    with store.reading() as session:
        first = suggest(session, get(session, ref))[0]
    assert (first.code, first.confidence) == ("FGJ", "high")
    assert first.reasons[0] == Why("section_items")
    assert any(why.kind == "alike" for why in first.reasons)


def test_without_any_clue_the_owner_is_suggested_and_not_with_confidence(store: Store, world: World) -> None:
    ref = submit(store, world, body="挺好的，支持，谢谢大家的工作。", section=None)
    with store.reading() as session:
        found = suggest(session, get(session, ref))
    assert [(one.code, one.confidence) for one in found] == [("FGW", "low")]
    assert found[0].reason == "owner"


def test_r57_a_group_is_never_suggested_but_a_town_the_comment_names_is(store: Store, world: World) -> None:
    ref = submit(store, world, body=LIFT + "浦江镇的老小区最多。", section="s2", item="P68")
    with store.reading() as session:
        codes = [one.code for one in suggest(session, get(session, ref))]
    assert "GJZ" not in codes
    assert "PJZ" in codes
    assert "MQZ" not in codes
    assert codes[0] == "FGJ"


def test_r42_a_unit_the_comment_accuses_is_neither_suggested_nor_offered(
    app: Flask, store: Store, world: World
) -> None:
    ref = submit(store, world, body=LIFT, section="s2")
    with store.writing() as session:
        accusing = Proposal("withhold", "accusation", accused_units=("FGJ",))
        screening.propose(session, world.viewer("reviewer"), ref, version(session, ref), accusing, NOW)
        screening.confirm(session, world.viewer("signer"), ref, version(session, ref), NOW)
        casework.to_assign(session, world, ref)
        assert "FGJ" not in [one.code for one in suggest(session, get(session, ref))]
    text = signed_in(app, "assigner").get(f"/staff/comments/{ref}").text
    form = re.search(r'action="/staff/comments/[^"]+/assign".*?</form>', text, re.DOTALL)
    assert form
    assert "FGJ" not in form[0]


def test_a_changed_plan_is_noticed(store: Store, world: World) -> None:
    ref = submit(store, world, body="观鸟平台太少了，湿地里看不到鹭鸟。", section=None)
    with store.reading() as session:
        assert suggested_lead(session, get(session, ref)).code == "FGW"  # type: ignore[union-attr]
    with store.writing() as session:
        words = "增设湿地观鸟平台，保护鹭鸟栖息地"
        session.execute(update(PlanItem).where(PlanItem.key == "T01").values(title=words, text=words))
    with store.reading() as session:
        assert suggested_lead(session, get(session, ref)).code == "JTW"  # type: ignore[union-attr]


def test_the_suggestion_at_routing_is_recorded_and_never_carried_out(store: Store, world: World) -> None:
    ref = submit(store, world, body=LIFT, section="s3")
    with store.writing() as session:
        casework.to_assign(session, world, ref)
    with store.reading() as session:
        comment = get(session, ref)
        assert comment.suggested_lead_id == world.units["FGJ"]
        assert comment.lead_unit_id is None


def test_the_load_of_each_unit_counts_what_is_open_and_what_is_late(app: Flask, store: Store, world: World) -> None:
    late, fresh, done = (submit(store, world) for _ in range(3))
    waiting = submit(store, world)
    with store.writing() as session:
        casework.assigned(session, world, late)
        casework.assigned(session, world, fresh)
        casework.replied(session, world, done)
        get(session, late).reply_due_on = CALENDAR.nth_working_day(NOW.date(), -1)
    with store.reading() as session:
        found = load(session, NOW.date())
        assert (found["JTW"].open_items, found["JTW"].overdue) == (2, 1)
        assert "FGJ" not in found
    text = signed_in(app, "moderator").get(f"/staff/comments/{waiting}").text
    assert "在办2件，超期1件" in text


def test_the_page_tells_how_sure_it_is_and_keeps_the_lead_from_the_suggested_co_units(
    app: Flask, store: Store, world: World
) -> None:
    ref = submit(store, world, body=LIFT, section="s2", item="P68")
    text = signed_in(app, "moderator").get(f"/staff/comments/{ref}").text
    tags = re.findall(r'name="lead_unit" value="(\w+)".*?<span class="tag t-\w+">([^<]+)</span>', text)
    assert tags[0] == ("FGJ", "把握大")
    assert ("JGW", "可协办") in tags
    near = text[text.index("协办单位</legend>") : text.index("其他协办单位")]
    assert 'value="FGJ"' not in near
    assert 'value="JGW"' in near
    assert "GJZ" not in text


def test_nothing_is_asked_of_the_store_twice_for_the_plan(store: Store, world: World) -> None:
    ref = submit(store, world, body=LIFT)
    with store.reading() as session:
        first = suggest(session, get(session, ref))
        statements: list[str] = []

        def count(_c: object, _k: object, statement: str, *_rest: object) -> None:
            statements.append(statement)

        event.listen(store.engine, "before_cursor_execute", count)
        try:
            assert suggest(session, get(session, ref)) == first
        finally:
            event.remove(store.engine, "before_cursor_execute", count)
    assert len(statements) <= 8
