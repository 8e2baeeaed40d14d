from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consult.domain import errors
from consult.domain.calendar import DeadlineSet, end_of_day
from moderation.domain import routing
from moderation.domain.routing import AssignmentFacts, ReturnReason, ReturnRequest, SupervisionTrigger, UnitFacts

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))

UNITS = {
    "JW": UnitFacts("JW", active_officers=1),
    "KW": UnitFacts("KW", active_officers=2),
    "CZJ": UnitFacts("CZJ", active_officers=1),
    "EMPTY": UnitFacts("EMPTY"),
    "G_XGJZ": UnitFacts("G_XGJZ", is_group=True, active_officers=1),
}
FACTS = AssignmentFacts("JW", ("KW",), UNITS)
DAYS = DeadlineSet(
    assigned_on=date(2023, 7, 17),
    sign_receipt=date(2023, 7, 18),
    return_by=date(2023, 7, 24),
    reply_due=date(2023, 7, 26),
    extended_due=date(2023, 8, 7),
    co_unit_due=date(2023, 7, 24),
)
LAST_MOMENT = end_of_day(date(2023, 7, 24)) - timedelta(seconds=1)
REQUEST = ReturnRequest("not_our_duty", "", "三定方案第二条", "区科委")
CODES = {"区经委": "JW", "闵行区经济委员会": "JW", "区科委": "KW", "区财政局": "CZJ", "区财政局(区金融办)": "CZJ"}


@pytest.mark.parametrize("vector", VECTORS["unit_split"], ids=lambda v: v["in"])
def test_r57_groups_are_read_before_the_list_is_split(vector: dict[str, Any]) -> None:
    read = routing.unit_split(vector["in"])
    assert list(read.names) == vector["out"]
    assert list(read.groups) == vector["groups"]


def test_r57_every_unit_of_the_seed_is_one_name() -> None:
    units = VECTORS["seed_facts"]["units"]
    for unit in units:
        read = routing.unit_split(unit["name"])
        assert read.names == (unit["name"],)
        assert bool(read.groups) is (unit["kind"] == "group")


@pytest.mark.parametrize(
    ("name", "code"), [("区财政局", "CZJ"), ("区财政局（区金融办）", "CZJ"), (" 区 经委", "JW"), ("街道", None)]
)
def test_r58_aliases_lead_to_one_unit(name: str, code: str | None) -> None:
    assert routing.resolve_unit(name, CODES) == code


def test_r56_the_first_listed_unit_is_suggested_as_lead() -> None:
    suggestion = routing.suggest("区经委、区科委、相关园区", CODES)
    assert (suggestion.lead, suggestion.co_units, suggestion.groups_to_expand) == ("JW", ("KW",), ("相关园区",))


def test_r56_two_names_of_one_unit_are_suggested_once() -> None:
    suggestion = routing.suggest("区财政局、区财政局(区金融办)、区经委、没有的局", CODES)
    assert (suggestion.lead, suggestion.co_units) == ("CZJ", ("JW",))
    assert routing.suggest("相关街镇", CODES).lead is None


def test_a_sound_routing_passes() -> None:
    routing.check_assignment(FACTS)
    routing.check_assignment(replace(FACTS, co_units=()))


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"lead": None}, errors.LeadUnitRequired),
        ({"lead": ""}, errors.LeadUnitRequired),
        ({"co_units": ("JW",)}, errors.LeadInCoUnits),
        ({"co_units": ("KW", "KW")}, errors.DuplicateCoUnit),
        ({"lead": "G_XGJZ"}, errors.GroupNotAssignable),
        ({"co_units": ("G_XGJZ",)}, errors.GroupNotAssignable),
        ({"lead": "NOBODY"}, errors.UnitUnknown),
        ({"lead": "EMPTY"}, errors.UnitWithoutOfficer),
        ({"accused_units": frozenset({"JW"})}, errors.AccusedUnit),
        ({"accused_units": frozenset({"KW"})}, errors.AccusedUnit),
        ({"return_count": 2}, errors.DesignateRequired),
    ],
)
def test_r42_r55_r57_r69_r97_each_wrong_routing_has_its_refusal(
    change: dict[str, Any], refusal: type[errors.DomainError]
) -> None:
    with pytest.raises(refusal):
        routing.check_assignment(replace(FACTS, **change))


def test_several_refusals_come_together() -> None:
    with pytest.raises(errors.FieldErrors) as caught:
        routing.check_assignment(replace(FACTS, lead="EMPTY", co_units=("KW", "KW")))
    assert caught.value.codes() == {"lead_unit": ["unit_without_officer"], "co_units": ["duplicate_co_unit"]}


def test_r69_designation_needs_two_returns_or_a_dispute_and_a_basis() -> None:
    with pytest.raises(errors.DesignationNotDue):
        routing.check_designation(replace(FACTS, return_count=1, basis="会议纪要"))
    with pytest.raises(errors.DesignationBasisRequired):
        routing.check_designation(replace(FACTS, return_count=2))
    with pytest.raises(errors.AccusedUnit):
        routing.check_designation(replace(FACTS, return_count=2, basis="会议纪要", accused_units=frozenset({"JW"})))
    routing.check_designation(replace(FACTS, return_count=2, basis="会议纪要"))
    routing.check_designation(replace(FACTS, dispute_recorded=True, basis="会议纪要"))


def test_r67_a_unit_may_hand_back_until_the_fifth_working_day_ends() -> None:
    assert routing.check_return(REQUEST, DAYS, LAST_MOMENT, designated=False) is ReturnReason.NOT_OUR_DUTY
    with pytest.raises(errors.ReturnWindowClosed):
        routing.check_return(REQUEST, DAYS, LAST_MOMENT + timedelta(seconds=1), designated=False)


def test_r69_a_designated_unit_may_not_hand_back() -> None:
    with pytest.raises(errors.DesignatedNotReturnable):
        routing.check_return(REQUEST, DAYS, LAST_MOMENT, designated=True)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"reason": ""}, errors.ReturnReasonRequired),
        ({"reason": "tired"}, errors.ReturnReasonRequired),
        ({"reason": "other", "explanation": "九个字的说明不够长"}, errors.ReturnReasonRequired),
        ({"basis": " "}, errors.ReturnBasisRequired),
        ({"proposed_unit": ""}, errors.ReturnBasisRequired),
    ],
)
def test_r68_a_return_needs_reason_basis_and_proposal(
    change: dict[str, str], refusal: type[errors.DomainError]
) -> None:
    with pytest.raises(refusal):
        routing.check_return(replace(REQUEST, **change), DAYS, LAST_MOMENT, designated=False)


def test_r68_a_matter_of_the_city_has_no_unit_to_propose() -> None:
    request = replace(REQUEST, reason="municipal_matter", proposed_unit="")
    assert routing.check_return(request, DAYS, LAST_MOMENT, designated=False) is ReturnReason.MUNICIPAL_MATTER


def test_r65_one_extension_asked_before_the_due_day_ends() -> None:
    due = date(2023, 7, 26)
    in_time = datetime.fromisoformat("2023-07-26T23:59:59+08:00")
    routing.check_extension_request(due, in_time, extended_before=False, reason="需现场核实")
    with pytest.raises(errors.ExtensionOnce):
        routing.check_extension_request(due, in_time, extended_before=True, reason="需现场核实")
    with pytest.raises(errors.OverdueNoExtension):
        routing.check_extension_request(due, end_of_day(due), extended_before=False, reason="需现场核实")
    with pytest.raises(errors.ReasonRequired):
        routing.check_extension_request(due, in_time, extended_before=False, reason=" ")


def test_r65_an_extension_ends_by_the_fifteenth_working_day_from_routing() -> None:
    due = date(2023, 7, 26)
    routing.check_extension_approval(date(2023, 8, 7), DAYS, due, pending=True)
    with pytest.raises(errors.ExtensionOver15):
        routing.check_extension_approval(date(2023, 8, 8), DAYS, due, pending=True)
    with pytest.raises(errors.ExtensionOver15):
        routing.check_extension_approval(due, DAYS, due, pending=True)
    with pytest.raises(errors.ExtensionOver15):
        routing.check_extension_approval(date(2023, 8, 7), replace(DAYS, extended_due=None), due, pending=True)
    with pytest.raises(errors.ExtensionNotAsked):
        routing.check_extension_approval(date(2023, 8, 7), DAYS, due, pending=False)


def test_r73_every_trigger_of_supervision_is_named() -> None:
    assert routing.supervision_triggers(return_count=1, cumulative_working_days=30) == ()
    assert routing.supervision_triggers(
        overdue_working_days=1, return_count=2, rejection_count=2, cumulative_working_days=31, appeal_upheld=True
    ) == tuple(SupervisionTrigger)
