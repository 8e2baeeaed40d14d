"""Filters of the queue that people keep for themselves, each with its count."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from consult.db import Store
from consult.domain.errors import NotFound, Refused
from moderation.models import SavedFilter
from moderation.services import saved_filters
from tests.support.casework_pages import act, submit
from tests.support.factories import NOW, World
from tests.support.staff_site import fill, signed_in, site_on

FILTERED = "/staff/queue?consultation=gangyao&section=s2"


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


def test_a_filter_is_kept_under_a_name_with_its_count_for_its_owner_alone(
    app: Flask, store: Store, world: World
) -> None:
    inside = submit(store, world, section="s2")
    outside = submit(store, world, section="s3", now=NOW + timedelta(hours=1))
    browser = signed_in(app, "reviewer")
    answer = act(browser, "/staff/queue/filters", FILTERED, {"name": "  重大  项目 "})
    assert answer.status_code == 303
    shown = browser.get("/staff/queue").text
    link = re.search(r'<a href="([^"]+)">重大 项目 <b>1</b></a>', shown)
    assert link
    listed = browser.get(link[1].replace("&amp;", "&")).text
    assert inside in listed
    assert outside not in listed
    assert "重大 项目" not in signed_in(app, "reviewer2").get("/staff/queue").text


def test_the_same_name_replaces_and_a_name_is_needed(app: Flask, store: Store, world: World) -> None:
    browser = signed_in(app, "reviewer")
    assert act(browser, "/staff/queue/filters", FILTERED, {"name": "  "}).status_code == 422
    for page in (FILTERED, "/staff/queue?age=late"):
        assert act(browser, "/staff/queue/filters", page, {"name": "我的"}).status_code == 303
    with store.reading() as session:
        kept = session.scalars(select(SavedFilter)).one()
        assert kept.criteria == {"tab": "review", "age": "late"}


def test_there_is_room_for_eight_and_nobody_forgets_anothers(store: Store, world: World) -> None:
    one, other = world.viewer("reviewer"), world.viewer("reviewer2")
    with store.writing() as session:
        for n in range(saved_filters.MOST):
            saved_filters.save(session, one, f"第{n}个", {"tab": "review"}, NOW)
        with pytest.raises(Refused, match="filters_too_many"):
            saved_filters.save(session, one, "再来一个", {}, NOW)
        with pytest.raises(Refused, match="filter_name_long"):
            saved_filters.save(session, other, "长" * 21, {}, NOW)
        kept = session.scalars(select(SavedFilter.id).order_by(SavedFilter.id)).all()
        with pytest.raises(NotFound):
            saved_filters.forget(session, other, kept[0])
        saved_filters.forget(session, one, kept[0])
        assert len(session.scalars(select(SavedFilter.id)).all()) == saved_filters.MOST - 1
