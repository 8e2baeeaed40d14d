"""The casework pages as people use them: forms without a script, answers 303, 422, 404; what is shown and what not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select
from werkzeug.test import TestResponse

from consult.db import Store
from consult.models.comments import Comment, CommentEvent, Reply
from tests.support import casework
from tests.support.casework import get, kinds
from tests.support.factories import NOW, World, make_comment
from tests.support.staff_site import Browser, fill, signed_in, site_on

PHONE = "建议增加班次，请电话联系13800138000谢谢。"
LONG = "早高峰接驳公交" + "非常拥挤" * 60 + "最后一句不在列表里"


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


def submit(store: Store, world: World, **columns: object) -> str:
    with store.writing() as session:
        return make_comment(session, world, **columns).receipt_no  # type: ignore[arg-type]


def fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert found, f"no form for {action}"
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0]))


def act(browser: Browser, path: str, page: str, data: dict[str, str]) -> TestResponse:
    """Open a page and send one of its forms with `data`."""
    shown = browser.get(page)
    assert shown.status_code == 200, shown.text
    return browser.send(path, {**fields(shown.text, path), **data})


def test_the_queue_shows_the_opening_of_each_comment_oldest_first_and_no_more(
    app: Flask, store: Store, world: World
) -> None:
    newer = submit(store, world, now=NOW + timedelta(hours=1))
    older = submit(store, world, body=LONG)
    page = signed_in(app, "reviewer").get("/staff/queue")
    assert page.status_code == 200
    assert page.text.index(older) < page.text.index(newer)
    assert "早高峰接驳公交" in page.text
    assert "最后一句不在列表里" not in page.text
    assert "待审核<span>2</span>" in page.text


def test_the_queue_takes_the_same_queries_for_one_row_as_for_fifty(app: Flask, store: Store, world: World) -> None:
    browser = signed_in(app, "reviewer")
    submit(store, world)

    def queries() -> int:
        seen: list[str] = []

        def count(_c: object, _k: object, statement: str, *_rest: object) -> None:
            if statement.lstrip().upper().startswith("SELECT"):
                seen.append(statement)

        engine = app.extensions["kaimen.store"].engine
        event.listen(engine, "before_cursor_execute", count)
        try:
            assert browser.get("/staff/queue").status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", count)
        return len(seen)

    few = queries()
    for _ in range(50):
        submit(store, world)
    assert queries() == few
    assert few <= 12


def test_the_queue_pages_without_repeating_or_skipping(app: Flask, store: Store, world: World) -> None:
    refs = [submit(store, world) for _ in range(105)]
    browser = signed_in(app, "reviewer")
    seen: list[str] = []
    path = "/staff/queue"
    for _ in range(2):
        text = browser.get(path).text
        seen += re.findall(r'<a class="row-title" href="/staff/comments/([^"]+)"', text)
        more = re.search(r'href="([^"]+)" rel="next"', text)
        path = more[1].replace("&amp;", "&") if more else ""
    assert seen == refs
    assert path == ""


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=ZP-0002", {2}),
        ("q=zp-0002", {2}),
        ("q=电梯", {2}),
        ("consultation=gangyao&section=s2", {2}),
        ("unit=FGJ", {2}),
        ("findings=yes", {3}),
        ("age=late", {1}),
        ("consultation=nope", set()),
        ("q=%25", set()),
        ("tab=done", set()),
    ],
)
def test_the_queue_filters(app: Flask, store: Store, world: World, query: str, expected: set[int]) -> None:
    submit(store, world, now=NOW - timedelta(days=10))
    submit(store, world, body="建议加快加装电梯管线迁移，合成一张表统一报。", section="s2")
    submit(store, world, flags=["audio"])
    text = signed_in(app, "reviewer").get(f"/staff/queue?{query}").text
    shown = {int(n) for n in re.findall(r"/staff/comments/ZP-(\d+)", text)}
    assert shown == expected


def test_a_reviewer_of_one_consultation_sees_only_its_queue(app: Flask, store: Store, world: World) -> None:
    from tests.support.factories import make_consultation, make_staff
    from tests.support.staff_site import password_hash

    ref = submit(store, world)
    with store.writing() as session:
        other = make_consultation(
            session, world.programme_id, world.units, world.items, slug="zx", short_code="ZX", title="专项规划评估"
        )
        make_staff(
            session,
            "only_zx",
            world.units["FGW"],
            tuple(world.viewer("reviewer").roles),
            consultation_id=other.consultation_id,
            password_hash=password_hash(),
        )
        theirs = make_comment(session, other).receipt_no
    browser = signed_in(app, "only_zx")
    text = browser.get("/staff/queue").text
    assert theirs in text
    assert ref not in text
    assert browser.get(f"/staff/comments/{ref}").status_code == 404
    assert browser.get(f"/staff/comments/{theirs}").status_code == 200


# -- one comment -----------------------------------------------------------------------------------


def test_the_page_shows_the_quote_in_its_place_with_its_neighbours(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world, section="s2", block="p4", quote="管线迁移协调周期偏长")
    text = signed_in(app, "reviewer").get(f"/staff/comments/{ref}").text
    assert "<mark>管线迁移协调周期偏长</mark>" in text
    assert "已开工大型居住社区" in text
    assert "社区综合为老服务中心" in text


def test_the_page_suggests_the_default_lead_with_its_reason(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world, section="s2", item="T01")
    text = signed_in(app, "moderator").get(f"/staff/comments/{ref}").text
    names = re.findall(r"<kbd>\d</kbd> ([^<]+)<small>([^<]*)</small>", text)
    assert names[0][0] == "区交通委"
    assert names[0][1].startswith("意见所提事项“优化公交线网”的牵头单位")
    assert names[1][0] == "区房管局"
    assert names[1][1].startswith("本章节各事项中牵头最多的单位")
    assert "各街镇" not in [name for name, _why in names]


def test_findings_are_marked_and_accepting_without_dealing_with_them_keeps_everything_typed(
    app: Flask, store: Store, world: World
) -> None:
    ref = submit(store, world, body=PHONE)
    browser = signed_in(app, "reviewer")
    page = f"/staff/comments/{ref}"
    assert "<mark>13800138000" in browser.get(page).text
    answer = act(
        browser, f"{page}/accept", page, {"publicity": "full", "finding_0": "dismiss", "cover_reason_1": "写了一半"}
    )
    assert answer.status_code == 422
    assert "还有个人信息没有处置" in answer.text
    assert 'value="写了一半"' in answer.text
    assert re.search(r'id="f-finding_0-d"[^>]*checked', answer.text)


def test_a_reviewer_redacts_and_accepts_without_a_script(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world, body="张伟家门口" + PHONE)
    page = f"/staff/comments/{ref}"
    answer = act(
        signed_in(app, "reviewer"),
        f"{page}/accept",
        page,
        {
            "publicity": "redacted",
            "finding_0": "redact",
            "cover_1": "张伟",
            "cover_type_1": "name",
            "cover_reason_1": "第三人姓名",
            "has_third_party": "yes",
        },
    )
    assert answer.status_code == 303
    with store.reading() as session:
        assert get(session, ref).body == "[已隐去:姓名]家门口建议增加班次，请电话联系[已隐去:手机]谢谢。"
        assert kinds(session, ref) == ["submit", "redact", "redact", "accept"]


def test_words_to_be_covered_that_do_not_stand_there_are_pointed_out(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    page = f"/staff/comments/{ref}"
    answer = act(
        signed_in(app, "reviewer"),
        f"{page}/accept",
        page,
        {"publicity": "redacted", "cover_1": "李四", "cover_reason_1": "x"},
    )
    assert answer.status_code == 422
    assert '<a href="#f-cover_1">' in answer.text


def test_the_moderator_accepts_and_routes_in_one_step_and_goes_on_to_the_next(
    app: Flask, store: Store, world: World
) -> None:
    first, second = submit(store, world), submit(store, world)
    page = f"/staff/comments/{first}"
    answer = act(
        signed_in(app, "moderator"),
        f"{page}/accept-and-route",
        page,
        {"publicity": "full", "lead_unit": "JTW", "co_units": "JGW", "note": "请写明时间"},
    )
    assert answer.status_code == 303
    assert answer.location.startswith(f"/staff/comments/{second}?")
    with store.reading() as session:
        assert kinds(session, first) == ["submit", "accept", "route", "assign"]


def test_a_second_person_confirms_a_withholding_on_the_page(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    page = f"/staff/comments/{ref}"
    proposer = signed_in(app, "reviewer")
    assert act(proposer, f"{page}/propose", page, {"kind": "withhold", "reason": "privacy"}).status_code == 303
    assert act(proposer, f"{page}/confirm", page, {"verdict": "confirm"}).status_code == 422
    other = signed_in(app, "signer")
    assert "个人隐私且隐去后无法理解" in other.get(page).text
    assert act(other, f"{page}/confirm", page, {"verdict": "confirm"}).status_code == 303
    with store.reading() as session:
        assert get(session, ref).publicity == "withheld"


def test_a_withholding_without_a_reason_is_shown_again_beside_its_list(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    page = f"/staff/comments/{ref}"
    answer = act(signed_in(app, "reviewer"), f"{page}/propose", page, {"kind": "withhold", "reason": ""})
    assert answer.status_code == 422
    assert '<a href="#f-withhold_reason">' in answer.text


def test_r51_the_contact_is_hidden_until_somebody_says_why(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    browser = signed_in(app, "reviewer")
    page = f"/staff/comments/{ref}"
    assert "13800138000" not in browser.get(page).text
    assert act(browser, f"{page}/contact", page, {"purpose": ""}).status_code == 422
    answer = act(browser, f"{page}/contact", page, {"purpose": "verify"})
    assert answer.status_code == 303
    assert "13800138000" in browser.get(answer.location).text
    assert "13800138000" not in signed_in(app, "assigner").get(page).text
    with store.reading() as session:
        assert kinds(session, ref) == ["submit", "reveal_contact"]


@pytest.mark.parametrize("who", ["sysadmin", "auditor"])
def test_r94_administrator_and_auditor_open_no_comment(app: Flask, store: Store, world: World, who: str) -> None:
    ref = submit(store, world)
    browser = signed_in(app, who)
    for path in (f"/staff/comments/{ref}", "/staff/queue", "/staff/unit", "/staff/sign-off"):
        assert browser.get(path).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["comments/ZP-9999", "comments/ZP-9999/accept", "unit/ZP-9999/reply", "sign-off/ZP-9999", "comments/' OR 1=1"],
)
def test_r93_what_does_not_exist_is_404_or_not_allowed_and_never_a_fault(app: Flask, path: str) -> None:
    browser = signed_in(app, "moderator")
    answer = browser.post(f"/staff/{path}") if path.endswith("accept") else browser.get(f"/staff/{path}")
    assert answer.status_code in (403, 404)


# -- units -----------------------------------------------------------------------------------------


def test_the_unit_signs_with_one_click_writes_and_submits(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        casework.assigned(session, world, ref)
    officer = signed_in(app, "jtw_officer")
    assert act(officer, f"/staff/unit/{ref}/receipt", "/staff/unit", {}).status_code == 303
    assert ref in officer.get("/staff/unit?tab=progress").text
    page = f"/staff/unit/{ref}/reply"
    reply = {
        "outcome": "partly_adopted",
        "body": casework.GOOD_REPLY.body,
        "reason": casework.GOOD_REPLY.reason,
        "draft_location": "s3@1",
        "place_detail": "第1段",
    }
    preview = act(officer, page, page, {**reply, "step": "preview", "body": "请联系13912345678 " + reply["body"]})
    assert preview.status_code == 200
    assert "答复中有手机" in preview.text
    with store.reading() as session:
        assert session.scalars(select(Reply)).all() == []
    bad = act(officer, page, page, {**reply, "step": "leader", "outcome": ""})
    assert bad.status_code == 422
    assert '<a href="#f-outcome">' in bad.text
    assert casework.GOOD_REPLY.body in bad.text
    assert act(officer, page, page, {**reply, "step": "leader"}).status_code == 303
    leader = signed_in(app, "jtw_leader")
    assert act(leader, f"/staff/unit/{ref}/approve", page, {"note": "同意"}).status_code == 303
    signer = signed_in(app, "signer")
    assert ref in signer.get("/staff/sign-off").text
    shown = signer.get(f"/staff/sign-off/{ref}").text
    assert casework.GOOD_REPLY.body in shown
    assert "二、下一步举措 · 第1段" in shown
    answer = act(signer, f"/staff/sign-off/{ref}/publish", f"/staff/sign-off/{ref}", {})
    assert answer.status_code == 303
    with store.reading() as session:
        assert get(session, ref).handling_state == "replied"
    assert ref in officer.get("/staff/unit?tab=replied").text


def test_the_signer_sends_a_reply_back_with_an_opinion(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        casework.submitted(session, world, ref)
    page, path = f"/staff/sign-off/{ref}", f"/staff/sign-off/{ref}/reject"
    signer = signed_in(app, "signer")
    assert act(signer, path, page, {"reason": ""}).status_code == 422
    assert act(signer, path, page, {"reason": "请写明站点"}).status_code == 303
    text = signed_in(app, "jtw_officer").get(f"/staff/unit/{ref}/reply").text
    assert "请写明站点" in text
    assert casework.GOOD_REPLY.body in text


def test_a_unit_sees_only_what_it_leads_or_helps_with(app: Flask, store: Store, world: World) -> None:
    led, helped, foreign = submit(store, world), submit(store, world), submit(store, world)
    with store.writing() as session:
        casework.assigned(session, world, led, lead="FGJ")
        casework.assigned(session, world, helped, lead="JTW", co=("FGJ",))
        casework.assigned(session, world, foreign, lead="JTW")
    browser = signed_in(app, "fgj_officer")
    inbox = browser.get("/staff/unit").text
    assert led in inbox
    assert helped not in inbox
    assert helped in browser.get("/staff/unit?tab=co").text
    for tab in ("receipt", "progress", "sign_off", "replied", "co"):
        assert foreign not in browser.get(f"/staff/unit?tab={tab}").text
    assert browser.get(f"/staff/comments/{foreign}").status_code == 404
    assert browser.get(f"/staff/unit/{foreign}/reply").status_code == 404
    assert browser.get(f"/staff/unit/{helped}/reply").status_code == 404
    page = f"/staff/comments/{helped}"
    assert foreign not in browser.get(page).text
    answer = act(browser, f"/staff/unit/{helped}/feedback", page, {"feedback": "同意主办意见"})
    assert answer.status_code == 303


def test_a_leader_hands_back_and_the_assigner_decides(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        casework.assigned(session, world, ref)
    page = f"/staff/unit/{ref}/reply"
    leader = signed_in(app, "jtw_leader")
    answer = act(leader, f"/staff/unit/{ref}/return", page, {"return_reason": "", "basis": "三定方案"})
    assert answer.status_code == 422
    assert '<a href="#f-return_reason">' in answer.text
    sent = {"return_reason": "other_unit_leads", "basis": "三定方案", "proposed_unit": "FGJ"}
    assert act(leader, f"/staff/unit/{ref}/return", page, sent).status_code == 303
    show = f"/staff/comments/{ref}"
    assigner = signed_in(app, "assigner")
    assert "属其他单位主责" in assigner.get(show).text
    assert act(assigner, f"{show}/return", show, {"verdict": "refuse", "refusal": ""}).status_code == 422
    assert act(assigner, f"{show}/return", show, {"verdict": "approve"}).status_code == 303
    with store.reading() as session:
        assert session.scalars(select(Comment.return_count)).one() == 1
    assert leader.get(page).status_code == 404


def test_an_extension_is_asked_and_granted_on_the_pages(app: Flask, store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        casework.in_progress(session, world, ref)
    page = f"/staff/unit/{ref}/reply"
    officer = signed_in(app, "jtw_officer")
    path = f"/staff/unit/{ref}/extension"
    assert act(officer, path, page, {"extension_reason": "", "until_working_day": "15"}).status_code == 422
    assert act(officer, path, page, {"extension_reason": "需会商", "until_working_day": "12"}).status_code == 303
    show = f"/staff/comments/{ref}"
    assigner = signed_in(app, "assigner")
    assert ref in assigner.get("/staff/queue?tab=extension").text
    assert act(assigner, f"{show}/extension", show, {"verdict": "approve"}).status_code == 303
    with store.reading() as session:
        assert (
            session.scalars(select(CommentEvent.kind).order_by(CommentEvent.id.desc())).first() == "approve_extension"
        )


def test_no_page_runs_a_script_or_style_of_its_own_and_hostile_words_stay_words(
    app: Flask, store: Store, world: World
) -> None:
    hostile = "<script>alert(1)</script>\"'&lt; 建议<b>加密</b>接驳公交班次"
    ref = submit(store, world, body=hostile)
    with store.writing() as session:
        casework.submitted(session, world, ref)
    pages = [
        signed_in(app, "moderator").get(path).text for path in ("/staff/queue?tab=handling", f"/staff/comments/{ref}")
    ]
    pages.append(signed_in(app, "jtw_officer").get(f"/staff/unit/{ref}/reply").text)
    pages.append(signed_in(app, "signer").get(f"/staff/sign-off/{ref}").text)
    for text in pages:
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text
        assert not re.search(r"<style|\sstyle=|\son\w+=", text)


def test_a_refused_routing_names_the_unit_as_people_do_and_keeps_the_choice(
    app: Flask, store: Store, world: World
) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        casework.to_assign(session, world, ref)
    page = f"/staff/comments/{ref}"
    answer = act(
        signed_in(app, "assigner"), f"{page}/assign", page, {"lead_unit": "XCB", "co_units": "JGW", "note": "请抓紧"}
    )
    assert answer.status_code == 422
    assert "“区委宣传部”还没有在岗的承办人" in answer.text
    assert re.search(r'id="co-JGW"[^>]*checked', answer.text)
    assert "请抓紧" in answer.text
