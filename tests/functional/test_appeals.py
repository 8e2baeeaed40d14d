"""Objections to decisions and replies, and the third person who decides them (R-35 to R-37, R-95, T23, T24, T35)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from consult import clock
from consult.db import Store
from consult.domain.comment_states import Publicity, Role
from consult.domain.errors import (
    AppealOnce,
    AppealWindowClosed,
    ChangedMeanwhile,
    DomainError,
    FieldErrors,
    FindingsUnresolved,
    NotAllowed,
    NotFound,
    ReasonRequired,
    Refused,
    ThirdPersonRequired,
)
from consult.domain.notices import Facts, compose
from consult.models.comments import Appeal, Assignment, Comment, CommentEvent, CommentOriginal, CommentTally, Outbox
from consult.services import appeals as own_appeals
from consult.services import own_comment
from moderation.domain.decisions import FalsePositive
from moderation.permissions import Grant
from moderation.queries import notice_facts
from moderation.services import appeals, replies, screening
from moderation.services.appeals import Verdict
from moderation.services.screening import Proposal
from tests.support import casework
from tests.support.factories import CALENDAR, CIPHER, NOW, World, make_comment, make_staff, make_world
from tests.support.public_site import open_site
from tests.support.staff_site import fill, signed_in, site_on
from tests.support.visitors import all_forms, error_fields

REF = "ZP-0001"
KEEP = Verdict("refuse", "原决定符合规定，内容确实涉及他人隐私。")
RIGHT = Verdict("uphold", "经核，隐去个人信息后可以公开。")
DAY = timedelta(days=1)


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        made = make_world(session)
        make_comment(session, made)
    return made


def withhold(store: Store, world: World, reason: str = "privacy") -> None:
    with store.writing() as session:
        screening.propose(
            session,
            world.viewer("reviewer"),
            REF,
            casework.version(session, REF),
            Proposal("withhold", reason),
            NOW,
        )
    with store.writing() as session:
        screening.confirm(session, world.viewer("signer"), REF, casework.version(session, REF), NOW)


def refuse_to_accept(store: Store, world: World) -> None:
    with store.writing() as session:
        proposal = Proposal("not_accept", "unrelated")
        screening.propose(session, world.viewer("reviewer"), REF, casework.version(session, REF), proposal, NOW)
    with store.writing() as session:
        screening.confirm(session, world.viewer("reviewer2"), REF, casework.version(session, REF), NOW)


def answer(store: Store, world: World) -> None:
    with store.writing() as session:
        casework.replied(session, world, REF)


def object_to(store: Store, kind: str, now: datetime = NOW + DAY, text: str = "我不同意，请复核。") -> int:
    with store.writing() as session:
        return own_appeals.raise_appeal(session, REF, kind, text, CALENDAR, now).id


def decide(
    store: Store, world: World, appeal: int, verdict: Verdict, who: str = "supervisor", now: datetime = NOW + 2 * DAY
) -> None:
    with store.writing() as session:
        seen = casework.version(session, REF)
        appeals.decide(session, world.viewer(who), appeal, seen, verdict, CIPHER, CALENDAR, now)


def comment(store: Store) -> Comment:
    with store.reading() as session:
        return casework.get(session, REF)


def appeal_row(store: Store) -> Appeal:
    with store.reading() as session:
        return session.scalars(select(Appeal)).one()


# -- raising ---------------------------------------------------------------------------------------


def test_r37_an_objection_is_taken_for_15_calendar_days_and_due_in_5_working_days(store: Store, world: World) -> None:
    withhold(store, world)  # on 18 July: the 15th day is 2 August
    object_to(store, "withhold", datetime.fromisoformat("2023-08-02T23:59:59+08:00"))
    row = appeal_row(store)
    assert (row.kind, row.state, row.due_on) == ("withhold", "open", date(2023, 8, 9))
    with store.reading() as session:
        assert casework.kinds(session, REF)[-1] == "appeal"


def test_r37_the_16th_day_is_too_late(store: Store, world: World) -> None:
    withhold(store, world)
    with pytest.raises(AppealWindowClosed) as refused:
        object_to(store, "withhold", datetime.fromisoformat("2023-08-03T00:00:00+08:00"))
    assert refused.value.code == "appeal_window_closed"


def test_t23_a_reply_is_objected_to_within_5_working_days(store: Store, world: World) -> None:
    answer(store, world)  # Tuesday 18 July: the fifth working day is Tuesday 25 July
    with pytest.raises(AppealWindowClosed) as refused:
        object_to(store, "reply", datetime.fromisoformat("2023-07-26T00:00:00+08:00"))
    assert refused.value.code == "reply_appeal_window_closed"
    object_to(store, "reply", datetime.fromisoformat("2023-07-25T23:59:00+08:00"))
    assert appeal_row(store).due_on == date(2023, 8, 1)


def test_t23_an_answered_comment_with_an_open_objection_is_not_closed(store: Store, world: World) -> None:
    answer(store, world)
    appeal = object_to(store, "reply")
    late = NOW + 20 * DAY
    with store.writing() as session:
        assert replies.close_answered(session, CALENDAR, late) == 0
    decide(store, world, appeal, KEEP)
    with store.writing() as session:
        assert replies.close_answered(session, CALENDAR, late) == 1


def test_r37_one_objection_for_each_decision(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    with pytest.raises(AppealOnce):
        object_to(store, "withhold")
    decide(store, world, appeal, KEEP)
    with pytest.raises(AppealOnce):
        object_to(store, "withhold")


def test_r37_a_second_decision_can_be_objected_to_again(store: Store, world: World) -> None:
    refuse_to_accept(store, world)
    decide(store, world, object_to(store, "not_accept"), RIGHT)
    refuse_to_accept(store, world)
    object_to(store, "not_accept")
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Appeal)) == 2


@pytest.mark.parametrize("kind", ["withhold", "not_accept", "reply", "", "nonsense"])
def test_there_is_nothing_to_object_to_before_a_decision(store: Store, world: World, kind: str) -> None:
    with pytest.raises(Refused, match="appeal_nothing"):
        object_to(store, kind)


@pytest.mark.parametrize("text", ["", " \n", "坏\x07字", "长" * 2001])
def test_an_objection_needs_words_that_can_be_stored(store: Store, world: World, text: str) -> None:
    withhold(store, world)
    with pytest.raises(FieldErrors) as refused:
        object_to(store, "withhold", text=text)
    assert list(refused.value.errors) == ["text_appeal_withhold"]
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Appeal)) == 0


def test_r37_two_objections_at_once_leave_one(store: Store, world: World) -> None:
    withhold(store, world)
    start = Barrier(4)

    def attempt(_: int) -> str:
        start.wait()
        try:
            object_to(store, "withhold")
        except DomainError as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(attempt, range(4)))
    assert answers == ["appeal_once"] * 3 + ["taken"]
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Appeal)) == 1


def test_an_objection_lapses_when_the_whole_comment_is_withdrawn(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    with store.writing() as session:
        own_comment.withdraw(session, REF, NOW + DAY)
    assert appeal_row(store).state == "lapsed"
    with pytest.raises(Refused, match="appeal_decided"):
        decide(store, world, appeal, KEEP)


# -- deciding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["signer", "reviewer"])
def test_r37_neither_of_the_two_who_decided_decides_the_objection(store: Store, world: World, who: str) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    with pytest.raises(ThirdPersonRequired if who == "signer" else NotAllowed):
        decide(store, world, appeal, KEEP, who)
    assert appeal_row(store).state == "open"


def test_r95_a_second_account_of_one_of_the_two_is_not_a_third_person(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    with store.writing() as session:
        twin = make_staff(
            session,
            "twin",
            world.units["FGW"],
            tuple(world.viewer("signer").roles),
            person_key=world.viewer("reviewer").person_key,
        )
        with pytest.raises(ThirdPersonRequired):
            appeals.decide(session, twin, appeal, casework.version(session, REF), KEEP, CIPHER, CALENDAR, NOW)


def test_r93_an_objection_outside_the_viewers_consultation_does_not_exist(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    grants = frozenset({Grant(Role.SIGN_OFF_OFFICER, world.consultation_id + 99)})
    elsewhere = replace(world.viewer("supervisor"), grants=grants)
    with store.writing() as session:
        with pytest.raises(NotFound):
            appeals.decide(session, elsewhere, appeal, casework.version(session, REF), KEEP, CIPHER, CALENDAR, NOW)
        with pytest.raises(NotFound):
            appeals.decide(session, world.viewer("supervisor"), appeal + 99, 1, KEEP, CIPHER, CALENDAR, NOW)


def test_r37_keeping_the_decision_changes_nothing_and_tells_the_reason(store: Store, world: World) -> None:
    withhold(store, world)
    decide(store, world, object_to(store, "withhold"), KEEP)
    row, now = appeal_row(store), comment(store)
    assert (row.state, row.decision_reason) == ("refused", KEEP.reason)
    assert (now.publicity, now.standing) == ("withheld", "withheld")
    with store.reading() as session:
        event = session.scalars(select(CommentEvent).where(CommentEvent.kind == "decide_appeal")).one()
        notice = session.scalars(select(Outbox).where(Outbox.kind == "appeal_decided")).one()
    assert event.detail["result"] == "refused"
    assert KEEP.reason not in str(event.detail) + event.reason + str(notice.params)


def test_r37_a_decision_needs_a_verdict_and_a_reason(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    with pytest.raises(FieldErrors):
        decide(store, world, appeal, Verdict("", "理由"))
    with pytest.raises(ReasonRequired):
        decide(store, world, appeal, Verdict("uphold", "  "))
    assert appeal_row(store).state == "open"


def test_r91_of_two_deciders_the_later_one_is_told(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    seen = comment(store).version
    decide(store, world, appeal, KEEP)
    with store.writing() as session, pytest.raises(ChangedMeanwhile):
        appeals.decide(session, world.viewer("supervisor"), appeal, seen, RIGHT, CIPHER, CALENDAR, NOW)


def test_r27_an_unreviewed_comment_is_not_published_by_an_objection(store: Store, world: World) -> None:
    withhold(store, world)
    decide(store, world, object_to(store, "withhold"), RIGHT)
    now = comment(store)
    assert (now.publicity, now.standing, now.withhold_reason) == ("pending", "waiting", "")
    with store.writing() as session:
        casework.accept(session, world, REF)
    assert comment(store).standing == "public"


def test_r31_what_becomes_public_has_its_personal_data_covered(store: Store) -> None:
    with store.writing() as session:
        world = make_world(session)
        make_comment(session, world, body="请打 13800138000 找我，老王知道这条路的情况。")
    withhold(store, world)
    with store.writing() as session:
        casework.accept(session, world, REF)
    assert comment(store).standing == "withheld"
    decide(store, world, object_to(store, "withhold"), Verdict("uphold", "可以公开。", ("老王",)))
    now = comment(store)
    assert now.body == "请打 [已隐去:手机] 找我，[已隐去:个人信息]知道这条路的情况。"
    assert (now.publicity, now.standing) == ("redacted", "public")
    with store.reading() as session:
        original = session.scalars(select(CommentOriginal)).one()
        assert original.body is not None
        assert "13800138000" in CIPHER.decrypt(original.body)
        assert casework.kinds(session, REF).count("redact") == 2
        tally = dict(
            session.execute(select(CommentTally.standing, func.sum(CommentTally.n)).group_by("standing")).all()
        )
    assert {name: n for name, n in tally.items() if n} == {"public": 1}


def test_r31_what_a_reviewer_dismissed_stays_and_what_stands_nowhere_is_said(store: Store) -> None:
    with store.writing() as session:
        world = make_world(session)
        make_comment(session, world, body="请打 13800138000 找我，这是公开的值班电话。")
    withhold(store, world)
    text = comment(store).body
    with store.writing() as session:
        start = text.index("138")
        dismissed = (FalsePositive(start, start + 11, "mobile", "单位值班电话"),)
        how = screening.Acceptance(Publicity.FULL, dismissed=dismissed)
        casework.accept(session, world, REF, how=how)
    appeal = object_to(store, "withhold")
    with pytest.raises(Refused, match="appeal_words_not_found"):
        decide(store, world, appeal, Verdict("uphold", "可以公开。", ("没有的字",)))
    decide(store, world, appeal, RIGHT)
    assert (comment(store).publicity, comment(store).body) == ("full", text)


def test_r34_third_person_data_is_not_published_uncovered(store: Store, world: World) -> None:
    withhold(store, world)
    with store.writing() as session:
        casework.accept(session, world, REF, how=screening.Acceptance(Publicity.FULL, has_third_party=True))
    appeal = object_to(store, "withhold")
    with pytest.raises(FindingsUnresolved):
        decide(store, world, appeal, RIGHT)
    assert comment(store).standing == "withheld"


def test_r38_a_sealed_comment_is_not_opened_by_an_objection(store: Store, world: World) -> None:
    withhold(store, world)
    appeal = object_to(store, "withhold")
    with store.writing() as session:
        casework.get(session, REF).sealed = True
    with pytest.raises(Refused, match="appeal_sealed"):
        decide(store, world, appeal, RIGHT)
    decide(store, world, appeal, KEEP)


def test_t35_a_refusal_to_accept_set_right_goes_back_to_review(store: Store, world: World) -> None:
    refuse_to_accept(store, world)
    assert comment(store).standing == "not_accepted"
    decide(store, world, object_to(store, "not_accept"), RIGHT)
    now = comment(store)
    assert (now.handling_state, now.closed_as, now.standing) == ("pending_review", "", "waiting")
    assert now.review_due_on == date(2023, 7, 24)
    with store.reading() as session:
        assert casework.kinds(session, REF)[-2:] == ["decide_appeal", "appeal_upheld"]


def test_t24_a_reply_objected_to_is_handled_again_by_a_supervisor_only(store: Store, world: World) -> None:
    answer(store, world)
    appeal = object_to(store, "reply")
    with store.writing() as session:
        other = make_staff(session, "signer2", world.units["FGW"], tuple(world.viewer("signer").roles))
        with pytest.raises(Refused, match="appeal_reply_supervisor"):
            appeals.decide(session, other, appeal, casework.version(session, REF), RIGHT, CIPHER, CALENDAR, NOW)
    decide(store, world, appeal, RIGHT)
    assert comment(store).handling_state == "in_progress"
    with store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Assignment)) == 2
        assert session.scalars(select(Appeal.state)).all() == ["upheld"]


@pytest.mark.parametrize(("language", "said"), [("zh-Hans", "经复核，维持原决定。"), ("en", "the decision stands")])
def test_the_notice_tells_outcome_and_reason_and_no_word_of_the_objection(
    store: Store, world: World, language: str, said: str
) -> None:
    withhold(store, world)
    decide(store, world, object_to(store, "withhold"), KEEP)
    with store.reading() as session:
        row = session.scalars(select(Outbox).where(Outbox.kind == "appeal_decided")).one()
        words = notice_facts.words(session, row.kind, row.params)
    told = compose(Facts(row.kind, REF, "中期评估", "区发改委", language, params=row.params, words=words))
    assert said in told.text
    assert KEEP.reason in told.text
    assert REF in told.subject
    assert "我不同意" not in told.text


# -- the pages -------------------------------------------------------------------------------------


@pytest.fixture
def staffed(store: Store) -> World:
    made = fill(store)
    with store.writing() as session:
        make_comment(session, made)
    return made


def test_r37_a_third_person_decides_on_the_page_and_one_of_the_two_cannot(store: Store, staffed: World) -> None:
    withhold(store, staffed)
    appeal = object_to(store, "withhold")
    with site_on(store) as app:
        browser = signed_in(app, "supervisor")
        assert REF in browser.get("/staff/appeals").text
        address = f"/staff/appeals/{appeal}"
        page = browser.get(address).text
        assert "我不同意，请复核。" in page
        seen = re.search(r'name="seen_version" value="(\d+)"', page)
        assert seen
        form = {"seen_version": seen[1], "verdict": "", "reason": "写了一半的理由"}
        again = browser.post(address, form, page=address)
        assert again.status_code == 422
        assert "写了一半的理由" in again.text
        assert "请选择裁定结果" in again.text
        signer = signed_in(app, "signer")
        assert "须由没有参与原决定的人裁定" in signer.get(address).text
        barred = signer.post(address, {**form, "verdict": "refuse"}, page="/staff/account")
        assert barred.status_code == 422
        done = browser.post(address, {**form, "verdict": "refuse", "reason": "维持"}, page=address)
        assert done.status_code == 303
        late = browser.post(address, {**form, "verdict": "uphold"}, page="/staff/account")
        assert late.status_code == 409
        assert REF in browser.get("/staff/appeals?state=decided").text
        assert "没有待裁定的异议" in browser.get("/staff/appeals").text
        assert browser.get("/staff/appeals/987654").status_code == 404
        assert signed_in(app, "reviewer2").get("/staff/appeals").status_code == 403


def test_the_submitter_objects_on_the_page_and_reads_the_outcome(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path) as site:
        visitor = site.visitor()
        code = visitor.query_code(visitor.comment().location)
        withhold(store, site.world)
        page = visitor.look_up(code)
        form = next(one for one in all_forms(page.text) if "text_appeal_withhold" in one)
        empty = visitor.post("/status/", {**form, "action": "appeal"})
        assert empty.status == 422
        assert error_fields(empty.text) == {"text_appeal_withhold": "请写明异议的理由。"}
        sent = visitor.post("/status/", {**form, "action": "appeal", "text_appeal_withhold": "请公开我的意见。"})
        assert sent.status == 200
        assert "已收到您的异议" in sent.text
        twice = visitor.post("/status/", {**form, "action": "appeal", "text_appeal_withhold": "再提一次"})
        assert twice.status == 422
        assert "只能申请复核一次" in twice.text
        decide(store, site.world, appeal_row(store).id, KEEP)
        clock.start_at(NOW + 3 * DAY)
        told = visitor.look_up(code).text
        assert "经复核，维持原决定。" in told
        assert KEEP.reason in told
        assert "text_appeal_withhold" not in told
