"""The comment form as contract.md promises it: 303, 422, 403, 429, and nothing typed is ever lost."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from consult import clock
from consult.db import Store
from tests.support.factories import NOW
from tests.support.public_site import Site, open_site
from tests.support.visitors import ANSWER, BODY, FILLED, Page, all_forms, error_fields, form_fields

EVERYTHING: Mapping[str, str] = {
    **FILLED,
    "block": "p6",
    "quote": "优化公交线网",
    "submitter_kind": "organisation",
    "organisation": "示例科技（上海）有限公司 & <子>公司",
    "credit_code": "91350100M000100Y43",
    "name": "欧阳·小明",
    "body": "第一行：建议增设过街天桥。\n\n  第二行 <b>\"&amp;'</b> 𠮷👨‍👩‍👧",
    "age_statement": "guardian",
    "consent_publish_name": "yes",
    "consent_publish_org_name": "yes",
}
"""A form with every field filled in; `confirm_credit_code` shows only when it is asked for."""


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def kept(page: Page, typed: Mapping[str, str]) -> dict[str, tuple[str, str | None]]:
    """Fields that the form shown again does not hold as they were typed."""
    shown = form_fields(page.text)
    ours = [name for name in typed if name not in {"csrf_token", "captcha_id", "captcha_answer", "form", "website"}]
    return {name: (typed[name], shown.get(name)) for name in ours if shown.get(name) != typed[name]}


# -- the empty form --------------------------------------------------------------------------------


def test_the_form_opens_empty_with_every_promised_field(site: Site) -> None:
    page = site.visitor().get("/c/gangyao/comment/")
    names = set(re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', page.text))
    assert names >= {
        *("section", "block", "submitter_kind", "name", "organisation", "credit_code", "contact", "email", "body"),
        *("age_statement", "consent_process", "consent_publish_name", "consent_publish_org_name"),
        *("captcha_id", "captcha_answer", "csrf_token"),
    }
    buttons = re.findall(r'<button[^>]* name="([^"]+)"(?: value="([^"]*)")?', page.text)
    assert ("step", "check") in buttons
    assert "refresh_captcha" in {name for name, _ in buttons}


def test_r45_consents_are_unticked_at_first(site: Site) -> None:
    fields = site.visitor().open_form("?section=s3")
    assert {name for name in fields if name.startswith("consent")} == set()
    assert "age_statement" not in fields


def test_r45_no_link_ticks_a_consent_or_fills_in_a_person(site: Site) -> None:
    link = "?section=s3&consent_process=yes&consent_publish_name=yes&name=x&body=abcdefghijkl&age_statement=over_14"
    fields = site.visitor().open_form(link)
    assert {name for name in fields if name.startswith("consent")} == set()
    assert (fields["name"], fields["body"], fields["section"]) == ("", "", "s3")
    assert "age_statement" not in fields


def test_r44_the_privacy_notice_stands_in_full_before_the_button(site: Site) -> None:
    page = site.visitor().get("/c/gangyao/comment/").text
    start, end = page.index("区发改委"), page.rindex(">提交意见</button>")
    notice = page[:end]
    for words in ("021-55550100", "pinggu@example.com", "区交通委", "6", "删除", "更正"):
        assert words in notice, words
    assert page.index('name="consent_process"') < end
    assert start < end
    assert not re.search(r"<details[^>]*>(?:(?!</details>).)*处理者", page, re.DOTALL), "the notice is folded away"


def test_a_link_from_a_paragraph_carries_its_place_and_its_words(site: Site) -> None:
    fields = site.visitor().open_form("?section=s3&block=p6")
    assert (fields["section"], fields["block"]) == ("s3", "p6")
    assert fields["quote"] == "优化公交线网，提高轨道站点接驳便利性。"


# -- a valid form ----------------------------------------------------------------------------------


def test_a_valid_form_answers_303_to_the_receipt(site: Site) -> None:
    visitor = site.visitor()
    page = visitor.comment()
    assert page.status == 303
    assert re.fullmatch(r"/c/gangyao/receipt/[0-9a-f]{32}/", page.location)
    assert site.count() == site.count("contact_details") == site.count("comment_event") == 1
    assert "ZP-0001" in visitor.get(page.location).text


def test_r26_notice_version_and_both_consents_are_kept_with_their_time(site: Site) -> None:
    site.visitor().comment(consent_publish_name="yes")
    stored = site.newest()
    assert stored.notice_version
    assert (stored.consent_processing, stored.consent_publish_name, stored.consent_publish_org_name) == (
        True,
        True,
        False,
    )
    assert abs(stored.consented_at - clock.utc_now()) < timedelta(minutes=1)


def test_the_whole_report_may_be_commented_on_without_a_section(site: Site) -> None:
    assert site.visitor().comment(section="").status == 303
    assert site.newest().section_id is None


def test_r11_the_comment_is_bound_to_the_section_version_that_was_read(site: Site) -> None:
    visitor = site.visitor()
    fields = visitor.filled("?section=s3&block=p6&v=1")
    assert fields["v"] == "1"
    assert visitor.submit(fields).status == 303
    stored = site.newest()
    assert stored.section_version_id == site.world.section_versions["s3"]
    assert stored.block_key == "p6"


def test_a_quote_is_placed_in_its_block(site: Site) -> None:
    assert site.visitor().comment(section="s2", block="p4", quote="管线迁移协调周期偏长").status == 303
    stored = site.newest()
    assert (stored.block_key, stored.quote) == ("p4", "管线迁移协调周期偏长")
    assert stored.quote_start == "推进既有多层住宅加装电梯工作，但管线迁移协调周期偏长的问题仍较突出。".index("管线")


def test_a_quote_without_a_block_finds_its_block(site: Site) -> None:
    assert site.visitor().comment(section="s2", quote="社区综合为老服务中心").status == 303
    assert site.newest().block_key == "p5"


def test_words_that_do_not_stand_there_are_refused(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled(section="s2", block="p4", quote="这句话草案里根本没有写过")
    page = visitor.submit(typed)
    assert page.status == 422
    assert "quote" in error_fields(page.text)
    assert kept(page, typed) == {}
    assert site.count() == 0


@pytest.mark.parametrize(("field", "value"), [("section", "s99"), ("block", "p99"), ("v", "7"), ("section", "s\x003")])
def test_an_unknown_place_is_refused_and_nothing_is_lost(site: Site, field: str, value: str) -> None:
    visitor = site.visitor()
    page = visitor.comment("?section=s3", **{field: value})
    assert page.status == 422
    assert "section" in error_fields(page.text)
    assert form_fields(page.text)["body"] == BODY


# -- nothing typed is lost -------------------------------------------------------------------------


def test_the_body_comes_back_on_every_field_error_with_every_other_field(site: Site) -> None:
    broken = {
        "body": "太短",
        "name": "",
        "contact": "12",
        "email": "not-an-address",
        "organisation": "",
        "credit_code": "123",
        "age_statement": "",
        "captcha_answer": "",
        "section": "nowhere",
        "quote": "没有这句话",
    }
    for field, value in broken.items():
        visitor = site.visitor()
        typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER, field: value}
        page = visitor.submit(typed)
        assert page.status == 422, field
        assert field in error_fields(page.text), (field, error_fields(page.text))
        lost = kept(page, {name: text for name, text in typed.items() if not (name == field and not text)})
        if field == "section":
            lost.pop("section")  # a select cannot show what it does not offer
        assert lost == {}, field
        # the challenge is still good, and so is the answer that came with it
        again = form_fields(page.text)
        assert again["captcha_id"] == typed["captcha_id"], field
        assert again["captcha_answer"] == typed["captcha_answer"], field
    assert site.count() == 0


@pytest.mark.parametrize("consent", ["consent_process"])
def test_a_missing_consent_keeps_everything_and_ticks_nothing(site: Site, consent: str) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER}
    del typed[consent]
    page = visitor.submit(typed)
    assert page.status == 422
    assert list(error_fields(page.text)) == [consent]
    assert kept(page, typed) == {}
    assert consent not in form_fields(page.text)


def test_a_wrong_answer_keeps_everything_and_brings_a_new_challenge(site: Site) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": "33333"}
    page = visitor.submit(typed)
    assert page.status == 422
    assert list(error_fields(page.text)) == ["captcha_answer"]
    assert kept(page, typed) == {}
    again = form_fields(page.text)
    assert again["captcha_id"] not in {"", typed["captcha_id"]}
    assert again["captcha_answer"] == ""
    # the wrong answer spent the first one
    assert visitor.submit({**typed, "captcha_answer": ANSWER}).status == 422
    assert visitor.submit({**again, "captcha_answer": ANSWER}).status == 303
    assert site.count() == 1


def test_an_expired_challenge_keeps_everything(site: Site) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER}
    clock.start_at(NOW + timedelta(minutes=20, seconds=30))
    page = visitor.submit(typed)
    assert page.status == 422
    assert kept(page, typed) == {}
    assert form_fields(page.text)["captcha_id"] != typed["captcha_id"]
    assert visitor.submit({**form_fields(page.text), "captcha_answer": ANSWER}).status == 303


def test_a_challenge_lives_nineteen_minutes(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled()
    clock.start_at(NOW + timedelta(minutes=19, seconds=30))
    assert visitor.submit(typed).status == 303


def test_a_lost_session_keeps_everything_and_the_next_try_succeeds(site: Site) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER}
    visitor.cookies.clear()
    page = visitor.submit(typed)
    assert page.status == 422
    assert kept(page, typed) == {}
    assert site.count() == 0
    assert visitor.submit({**form_fields(page.text), "captcha_answer": ANSWER}).status == 303


@pytest.mark.parametrize("token", ["", "forged", None])
def test_a_missing_or_forged_token_stores_nothing_and_keeps_everything(site: Site, token: str | None) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER, "csrf_token": token or ""}
    if token is None:
        del typed["csrf_token"]
    page = visitor.submit(typed)
    assert page.status == 422
    assert kept(page, typed) == {}
    assert site.count() == 0


def test_a_new_picture_keeps_everything_and_shows_no_errors(site: Site) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "body": "太短", "captcha_answer": "abc"}
    page = visitor.submit({**typed, "refresh_captcha": "1"})
    assert page.status == 200
    assert error_fields(page.text) == {}
    assert 'aria-invalid="true"' not in page.text
    assert kept(page, typed) == {}
    assert form_fields(page.text)["captcha_id"] != typed["captcha_id"]


def test_too_large_a_body_answers_413_and_gives_everything_back(site: Site) -> None:
    visitor = site.visitor()
    long = "很长的意见。" * 10_000
    page = visitor.submit({**visitor.open_form(), **EVERYTHING, "body": long})
    assert page.status == 413
    for value in (long, EVERYTHING["name"], EVERYTHING["contact"], EVERYTHING["organisation"], EVERYTHING["email"]):
        assert html.escape(value) in page.text.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert site.count() == 0


def test_a_body_over_2000_characters_is_refused_and_kept(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled(body="字" * 2_001)
    page = visitor.submit(typed)
    assert page.status == 422
    assert "1" in error_fields(page.text)["body"]
    assert kept(page, typed) == {}


# -- step=check and step=edit ----------------------------------------------------------------------


def test_checking_spends_no_challenge_and_stores_nothing(site: Site) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER}
    page = visitor.submit({**typed, "step": "check"})
    assert page.status == 200
    assert site.count() == 0
    for value in (EVERYTHING["organisation"], EVERYTHING["name"], EVERYTHING["contact"], "第二行"):
        assert html.escape(value, quote=False) in page.text
    carried = form_fields(page.text)
    assert {name: carried.get(name) for name in EVERYTHING} == dict(EVERYTHING)
    assert carried["captcha_id"] == typed["captcha_id"]
    assert visitor.submit(carried).status == 303
    assert site.count() == 1


def test_checking_twice_and_going_back_loses_nothing(site: Site) -> None:
    visitor = site.visitor()
    typed = {**visitor.open_form(), **EVERYTHING, "captcha_answer": ANSWER}
    carried = form_fields(visitor.submit({**typed, "step": "check"}).text)
    back = visitor.submit({**carried, "step": "edit"})
    assert back.status == 200
    assert kept(back, typed) == {}
    assert form_fields(back.text)["captcha_answer"] == ANSWER
    assert form_fields(back.text)["captcha_id"] == typed["captcha_id"]
    again = visitor.submit({**form_fields(back.text), "step": "check"})
    assert visitor.submit(form_fields(again.text)).status == 303
    assert site.count() == 1


def test_checking_an_invalid_form_answers_422_and_spends_nothing(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled(name="")
    page = visitor.submit({**typed, "step": "check"})
    assert page.status == 422
    assert form_fields(page.text)["captcha_id"] == typed["captcha_id"]
    assert visitor.submit({**typed, "name": "李四"}).status == 303


# -- double clicks, replays, other people's challenges ---------------------------------------------


def test_r18_the_same_form_again_leads_to_the_same_receipt(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled()
    first, second = visitor.submit(typed), visitor.submit(typed)
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert site.count() == 1


def test_r17_a_spent_answer_with_other_words_is_refused_and_the_words_are_kept(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled()
    assert visitor.submit(typed).status == 303
    other = {**typed, "body": "另外一条意见：建议延长图书馆的开放时间。"}
    page = visitor.submit(other)
    assert page.status == 422
    assert kept(page, other) == {}
    assert site.count() == 1


def test_a_spent_challenge_replayed_by_another_visitor_is_never_accepted(site: Site) -> None:
    visitor, thief = site.visitor(), site.visitor("192.0.2.99")
    typed = visitor.filled()
    assert visitor.submit(typed).status == 303
    own = thief.open_form()
    page = thief.submit({**typed, "csrf_token": own["csrf_token"]})
    assert page.status == 422
    assert site.count() == 1


def test_another_visitors_living_challenge_is_not_accepted_and_not_spent(site: Site) -> None:
    visitor, thief = site.visitor(), site.visitor("192.0.2.99")
    typed = visitor.filled()
    own = thief.open_form()
    page = thief.submit({**own, **FILLED, "captcha_id": typed["captcha_id"], "captcha_answer": ANSWER})
    assert page.status == 422
    assert site.count() == 0
    assert visitor.submit(typed).status == 303


@pytest.mark.parametrize("challenge", ["", "x", "0" * 32, "../../etc", "\x00", "f" * 10_000])
def test_a_made_up_challenge_is_not_accepted(site: Site, challenge: str) -> None:
    page = site.visitor().comment(captcha_id=challenge)
    assert page.status == 422
    assert site.count() == 0


def test_a_challenge_made_for_another_form_is_not_accepted(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled()
    visitor.slug = "nowhere"
    made = visitor.post("/captcha/", {"csrf_token": typed["csrf_token"], "form": "another"}).text
    other = re.search(r'"id": ?"([0-9a-f]{32})"', made)
    assert other
    visitor.slug = "gangyao"
    assert visitor.submit({**typed, "captcha_id": other[1]}).status == 422
    assert site.count() == 0


def test_the_answer_is_on_no_page_cookie_or_address(site: Site) -> None:
    visitor = site.visitor()
    page = visitor.get("/c/gangyao/comment/")
    with site.store.reading() as session:
        session.execute(text("SELECT 1"))
    assert ANSWER not in page.text
    assert set(visitor.cookies) == {"consult"}
    challenge = form_fields(page.text)["captcha_id"]
    picture = visitor.get(f"/captcha/{challenge}.png")
    assert picture.status == 200
    assert picture.data.startswith(b"\x89PNG")
    assert b"tEXt" not in picture.data
    assert site.visitor().get(f"/captcha/{challenge}.png").status == 404, "somebody else's picture"


# -- the settings and kinds of people --------------------------------------------------------------


@pytest.mark.parametrize(("gone", "status"), [(("email",), 303), (("contact",), 303), (("contact", "email"), 422)])
def test_r15_either_contact_is_enough_when_so_set(site: Site, gone: tuple[str, ...], status: int) -> None:
    site.change_consultation(contact_rule="either")
    assert site.visitor().comment(**dict.fromkeys(gone, "")).status == status


@pytest.mark.parametrize("gone", ["contact", "email"])
def test_r14_both_contacts_are_required_as_in_the_notice(site: Site, gone: str) -> None:
    page = site.visitor().comment(**{gone: ""})
    assert page.status == 422
    assert gone in error_fields(page.text)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("一二三四五六七八九", 422),
        ("一二三四五六七八九十", 303),
        ("👨‍👩‍👧" * 9, 422),
        ("👨‍👩‍👧" * 10, 303),
        ("𠮷" * 10, 303),
        ("é" * 2_000, 303),
        ("👨‍👩‍👧" * 2_000, 303),
        ("字" * 2_000, 303),
        ("字" * 2_001, 422),
        ("\u200b" * 40, 422),
    ],
)
def test_r16_length_is_counted_in_characters_people_see(site: Site, body: str, status: int) -> None:
    assert site.visitor().comment(body=body).status == status


def test_r16_line_breaks_are_kept(site: Site) -> None:
    assert site.visitor().comment(body="第一行建议增设天桥\r\n\r\n第二行 保留  空格").status == 303
    assert site.newest().body == "第一行建议增设天桥\n\n第二行 保留  空格"


def test_r25_a_foreign_resident_may_comment(site: Site) -> None:
    assert site.visitor().comment(name="John Smith", contact="+44 1234 567890").status == 303
    assert site.newest().masked_name == "J**"


@pytest.mark.parametrize(
    ("name", "consent", "shown"),
    [("张三丰", "", "张**"), ("欧阳娜娜", "", "欧阳**"), ("张三丰", "yes", "张三丰"), ("李", "", "李**")],
)
def test_r46_the_public_sees_the_masked_name_unless_its_owner_agreed(
    site: Site, name: str, consent: str, shown: str
) -> None:
    visitor = site.visitor()
    assert visitor.comment(name=name, **({"consent_publish_name": consent} if consent else {})).status == 303
    site.accept("ZP-0001")
    for path in ("/c/gangyao/comments/", "/c/gangyao/comments/ZP-0001/", "/c/gangyao/draft/s3/"):
        page = site.visitor().get(path).text
        assert f"<bdi>{shown}</bdi>" in page, path
        if not consent and len(name) > 1:
            assert name not in page, path


@pytest.mark.parametrize(
    ("organisation", "code", "shown"),
    [
        ("示例科技有限公司", "91350100M000100Y43", "某企业"),
        ("示例慈善基金会", "53100000500000000X", None),
        ("示例小学", "", None),
    ],
)
def test_r23_an_organisation_is_named_only_with_its_own_consent(
    site: Site, organisation: str, code: str, shown: str | None
) -> None:
    changes = {"submitter_kind": "organisation", "organisation": organisation, "credit_code": code}
    # consenting to the contact person's name says nothing for the organisation, and never shows the person
    page = site.visitor().comment(**changes, confirm_credit_code="yes", consent_publish_name="yes")
    assert page.status == 303, error_fields(page.text)
    site.accept("ZP-0001")
    table = site.visitor().get("/c/gangyao/comments/").text
    assert organisation not in table
    assert "张三丰" not in table
    assert re.search(r"<bdi>某(企业|社会组织|单位)</bdi>", table)
    if shown:
        assert f"<bdi>{shown}</bdi>" in table
    page = site.visitor().comment(**changes, confirm_credit_code="yes", consent_publish_org_name="yes")
    assert page.status == 303
    site.accept("ZP-0002")
    table = site.visitor().get("/c/gangyao/comments/").text
    assert f"<bdi>{organisation}</bdi>" in table
    assert "张三丰" not in table


def test_r22_a_credit_code_that_fails_its_check_can_be_confirmed(site: Site) -> None:
    visitor = site.visitor()
    typed = visitor.filled(submitter_kind="organisation", organisation="示例公司", credit_code="91310115MA1H8R7C6D")
    page = visitor.submit(typed)
    assert page.status == 422
    assert "credit_code" in error_fields(page.text)
    assert 'name="confirm_credit_code"' in page.text
    assert visitor.submit({**form_fields(page.text), "confirm_credit_code": "yes"}).status == 303


def test_r48_contact_details_are_stored_encrypted_and_nowhere_else(site: Site) -> None:
    site.visitor().comment()
    with site.store.reading() as session:
        tables = ("comment", "contact_details", "comment_event", "outbox")
        everything = "".join(
            str(row) for table in tables for row in session.execute(text(f"SELECT * FROM {table}")).all()
        )
        locked = session.execute(text("SELECT name, phone, email FROM contact_details")).one()
    for value in ("张三丰", "13800138000", "zhang.san@example.com"):
        assert value not in everything
    assert [site.cipher.decrypt(bytes(one)) for one in locked] == ["张三丰", "13800138000", "zhang.san@example.com"]


def test_a_filled_decoy_is_flagged_and_never_dropped(site: Site) -> None:
    assert site.visitor().comment(website="http://example.org").status == 303
    assert "decoy_filled" in site.newest().flags


def test_every_form_that_posts_carries_a_token_or_changes_nothing(site: Site) -> None:
    for path in ("/", "/c/gangyao/comment/", "/status/"):
        for form in all_forms(site.visitor().get(path).text):
            assert "csrf_token" in form or set(form) <= {"next", "q", "section", "unit", "outcome", "a", "b"}, form
