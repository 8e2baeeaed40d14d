from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from consult.domain import workbook_text

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["formula_injection"]["vectors"], ids=lambda v: repr(v["in"]))
def test_r102_a_csv_cell_never_begins_a_formula(vector: dict[str, str]) -> None:
    assert workbook_text.csv_cell(vector["in"]) == vector["csv_out"]
    assert workbook_text.workbook_cell(vector["in"]) == vector["in"]


def test_r102_zero_width_characters_hide_no_formula() -> None:
    assert workbook_text.csv_cell("\ufeff=1") == "'\ufeff=1"
    assert workbook_text.csv_cell(" \u200b＝1") == "' \u200b＝1"
    assert workbook_text.csv_cell("   ") == "   "


def test_controls_xml_cannot_carry_are_removed() -> None:
    assert workbook_text.strip_controls("a\x00b\x08c\x0bd\x1fe\tf\ng\rh\ud800i\uffff") == "abcde\tf\ng\rhi"


def test_a_cell_that_is_too_long_says_so() -> None:
    cell = workbook_text.workbook_cell("好" * 40000)
    assert len(cell) == workbook_text.CELL_LIMIT
    assert cell.endswith("（全文见系统）")
    assert workbook_text.workbook_cell("好" * workbook_text.CELL_LIMIT) == "好" * workbook_text.CELL_LIMIT


def test_the_limit_counts_as_spreadsheets_do() -> None:
    cell = workbook_text.workbook_cell("𠮷" * 20000)
    assert workbook_text.CELL_LIMIT - 1 <= len(cell.encode("utf-16-le")) // 2 <= workbook_text.CELL_LIMIT
    assert cell.endswith("（全文见系统）")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("意见办理清单", "意见办理清单"),
        ("a:b\\c/d?e*f[g]h", "abcdefgh"),
        ("", "表1"),
        ("///", "表1"),
        ("长" * 40, "长" * 31),
        ("'引'", "引"),
    ],
)
def test_sheet_names_are_short_and_plain(title: str, expected: str) -> None:
    assert workbook_text.sheet_name(title) == expected


def test_a_file_name_has_consultation_table_and_beijing_time() -> None:
    at = datetime(2023, 8, 16, 16, 4, tzinfo=UTC)
    assert workbook_text.file_name("中期评估", "公开表", at, "xlsx") == "中期评估_公开表_20230817-0004.xlsx"
    assert workbook_text.file_name('a/b:*?"<>|', "../表\u202e", at, "csv") == "ab_表_20230817-0004.csv"


def test_a_file_name_without_a_name_or_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="consultation"):
        workbook_text.file_name("///", "表", datetime(2023, 8, 16, tzinfo=UTC), "csv")
    with pytest.raises(ValueError, match="zone"):
        workbook_text.file_name("a", "表", datetime(2023, 8, 16), "csv")


def test_overdue_days_are_words_in_csv() -> None:
    assert [workbook_text.overdue_cell(n) for n in (2, 0, -1)] == ["2", "0", "逾期1"]
