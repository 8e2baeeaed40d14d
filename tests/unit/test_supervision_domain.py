"""Which due days are spoken of on a day, what brings a comment before the supervisor, and what is refused."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.domain.calendar import build_calendar, urge_kind, urge_schedule
from consult.domain.comment_states import CommentState
from consult.domain.errors import CalendarPending, FieldErrors, IllegalTransition, ReasonRequired, Refused
from moderation.domain import supervision as rules
from moderation.domain.calendar_years import check_day, check_publish, check_year
from moderation.domain.deadlines import cumulative_limit, day_plan, waited_longer_than, working_days_left
from moderation.domain.routing import SupervisionTrigger
from moderation.domain.supervision import Facts

VECTORS = json.loads((Path(__file__).resolve().parents[1] / "data" / "vectors.json").read_text("utf-8"))
CALENDAR = build_calendar(
    {
        int(year): (
            [date.fromisoformat(day) for day in plan["weekday_off"]],
            [date.fromisoformat(day) for day in plan["weekend_on"]],
        )
        for year, plan in VECTORS["calendar"].items()
    }
)
DAYS = st.dates(date(2022, 6, 1), date(2026, 11, 30))
NOW = date(2023, 7, 31)


@pytest.mark.parametrize("row", VECTORS["urge_schedule"], ids=lambda row: row["assigned"])
def test_r72_the_day_plan_agrees_with_every_vector(row: dict[str, str]) -> None:
    due = date.fromisoformat(row["due"])
    said = {}
    day = date.fromisoformat(row["assigned"])
    while day <= date.fromisoformat(row["first_overdue_urge"]):
        kind = day_plan(CALENDAR, day).kind(due)
        if kind is not None:
            said[kind] = day.isoformat()
        day += timedelta(days=1)
    assert said == {"soon": row["urge_soon"], "today": row["urge_today"], "overdue": row["first_overdue_urge"]}
    assert urge_schedule(CALENDAR, due).co_unit_due.isoformat() == row["co_unit_due"]


@given(today=DAYS, distance=st.integers(-60, 40))
def test_r72_the_plan_of_a_day_says_of_any_due_day_what_the_rule_says(today: date, distance: int) -> None:
    due = today + timedelta(days=distance)
    assert day_plan(CALENDAR, today).kind(due) == urge_kind(CALENDAR, due, today)


@given(today=DAYS, distance=st.integers(1, 60))
def test_r73_late_before_is_where_a_due_day_is_overdue_by_a_working_day(today: date, distance: int) -> None:
    due = today - timedelta(days=distance)
    overdue = -(working_days_left(CALENDAR, due, today) or 0)
    assert (due < day_plan(CALENDAR, today).late_before) == (overdue >= 1)


@given(today=DAYS, distance=st.integers(0, 80), days=st.integers(1, 31))
def test_r70_what_began_before_the_limit_has_lasted_longer(today: date, distance: int, days: int) -> None:
    began = today - timedelta(days=distance)
    lasted = CALENDAR.working_days_between(began, today)
    assert (began < waited_longer_than(CALENDAR, today, days)) == (lasted > days)


def test_r61_without_the_notice_a_day_has_no_plan_and_next_year_only_cuts_it_short() -> None:
    with pytest.raises(CalendarPending):
        day_plan(CALENDAR, date(2027, 1, 4))
    with pytest.raises(CalendarPending):
        cumulative_limit(CALENDAR, date(2022, 1, 10))
    assert day_plan(CALENDAR, date(2026, 12, 31)).soon == ()
    assert working_days_left(CALENDAR, date(2027, 1, 4), date(2026, 12, 31)) is None


def _facts(state: CommentState = CommentState.IN_PROGRESS, **more: object) -> Facts:
    return Facts(state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "causes"),
    [
        (_facts(due=date(2023, 7, 28)), (SupervisionTrigger.OVERDUE,)),
        (_facts(due=NOW), ()),
        (_facts(due=None), ()),
        (_facts(CommentState.PENDING_SIGN_OFF, due=date(2023, 7, 20)), ()),
        (_facts(return_count=2), (SupervisionTrigger.RETURNED_TWICE,)),
        (_facts(rejection_count=2), (SupervisionTrigger.REJECTED_TWICE,)),
        (_facts(return_count=1, rejection_count=1), ()),
        (_facts(since=date(2023, 6, 15)), (SupervisionTrigger.CUMULATIVE,)),
        (_facts(since=date(2023, 6, 16)), ()),
        (_facts(CommentState.REPLIED, due=date(2023, 7, 20), return_count=2), ()),
        (_facts(CommentState.PENDING_REVIEW, appeal_upheld=True), (SupervisionTrigger.APPEAL_UPHELD,)),
    ],
)
def test_r73_the_causes_of_supervision(facts: Facts, causes: tuple[SupervisionTrigger, ...]) -> None:
    assert rules.causes(facts, CALENDAR, NOW) == causes


def test_r73_on_the_weekend_after_the_due_day_nothing_is_late_by_a_working_day() -> None:
    assert rules.causes(_facts(due=date(2023, 7, 28)), CALENDAR, date(2023, 7, 30)) == ()


@pytest.mark.parametrize("state", list(CommentState))
def test_r72_somebody_is_urged_exactly_where_something_is_owed(state: CommentState) -> None:
    nobody = {
        CommentState.AWAITING_SUPPLEMENT,
        CommentState.REPLIED,
        CommentState.CLOSED,
        CommentState.MERGED,
        CommentState.WITHDRAWN,
    }
    if state in nobody:
        with pytest.raises(IllegalTransition):
            rules.check_may_urge(state)
    else:
        assert rules.check_may_urge(state) in {"unit", "reviewer", "assigner", "sign_off_officer"}


def test_r73_an_answer_has_ten_characters_and_a_day_not_over() -> None:
    assert rules.check_answer(" 因资料不全，已约定现场核对。 ", NOW, NOW) == "因资料不全，已约定现场核对。"
    for text, promised, codes in (
        ("", None, {"answer_too_short", "promised_day_required"}),
        ("说" * 2001, NOW, {"answer_too_long"}),
        ("说" * 10, NOW - timedelta(days=1), {"promised_day_past"}),
    ):
        with pytest.raises(FieldErrors) as refused:
            rules.check_answer(text, promised, NOW)
        assert {one[0].code for one in refused.value.errors.values()} == codes


def test_t24_what_may_be_reopened() -> None:
    assert rules.check_reopen("answered", " 补充研究 ", archived=False) == "补充研究"
    assert rules.check_reopen("", "补充研究", archived=False) == "补充研究"
    with pytest.raises(Refused, match="reopen_archived"):
        rules.check_reopen("answered", "补充研究", archived=True)
    for closed_as in ("not_accepted", "channel_notice"):
        with pytest.raises(Refused, match="reopen_unanswered"):
            rules.check_reopen(closed_as, "补充研究", archived=False)
    with pytest.raises(ReasonRequired):
        rules.check_reopen("answered", "", archived=False)


def test_r60_a_calendar_entry_is_a_weekday_off_or_a_weekend_day_worked() -> None:
    assert check_day(2026, date(2026, 10, 1), "") == (date(2026, 10, 1), False, "放假")
    assert check_day(2026, date(2026, 9, 20), "") == (date(2026, 9, 20), True, "调休上班")
    assert check_year(2027, date(2026, 11, 23)) == 2027
    with pytest.raises(Refused, match="year_out_of_range"):
        check_year(2031, date(2026, 11, 23))
    with pytest.raises(Refused, match="calendar_empty"):
        check_publish(0, published=False)
