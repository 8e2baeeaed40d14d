from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from consult.domain import errors
from consult.domain.calendar import end_of_day
from consult.domain.comment_states import CommentState, Publicity, Role
from consult.domain.personal_data import PiiType, Redaction, find
from moderation.domain import decisions
from moderation.domain.decisions import FalsePositive, MergeSide, NotAcceptReason, WithholdReason

LI, WANG, ZHAO = "person-li", "person-wang", "person-zhao"
MEMBER = MergeSide(2, "main", CommentState.ACCEPTED)
PRIMARY = MergeSide(1, "main", CommentState.IN_PROGRESS)


def test_r35_nine_reasons_and_none_is_other() -> None:
    assert len(WithholdReason) == 9
    for code in ("", "other", "critical"):
        with pytest.raises(errors.WithholdReasonRequired):
            decisions.withhold_reason(code)


@pytest.mark.parametrize("reason", WithholdReason)
def test_r36_two_persons_withhold_unless_the_submitter_asked(reason: WithholdReason) -> None:
    assert decisions.check_withhold(reason, LI, WANG) is reason
    if reason is WithholdReason.SUBMITTER_REQUEST:
        assert decisions.check_withhold(reason, LI, LI) is reason
        return
    with pytest.raises(errors.TwoPersonRule):
        decisions.check_withhold(reason, LI, LI)


def test_r95_an_unknown_person_is_no_second_person() -> None:
    with pytest.raises(errors.TwoPersonRule):
        decisions.check_two_persons(LI, "")


@pytest.mark.parametrize("reason", NotAcceptReason)
def test_r40_not_accepting_always_takes_two_persons(reason: NotAcceptReason) -> None:
    assert decisions.check_not_accept(reason, LI, WANG) is reason
    with pytest.raises(errors.TwoPersonRule):
        decisions.check_not_accept(reason, LI, LI)


@pytest.mark.parametrize("code", ["", "criticism", "opposition", "other"])
def test_r40_criticism_is_never_a_reason(code: str) -> None:
    with pytest.raises(errors.NotAcceptReasonRequired):
        decisions.check_not_accept(code, LI, WANG)


def test_r37_an_appeal_is_decided_by_a_third_person() -> None:
    decisions.check_third_person(ZHAO, {LI, WANG})
    for decider in (LI, WANG, ""):
        with pytest.raises(errors.ThirdPersonRequired):
            decisions.check_third_person(decider, {LI, WANG})


def test_r37_one_appeal_within_fifteen_days() -> None:
    last = date(2023, 8, 1)
    inside, outside = end_of_day(date(2023, 7, 31)), end_of_day(last)
    decisions.check_appeal(last, inside, appealed_before=False)
    with pytest.raises(errors.AppealWindowClosed):
        decisions.check_appeal(last, outside, appealed_before=False)
    with pytest.raises(errors.AppealOnce):
        decisions.check_appeal(last, inside, appealed_before=True)


def test_r80_the_signer_neither_drafted_nor_confirmed() -> None:
    decisions.check_signer(ZHAO, [LI], WANG)
    for signer in (LI, WANG, ""):
        with pytest.raises(errors.SamePerson):
            decisions.check_signer(signer, [LI], WANG)


def test_c00_the_publisher_is_no_editor() -> None:
    decisions.check_publisher(ZHAO, {LI})
    with pytest.raises(errors.SamePerson):
        decisions.check_publisher(LI, {LI})


@pytest.mark.parametrize(
    "roles",
    [
        {Role.SYSADMIN, Role.SECURITY_AUDITOR},
        {Role.SYSADMIN, Role.REVIEWER},
        {Role.SECURITY_AUDITOR, Role.UNIT_OFFICER},
    ],
)
def test_r94_administrator_auditor_and_business_exclude_one_another(roles: set[Role]) -> None:
    with pytest.raises(errors.ConflictingRoles):
        decisions.check_roles(roles)


@pytest.mark.parametrize("roles", [set(), {Role.SYSADMIN}, {Role.SECURITY_AUDITOR}, {Role.REVIEWER, Role.ASSIGNER}])
def test_r95_business_roles_may_meet_in_one_person(roles: set[Role]) -> None:
    decisions.check_roles(roles)


def test_r31_findings_are_open_until_covered_or_dismissed_with_a_reason() -> None:
    found = find("手机13800138000，门口示例路123号，公司91350100M000100Y43")
    mobile, address = found[0], found[1]
    assert decisions.open_findings(found, [], []) == [mobile, address]
    covered = [Redaction(mobile.start - 2, mobile.end, PiiType.MOBILE)]
    assert decisions.open_findings(found, covered, []) == [address]
    dismissed = FalsePositive(address.start, address.end, "address", "公共场所")
    assert decisions.open_findings(found, covered, [dismissed]) == []
    assert decisions.open_findings(found, covered, [replace(dismissed, reason=" ")]) == [address]
    half = [Redaction(mobile.start + 1, mobile.end, PiiType.MOBILE)]
    assert mobile in decisions.open_findings(found, half, [dismissed])


def test_t02_acceptance_needs_a_publicity_and_resolved_findings() -> None:
    found = find("手机13800138000")
    with pytest.raises(errors.PublicityRequired):
        decisions.check_accept(Publicity.PENDING, [])
    with pytest.raises(errors.FindingsUnresolved) as caught:
        decisions.check_accept(Publicity.FULL, found)
    assert caught.value.params == {"n": 1, "types": ("mobile",)}
    decisions.check_accept(Publicity.FULL, [])
    decisions.check_accept(Publicity.REDACTED, [], redaction_count=1)
    decisions.check_accept(Publicity.WITHHELD, found)


def test_t02_redacted_and_redactions_go_together() -> None:
    with pytest.raises(errors.PublicityRequired):
        decisions.check_accept(Publicity.REDACTED, [])
    with pytest.raises(errors.PublicityRequired):
        decisions.check_accept(Publicity.FULL, [], redaction_count=1)


def test_r34_marked_third_party_data_must_be_covered_or_withheld() -> None:
    with pytest.raises(errors.FindingsUnresolved):
        decisions.check_accept(Publicity.FULL, [], third_party_marked=True)
    decisions.check_accept(Publicity.REDACTED, [], third_party_marked=True, redaction_count=1)
    decisions.check_accept(Publicity.WITHHELD, [], third_party_marked=True)


def test_r71_a_supplement_is_asked_for_once_with_points() -> None:
    decisions.check_ask_supplement(asked_before=False, has_email=True, points="请说明地点")
    with pytest.raises(errors.SupplementOnce):
        decisions.check_ask_supplement(asked_before=True, has_email=True, points="请说明地点")
    with pytest.raises(errors.SupplementOnce):
        decisions.check_ask_supplement(asked_before=False, has_email=False, points="请说明地点")
    with pytest.raises(errors.ReasonRequired):
        decisions.check_ask_supplement(asked_before=False, has_email=True, points="")


def test_t04_a_supplement_comes_within_its_days() -> None:
    decisions.check_supplement(date(2023, 7, 24), end_of_day(date(2023, 7, 23)))
    with pytest.raises(errors.SupplementWindowClosed):
        decisions.check_supplement(date(2023, 7, 24), end_of_day(date(2023, 7, 24)))


def test_r84_a_sound_merge_passes() -> None:
    decisions.check_merge(MEMBER, PRIMARY, "同一事项")


@pytest.mark.parametrize(
    ("member", "primary", "reason", "refusal"),
    [
        ({}, {"consultation": "special"}, "同一事项", errors.DifferentConsultation),
        ({}, {"state": CommentState.MERGED, "merged_into": 9}, "同一事项", errors.MergeChain),
        ({}, {"comment": 2}, "同一事项", errors.MergeChain),
        ({"has_members": True}, {}, "同一事项", errors.MergeChain),
        ({}, {"state": CommentState.REPLIED}, "同一事项", errors.PrimaryAnswered),
        ({}, {"state": CommentState.WITHDRAWN}, "同一事项", errors.PrimaryAnswered),
        ({"state": CommentState.ASSIGNED}, {}, "同一事项", errors.IllegalTransition),
        ({}, {}, " ", errors.ReasonRequired),
    ],
)
def test_r84_each_wrong_merge_has_its_refusal(
    member: dict[str, Any], primary: dict[str, Any], reason: str, refusal: type[errors.DomainError]
) -> None:
    with pytest.raises(refusal):
        decisions.check_merge(replace(MEMBER, **member), replace(PRIMARY, **primary), reason)


def test_r86_members_stay_once_the_primary_is_answered() -> None:
    decisions.check_unmerge(CommentState.IN_PROGRESS)
    with pytest.raises(errors.PrimaryAnswered):
        decisions.check_unmerge(CommentState.REPLIED)


def test_what_must_be_written_is_written() -> None:
    assert decisions.check_written(" 依据不足 ") == "依据不足"
    assert decisions.check_correction_note("更正年份") == "更正年份"
    with pytest.raises(errors.ReasonRequired):
        decisions.check_written("")
    with pytest.raises(errors.CorrectionNoteRequired):
        decisions.check_correction_note("\n")
