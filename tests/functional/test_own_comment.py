"""What the holder of a 查询码 does with their own comment, on the page (R-47, R-52, R-71, R-88; contract, /status/)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import LargeBinary, inspect, select, text

from consult import clock
from consult.db import Store
from consult.domain.errors import DomainError
from consult.gateways.field_cipher import FieldCipher, FieldUnreadableError
from consult.models import Base
from consult.models.comments import Comment, CommentEvent, ContactDetails, Outbox, Rating, Supplement
from consult.services import own_comment, ratings
from moderation.services import supplements
from tests.support import casework
from tests.support.factories import CALENDAR, NOW
from tests.support.public_site import Site, open_site
from tests.support.visitors import BODY, Page, Visitor, all_forms, error_fields

NAME, PHONE, EMAIL = "张三丰", "13800138000", "zhang.san@example.com"
REF = "ZP-0001"


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


@pytest.fixture
def writer(site: Site) -> Visitor:
    """Somebody who sent a comment and knows its 查询码."""
    visitor = site.visitor()
    visitor.memory["code"] = visitor.query_code(visitor.comment().location)
    return visitor


def look(visitor: Visitor) -> Page:
    return visitor.look_up(visitor.memory["code"])


def send(visitor: Visitor, page: Page, action: str, **fields: str) -> Page:
    """Press the button of a form that has the given fields, as it stands on the page."""
    having = next((name for name in reversed(fields) if name != "rating"), "token")
    form = next(one for one in all_forms(page.text) if "token" in one and having in one)
    return visitor.post("/status/", {**form, **fields, "action": action})


def press(visitor: Visitor, page: Page, action: str) -> Page:
    form = next(one for one in all_forms(page.text) if "token" in one)
    return visitor.post("/status/", {**form, "action": action})


def confirmed(visitor: Visitor, page: Page, action: str) -> Page:
    return press(visitor, press(visitor, page, action), action)


def kinds(site: Site) -> list[str]:
    with site.store.reading() as session:
        return casework.kinds(session, REF)


def contact(site: Site) -> ContactDetails:
    with site.store.reading() as session:
        return session.scalars(select(ContactDetails)).one()


def in_the_clear(store: Store, cipher: FieldCipher) -> set[str]:
    """Everything any bytes column of the store still says."""
    said = set()
    with store.reading() as session:
        for table in Base.metadata.sorted_tables:
            for column in (one for one in table.columns if isinstance(one.type, LargeBinary)):
                for (value,) in session.execute(select(column).where(column.is_not(None))):
                    try:
                        said.add(cipher.decrypt(bytes(value)))
                    except FieldUnreadableError:
                        continue
    return said


def written(store: Store) -> str:
    """Every text, word and document the store holds, in one."""
    parts = []
    with store.reading() as session:
        for table in inspect(store.engine).get_table_names():
            parts += [str(tuple(row)) for row in session.execute(text(f'SELECT * FROM "{table}"'))]
    return "\n".join(parts)


# -- supplement ------------------------------------------------------------------------------------


def test_r71_what_was_asked_for_joins_the_text_and_goes_back_to_review(site: Site, writer: Visitor) -> None:
    with site.store.writing() as session:
        supplements.ask(
            session, site.world.viewer("reviewer"), REF, casework.version(session, REF), "请写明路口名称", CALENDAR, NOW
        )
    page = look(writer)
    assert "请写明路口名称" in page.text
    done = send(writer, page, "supplement", text_supplement="路口是元江路与江月路。")
    assert done.status == 200
    assert "已收到您补充的内容" in done.text
    assert site.newest().handling_state == "pending_review"
    assert site.newest().body == f"{BODY}\n路口是元江路与江月路。"


def test_r71_a_late_supplement_is_refused_and_the_words_are_given_back(site: Site, writer: Visitor) -> None:
    with site.store.writing() as session:
        supplements.ask(
            session, site.world.viewer("reviewer"), REF, casework.version(session, REF), "请补充", CALENDAR, NOW
        )
    clock.start_at(NOW + timedelta(days=9))
    page = send(writer, look(writer), "supplement", text_supplement="来晚了的补充")
    assert page.status == 422
    assert "补充的期限已过" in page.text
    assert "来晚了的补充" in page.text
    assert site.newest().handling_state == "awaiting_supplement"


def test_unasked_words_are_kept_beside_an_accepted_comment_and_never_published(site: Site, writer: Visitor) -> None:
    site.accept(REF)
    assert send(writer, look(writer), "supplement", text_supplement="另外请增设座椅。").status == 200
    with site.store.reading() as session:
        assert session.scalars(select(Supplement.text)).all() == ["另外请增设座椅。"]
    assert "另外请增设座椅" not in site.visitor().get("/c/gangyao/comments/").text


@pytest.mark.parametrize(
    ("words", "problem"), [("", "请填写"), (" \u3000", "请填写"), ("长" * 2001, "超出 1 个字"), ("铃\x07", "控制字符")]
)
def test_a_supplement_that_cannot_be_stored_says_why_beside_the_field(
    site: Site, writer: Visitor, words: str, problem: str
) -> None:
    page = send(writer, look(writer), "supplement", text_supplement=words)
    assert page.status == 422
    assert problem in error_fields(page.text)["text_supplement"]
    assert "supplement_unasked" not in kinds(site)


# -- withdrawing, anonymising, erasing -------------------------------------------------------------


def test_r88_before_routing_the_page_says_that_all_of_it_goes_and_then_it_does(site: Site, writer: Visitor) -> None:
    site.accept(REF)
    asked = press(writer, look(writer), "withdraw")
    assert asked.status == 200
    assert "公开页面马上不再显示" in asked.text
    assert site.newest().handling_state == "accepted"
    done = press(writer, asked, "withdraw")
    assert "已撤回" in done.text
    comment = site.newest()
    assert (comment.handling_state, comment.standing, comment.masked_name) == ("withdrawn", "withdrawn", "匿名")
    assert in_the_clear(site.store, site.cipher).isdisjoint({NAME, PHONE, EMAIL})


def test_r88_after_routing_only_who_wrote_it_goes_and_handling_runs_on(site: Site) -> None:
    visitor = site.visitor()
    visitor.memory["code"] = visitor.query_code(visitor.comment(consent_publish_name="yes").location)
    with site.store.writing() as session:
        casework.in_progress(session, site.world, REF)
    assert NAME in site.visitor().get(f"/c/gangyao/comments/{REF}/").text
    asked = press(visitor, look(visitor), "withdraw")
    assert "不能整件撤回" in asked.text
    done = press(visitor, asked, "withdraw")
    assert "我们已停止公开您的姓名并清除联系方式" in done.text
    comment = site.newest()
    assert (comment.handling_state, comment.standing) == ("in_progress", "public")
    assert (comment.masked_name, comment.public_name) == ("匿名", "")
    public = site.visitor().get(f"/c/gangyao/comments/{REF}/").text
    assert BODY in public
    assert NAME not in public
    assert "匿名" in public
    assert in_the_clear(site.store, site.cipher).isdisjoint({NAME, PHONE, EMAIL})
    assert "erase_personal_info" in kinds(site)


def test_r88_a_comment_routed_while_the_writer_confirms_is_not_withdrawn_unasked(site: Site, writer: Visitor) -> None:
    asked = press(writer, look(writer), "withdraw")
    with site.store.writing() as session:
        casework.in_progress(session, site.world, REF)
    page = press(writer, asked, "withdraw")
    assert page.status == 422
    assert "请重新确认" in page.text
    assert contact(site).erased_at is None


def test_r88_taking_it_back_without_confirming_changes_nothing(site: Site, writer: Visitor) -> None:
    asked = press(writer, look(writer), "withdraw")
    back = press(writer, asked, "show")
    assert back.status == 200
    assert BODY in back.text
    assert kinds(site) == ["submit"]


def test_r52_erasure_keeps_the_comment_and_nothing_can_be_sent_any_more(site: Site, writer: Visitor) -> None:
    site.accept(REF)
    assert "姓名和联系方式已清除" in confirmed(writer, look(writer), "erase").text
    row = contact(site)
    assert (row.name, row.phone, row.email, row.phone_index, row.email_index) == (None,) * 5
    assert row.erased_at is not None
    with site.store.reading() as session:
        assert set(session.scalars(select(Outbox.state))) == {"dropped"}
    assert site.newest().standing == "public"
    again = look(writer)
    assert again.status == 200
    assert "删除个人信息</button>" not in again.text


def test_r49_erasure_is_refused_with_a_reason_while_the_law_keeps_it(site: Site, writer: Visitor) -> None:
    with site.store.writing() as session:
        session.scalars(select(ContactDetails)).one().legal_hold = "litigation"
    page = look(writer)
    assert "封存" in page.text
    refused = confirmed(writer, page, "erase")
    assert refused.status == 422
    assert "法定事由须暂时留存" in refused.text
    assert contact(site).erased_at is None


def test_erasure_covers_the_writers_own_data_in_words_that_stay(site: Site) -> None:
    visitor = site.visitor()
    body = f"我是{NAME}，建议增设天桥，请打 {PHONE} 联系我。"
    visitor.memory["code"] = visitor.query_code(visitor.comment(body=body).location)
    send(visitor, look(visitor), "supplement", text_supplement=f"补充：邮箱 {EMAIL}")
    before = site.newest().body_key
    confirmed(visitor, look(visitor), "withdraw")
    said = written(site.store)
    assert all(value not in said for value in (NAME, PHONE, EMAIL))
    assert "[已隐去:姓名]" in site.newest().body
    # an unkeyed digest of words with a number in them would give the number away
    assert site.newest().body_key != before


def test_the_demonstration_way_of_withdrawing_erases_too(site: Site, writer: Visitor) -> None:
    with site.store.writing() as session:
        own_comment.withdraw(session, REF, NOW)
    assert contact(site).erased_at == NOW
    assert in_the_clear(site.store, site.cipher).isdisjoint({NAME, PHONE, EMAIL})


def test_r47_taking_back_the_name_tells_what_cannot_be_recalled(site: Site) -> None:
    visitor = site.visitor()
    visitor.memory["code"] = visitor.query_code(visitor.comment(consent_publish_name="yes").location)
    site.accept(REF)
    page = press(visitor, look(visitor), "revoke_name")
    assert "已改为显示“张**”" in page.text
    assert NAME not in site.visitor().get("/c/gangyao/comments/").text


# -- what is held ----------------------------------------------------------------------------------


def test_r52_what_is_held_is_masked_until_the_code_is_typed_again(site: Site, writer: Visitor) -> None:
    page = look(writer)
    assert "138****8000" in page.text
    assert all(value not in page.text for value in (NAME, PHONE, EMAIL))
    wrong = send(writer, page, "reveal", code="0000-0000-0000")
    assert wrong.status == 422
    assert "code" in error_fields(wrong.text)
    assert PHONE not in wrong.text
    right = send(writer, page, "reveal", code=writer.memory["code"].lower())
    assert right.status == 200
    assert all(value in right.text for value in (NAME, PHONE, EMAIL))
    assert right.headers["cache-control"] == "no-store"
    assert kinds(site) == ["submit", "own_data_shown"]


def test_r52_a_corrected_contact_is_encrypted_and_the_event_names_fields_only(site: Site, writer: Visitor) -> None:
    page = send(writer, look(writer), "correct", contact="021-55550199", email="")
    assert page.status == 200
    assert "联系方式已更正" in page.text
    row = contact(site)
    assert row.phone is not None
    assert site.cipher.decrypt(row.phone) == "021-55550199"
    assert row.email is not None
    assert site.cipher.decrypt(row.email) == EMAIL
    with site.store.reading() as session:
        event = session.scalars(select(CommentEvent).where(CommentEvent.kind == "correct_contact")).one()
    assert event.detail == {"fields": ["phone"]}
    assert "55550199" not in written(site.store)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"contact": "", "email": ""}, "contact"),
        ({"contact": "12345", "email": ""}, "contact"),
        ({"contact": "", "email": "nobody"}, "email"),
        ({"contact": "13900139000\x00", "email": ""}, "contact"),
    ],
)
def test_r52_a_contact_that_cannot_be_one_is_given_back(
    site: Site, writer: Visitor, fields: dict[str, str], where: str
) -> None:
    page = send(writer, look(writer), "correct", **fields)
    assert page.status == 422
    assert where in error_fields(page.text)
    assert kinds(site) == ["submit"]


def test_codes_typed_again_count_as_lookups(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path, limits_on=True) as site:
        visitor = site.visitor()
        fields = visitor.filled()
        clock.start_at(NOW + timedelta(minutes=1))  # nobody fills a form in no time
        visitor.memory["code"] = visitor.query_code(visitor.submit(fields).location)
        page = look(visitor)
        answers = [send(visitor, page, "reveal", code="0000-0000-0000").status for _ in range(10)]
    assert answers == [422] * 9 + [429]


# -- rating ----------------------------------------------------------------------------------------


def test_a_reply_is_rated_once_and_the_rating_is_never_published(site: Site, writer: Visitor) -> None:
    assert 'value="rate"' not in look(writer).text
    with site.store.writing() as session:
        casework.replied(session, site.world, REF)
    page = look(writer)
    empty = send(writer, page, "rate", rating="", rating_words="答得很细")
    assert empty.status == 422
    assert "rating" in error_fields(empty.text)
    assert "答得很细" in empty.text
    assert send(writer, page, "rate", rating="satisfied", rating_words="答得很细").status == 200
    twice = send(writer, page, "rate", rating="dissatisfied", rating_words="")
    assert twice.status == 422
    assert "已经评价过" in twice.text
    with site.store.reading() as session:
        rating = session.scalars(select(Rating)).one()
    assert (rating.score, rating.unit_id) == ("satisfied", site.world.units["JTW"])
    assert "答得很细" not in site.visitor().get(f"/c/gangyao/comments/{REF}/").text
    assert re.search(r"答得很细", look(writer).text) is None


def test_two_ratings_at_once_leave_one(site: Site, writer: Visitor) -> None:
    with site.store.writing() as session:
        casework.replied(session, site.world, REF)
    start = Barrier(4)

    def attempt(_: int) -> str:
        start.wait()
        try:
            with site.store.writing() as session:
                ratings.rate(session, REF, "satisfied", "", NOW)
        except DomainError as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == ["rating_once"] * 3 + ["taken"]
    assert site.count("rating") == 1


def test_public_actions_need_the_token_of_the_look_up(site: Site, writer: Visitor) -> None:
    page = look(writer)
    stranger = site.visitor()
    stranger.open_form()
    for action in ("supplement", "withdraw", "erase", "correct", "rate", "appeal", "reveal", "show"):
        form = next(one for one in all_forms(page.text) if "token" in one)
        own = {**form, "csrf_token": stranger.open_form()["csrf_token"], "action": action, "confirmed": "yes"}
        assert stranger.post("/status/", own).status == 422
    assert kinds(site) == ["submit"]
    with site.store.reading() as session:
        assert session.scalars(select(Comment.handling_state)).all() == ["pending_review"]
