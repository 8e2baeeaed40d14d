from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from consult.domain import comments
from consult.domain.comments import AgeStatement, CommentValues, FieldRequirements, SubmitterKind
from consult.domain.errors import FieldErrors

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))

BODY = "建议增加社区食堂网点，方便老人。"
GOOD = CommentValues(
    body=BODY,
    name="张三",
    contact="138 0013 8000",
    email="zhangsan@example.com",
    age_statement="over_14",
    consent_process=True,
)
BOTH = FieldRequirements()
EITHER = FieldRequirements(either=True)


def codes_for(values: CommentValues, requirements: FieldRequirements = BOTH) -> dict[str, list[str]]:
    with pytest.raises(FieldErrors) as caught:
        comments.check_new_comment(values, requirements)
    return caught.value.codes()


def test_a_good_comment_is_cleaned_and_accepted() -> None:
    made = comments.check_new_comment(GOOD, BOTH)
    assert made.body == BODY
    assert made.contact == comments.ContactDetails("张三", "13800138000", "zhangsan@example.com")
    assert (made.submitter_kind, made.age_statement) == (SubmitterKind.INDIVIDUAL, AgeStatement.OVER_14)
    assert not made.consent_publish_name


def test_an_empty_form_names_every_field_in_order() -> None:
    assert codes_for(CommentValues()) == {
        "body": ["body_required"],
        "name": ["name_required"],
        "contact": ["contact_required"],
        "email": ["email_required"],
        "age_statement": ["age_statement_required"],
        "consent_process": ["consent_required"],
    }


@pytest.mark.parametrize("vector", VECTORS["field_limits"]["examples"], ids=lambda v: v["text"])
def test_r16_length_is_counted_in_user_characters(vector: dict[str, Any]) -> None:
    assert comments.user_characters(vector["text"]) == vector["graphemes"]
    assert (comments.check_body(vector["text"])[1] == []) is vector["ok"]


@pytest.mark.parametrize(
    ("text", "count"), [("𠮷野家", 3), ("👨‍👩‍👧‍👦", 1), ("e\u0301a", 2), ("葛\U000e0100城", 2), ("a\nb", 3)]
)
def test_r16_an_emoji_family_or_a_rare_character_is_one(text: str, count: int) -> None:
    assert comments.user_characters(text) == count


def test_r16_limits_say_how_much_is_missing_or_over() -> None:
    short = comments.check_body("太短了")[1][0]
    assert (short.code, short.params["n"]) == ("body_too_short", 3)
    long = comments.check_body("好" * 2003)[1][0]
    assert (long.code, long.params["over"]) == ("body_too_long", 3)
    assert comments.check_body("👨‍👩‍👧‍👦" * 2000)[1] == []
    assert comments.check_body("\n" + "好" * 2000 + "\n")[1] == []


def test_r16_invisible_characters_do_not_pad_a_comment() -> None:
    assert comments.check_body("好" + "\u200b" * 20)[1][0].code == "body_too_short"


def test_line_breaks_become_one_kind_and_text_is_composed() -> None:
    assert comments.normalise_text("一\r\n二\r三\u2028四\u2029五\x85六") == "一\n二\n三\n四\n五\n六"
    assert comments.normalise_text("e\u0301") == "é"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("一二三四五六七八九十\x00", "text_control"),
        ("一二三四五六七八九十\x1b[31m", "text_control"),
        ("一二三四五六七八九十\x9f", "text_control"),
        ("一二三四五六七八九十\ufffe", "text_noncharacter"),
        ("一二三四五六七八九十\ufdd0", "text_noncharacter"),
        ("一二三四五六七八九十\U0010ffff", "text_noncharacter"),
        ("一二三四五六七八九十\ud800", "text_surrogate"),
        ("一二三四五六七八九Z" + "\u0335" * 5, "text_stacked_marks"),
    ],
)
def test_text_that_may_not_be_stored_is_refused(text: str, problem: str) -> None:
    assert comments.text_problems(text) == [problem]
    assert codes_for(replace(GOOD, body=text))["body"] == [problem]


@pytest.mark.parametrize("text", ["", "   \n\t ", "\u200b\u200c\u200d\ufeff", "\u3164" * 12, "\u2800" * 12])
def test_a_body_with_nothing_to_see_is_missing(text: str) -> None:
    assert codes_for(replace(GOOD, body=text)) == {"body": ["body_required"]}


@pytest.mark.parametrize(
    "text",
    [
        "名\u0e01\u0e47\u0e47\u0e47\u0e47",
        "反馈\u202e于关\u202c",
        "1. 赞成；\n\t（1）理由：…",
        "\u180e\u2061空白",
        "\U00030edd面",
    ],
)
def test_unusual_but_honest_text_is_taken(text: str) -> None:
    assert comments.text_problems(text) == []


@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "John Smith",
        "O'Brien-李",
        "阿卜杜拉·买买提",
        "阿依古丽•买买提",
        "欧阳 夏丹",
        "𠮷田 太郎",
        "Nguyễn Thị Ánh",
        "﨑山",
        '王"小"明',
        "<b>张</b>",
        "李",
    ],
)
def test_r25_names_of_many_kinds_are_taken(name: str) -> None:
    assert comments.check_name(name) == (name, [])


@pytest.mark.parametrize("name", ["", "   ", "\u200b\u200b", "\u3000\u3000"])
def test_a_blank_name_is_missing(name: str) -> None:
    assert [one.code for one in comments.check_name(name)[1]] == ["name_required"]


@pytest.mark.parametrize(
    "name",
    [
        "张\n三",
        "李\r\nBcc: x@example.org",
        "王\x00五",
        "\u202e三张",
        "a" * 51,
        "12345",
        "张三13800138000",
        "张\u2028三",
        "···",
    ],
)
def test_a_name_that_could_do_harm_is_refused(name: str) -> None:
    assert [one.code for one in comments.check_name(name)[1]] == ["name_malformed"]


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("13800138000", "13800138000"),
        ("+86 138 0000 0000", "13800000000"),
        ("0086-13800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("021-55550100", "021-55550100"),
        ("(021)55550100", "021-55550100"),
        ("0571 55550100 转 802", "0571-55550100-802"),
        ("02155550100", "021-55550100"),
        ("021－00000000", "021-00000000"),
    ],
)
def test_mainland_numbers_are_stored_in_one_form(typed: str, stored: str) -> None:
    assert comments.parse_phone(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "0",
        "12345",
        "12800138000",
        "138001380001",
        "+86 138 0000 0000 0000 0000 0000",
        "１３８０００００００",
        "javascript:alert(1)",
        "13800138000\n",
    ],
)
def test_what_is_no_mainland_number_is_not_read(typed: str) -> None:
    assert comments.parse_phone(typed) is None


@pytest.mark.parametrize(
    "typed", ["a@example.org", "a.b+c@example.org", "user＠example.cn", " x_y@mail.example.com.cn "]
)
def test_plain_addresses_are_read(typed: str) -> None:
    assert comments.parse_email(typed) is not None


@pytest.mark.parametrize(
    "typed",
    [
        "a@", "@example.org", "a@example", "a@example.org,b@example.org", '"a b"@example.org', "<a@example.org>",
        "a@example.org\x00", "a@example.org\nBcc: b@example.org", "a@例子.测试\r\n", "a..b@example.org",
        "a" * 65 + "@example.org", "a@" + "b" * 64 + ".org", "a@" + "b." * 130 + "org",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_not_read(typed: str) -> None:
    assert comments.parse_email(typed) is None


def test_r14_both_contacts_are_wanted_by_default() -> None:
    assert codes_for(replace(GOOD, contact="")) == {"contact": ["contact_required"]}
    assert codes_for(replace(GOOD, email=" ")) == {"email": ["email_required"]}
    assert codes_for(replace(GOOD, contact="12345", email="a@")) == {
        "email": ["email_malformed"],
        "contact": ["contact_malformed"],
    }


def test_r15_either_contact_is_enough_when_so_set() -> None:
    assert comments.check_new_comment(replace(GOOD, contact=""), EITHER).contact.phone is None
    assert comments.check_new_comment(replace(GOOD, email=""), EITHER).contact.email is None
    assert codes_for(replace(GOOD, contact="", email=""), EITHER) == {"contact": ["contact_or_email_required"]}
    assert codes_for(replace(GOOD, contact="", email="a@"), EITHER) == {"email": ["email_malformed"]}


def test_r25_a_foreign_number_is_taken_together_with_an_email() -> None:
    abroad = replace(GOOD, name="John Smith", contact="+44 1234 567890")
    assert comments.check_new_comment(abroad, BOTH).contact.phone == "+441234567890"
    assert codes_for(replace(abroad, email=""), EITHER) == {"contact": ["contact_foreign_needs_email"]}


def test_r24_a_guardian_speaks_in_the_guardians_name() -> None:
    made = comments.check_new_comment(replace(GOOD, age_statement="guardian"), BOTH)
    assert made.age_statement is AgeStatement.GUARDIAN
    assert codes_for(replace(GOOD, age_statement="under_14")) == {"age_statement": ["age_statement_required"]}


def test_r45_consents_are_apart() -> None:
    assert codes_for(replace(GOOD, consent_process=False, consent_publish_name=True)) == {
        "consent_process": ["consent_required"]
    }
    assert comments.check_new_comment(replace(GOOD, consent_publish_name=True), BOTH).consent_publish_name


def test_r22_an_organisation_gives_its_name_and_may_give_its_code() -> None:
    firm = replace(GOOD, submitter_kind="organisation", organisation="示例公司", credit_code="91350100m000100y43")
    made = comments.check_new_comment(replace(firm, consent_publish_org_name=True), BOTH)
    assert (made.contact.organisation, made.contact.credit_code) == ("示例公司", "91350100M000100Y43")
    assert made.consent_publish_org_name
    assert codes_for(replace(firm, organisation="")) == {"organisation": ["organisation_required"]}
    assert codes_for(replace(firm, credit_code="9135")) == {"credit_code": ["credit_code_malformed"]}


def test_r22_a_wrong_check_digit_passes_once_confirmed() -> None:
    firm = replace(GOOD, submitter_kind="organisation", organisation="示例公司", credit_code="91310115MA1H8R7C6D")
    assert codes_for(firm) == {"credit_code": ["credit_code_mismatch"]}
    made = comments.check_new_comment(replace(firm, confirm_credit_code=True), BOTH)
    assert made.credit_code_confirmed


def test_an_individual_has_no_organisation_fields() -> None:
    made = comments.check_new_comment(
        replace(GOOD, organisation="示例公司", credit_code="?", consent_publish_org_name=True), BOTH
    )
    assert made.contact.organisation is None
    assert not made.consent_publish_org_name
    assert codes_for(replace(GOOD, submitter_kind="robot")) == {"submitter_kind": ["submitter_kind_required"]}
