from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consult.domain import calendar as cal
from consult.domain.errors import CalendarPending

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))


def day(text: str) -> date:
    return date.fromisoformat(text)


def work_calendar() -> cal.WorkCalendar:
    return cal.build_calendar(
        {
            int(year): ([day(one) for one in plan["weekday_off"]], [day(one) for one in plan["weekend_on"]])
            for year, plan in VECTORS["calendar"].items()
        }
    )


CALENDAR = work_calendar()


@pytest.mark.parametrize("vector", VECTORS["working_days"]["vectors"], ids=lambda v: f"{v['start']}+{v['n']}")
def test_r60_nth_working_day_counts_swapped_days_and_not_the_first(vector: dict[str, Any]) -> None:
    assert CALENDAR.nth_working_day(day(vector["start"]), vector["n"]) == day(vector["due"])
    assert CALENDAR.working_days_between(day(vector["start"]), day(vector["due"])) == vector["n"]


@pytest.mark.parametrize("vector", VECTORS["is_working_day"], ids=lambda v: v["date"])
def test_r60_single_days_follow_the_notice(vector: dict[str, Any]) -> None:
    assert CALENDAR.is_working_day(day(vector["date"])) is vector["working"]


@pytest.mark.parametrize("vector", VECTORS["instant_to_due"], ids=lambda v: v["assigned_at_utc"])
def test_r60_a_moment_belongs_to_its_beijing_day(vector: dict[str, Any]) -> None:
    moment = datetime.fromisoformat(vector["assigned_at_utc"])
    due = cal.due_date(CALENDAR, moment, vector["n"])
    assert cal.local_day(moment) == day(vector["local_date"])
    assert due == day(vector["due_date"])
    assert cal.overdue_from(due).isoformat() == vector["overdue_from"]
    assert not cal.is_overdue(due, cal.end_of_day(due) - timedelta(microseconds=1))
    assert cal.is_overdue(due, cal.in_utc(cal.end_of_day(due)))


@pytest.mark.parametrize("vector", VECTORS["deadline_set"], ids=lambda v: v["assigned"])
def test_r59_r64_r65_r67_all_days_are_counted_from_routing(vector: dict[str, Any]) -> None:
    days = cal.deadline_set_on(CALENDAR, day(vector["assigned"]))
    assert days.sign_receipt == day(vector["sign_receipt_deadline_1"])
    assert days.return_by == day(vector["return_deadline_5"])
    assert days.reply_due == day(vector["reply_due_7"])
    assert days.extended_due == day(vector["extended_due_15"])
    assert days.pending_year is None


def test_deadlines_of_a_moment_are_those_of_its_beijing_day() -> None:
    late = datetime(2023, 7, 16, 16, 30, tzinfo=UTC)
    assert cal.deadline_set(CALENDAR, late) == cal.deadline_set_on(CALENDAR, date(2023, 7, 17))


@pytest.mark.parametrize("vector", VECTORS["pause"]["vectors"], ids=lambda v: v["pause_from"])
def test_r71_a_pause_moves_the_due_day_by_its_working_days(vector: dict[str, Any]) -> None:
    due = CALENDAR.nth_working_day(day(vector["assigned"]), vector["n"])
    first, last = day(vector["pause_from"]), day(vector["pause_to"])
    assert due == day(vector["due_before"])
    assert cal.paused_working_days(CALENDAR, first, last) == vector["paused_working_days"]
    assert cal.due_after_pause(CALENDAR, due, first, last) == day(vector["due_after"])


@pytest.mark.parametrize("vector", VECTORS["urge_schedule"], ids=lambda v: v["due"])
def test_r72_r74_reminders_and_the_co_units_day(vector: dict[str, Any]) -> None:
    due = day(vector["due"])
    schedule = cal.urge_schedule(CALENDAR, due)
    assert schedule.soon == day(vector["urge_soon"])
    assert schedule.today == day(vector["urge_today"])
    assert schedule.first_overdue == day(vector["first_overdue_urge"])
    assert schedule.co_unit_due == day(vector["co_unit_due"])
    assert cal.urge_kind(CALENDAR, due, schedule.soon) == "soon"
    assert cal.urge_kind(CALENDAR, due, due) == "today"
    assert cal.urge_kind(CALENDAR, due, schedule.first_overdue) == "overdue"


def test_r72_nobody_is_reminded_on_a_day_off_or_between() -> None:
    due = date(2023, 7, 26)
    assert cal.urge_kind(CALENDAR, due, date(2023, 7, 25)) is None
    assert cal.urge_kind(CALENDAR, due, date(2023, 7, 29)) is None


@pytest.mark.parametrize("vector", VECTORS["holiday_rollover"]["vectors"], ids=lambda v: v["end"])
def test_r06_a_last_day_off_suggests_the_next_working_day(vector: dict[str, Any]) -> None:
    assert cal.rollover_suggestion(CALENDAR, day(vector["end"])) == day(vector["suggest"])


@pytest.mark.parametrize("vector", VECTORS["other_deadlines"]["review_2wd"], ids=lambda v: v["submitted"])
def test_r29_review_takes_two_working_days(vector: dict[str, Any]) -> None:
    assert cal.review_due(CALENDAR, day(vector["submitted"])) == day(vector["due"])


@pytest.mark.parametrize("vector", VECTORS["other_deadlines"]["feedback_20wd"], ids=lambda v: v["end"])
def test_r103_results_are_due_after_twenty_working_days(vector: dict[str, Any]) -> None:
    assert cal.feedback_due(CALENDAR, day(vector["end"])) == day(vector["due"])


@pytest.mark.parametrize("vector", VECTORS["other_deadlines"]["appeal_15_calendar_days"], ids=lambda v: v["notified"])
def test_r37_an_appeal_has_fifteen_calendar_days(vector: dict[str, Any]) -> None:
    assert cal.appeal_last_day(day(vector["notified"])) == day(vector["last_day"])


@pytest.mark.parametrize("vector", VECTORS["purge_dates"]["vectors"], ids=lambda v: f"{v['published']}+{v['months']}")
def test_r48_r50_months_end_on_the_same_day_or_the_last_one(vector: dict[str, Any]) -> None:
    assert cal.purge_last_day(day(vector["published"]), vector["months"]) == day(vector["last_day"])


@pytest.mark.parametrize("months", [0, 13])
def test_r48_keeping_time_is_one_to_twelve_months(months: int) -> None:
    with pytest.raises(ValueError, match="1 to 12"):
        cal.purge_last_day(date(2023, 9, 20), months)


def test_r61_a_missing_year_is_pending_and_never_guessed() -> None:
    with pytest.raises(CalendarPending) as caught:
        CALENDAR.nth_working_day(date(2026, 12, 28), 7)
    assert caught.value.year == 2027
    assert caught.value.code == "calendar_pending"


def test_r61_a_typed_year_counts_only_once_published() -> None:
    draft = cal.WorkCalendar({**CALENDAR.years, 2027: cal.YearPlan(published=False)})
    assert cal.due_date_or_none(draft, date(2026, 12, 28), 7) is None
    done = cal.WorkCalendar({**CALENDAR.years, 2027: cal.YearPlan(frozenset({date(2027, 1, 1)}))})
    assert cal.due_date_or_none(done, date(2026, 12, 28), 7) == date(2027, 1, 7)


def test_r61_days_that_are_known_stay_known_in_a_pending_set() -> None:
    days = cal.deadline_set_on(CALENDAR, date(2026, 12, 28))
    assert days.sign_receipt == date(2026, 12, 29)
    assert days.reply_due is None
    assert days.co_unit_due is None
    assert days.pending_year == 2027
    assert not cal.is_overdue(days.reply_due, datetime(2030, 1, 1, tzinfo=UTC))


def test_remaining_days_turn_negative_after_the_due_day() -> None:
    due = date(2023, 7, 26)
    assert cal.remaining_working_days(CALENDAR, due, date(2023, 7, 24)) == 2
    assert cal.remaining_working_days(CALENDAR, due, due) == 0
    assert cal.remaining_working_days(CALENDAR, due, date(2023, 7, 27)) == -1


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        cal.local_day(datetime(2023, 7, 17))
