"""Pages kept in memory are given out only while nothing was committed, and only to who chose the same display."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from consult import clock
from consult.db import Store
from consult.models.comments import Comment
from consult.models.consultations import Section, SectionVersion
from consult.models.plan import Unit
from consult.public.page_cache import PageCache
from tests.support import casework
from tests.support.application import make_app
from tests.support.factories import NOW, make_comment, make_world

ADDRESSES = ("/c/gangyao/", "/c/gangyao/draft/", "/c/gangyao/draft/s3/", "/c/gangyao/comments/")


@pytest.fixture
def site(store: Store, tmp_path: Path) -> FlaskClient:
    clock.start_at(NOW)
    with store.writing() as session:
        world = make_world(session)
        make_comment(session, world, section="s3", body="建议增加接驳线路。")
        casework.accept(session, world, "ZP-0001")
    return make_app(store, tmp_path / "files").test_client()


def statements(store: Store, client: FlaskClient, path: str, **headers: str) -> int:
    """How many statements about rows one answer took."""
    seen: list[str] = []

    def note(_c: object, _k: object, statement: str, *_rest: object) -> None:
        if "FROM" in statement:
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        assert client.get(path, headers=headers).status_code == 200
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_page_is_drawn_once_while_nothing_is_committed(store: Store, site: FlaskClient, path: str) -> None:
    first = site.get(path)
    # PostgreSQL's own vacuum, and the databases of other tests on its server, are transactions too: each costs one
    # page more to be drawn, which is right, so the page is asked for a few times.
    assert min(statements(store, site, path) for _ in range(5)) == 0
    again = site.get(path)
    assert again.data == first.data
    assert sorted(again.headers) == sorted(first.headers)
    assert again.content_type == first.content_type


@pytest.mark.parametrize("path", ADDRESSES[2:])
def test_r27_any_commit_ends_every_kept_page(store: Store, site: FlaskClient, path: str) -> None:
    assert "建议增加接驳线路。" in site.get(path).text
    # Without a service and without an event, as a repair by hand would do it.
    with store.writing() as session:
        session.execute(update(Comment).values(body="改过的意见。"))
    assert "建议增加接驳线路。" not in site.get(path).text


def test_a_commit_of_another_process_ends_a_kept_page_too(store: Store, site: FlaskClient, store_url: str) -> None:
    site.get(ADDRESSES[0])
    other = Store(store_url)
    with other.writing() as session:
        session.execute(update(Unit).where(Unit.code == "FGW").values(name="改了名的委员会"))
    other.dispose()
    assert "改了名的委员会" in site.get(ADDRESSES[0]).text


def test_a_renamed_unit_has_its_new_name_in_the_draft_at_once(store: Store, site: FlaskClient) -> None:
    before = site.get("/c/gangyao/draft/s3/").text
    with store.writing() as session:
        old = session.execute(
            select(Unit.id, Unit.short_name)
            .join(SectionVersion, SectionVersion.default_lead_unit_id == Unit.id)
            .join(Section, Section.id == SectionVersion.section_id)
            .where(Section.key == "s3")
        ).first()
        assert old is not None
        assert old.short_name in before
        session.execute(update(Unit).where(Unit.id == old.id).values(short_name="改名后单位"))
    after = site.get("/c/gangyao/draft/s3/").text
    assert "改名后单位" in after
    assert old.short_name not in after


def test_display_choices_and_language_have_pages_of_their_own(site: FlaskClient) -> None:
    plain = site.get(ADDRESSES[0]).data
    site.set_cookie("size", "large")
    large = site.get(ADDRESSES[0]).data
    site.set_cookie("contrast", "high")
    high = site.get(ADDRESSES[0]).data
    english = site.get("/en/c/gangyao/").data
    assert len({plain, large, high, english}) == 4
    site.delete_cookie("size")
    site.delete_cookie("contrast")
    assert site.get(ADDRESSES[0]).data == plain


def test_r09_a_kept_page_ends_with_the_day(site: FlaskClient) -> None:
    before = site.get(ADDRESSES[0]).text
    clock.start_at(NOW + timedelta(days=1))
    assert site.get(ADDRESSES[0]).text != before


def test_what_people_search_for_is_not_kept(store: Store, site: FlaskClient) -> None:
    path = "/c/gangyao/comments/?q=%E6%8E%A5%E9%A9%B3"
    site.get(path)
    assert statements(store, site, path) > 0


def test_the_least_recently_used_page_goes_when_room_is_short() -> None:
    pages = PageCache(room=10)
    pages.put("a", 1, b"aaaa")
    pages.put("b", 1, b"bbbb")
    assert pages.get("a", 1) == b"aaaa"
    pages.put("c", 1, b"cccc")
    assert pages.get("b", 1) is None
    assert pages.get("a", 1) == b"aaaa"
    assert pages.get("a", 2) is None
