from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consult.domain import names

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["mask_name"]["vectors"], ids=lambda v: v["in"] or "empty")
def test_r46_mask_keeps_surname_and_two_asterisks(vector: dict[str, str]) -> None:
    assert names.mask_name(vector["in"]) == vector["out"]


@pytest.mark.parametrize("vector", VECTORS["mask_mobile"], ids=lambda v: v["in"])
def test_r51_mobile_keeps_three_and_four_digits(vector: dict[str, str]) -> None:
    assert names.mask_mobile(vector["in"]) == vector["out"]
    assert names.mask_phone(vector["in"]) == vector["out"]


@pytest.mark.parametrize("vector", VECTORS["mask_landline"], ids=lambda v: v["in"])
def test_r51_landline_keeps_area_code_and_four_digits(vector: dict[str, str]) -> None:
    assert names.mask_landline(vector["in"]) == vector["out"]
    assert names.mask_phone(vector["in"]) == vector["out"]


@pytest.mark.parametrize("vector", VECTORS["mask_email"], ids=lambda v: v["in"])
def test_r51_email_keeps_first_letter_and_domain(vector: dict[str, str]) -> None:
    assert names.mask_email(vector["in"]) == vector["out"]


def test_r51_an_extension_is_masked_away() -> None:
    assert names.mask_phone("021-55550100-802") == "021-****0100"


def test_r25_a_foreign_number_keeps_two_digits() -> None:
    assert names.mask_phone("+441234567890") == "****90"


@pytest.mark.parametrize("text", ["", None])
def test_nothing_stays_nothing(text: str | None) -> None:
    assert names.mask_phone(text) == ""
    assert names.mask_email(text) == ""


def test_r45_full_name_only_with_consent() -> None:
    assert names.public_name("张三", consent=True) == "张三"
    assert names.public_name("张三", consent=False) == "张**"
    assert names.public_name(None, consent=True) == "匿名"
    assert names.public_name("\u200b", consent=True) == "匿名"


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("上海虚构建筑设计股份有限公司", None, "某企业"),
        ("示例果蔬专业合作社", None, "某企业"),
        ("示例区志愿者协会", None, "某社会组织"),
        ("示例学校", None, "某单位"),
        ("看不出性质", "91310112MA1000022Y", "某企业"),
        ("看不出性质", "51310112MA1000045E", "某社会组织"),
        ("示例公司", "12310112000000000J", "某单位"),
        ("", None, "某单位"),
    ],
)
def test_r23_organisations_are_shown_by_kind(name: str, code: str | None, expected: str) -> None:
    assert names.public_organisation(name, consent=False, credit_code=code) == expected


def test_r23_organisation_name_needs_its_own_consent() -> None:
    assert names.public_organisation("示例公司", consent=True) == "示例公司"
