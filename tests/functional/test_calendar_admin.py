"""The administrator's pages for the calendar and for units."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from flask import Flask
from sqlalchemy import select

from consult.db import Store
from consult.domain.calendar import BEIJING, WorkCalendar
from consult.domain.errors import CalendarPending, FieldErrors, NotFound, Refused
from consult.models.comments import Outbox
from consult.models.consultations import CalendarYear
from consult.queries import units
from consult.queries.calendars import work_calendar
from moderation.models import AuditEvent
from moderation.services import calendar_admin, routing, units_admin
from moderation.services.audit import By
from moderation.services.routing import Routing
from tests.support import casework
from tests.support.casework import version
from tests.support.factories import NOW, World, make_comment
from tests.support.staff_site import fill, signed_in, site_on

BY = By(7, "sysadmin")
DECEMBER = datetime(2026, 12, 28, 9, 0, tzinfo=BEIJING)


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store, CONSULT_NOW=DECEMBER.isoformat()) as app:
        yield app


def _calendar(store: Store) -> WorkCalendar:
    with store.reading() as session:
        return work_calendar(session)


def _import(store: Store, year: int = 2027) -> int:
    with store.writing() as session:
        return calendar_admin.import_year(session, BY, year, DECEMBER)


def test_r61_an_imported_year_is_a_draft_and_counts_only_once_published(store: Store, world: World) -> None:
    assert _import(store) > 0
    with pytest.raises(CalendarPending):
        _calendar(store).is_working_day(date(2027, 1, 4))
    with store.writing() as session:
        calendar_admin.publish(session, BY, 2027, DECEMBER)
    assert _calendar(store).is_working_day(date(2027, 1, 4))
    assert not _calendar(store).is_working_day(date(2027, 1, 1))
    with pytest.raises(Refused, match="calendar_published"):
        _import(store)
    with store.writing() as session, pytest.raises(Refused, match="calendar_published"):
        calendar_admin.publish(session, BY, 2027, DECEMBER)


def test_r60_a_swapped_day_can_be_typed_in_and_taken_out(store: Store, world: World) -> None:
    _import(store)
    saturday, tuesday = date(2027, 9, 25), date(2027, 10, 5)
    with store.writing() as session:
        calendar_admin.put_day(session, BY, 2027, saturday, "", DECEMBER)
        calendar_admin.put_day(session, BY, 2027, tuesday, "国庆节", DECEMBER)
        calendar_admin.publish(session, BY, 2027, DECEMBER)
    assert _calendar(store).is_working_day(saturday)
    assert not _calendar(store).is_working_day(tuesday)
    with store.writing() as session:
        calendar_admin.remove_day(session, BY, 2027, saturday, DECEMBER)
    assert not _calendar(store).is_working_day(saturday)


@pytest.mark.parametrize(
    ("day", "name", "code"),
    [
        (None, "", "day_required"),
        (date(2026, 10, 1), "", "day_of_other_year"),
        (date(2027, 10, 1), "国" * 21, "holiday_name_malformed"),
        (date(2027, 10, 1), "国庆\n节", "holiday_name_malformed"),
    ],
)
def test_a_day_that_cannot_be_is_refused(store: Store, world: World, day: date | None, name: str, code: str) -> None:
    _import(store)
    with store.writing() as session, pytest.raises(Refused, match=code):
        calendar_admin.put_day(session, BY, 2027, day, name, DECEMBER)


def test_an_empty_year_and_one_far_away_are_refused(store: Store, world: World) -> None:
    with store.writing() as session:
        session.add(CalendarYear(year=2028, published=False, source="手工录入"))
        session.flush()
        with pytest.raises(Refused, match="calendar_empty"):
            calendar_admin.publish(session, BY, 2028, DECEMBER)
    with pytest.raises(Refused, match="year_out_of_range"):
        _import(store, 2199)
    with store.writing() as session, pytest.raises(NotFound):
        calendar_admin.publish(session, BY, 10**30, DECEMBER)


def test_r98_every_change_of_the_calendar_is_in_the_audit_log(store: Store, world: World) -> None:
    _import(store)
    with store.writing() as session:
        calendar_admin.put_day(session, BY, 2027, date(2027, 9, 25), "", DECEMBER)
        calendar_admin.remove_day(session, BY, 2027, date(2027, 9, 25), DECEMBER)
        calendar_admin.publish(session, BY, 2027, DECEMBER)
    with store.reading() as session:
        rows = session.execute(
            select(AuditEvent.action, AuditEvent.object_ref)
            .where(AuditEvent.object_kind == "calendar")
            .order_by(AuditEvent.seq)
        ).all()
    assert [tuple(row) for row in rows] == [
        ("calendar_import", "2027"),
        ("calendar_day_put", "2027"),
        ("calendar_day_removed", "2027"),
        ("calendar_publish", "2027"),
    ]


def test_r61_publishing_on_the_page_sets_the_due_days_that_waited(app: Flask, store: Store, world: World) -> None:
    with store.writing() as session:
        ref = make_comment(session, world, NOW).receipt_no
        casework.to_assign(session, world, ref)
        routing.assign(
            session,
            world.viewer("assigner"),
            ref,
            version(session, ref),
            Routing("JTW"),
            work_calendar(session),
            DECEMBER,
        )
        assert casework.get(session, ref).reply_due_on is None
    browser = signed_in(app, "sysadmin")
    assert "1 件到期日待定" in browser.get("/staff/admin/calendar/").text
    page = "/staff/admin/calendar/"
    answer = browser.post(f"{page}import", {"year": "2027"}, page=page)
    assert answer.headers["Location"].endswith("/staff/admin/calendar/2027/?done=imported")
    year = f"{page}2027/"
    assert "草稿，尚未公布" in browser.get(year).text
    assert browser.post(f"{year}publish", {}, page=year).status_code == 303
    assert "已公布，计入工作日" in browser.get(year).text
    with store.reading() as session:
        assert casework.get(session, ref).reply_due_on is not None
        assert "recompute_due" in casework.kinds(session, ref)
        assert session.scalars(select(Outbox.kind).where(Outbox.kind == "due_known")).all() == ["due_known"]


def test_a_wrong_day_keeps_what_was_typed(app: Flask, store: Store) -> None:
    _import(store)
    browser = signed_in(app, "sysadmin")
    year = "/staff/admin/calendar/2027/"
    answer = browser.post(f"{year}days", {"day": "2026-10-01", "name": "国庆节"}, page=year)
    assert answer.status_code == 422
    assert "请填写 2027 年的日期" in answer.text
    assert 'value="国庆节"' in answer.text
    assert browser.get("/staff/admin/calendar/99999999999999999999999/").status_code == 404


@pytest.mark.parametrize("who", ["moderator", "supervisor", "jtw_leader", "auditor"])
def test_only_the_administrator_opens_the_calendar_and_the_units(app: Flask, who: str) -> None:
    browser = signed_in(app, who)
    assert browser.get("/staff/admin/calendar/").status_code == 403
    assert browser.get("/staff/admin/units/").status_code == 403


# -- units -----------------------------------------------------------------------------------------


def _rename(store: Store, name: str, short_name: str, code: str = "JTW") -> None:
    with store.writing() as session:
        units_admin.rename(session, BY, code, name, short_name, NOW)


def test_r97_a_renamed_unit_is_still_found_by_the_names_it_had(store: Store, world: World) -> None:
    _rename(store, "闵行区交通运输局", "区交通局")
    with store.reading() as session:
        for name in ("闵行区交通委员会", "区交通委", "区交通局", "闵行区交通运输局", "JTW"):
            assert units.find_unit(session, name).code == "JTW"
    _rename(store, "闵行区交通委员会", "区交通委")  # and back
    with store.reading() as session:
        assert units.find_unit(session, "区交通局").code == "JTW"
        record = session.scalars(select(AuditEvent).where(AuditEvent.action == "unit_rename")).first()
        assert record is not None
        assert record.detail["before"]["short_name"] == "区交通委"


def test_r58_a_name_leads_to_one_unit_only(store: Store, world: World) -> None:
    _rename(store, "闵行区房屋管理局", "区房屋局", "FGJ")
    for taken in ("区建管委", "区房管局"):
        with pytest.raises(FieldErrors) as refused:
            _rename(store, "闵行区交通运输局", taken)
        assert refused.value.errors["short_name"][0].code == "unit_name_taken"
    with pytest.raises(FieldErrors) as refused:
        _rename(store, " ", "区\n交通局")
    assert {name: one[0].code for name, one in refused.value.errors.items()} == {
        "name": "unit_name_required",
        "short_name": "unit_name_malformed",
    }


def test_r57_a_group_is_never_routed_to_but_has_members_that_can_change(store: Store, world: World) -> None:
    with store.writing() as session:
        with pytest.raises(Refused, match="group_not_assignable"):
            units_admin.set_flags(session, BY, "GJZ", NOW, assignable=True, daily_digest=False)
        units_admin.remove_member(session, BY, "GJZ", "PJZ", NOW)
        units_admin.add_member(session, BY, "GJZ", "JGW", NOW)
        with pytest.raises(Refused, match="member_already"):
            units_admin.add_member(session, BY, "GJZ", "JGW", NOW)
        with pytest.raises(Refused, match="unit_not_group"):
            units_admin.add_member(session, BY, "JTW", "JGW", NOW)
    with store.reading() as session:
        assert [one.code for one in units.members(session, "GJZ")] == ["MQZ", "JGW"]


def test_the_units_page_shows_who_has_no_officer_and_saves_settings(app: Flask, store: Store, world: World) -> None:
    browser = signed_in(app, "sysadmin")
    page = browser.get("/staff/admin/units/?officer=none").text
    assert "区委宣传部" in page
    assert "区交通委" not in page
    unit = "/staff/admin/units/JTW/"
    assert browser.post(f"{unit}settings", {"daily_digest": "yes"}, page=unit).status_code == 303
    with store.reading() as session:
        assert units.find_unit(session, "JTW").assignable is False
    shown = browser.get(unit).text
    assert 'name="daily_digest" value="yes" checked' in shown
    wrong = browser.post(f"{unit}rename", {"name": "闵行区交通运输局", "short_name": "区建管委"}, page=unit)
    assert wrong.status_code == 422
    assert "闵行区交通运输局" in wrong.text
    assert browser.get("/staff/admin/units/NONE/").status_code == 404
