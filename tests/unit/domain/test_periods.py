from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from consult.domain import periods
from consult.domain.calendar import WorkCalendar, build_calendar
from consult.domain.errors import (
    ExtensionAfterEnd,
    ExtensionNotLonger,
    IllegalTransition,
    PeriodClosed,
    PublicationIncomplete,
    UnfinishedComments,
)
from consult.domain.periods import ConsultationAction, ConsultationState

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))
STATES_ZH = {"未开始": "not_started", "征集中": "open", "已截止": "ended"}


def day(text: str) -> date:
    return date.fromisoformat(text)


CALENDAR = build_calendar(
    {
        int(year): ([day(one) for one in plan["weekday_off"]], [day(one) for one in plan["weekend_on"]])
        for year, plan in VECTORS["calendar"].items()
    }
)


def check(vector: dict[str, Any], calendar: WorkCalendar = CALENDAR) -> periods.PeriodCheck:
    return periods.period_check(
        published_on=day(vector["published_on"]),
        start=day(vector["start"]),
        end=day(vector["end"]),
        calendar=calendar,
        shortened=vector["shorten"],
        shortening_reason=vector["shorten_reason"],
    )


@pytest.mark.parametrize("vector", VECTORS["periods"]["vectors"], ids=lambda v: f"{v['published_on']}..{v['end']}")
def test_r01_r02_r03_a_period_is_judged_from_its_real_beginning(vector: dict[str, Any]) -> None:
    result = check(vector)
    assert result.allowed is vector["publish_allowed"]
    assert result.effective_start == day(vector["effective_start"])
    assert result.days == vector["days_excl_first"]
    assert result.working_days == vector["working_days"]
    assert result.earliest_legal_end == day(vector["earliest_legal_end"])
    assert result.window.closes_at.isoformat() == vector["closes_at"]


def test_r02_late_publication_names_the_earliest_last_day() -> None:
    result = check(VECTORS["periods"]["vectors"][3])
    assert [one.code for one in result.refusals] == ["period_too_short"]
    assert result.refusals[0].params["earliest"] == date(2023, 8, 17)


def test_r03_each_reason_against_a_shortened_period_has_its_code() -> None:
    codes = [[one.code for one in check(vector).refusals] for vector in VECTORS["periods"]["vectors"][11:]]
    assert codes == [[], ["shortening_reason_required"], ["period_below_floor"], ["period_too_short"]]


def test_r03_a_shortened_period_into_an_unknown_year_is_pending() -> None:
    vector = {**VECTORS["periods"]["vectors"][11], "published_on": "2026-12-28", "start": "2026-12-28"}
    vector["end"] = "2027-01-08"
    assert [one.code for one in check(vector).refusals] == ["calendar_pending"]


def test_a_full_period_needs_no_calendar() -> None:
    result = check(VECTORS["periods"]["vectors"][0], WorkCalendar())
    assert result.allowed
    assert result.working_days is None
    assert result.rollover is None


def test_a_period_that_ends_before_it_begins_is_refused() -> None:
    vector = {**VECTORS["periods"]["vectors"][0], "end": "2023-07-16"}
    assert [one.code for one in check(vector).refusals] == ["period_reversed"]


@pytest.mark.parametrize("vector", VECTORS["window"], ids=lambda v: v["at"])
def test_r04_r09_the_clock_alone_opens_and_closes(vector: dict[str, Any]) -> None:
    window = periods.opening_window(day(vector["start"]), day(vector["end"]))
    at = datetime.fromisoformat(vector["at"])
    assert window.state(at) == STATES_ZH[vector["state"]]
    assert window.accepts(at) is vector["accept"]


def test_r05_a_comment_after_midnight_is_refused_with_the_dates() -> None:
    window = periods.opening_window(date(2023, 7, 17), date(2023, 8, 16))
    with pytest.raises(PeriodClosed) as caught:
        periods.ensure_open(ConsultationState.OPEN, window, window.closes_at)
    assert (caught.value.state, caught.value.code) == ("ended", "period_ended")
    assert caught.value.closes_at.isoformat() == "2023-08-17T00:00:00+08:00"


def test_r05_a_comment_before_the_first_day_is_refused() -> None:
    window = periods.opening_window(date(2023, 7, 17), date(2023, 8, 16))
    with pytest.raises(PeriodClosed) as caught:
        periods.ensure_open(ConsultationState.NOT_STARTED, window, datetime.fromisoformat("2023-07-16T23:59:59+08:00"))
    assert caught.value.code == "period_not_started"


def test_r09_a_collating_consultation_stays_closed_whatever_the_clock_says() -> None:
    window = periods.opening_window(date(2023, 7, 17), date(2023, 8, 16))
    inside = window.opens_at
    assert periods.current_state(ConsultationState.COLLATING, window, inside) == "collating"
    with pytest.raises(PeriodClosed):
        periods.ensure_open(ConsultationState.COLLATING, window, inside)
    periods.ensure_open(ConsultationState.NOT_STARTED, window, inside)


@pytest.mark.parametrize("vector", VECTORS["consultation_extension"], ids=lambda v: f"{v['end_new']}@{v['decided_at']}")
def test_r07_extension_only_before_the_end_and_only_longer(vector: dict[str, Any]) -> None:
    arguments = day(vector["end_old"]), day(vector["end_new"]), datetime.fromisoformat(vector["decided_at"])
    if vector["allowed"]:
        periods.check_extension(*arguments)
        return
    expected = ExtensionAfterEnd if vector["why"].startswith("已截止") else ExtensionNotLonger
    with pytest.raises(expected):
        periods.check_extension(*arguments)


@pytest.mark.parametrize("vector", VECTORS["consultation_transitions"]["legal"], ids=lambda v: v["id"])
def test_r13_legal_steps_of_a_consultation(vector: dict[str, Any]) -> None:
    state, action = ConsultationState(vector["from"]), ConsultationAction(vector["action"])
    assert periods.next_consultation_state(state, action) == vector["to"]
    line = next(one for one in periods.CONSULTATION_TRANSITIONS if one.id == vector["id"])
    assert (line.source, line.action, line.role, line.target) == (state, action, vector["role"], vector["to"])


@pytest.mark.parametrize(
    "vector", VECTORS["consultation_transitions"]["illegal"], ids=lambda v: f"{v['from']}-{v['action']}"
)
def test_r13_every_other_step_is_refused_with_what_is_possible(vector: dict[str, Any]) -> None:
    state = ConsultationState(vector["from"])
    with pytest.raises(IllegalTransition) as caught:
        periods.next_consultation_state(state, ConsultationAction(vector["action"]))
    assert caught.value.available == periods.available_consultation_actions(state)


def test_r10_missing_parts_are_all_named_in_order() -> None:
    with pytest.raises(PublicationIncomplete) as caught:
        periods.check_publication_parts(["draft", "period", "method"])
    assert caught.value.params["missing"] == ("drafting_note", "contact_unit", "contact_way")
    periods.check_publication_parts(periods.PUBLICATION_PARTS)


def test_c06_results_wait_for_the_last_comment_but_not_for_a_first() -> None:
    with pytest.raises(UnfinishedComments) as caught:
        periods.check_publish_feedback(3)
    assert caught.value.params == {"n": 3}
    periods.check_publish_feedback(0)
