from __future__ import annotations

import re

import pytest

from consult.domain import errors
from consult.domain.errors import ChangedMeanwhile, DomainError, FieldErrors, IllegalTransition, OutcomeRequired


def test_every_code_is_stable_snake_case_and_used_once() -> None:
    codes: list[str] = []
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        kind = waiting.pop()
        codes.append(kind.code)
        waiting.extend(kind.__subclasses__())
    own = [code for code in codes if code in errors.all_codes()]
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", code) for code in codes)
    assert len(set(own) - {"refused"}) == len([code for code in own if code != "refused"])


@pytest.mark.parametrize(
    "code",
    [
        "lead_unit_required", "lead_in_co_units", "duplicate_co_unit", "group_not_assignable", "accused_unit",
        "designate_required", "designated_not_returnable", "return_window_closed", "return_reason_required",
        "extension_once", "overdue_no_extension", "extension_over_15", "outcome_required",
        "draft_location_required", "reason_required", "boilerplate_reply", "pii_in_reply", "same_person",
        "two_person_rule", "third_person_required", "merge_chain", "different_consultation", "state_changed",
        "not_lead_unit", "unfinished_comments",
    ],
)  # fmt: skip
def test_the_codes_of_the_vectors_exist(code: str) -> None:
    assert code in errors.all_codes()


def test_an_error_carries_code_field_and_parameters() -> None:
    error = DomainError("body_too_short", field="body", n=3)
    assert (error.code, error.field, error.params) == ("body_too_short", "body", {"n": 3})
    assert str(error) == "body_too_short [body] (n=3)"
    assert error == DomainError("body_too_short", field="body", n=3)
    assert error != DomainError("body_too_short", field="body", n=4)
    assert OutcomeRequired().code == "outcome_required"


def test_conflicts_say_what_is_there_now() -> None:
    changed = ChangedMeanwhile(4, "assigned")
    assert (changed.code, changed.current_version, changed.current_state) == ("state_changed", 4, "assigned")
    illegal = IllegalTransition("closed", "accept", ["reopen"])
    assert illegal.available == ("reopen",)


def test_field_errors_count_what_needs_attention() -> None:
    error = FieldErrors({"name": [DomainError("name_required")], "body": [DomainError("a"), DomainError("b")], "x": []})
    assert error.params == {"n": 3}
    assert error.codes() == {"name": ["name_required"], "body": ["a", "b"]}
