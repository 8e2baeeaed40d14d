from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consult.domain import identifiers
from consult.domain.identifiers import CreditCodeStatus

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["id_card"]["vectors"], ids=lambda v: v["id"])
def test_r32_identity_numbers_follow_gb_11643(vector: dict[str, Any]) -> None:
    assert identifiers.is_valid_id_card(vector["id"]) is vector["valid"]


@pytest.mark.parametrize("vector", VECTORS["luhn"]["vectors"], ids=lambda v: v["card"])
def test_r32_luhn(vector: dict[str, Any]) -> None:
    assert identifiers.passes_luhn(vector["card"]) is vector["valid"]


def test_r32_zeros_pass_luhn_but_are_no_bank_card() -> None:
    assert not identifiers.is_bank_card("0" * 16)
    assert identifiers.is_bank_card("4111111111111111")
    assert not identifiers.is_bank_card("411111111111116")


@pytest.mark.parametrize("vector", VECTORS["credit_code"]["vectors"], ids=lambda v: v["code"])
def test_r22_credit_codes_follow_gb_32100(vector: dict[str, Any]) -> None:
    assert identifiers.is_valid_credit_code(vector["code"]) is vector["valid"]


@pytest.mark.parametrize(
    ("typed", "status", "position"),
    [
        ("91350100M000100Y43", CreditCodeStatus.OK, None),
        (" 91310112ma1000022y ", CreditCodeStatus.OK, None),
        ("９１３５０１００-M000100Y43", CreditCodeStatus.OK, None),
        ("91310115MA1H8R7C6D", CreditCodeStatus.CONFIRMABLE, 18),
        ("91310112MA100002IY", CreditCodeStatus.MALFORMED, 17),
        ("9131011MA1000022YY", CreditCodeStatus.MALFORMED, 8),
        ("91310112MA1000022", CreditCodeStatus.MALFORMED, 18),
        ("91310112MA1000022YY", CreditCodeStatus.MALFORMED, 19),
        ("", CreditCodeStatus.MALFORMED, 1),
    ],
)
def test_r22_a_wrong_check_digit_may_be_confirmed_and_the_place_is_named(
    typed: str, status: CreditCodeStatus, position: int | None
) -> None:
    checked = identifiers.check_credit_code(typed)
    assert (checked.status, checked.position) == (status, position)
