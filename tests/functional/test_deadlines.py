"""What happens by itself when days pass: `consult deadlines run` and the worker, on both stores."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from consult.db import Store
from consult.domain.calendar import BEIJING
from consult.models.comments import Appeal, Assignment, Comment, Outbox, Reply
from consult.models.consultations import CalendarYear
from moderation.domain.routing import ReturnRequest
from moderation.models import Supervision, Urge
from moderation.services import deadlines, replies, returns, routing, supplements
from tests.functional.test_cli_store import Operator
from tests.support import casework, stores
from tests.support.casework import version
from tests.support.factories import CALENDAR, CIPHER, World, make_comment, make_world
from tests.support.racing import RACERS, meet


def at(text: str, hour: int = 9) -> datetime:
    """A Beijing moment."""
    return datetime.combine(date.fromisoformat(text), datetime.min.time(), BEIJING).replace(hour=hour)


MONDAY = at("2023-07-17")
"""Routed on this day a comment is due on 07-26, reminded of on 07-24, overdue from 07-27 (`urge_schedule`)."""


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        return make_world(session, MONDAY)


def _run(store: Store, *days: str, hour: int = 9) -> None:
    for day in days:
        assert deadlines.run(store.writing, at(day, hour)).failed == ()


def _new(store: Store, world: World, now: datetime = MONDAY, **more: Any) -> str:
    with store.writing() as session:
        return make_comment(session, world, now, **more).receipt_no


def _assigned(store: Store, world: World, now: datetime = MONDAY, co: tuple[str, ...] = ()) -> str:
    ref = _new(store, world, now)
    with store.writing() as session:
        casework.assigned(session, world, ref, now, co=co)
    return ref


def _urges(store: Store, ref: str = "") -> list[tuple[str, str, str]]:
    statement = select(Urge.on_day, Urge.kind, Urge.recipient).join(Comment, Comment.id == Urge.comment_id)
    if ref:
        statement = statement.where(Comment.receipt_no == ref)
    with store.reading() as session:
        return sorted((day.isoformat(), kind, who.split(":")[0]) for day, kind, who in session.execute(statement))


def _cases(store: Store) -> Counter[str]:
    with store.reading() as session:
        return Counter(session.scalars(select(Supervision.cause)))


def _sent(store: Store, kind: str) -> list[dict[str, Any]]:
    with store.reading() as session:
        return [row.params for row in session.scalars(select(Outbox).where(Outbox.kind == kind).order_by(Outbox.id))]


def _get(store: Store, ref: str) -> Comment:
    with store.reading() as session:
        return casework.get(session, ref)


# -- reminders -------------------------------------------------------------------------------------


def test_r72_a_lead_unit_is_reminded_two_days_before_on_the_day_and_every_overdue_working_day(
    store: Store, world: World
) -> None:
    ref = _assigned(store, world)
    _run(store, *(f"2023-07-{day}" for day in range(18, 32)))
    assert _urges(store, ref) == [
        ("2023-07-24", "soon", "unit"),
        ("2023-07-26", "today", "unit"),
        ("2023-07-27", "overdue", "unit"),
        ("2023-07-28", "overdue", "unit"),
        ("2023-07-31", "overdue", "unit"),
    ]
    assert [sent["n"] for sent in _sent(store, "urge_overdue")] == [1, 2, 3]
    assert _sent(store, "urge_soon") == [{"due": "2023-07-26", "n": 2}]
    with store.reading() as session:
        assert casework.kinds(session, ref).count("urge") == 5


def test_r72_running_again_sends_nothing_again(store: Store, world: World) -> None:
    _assigned(store, world)
    _run(store, "2023-07-24", "2023-07-24", hour=0)
    _run(store, "2023-07-24", hour=23)
    assert len(_urges(store)) == len(_sent(store, "urge_soon")) == 1


def test_r72_a_late_run_sends_todays_reminder_and_none_of_those_missed(store: Store, world: World) -> None:
    _assigned(store, world)
    _run(store, "2023-07-28")
    assert _urges(store) == [("2023-07-28", "overdue", "unit")]


def test_r72_a_reminder_changes_no_state_and_disturbs_nobody_who_is_writing(store: Store, world: World) -> None:
    ref = _assigned(store, world)
    _run(store, "2023-07-19")  # counted as received on the way
    before = _get(store, ref)
    _run(store, "2023-07-24", "2023-07-26")
    after = _get(store, ref)
    assert after.handling_state == before.handling_state == "in_progress"
    assert after.version == before.version
    assert after.event_seq == before.event_seq + 2
    with store.writing() as session:
        replies.save_draft(
            session, world.viewer("jtw_officer"), ref, before.version, casework.GOOD_REPLY, at("2023-07-26")
        )


def test_r72_the_log_is_still_whole_after_reminders(store: Store, world: World) -> None:
    from moderation.services.verification import verify

    _assigned(store, world, co=("FGJ",))
    _run(store, "2023-07-19", "2023-07-24", "2023-07-28")
    with store.reading() as session:
        assert verify(session) == []


def test_r71_nobody_is_reminded_while_a_reply_waits_for_sign_off(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.submitted(session, world, ref, MONDAY)
    _run(store, "2023-07-18", "2023-07-26", "2023-07-31")
    assert all(who == "sign_off_officer" for _day, _kind, who in _urges(store, ref))


def test_r74_a_co_unit_is_reminded_of_its_own_day_and_no_longer_once_it_has_answered(
    store: Store, world: World
) -> None:
    ref = _assigned(store, world, co=("FGJ",))
    _run(store, "2023-07-20", "2023-07-24")
    assert ("2023-07-24", "co_today", "unit") in _urges(store, ref)
    assert {sent["co"] for sent in _sent(store, "urge_today")} == {True}
    with store.writing() as session:
        routing.co_feedback(
            session, world.viewer("fgj_officer"), ref, version(session, ref), "房管局意见", at("2023-07-25")
        )
    _run(store, "2023-07-25", "2023-07-26")
    assert {kind for _day, kind, _who in _urges(store, ref)} == {"co_soon", "co_today", "soon", "today"}


def test_r29_reviewers_are_reminded_once_a_working_day_of_what_waits_over_two(store: Store, world: World) -> None:
    ref = _new(store, world)  # due on 07-19
    _run(store, "2023-07-18", "2023-07-19", "2023-07-20", "2023-07-20", "2023-07-22", "2023-07-24")
    assert _urges(store, ref) == [("2023-07-20", "review", "reviewer"), ("2023-07-24", "review", "reviewer")]
    assert {sent["role"] for sent in _sent(store, "urge_review")} == {"reviewer"}


def test_assigners_are_reminded_when_routing_is_not_done_a_working_day_after_acceptance(
    store: Store, world: World
) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.to_assign(session, world, ref, MONDAY)
    _run(store, "2023-07-17", "2023-07-18")
    assert _urges(store, ref) == []
    _run(store, "2023-07-19")
    assert _urges(store, ref) == [("2023-07-19", "route", "assigner")]


def test_assigners_have_a_new_day_after_a_return(store: Store, world: World) -> None:
    ref = _assigned(store, world)
    _hand_back(store, world, ref, at("2023-07-20"))
    _run(store, "2023-07-21")
    assert _urges(store, ref) == []
    _run(store, "2023-07-24")
    assert _urges(store, ref) == [("2023-07-24", "route", "assigner")]


def test_r81_signers_are_reminded_after_two_working_days(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.submitted(session, world, ref, MONDAY)
    _run(store, "2023-07-19", "2023-07-20")
    assert _urges(store, ref) == [("2023-07-20", "sign_off", "sign_off_officer")]


def test_a_sealed_comment_is_spoken_of_to_nobody(store: Store, world: World) -> None:
    ref = _assigned(store, world)
    with store.writing() as session:
        casework.get(session, ref).sealed = True
    _run(store, "2023-07-24", "2023-07-31")
    assert _urges(store) == []
    assert _cases(store) == Counter()


def _hand_back(store: Store, world: World, ref: str, now: datetime) -> None:
    with store.writing() as session:
        asked = ReturnRequest("other_unit_leads", "属房管局主责，我委只配合。", "三定方案第四条", "FGJ")
        returns.request_return(session, world.viewer("jtw_leader"), ref, version(session, ref), asked, now)
    with store.writing() as session:
        returns.approve_return(session, world.viewer("assigner"), ref, version(session, ref), now)


# -- what ends by itself ---------------------------------------------------------------------------


def test_r59_what_is_not_signed_for_in_a_working_day_counts_as_received(store: Store, world: World) -> None:
    ref = _assigned(store, world)
    _run(store, "2023-07-18")
    assert _get(store, ref).handling_state == "assigned"
    _run(store, "2023-07-19")
    assert _get(store, ref).handling_state == "in_progress"
    assert str(_get(store, ref).reply_due_on) == "2023-07-26"


def test_r71_what_is_not_supplemented_in_time_goes_back_to_review(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        supplements.ask(
            session, world.viewer("reviewer"), ref, version(session, ref), "请补充具体路段。", CALENDAR, MONDAY
        )
    _run(store, "2023-07-24")
    assert _get(store, ref).handling_state == "awaiting_supplement"
    _run(store, "2023-07-25")
    assert _get(store, ref).handling_state == "pending_review"


def test_t23_an_answered_comment_is_closed_after_five_working_days(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.replied(session, world, ref, MONDAY)
    _run(store, "2023-07-24")
    assert _get(store, ref).handling_state == "replied"
    _run(store, "2023-07-25")
    assert _get(store, ref).handling_state == "closed"


def test_more_than_one_batch_is_done_in_one_run(store: Store, world: World) -> None:
    refs = [_assigned(store, world) for _ in range(7)]
    done = deadlines.run(store.writing, at("2023-07-24"), batch=2)
    assert done.done["auto_receipt"] == done.done["urge_lead_units"] == len(refs)


# -- a year without its notice ---------------------------------------------------------------------


def _publish(store: Store, year: int, *, published: bool) -> None:
    with store.writing() as session:
        session.get_one(CalendarYear, year).published = published


def test_r61_due_days_that_waited_for_a_notice_are_worked_out_when_it_is_published(store: Store, world: World) -> None:
    _publish(store, 2024, published=False)
    start = at("2023-12-27")
    ref = _new(store, world, start)
    with store.writing() as session:
        casework.to_assign(session, world, ref, start)
    from consult.queries.calendars import work_calendar
    from moderation.services.routing import Routing

    with store.writing() as session:
        routing.assign(
            session, world.viewer("assigner"), ref, version(session, ref), Routing("JTW", ("FGJ",)),
            work_calendar(session), start,
        )  # fmt: skip
    assert _get(store, ref).reply_due_on is None
    _run(store, "2023-12-28", "2023-12-29")
    assert _urges(store, ref) == []
    _publish(store, 2024, published=True)
    _run(store, "2023-12-29", "2023-12-29")
    assert str(_get(store, ref).reply_due_on) == "2024-01-08"
    with store.reading() as session:
        kinds = casework.kinds(session, ref)
        routed = session.scalars(select(Assignment)).one()
        assert kinds.count("recompute_due") == 1
        assert (routed.pending_year, str(routed.return_due_on)) == (None, "2024-01-04")
    assert _sent(store, "due_known") == [{"due": "2024-01-08", "return_by": "2024-01-04"}]
    _run(store, "2024-01-04")
    assert [(day, kind) for day, kind, _who in _urges(store, ref)] == [
        ("2024-01-04", "co_today"),
        ("2024-01-04", "soon"),
    ]


def test_r61_without_this_years_notice_nothing_is_counted_and_nothing_breaks(store: Store, world: World) -> None:
    _assigned(store, world)
    _publish(store, 2023, published=False)
    assert deadlines.run(store.writing, at("2023-07-24")).failed == ()
    assert _urges(store) == []


def test_r61_the_day_of_sign_off_that_waited_is_worked_out_too(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.submitted(session, world, ref, MONDAY)
        session.scalars(select(Reply)).one().sign_off_due_on = None
    _run(store, "2023-07-17")
    with store.reading() as session:
        assert str(session.scalars(select(Reply.sign_off_due_on)).one()) == "2023-07-19"


# -- supervision -----------------------------------------------------------------------------------


def test_r73_a_comment_overdue_by_a_working_day_comes_under_supervision_once(store: Store, world: World) -> None:
    ref = _assigned(store, world)
    _run(store, "2023-07-26")
    assert _cases(store) == Counter()
    _run(store, "2023-07-27", "2023-07-27", "2023-07-28", "2023-08-01")
    assert _cases(store) == Counter({"overdue": 1})
    with store.reading() as session:
        case = session.scalars(select(Supervision)).one()
        assert (case.unit_id, str(case.answer_due_on)) == (world.units["JTW"], "2023-07-31")
        assert casework.kinds(session, ref).count("supervise") == 1
    assert _sent(store, "supervise") == [{"trigger": "overdue", "due": "2023-07-31", "case": case.id}]


def test_r73_over_thirty_working_days_since_acceptance_come_under_supervision(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.to_assign(session, world, ref, MONDAY)
    _run(store, "2023-08-28")  # the 30th working day
    assert _cases(store)["cumulative"] == 0
    _run(store, "2023-08-29", "2023-08-29", "2023-09-05")
    assert _cases(store)["cumulative"] == 1


def test_r73_two_returns_and_two_rejections_come_under_supervision(store: Store, world: World) -> None:
    returned, rejected = _assigned(store, world), _new(store, world)
    with store.writing() as session:
        casework.submitted(session, world, rejected, MONDAY)
        casework.get(session, returned).return_count = 2
        casework.get(session, rejected).rejection_count = 2
    _run(store, "2023-07-18", "2023-07-18")
    assert _cases(store) == Counter({"returned_twice": 1, "rejected_twice": 1})


@pytest.mark.parametrize(("kind", "asked"), [("reply", 1), ("withhold", 0)])
def test_r73_an_upheld_objection_comes_under_supervision_once_and_asks_the_unit_only_about_its_reply(
    store: Store, world: World, kind: str, asked: int
) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.in_progress(session, world, ref, MONDAY)
        comment_id = casework.get(session, ref).id
        appeal = Appeal(
            comment_id=comment_id, kind=kind, decision_seq=1, text="不同意", state="upheld", asked_at=MONDAY
        )
        session.add(appeal)
    _run(store, "2023-07-18", "2023-07-19")
    assert _cases(store) == Counter({"appeal_upheld": 1})
    assert len(_sent(store, "supervise")) == asked


def test_r73_a_case_is_settled_when_the_comment_has_its_reply(store: Store, world: World) -> None:
    ref = _new(store, world)
    with store.writing() as session:
        casework.in_progress(session, world, ref, MONDAY)
    _run(store, "2023-07-28")
    answered = at("2023-07-31")
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, answered)
        replies.sign_off(session, world.viewer("signer"), ref, version(session, ref), CIPHER, answered)
    _run(store, "2023-08-01")
    with store.reading() as session:
        assert session.scalars(select(Supervision.closed_at)).one() == answered


# -- the command and the worker --------------------------------------------------------------------


def test_the_command_says_what_it_did_and_has_nothing_to_do_the_second_time(
    store: Store, world: World, tmp_path: Path
) -> None:
    _assigned(store, world)
    operator = Operator(store.url, tmp_path)
    operator.environ["CONSULT_NOW"] = at("2023-07-24").isoformat()
    assert operator("deadlines", "run") == "视为签收 1 件，催办主办单位 1 件。\n"
    assert operator("deadlines", "run") == "没有到期要办的事。\n"


def test_the_worker_runs_the_deadlines_too(store: Store, world: World, tmp_path: Path) -> None:
    _assigned(store, world)
    operator = Operator(store.url, tmp_path)
    operator.environ["CONSULT_NOW"] = at("2023-07-24").isoformat()
    operator("worker", "--once")
    assert [kind for _day, kind, _who in _urges(store)] == ["soon"]


def _act(url: str, place: Path, now: datetime) -> int:
    opened = stores.open_store(url)
    meet(place)
    n = deadlines.run(opened.writing, now).total
    opened.dispose()
    return n


def test_four_processes_running_at_once_remind_once(
    store: Store, world: World, processes: Executor, tmp_path: Path
) -> None:
    refs = [_assigned(store, world, co=("FGJ",)) for _ in range(12)]
    now = at("2023-07-27")
    done = [processes.submit(_act, store.url, tmp_path / "here", now) for _ in range(RACERS)]
    said = 2 * len(refs)  # lead and co-unit
    assert sum(one.result() for one in done) == said + len(refs) + len(refs)  # received, and put under supervision
    assert len(_urges(store)) == said
    assert _cases(store) == Counter({"overdue": len(refs)})


# -- whenever and however often it runs ------------------------------------------------------------

DAYS = [date(2023, 7, 18) + timedelta(days=n) for n in range(16)]


def _busy(store: Store) -> None:
    with store.writing() as session:
        world = make_world(session, MONDAY)
        refs = [make_comment(session, world, MONDAY).receipt_no for _ in range(5)]
        casework.assigned(session, world, refs[0], MONDAY, co=("FGJ", "MQZ"))
        casework.in_progress(session, world, refs[1], at("2023-07-18"))
        casework.to_assign(session, world, refs[2], MONDAY)
        casework.submitted(session, world, refs[3], MONDAY)


@pytest.fixture(scope="module")
def regular(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Any) -> set[tuple[date, int, str, str]]:
    """What is said by running every six hours for sixteen days."""
    store = stores.open_store(stores.copy_sqlite(sqlite_template, tmp_path_factory.mktemp("regular")))
    _busy(store)
    for day in DAYS:
        for hour in range(0, 24, 6):
            deadlines.run(store.writing, at(day.isoformat(), hour))
    said = _said(store)
    store.dispose()
    return said


def _said(store: Store) -> set[tuple[date, int, str, str]]:
    with store.reading() as session:
        rows = session.execute(select(Urge.on_day, Urge.comment_id, Urge.kind, Urge.recipient)).all()
    assert len(rows) == len(set(rows))
    return {(day, comment, kind, who) for day, comment, kind, who in rows}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moments=st.lists(st.tuples(st.sampled_from(DAYS), st.integers(0, 23)), min_size=1, max_size=14),
    seed=st.integers(0, 2**16),
    batch=st.integers(1, 30),
)
def test_r72_running_at_any_times_in_any_order_of_steps_says_on_each_day_what_regular_running_says(
    sqlite_template: Any,
    tmp_path_factory: pytest.TempPathFactory,
    regular: set[tuple[date, int, str, str]],
    moments: Sequence[tuple[date, int]],
    seed: int,
    batch: int,
) -> None:
    store = stores.open_store(stores.copy_sqlite(sqlite_template, tmp_path_factory.mktemp("random")))
    _busy(store)
    shuffle = random.Random(seed)
    for day, hour in sorted(moments):
        steps = [step for _name, step in deadlines.STEPS]
        shuffle.shuffle(steps)
        for step in steps:
            deadlines.repeat(store.writing, step, at(day.isoformat(), hour), batch)
    days = {day for day, _hour in moments}
    said = _said(store)
    store.dispose()
    assert said == {one for one in regular if one[0] in days}
