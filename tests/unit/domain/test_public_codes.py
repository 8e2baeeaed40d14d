from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

from consult.domain import public_codes as codes
from consult.domain.public_codes import ReceiptNo

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["query_code_entropy"], ids=lambda v: f"{v['alphabet']}-{v['length']}")
def test_r20_fifty_bits_are_the_least(vector: dict[str, Any]) -> None:
    bits = codes.entropy_bits(vector["alphabet_size"], vector["length"])
    assert round(bits, 2) == vector["bits"]
    assert codes.is_strong_enough(vector["alphabet_size"], vector["length"]) is vector["ok"]


def test_r20_a_query_code_has_sixty_bits_of_an_unambiguous_alphabet() -> None:
    assert codes.entropy_bits(len(codes.QUERY_ALPHABET), codes.QUERY_LENGTH) == 60
    assert not set("ILOU") & set(codes.QUERY_ALPHABET)
    assert len(set(codes.QUERY_ALPHABET)) == 32


def test_a_drawn_code_reads_back_and_every_bit_counts() -> None:
    drawn = {codes.new_query_code(secrets.token_bytes) for _ in range(200)}
    assert len(drawn) == 200
    assert all(codes.parse_query_code(codes.show_query_code(code)) == code for code in drawn)
    assert codes.new_query_code(lambda n: b"\xff" * n) == "Z" * 12
    assert codes.new_query_code(lambda n: bytes(n - 1) + b"\x01") == "000000000001"
    first_bit = codes.new_query_code(lambda n: b"\x08" + bytes(n - 1))
    assert first_bit == "G" + "0" * 11


def test_too_few_random_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="random"):
        codes.new_query_code(lambda n: b"\x00")


@pytest.mark.parametrize(
    "typed",
    [
        "7K3M-9QXT-2W0A",
        "7k3m9qxt2w0a",
        " 7K3M 9QXT 2W0A ",
        "７Ｋ３Ｍ－９ＱＸＴ－２Ｗ０Ａ",
        "7K3M—9QXT–2W0A",
        "7K3M9QXT2WOA",
        "7K3M-9QXT\u200b-2WoA\n",
    ],
)
def test_a_query_code_is_read_as_people_type_it(typed: str) -> None:
    assert codes.parse_query_code(typed) == "7K3M9QXT2W0A"


def test_i_and_l_read_as_one() -> None:
    assert codes.parse_query_code("iIlL-0000-0000") == "111100000000"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1",
        "000000",
        "%",
        "____________",
        "' OR 1=1--",
        "7K3M9QXT2W0",
        "7K3M9QXT2W0AB",
        "UUUU-UUUU-UUUU",
        "\u202eABC",
    ],
)
def test_anything_else_is_no_query_code(typed: str) -> None:
    assert codes.parse_query_code(typed) is None


def test_a_receipt_number_has_at_least_four_digits() -> None:
    assert codes.format_receipt_no("ZP", 318) == "ZP-0318"
    assert codes.format_receipt_no("ZP", 12345) == "ZP-12345"
    assert str(ReceiptNo("ZP", 7)) == "ZP-0007"


@pytest.mark.parametrize("typed", ["ZP-0318", "zp0318", " ＺＰ－０３１８ ", "ZP – 0318"])
def test_a_receipt_number_is_read_as_people_type_it(typed: str) -> None:
    assert codes.parse_receipt_no(typed) == ReceiptNo("ZP", 318)


@pytest.mark.parametrize("typed", ["", "0318", "ZP-318", "ZP-0000", "ZP-00318", "ZP", "Z/P-0318", "ZP-0318x"])
def test_anything_else_is_no_receipt_number(typed: str) -> None:
    assert codes.parse_receipt_no(typed) is None


def test_a_short_code_with_a_digit_needs_its_hyphen() -> None:
    assert codes.parse_receipt_no("Z2-0318") == ReceiptNo("Z2", 318)
    assert codes.parse_receipt_no("Z20318") == ReceiptNo("Z", 20318)


@pytest.mark.parametrize(("short_code", "serial"), [("zp", 1), ("", 1), ("2P", 1), ("ZP", 0), ("ZP", 10**9)])
def test_a_wrong_receipt_number_is_not_made(short_code: str, serial: int) -> None:
    with pytest.raises(ValueError, match=r"short code|serial"):
        codes.format_receipt_no(short_code, serial)
