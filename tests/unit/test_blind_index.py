from __future__ import annotations

import pytest

from consult.gateways.blind_index import digest_query_code, index_contact, normalise_email, normalise_phone

KEY = b"k" * 32


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138-0013-8000",
        "138 0013 8000",
        "＋８６ １３８００１３８０００",
        "+86 138 0013 8000",
        "0086-13800138000",
        "8613800138000",
        "手机：13800138000",
    ],
)
def test_r48_mobile_number_is_found_however_it_is_written(written: str) -> None:
    assert normalise_phone(written) == "13800138000"
    assert index_contact(KEY, written) == index_contact(KEY, "13800138000")


def test_landline_with_area_code_and_extension_is_found() -> None:
    assert normalise_phone("(021) 6412-3456 转 8") == normalise_phone("021-64123456-8") == "021641234568"
    assert normalise_phone("86412345") == "86412345"
    assert normalise_phone("+86 21 64123456") == normalise_phone("021-64123456") == "02164123456"
    assert normalise_phone("+86 10 6412 3456") == "01064123456"


@pytest.mark.parametrize("written", ["Li.Wei@Example.com", " li.wei@example.COM ", "ｌｉ.ｗｅｉ＠example.com"])
def test_email_address_is_found_in_any_case_and_width(written: str) -> None:
    assert normalise_email(written) == "li.wei@example.com"
    assert index_contact(KEY, written) == index_contact(KEY, "li.wei@example.com")


def test_other_contacts_are_compared_as_written() -> None:
    assert index_contact(KEY, "微信 LiWei_88") == index_contact(KEY, "微信liwei_88")
    assert index_contact(KEY, "微信 LiWei_88") != index_contact(KEY, "微信 LiWei_89")


def test_digest_needs_the_key_and_does_not_mix_purposes() -> None:
    assert index_contact(KEY, "13800138000") != index_contact(b"other" * 8, "13800138000")
    assert digest_query_code(KEY, "13800138000") != index_contact(KEY, "13800138000")
    assert len(index_contact(KEY, "13800138000")) == len(digest_query_code(KEY, "0123456789AB")) == 32


def test_r20_query_code_digest_is_that_of_the_whole_code() -> None:
    assert digest_query_code(KEY, "0123456789AB") != digest_query_code(KEY, "0123456789AC")
