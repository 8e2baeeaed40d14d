"""The supervision board, the comments behind its numbers, cases, reminders by hand, reopening."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zipfile import ZipFile

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from consult.db import Store
from consult.domain.calendar import BEIJING, local_day
from consult.domain.comment_states import Role
from consult.domain.errors import ChangedMeanwhile, FieldErrors, IllegalTransition, NotAllowed, NotFound, Refused
from consult.models.comments import Assignment, Comment, Outbox, Reply
from consult.models.consultations import Consultation
from consult.queries.calendars import work_calendar
from moderation.domain.routing import ReturnRequest
from moderation.models import AuditEvent, Supervision, Urge
from moderation.permissions import Permission, Viewer
from moderation.queries import supervision as read
from moderation.queries import supervision_cases, today
from moderation.queries.scope import reached
from moderation.queries.supervision import MEASURES, WAITS, Asked, ListAsked
from moderation.services import deadlines, replies, returns, supervision
from tests.support import casework
from tests.support.casework import version
from tests.support.factories import CALENDAR, CIPHER, NOW, World, make_comment, make_consultation, make_staff
from tests.support.staff_site import fill, signed_in, site_on

# NOW is Tuesday 2023-07-18: what is routed then is due on 07-27.
LATE = datetime(2023, 7, 31, 2, 0, tzinfo=BEIJING) + timedelta(hours=8)
TODAY = local_day(LATE)


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store, CONSULT_NOW=LATE.isoformat()) as app:
        yield app


@pytest.fixture
def busy(store: Store, world: World) -> dict[str, str]:
    """At 区交通委: one overdue, one extended, one answered, one handed back; at 区房管局: one overdue as well."""
    with store.writing() as session:
        names = ("overdue", "extended", "answered", "returned", "elsewhere", "waiting")
        refs = {name: make_comment(session, world).receipt_no for name in names}
        casework.assigned(session, world, refs["overdue"])
        casework.in_progress(session, world, refs["extended"])
        casework.replied(session, world, refs["answered"])
        casework.in_progress(session, world, refs["returned"])
        casework.in_progress(session, world, refs["elsewhere"], lead="FGJ")
        officer, leader, assigner = (world.viewer(name) for name in ("jtw_officer", "jtw_leader", "assigner"))
        ref = refs["extended"]
        returns.request_extension(session, officer, ref, version(session, ref), "需现场踏勘。", NOW)
        returns.approve_extension(session, assigner, ref, version(session, ref), CALENDAR, NOW)
        ref = refs["returned"]
        asked = ReturnRequest("other_unit_leads", "属房管局主责", "三定方案第四条", "FGJ")
        returns.request_return(session, leader, ref, version(session, ref), asked, NOW)
        returns.approve_return(session, assigner, ref, version(session, ref), NOW)
    return refs


def _board(store: Store, viewer: Viewer, slug: str = "") -> read.Board:
    with store.reading() as session:
        return read.board(session, viewer, Asked(TODAY, slug), work_calendar(session))


def _listed(store: Store, viewer: Viewer, measure: str, unit: str = "") -> read.Listing:
    with store.reading() as session:
        return read.listed(session, viewer, ListAsked(measure, unit), TODAY, work_calendar(session))


def _unit(board: read.Board, code: str) -> read.UnitRow:
    return next(one for one in board.units if one.code == code)


# -- the board -------------------------------------------------------------------------------------


def test_the_board_counts_each_units_comments(store: Store, world: World, busy: dict[str, str]) -> None:
    jtw = _unit(_board(store, world.viewer("supervisor")), "JTW")
    assert jtw.counts == {
        "received": 4,
        "signed": 3,
        "auto": 0,
        "open": 2,
        "replied": 1,
        "in_time": 1,
        "late": 0,
        "soon": 0,
        "overdue": 1,
        "returned": 1,
        "extended": 1,
    }
    assert jtw.average == 0.0


def test_every_number_of_the_board_opens_exactly_the_comments_it_counts(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    viewer = world.viewer("supervisor")
    board = _board(store, viewer)
    tried = 0
    for row in board.units:
        for measure in MEASURES:
            found = _listed(store, viewer, measure, row.code)
            assert (found.total, len(found.rows)) == (row.counts[measure],) * 2, (row.code, measure)
            tried += 1
    for measure in (*MEASURES, *WAITS):
        assert _listed(store, viewer, measure).total == board.totals[measure]
    assert tried == 2 * len(MEASURES)
    assert [one.receipt_no for one in _listed(store, viewer, "overdue", "JTW").rows] == [busy["overdue"]]


def test_r71_an_answer_is_in_time_when_it_went_to_sign_off_by_its_day(store: Store, world: World) -> None:
    with store.writing() as session:
        ref = make_comment(session, world).receipt_no
        casework.in_progress(session, world, ref)
        due = datetime(2023, 7, 27, 23, 59, tzinfo=BEIJING)
        casework.draft_and_approve(session, world, ref, due)
        replies.sign_off(session, world.viewer("signer"), ref, version(session, ref), CIPHER, due + timedelta(days=4))
    jtw = _unit(_board(store, world.viewer("supervisor")), "JTW")
    assert (jtw.counts["in_time"], jtw.counts["late"]) == (1, 0)
    assert jtw.average == 9.0  # to publication on 07-31


def test_r71_an_answer_that_went_to_sign_off_a_minute_after_its_day_is_late(store: Store, world: World) -> None:
    with store.writing() as session:
        ref = make_comment(session, world).receipt_no
        casework.in_progress(session, world, ref)
        after = datetime(2023, 7, 28, 0, 1, tzinfo=BEIJING)
        casework.draft_and_approve(session, world, ref, after)
        replies.sign_off(session, world.viewer("signer"), ref, version(session, ref), CIPHER, after)
    jtw = _unit(_board(store, world.viewer("supervisor")), "JTW")
    assert (jtw.counts["in_time"], jtw.counts["late"]) == (0, 1)


def test_what_waits_is_grouped_by_working_days_and_adds_up(store: Store, world: World, busy: dict[str, str]) -> None:
    board = _board(store, world.viewer("supervisor"))
    assert board.waits == {"wait_5": 0, "wait_10": 1, "wait_15": 0, "wait_more": 0}
    assert sum(board.waits.values()) + board.totals["overdue"] == board.totals["open"]


def test_r93_a_supervisor_of_one_consultation_sees_nothing_of_another(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    with store.writing() as session:
        other = make_consultation(
            session, world.programme_id, world.units, world.items, slug="jiaotong", short_code="JT", title="专项规划"
        )
        elsewhere = make_staff(
            session, "elsewhere", world.units["FGW"], (Role.SUPERVISOR,), consultation_id=other.consultation_id
        )
    board = _board(store, elsewhere)
    assert board.units == ()
    assert set(board.totals.values()) == {0}
    assert [one.slug for one in board.consultations] == ["jiaotong"]
    assert _listed(store, elsewhere, "overdue").total == 0
    with store.reading() as session, pytest.raises(NotFound):
        supervision_cases.comment_cases(session, elsewhere, busy["overdue"])


def _queries(store: Store, viewer: Viewer) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        _board(store, viewer)
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
    return len(seen)


def test_the_board_costs_the_same_number_of_queries_however_much_there_is(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    before = _queries(store, world.viewer("supervisor"))
    with store.writing() as session:
        for unit in ("JTW", "FGJ", "JGW", "MQZ"):
            for _ in range(3):
                casework.assigned(session, world, make_comment(session, world).receipt_no, lead=unit)
    assert _queries(store, world.viewer("supervisor")) == before <= 10


def test_the_page_shows_the_units_with_overdue_items_first_and_its_numbers_are_links(
    app: Flask, store: Store, busy: dict[str, str]
) -> None:
    deadlines.run(store.writing, LATE)
    browser = signed_in(app, "supervisor")
    page = browser.get("/staff/supervision").text
    assert re.findall(r'<th scope="row">(区[^<]+)</th>', page)[:2] == ["区交通委", "区房管局"]
    assert "1件逾期" in page
    link = re.search(r'href="(/staff/supervision/list\?[^"]*measure=overdue[^"]*unit=JTW[^"]*)"', page)
    assert link is not None
    listed = browser.get(link[1].replace("&amp;", "&")).text
    assert "逾期未办 1 件" in listed
    assert busy["overdue"] in listed
    assert busy["elsewhere"] not in listed
    assert "没有公布" not in page


# -- by hand ---------------------------------------------------------------------------------------


def test_r72_urging_by_hand_reaches_the_unit_once_a_day(store: Store, world: World, busy: dict[str, str]) -> None:
    ref = busy["overdue"]
    with store.writing() as session:
        supervision.urge(session, world.viewer("assigner"), ref, version(session, ref), CALENDAR, LATE)
    with store.writing() as session, pytest.raises(Refused, match="urged_today"):
        supervision.urge(session, world.viewer("supervisor"), ref, version(session, ref), CALENDAR, LATE)
    with store.reading() as session:
        row = session.scalars(select(Urge)).one()
        assert (row.kind, row.unit_id, row.made_by) == (
            "manual",
            world.units["JTW"],
            world.viewer("assigner").staff_id,
        )
        assert session.scalars(select(Outbox.params).where(Outbox.kind == "urge_overdue")).all() == [
            {"due": "2023-07-27", "n": 2}
        ]
        assert casework.kinds(session, ref)[-1] == "urge"


@pytest.mark.parametrize("who", ["reviewer", "signer", "jtw_officer", "jtw_leader"])
def test_only_assigners_and_supervisors_urge(store: Store, world: World, busy: dict[str, str], who: str) -> None:
    ref = busy["overdue"]
    with store.writing() as session, pytest.raises(NotAllowed):
        supervision.urge(session, world.viewer(who), ref, version(session, ref), CALENDAR, LATE)


def test_nobody_is_urged_about_what_is_answered(store: Store, world: World, busy: dict[str, str]) -> None:
    ref = busy["answered"]
    with store.writing() as session, pytest.raises(IllegalTransition):
        supervision.urge(session, world.viewer("supervisor"), ref, version(session, ref), CALENDAR, LATE)


def test_a_unit_is_urged_about_all_it_has_overdue_and_nothing_else(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    viewer = world.viewer("supervisor")
    with store.writing() as session:
        assert supervision.urge_unit(session, viewer, "JTW", CALENDAR, LATE) == 1
    with store.writing() as session:
        assert supervision.urge_unit(session, viewer, "JTW", CALENDAR, LATE) == 0
        assert session.scalar(select(func.count()).select_from(Urge)) == 1
    with store.writing() as session, pytest.raises(NotFound):
        supervision.urge_unit(session, viewer, "NONE", CALENDAR, LATE)


def _supervise(store: Store, world: World, ref: str, reason: str = "群众反映强烈，须专人盯办。") -> int:
    with store.writing() as session:
        supervision.supervise(session, world.viewer("supervisor"), ref, version(session, ref), reason, CALENDAR, LATE)
    with store.reading() as session:
        return session.scalars(select(Supervision.id).order_by(Supervision.id.desc())).first() or 0


def test_r73_a_case_opened_by_hand_needs_a_reason_and_asks_for_an_answer_in_two_working_days(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["overdue"]
    with pytest.raises(Refused, match="reason_required"):
        _supervise(store, world, ref, "  ")
    _supervise(store, world, ref)
    with pytest.raises(Refused, match="supervision_open"):
        _supervise(store, world, ref)
    with store.reading() as session:
        case = session.scalars(select(Supervision)).one()
        assert (case.cause, str(case.answer_due_on), case.unit_id) == ("by_hand", "2023-08-02", world.units["JTW"])
        assert casework.get(session, ref).handling_state == "assigned"
        kinds = session.scalars(select(Outbox.kind).where(Outbox.unit_id == world.units["JTW"])).all()
        assert kinds.count("supervise") == 1


def test_r51_a_supervisor_sees_contacts_only_once_a_comment_is_under_supervision(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    def reachable() -> set[str]:
        with store.reading() as session:
            condition = reached(world.viewer("supervisor").reach(Permission.REVEAL_CONTACT))
            return set(session.scalars(select(Comment.receipt_no).where(condition)))

    assert reachable() == set()
    _supervise(store, world, busy["overdue"])
    assert reachable() == {busy["overdue"]}


def test_r73_the_units_leader_answers_in_writing_with_a_promised_day_once(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["overdue"]
    case = _supervise(store, world, ref)
    text, promised = "因道路权属资料不全，已约定明日现场核对。", date(2023, 8, 4)
    leader = world.viewer("jtw_leader")
    with store.writing() as session, pytest.raises(FieldErrors) as refused:
        supervision.answer(session, leader, ref, case, "尽快。", date(2023, 7, 30), LATE)
    assert {name: one[0].code for name, one in refused.value.errors.items()} == {
        "answer": "answer_too_short",
        "promised_on": "promised_day_past",
    }
    with store.writing() as session:
        supervision.answer(session, leader, ref, case, text, promised, LATE)
    with store.writing() as session, pytest.raises(Refused, match="supervision_answered"):
        supervision.answer(session, leader, ref, case, text, promised, LATE)
    with store.reading() as session:
        row = session.get_one(Supervision, case)
        assert (row.answer, row.promised_on, row.answered_by) == (text, promised, leader.staff_id)
        assert casework.kinds(session, ref)[-1] == "answer_supervision"


def test_r93_another_units_leader_does_not_answer(store: Store, world: World, busy: dict[str, str]) -> None:
    case = _supervise(store, world, busy["overdue"])
    with store.writing() as session, pytest.raises(NotFound):
        supervision.answer(
            session, world.viewer("fgj_leader"), busy["overdue"], case, "说" * 20, date(2023, 8, 4), LATE
        )
    with store.writing() as session, pytest.raises(NotAllowed):
        supervision.answer(
            session, world.viewer("jtw_officer"), busy["overdue"], case, "说" * 20, date(2023, 8, 4), LATE
        )


def test_the_leaders_pages_show_the_case_take_the_answer_and_keep_what_was_typed(
    app: Flask, store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["overdue"]
    case = _supervise(store, world, ref)
    browser = signed_in(app, "jtw_leader")
    assert ref in browser.get("/staff/supervision/answers").text
    page = f"/staff/supervision/comments/{ref}"
    assert "待单位负责人书面说明" in browser.get(page).text
    wrong = browser.post(f"{page}/answer", {"case": str(case), "answer": "太短", "promised_on": ""}, page=page)
    assert wrong.status_code == 422
    assert "太短" in wrong.text
    assert "书面说明至少 10 个字" in wrong.text
    good = {"case": str(case), "answer": "资料已补齐，明日送审签。", "promised_on": "2023-08-02"}
    assert browser.post(f"{page}/answer", good, page=page).status_code == 303
    assert "承诺8月2日前办结" in browser.get(page).text
    assert signed_in(app, "fgj_leader").get(page).status_code == 404


def test_todays_page_tells_the_supervisor_and_the_leader_of_open_cases(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    def waiting(who: str, kind: str, on: date) -> tuple[int, int]:
        with store.reading() as session:
            found = today.waiting(session, world.viewer(who), on, LATE)
        return next((one.n, one.late) for one in found if one.kind == kind)

    case = _supervise(store, world, busy["overdue"])  # to be explained by 08-02
    assert waiting("supervisor", "supervised", TODAY) == waiting("jtw_leader", "explain", TODAY) == (1, 0)
    assert waiting("jtw_leader", "explain", date(2023, 8, 3)) == (1, 1)
    assert waiting("fgj_leader", "explain", TODAY) == (0, 0)
    with store.writing() as session:
        leader, written = world.viewer("jtw_leader"), "因道路权属资料不全，约定明日现场核对。"
        supervision.answer(session, leader, busy["overdue"], case, written, date(2023, 8, 4), LATE)
    assert waiting("jtw_leader", "explain", date(2023, 8, 3)) == (0, 0)
    assert waiting("supervisor", "supervised", date(2023, 8, 3)) == (1, 0)


def test_r78_a_reply_refused_on_the_page_is_counted(
    app: Flask, store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["extended"]
    browser, page = signed_in(app, "jtw_officer"), f"/staff/unit/{ref}/reply"
    with store.reading() as session:
        seen = str(version(session, ref))
    typed = {
        "seen_version": seen,
        "step": "leader",
        "outcome": "explained",
        "body": "收悉，谢谢。",
        "reason": "原因" * 15,
    }
    assert browser.post(page, typed, page=page).status_code == 422
    jtw = _unit(_board(store, world.viewer("supervisor")), "JTW")
    assert (jtw.refused, jtw.refusals) == (1, 1)


# -- reopening -------------------------------------------------------------------------------------


def _reopen(store: Store, world: World, ref: str, now: datetime = LATE, reason: str = "异议成立，须补充研究。") -> None:
    with store.writing() as session:
        supervision.reopen(session, world.viewer("supervisor"), ref, version(session, ref), reason, CALENDAR, now)


def test_t24_reopening_keeps_the_old_reply_and_starts_a_new_clock(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["answered"]
    _reopen(store, world, ref)
    with store.reading() as session:
        comment = casework.get(session, ref)
        assert (comment.handling_state, str(comment.reply_due_on)) == ("in_progress", "2023-08-09")
        first, second = session.scalars(
            select(Assignment).where(Assignment.comment_id == comment.id).order_by(Assignment.number)
        ).all()
        assert (first.closed_why, first.closed_at) == ("reopened", LATE)
        assert (second.lead_unit_id, second.closed_at, second.receipted_at) == (first.lead_unit_id, None, LATE)
        assert session.scalars(select(Reply.state).where(Reply.comment_id == comment.id)).all() == ["published"]
        kinds = session.scalars(select(Outbox.kind).where(Outbox.comment_id == comment.id)).all()
        assert {"reopened", "unit_reopened"} <= set(kinds)


def test_t24_a_reopened_comment_is_answered_anew_and_both_versions_stay(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["answered"]
    _reopen(store, world, ref)
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, LATE)
        replies.sign_off(session, world.viewer("signer"), ref, version(session, ref), CIPHER, LATE)
    with store.reading() as session:
        comment = casework.get(session, ref)
        states = session.scalars(select(Reply.state).where(Reply.comment_id == comment.id).order_by(Reply.revision))
        assert states.all() == ["superseded", "published"]
        assert comment.handling_state == "replied"
    jtw = _unit(_board(store, world.viewer("supervisor")), "JTW")
    assert jtw.counts["replied"] == 1


def test_t25_a_closed_comment_reopens_and_one_that_was_never_answered_does_not(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    deadlines.run(store.writing, LATE)
    with store.reading() as session:
        assert casework.get(session, busy["answered"]).handling_state == "closed"
    _reopen(store, world, busy["answered"])
    with store.reading() as session:
        comment = casework.get(session, busy["answered"])
        assert (comment.handling_state, comment.closed_as) == ("in_progress", "")
    with pytest.raises(IllegalTransition):
        _reopen(store, world, busy["overdue"])


def test_t24_reopening_is_refused_after_archiving_without_a_reason_and_on_a_stale_page(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    ref = busy["answered"]
    with pytest.raises(Refused, match="reason_required"):
        _reopen(store, world, ref, reason=" ")
    with store.writing() as session, pytest.raises(ChangedMeanwhile):
        supervision.reopen(session, world.viewer("supervisor"), ref, 1, "理由", CALENDAR, LATE)
    with store.writing() as session, pytest.raises(NotAllowed):
        supervision.reopen(session, world.viewer("assigner"), ref, version(session, ref), "理由", CALENDAR, LATE)
    with store.writing() as session:
        session.scalars(select(Consultation)).one().stage = "archived"
    with pytest.raises(Refused, match="reopen_archived"):
        _reopen(store, world, ref)


def test_r70_a_reopened_comment_counts_its_thirty_days_from_the_reopening(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    later = datetime(2023, 9, 20, 10, 0, tzinfo=BEIJING)
    _reopen(store, world, busy["answered"], later)
    deadlines.run(store.writing, later + timedelta(days=1))
    with store.reading() as session:
        comment = casework.get(session, busy["answered"])
        causes = session.scalars(select(Supervision.cause).where(Supervision.comment_id == comment.id)).all()
    assert "cumulative" not in causes


# -- the list as a file ----------------------------------------------------------------------------


def test_the_supervision_list_is_a_workbook_and_the_export_is_recorded(
    app: Flask, store: Store, world: World, busy: dict[str, str]
) -> None:
    _supervise(store, world, busy["overdue"], "=1+1 群众反映强烈")
    answer = signed_in(app, "supervisor").post("/staff/supervision/export", {"consultation": ""})
    assert answer.status_code == 200
    with ZipFile(io.BytesIO(answer.data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert busy["overdue"] in sheet
    assert "<f>" not in sheet
    with store.reading() as session:
        record = session.scalars(select(AuditEvent).where(AuditEvent.action == "export")).one()
        assert (record.detail["table"], record.detail["rows"]) == ("supervision_list", 1)
    assert signed_in(app, "assigner").post("/staff/supervision/export", {}).status_code == 403


# -- refused replies -------------------------------------------------------------------------------


def test_r78_replies_refused_as_boilerplate_are_counted_for_the_unit(
    store: Store, world: World, busy: dict[str, str]
) -> None:
    for _ in range(3):
        with store.writing() as session:
            supervision.note_refused_reply(session, world.viewer("jtw_officer"), busy["overdue"], LATE)
    with store.writing() as session:  # out of reach: nothing is counted
        supervision.note_refused_reply(session, world.viewer("fgj_officer"), busy["overdue"], LATE)
    viewer = world.viewer("supervisor")
    jtw = _unit(_board(store, viewer), "JTW")
    assert (jtw.refused, jtw.refusals, jtw.refused_share) == (1, 3, 0.75)
    assert _listed(store, viewer, "refused", "JTW").total == 1
