"""Answering: drafts, approval, sign-off, rejection and the clock, correction, merged members, closing, contacts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.calendar import end_of_day
from consult.domain.errors import (
    DomainError,
    FieldErrors,
    IllegalTransition,
    NotAllowed,
    NotFound,
    NotLeadUnit,
    SamePerson,
    TwoPersonRule,
)
from consult.models.comments import ClockPause, CommentEvent, ContactDetails, Outbox, Reply
from moderation.permissions import Viewer
from moderation.queries import comment_page
from moderation.services import replies, reveals, routing
from moderation.services.replies import ReplyDraft
from tests.support import casework
from tests.support.casework import GOOD_REPLY, get, kinds, version
from tests.support.factories import CALENDAR, CIPHER, World, make_comment, make_staff, make_world

MONDAY = datetime(2023, 7, 17, 2, 0, tzinfo=UTC)


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        return make_world(session, MONDAY)


@pytest.fixture
def ref(store: Store, world: World) -> str:
    with store.writing() as session:
        receipt_no = make_comment(session, world, MONDAY).receipt_no
        casework.in_progress(session, world, receipt_no, MONDAY, "JTW", ("JGW",))
        return receipt_no


def draft(session: Session, who: Viewer, ref: str, words: ReplyDraft = GOOD_REPLY) -> Reply:
    return replies.save_draft(session, who, ref, version(session, ref), words, MONDAY)


def approve(session: Session, who: Viewer, ref: str, now: datetime = MONDAY) -> Reply:
    return replies.approve(session, who, ref, version(session, ref), "同意", CIPHER, CALENDAR, now)


def sign_off(session: Session, who: Viewer, ref: str, now: datetime = MONDAY) -> Reply:
    return replies.sign_off(session, who, ref, version(session, ref), CIPHER, now)


def test_a_reply_goes_from_draft_over_leader_and_signer_to_the_public(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        draft(session, world.viewer("jtw_officer"), ref)
        approve(session, world.viewer("jtw_leader"), ref)
    with store.reading() as session:
        reply = session.scalars(select(Reply)).one()
        assert (reply.state, reply.sign_off_due_on) == ("pending_sign_off", date(2023, 7, 19))
        assert reply.draft_location == "二、下一步举措 · 第1段"
    with store.writing() as session:
        sign_off(session, world.viewer("signer"), ref)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.outcome, comment.replied_at) == ("replied", "partly_adopted", MONDAY)
        reply = session.scalars(select(Reply)).one()
        assert (reply.state, reply.published_at, reply.lead_unit_id) == ("published", MONDAY, world.units["JTW"])
        assert kinds(session, ref)[-2:] == ["submit_reply", "sign_off"]
        notice = session.scalars(select(Outbox).where(Outbox.kind == "reply")).one()
        assert notice.params == {"revision": 1}


@pytest.mark.parametrize(
    ("words", "field", "code"),
    [
        (replace(GOOD_REPLY, outcome=""), "outcome", "outcome_required"),
        (replace(GOOD_REPLY, outcome="adopted", section_key=""), "draft_location", "draft_location_required"),
        (replace(GOOD_REPLY, outcome="not_adopted", reason="条件不具备"), "reason", "reason_required"),
        (replace(GOOD_REPLY, body=""), "body", "reply_required"),
        (replace(GOOD_REPLY, body="您好，您的建议已收悉，感谢您的关注和支持！"), "body", "boilerplate_reply"),
        (replace(GOOD_REPLY, body=GOOD_REPLY.body + "请联系13912345678。"), "body", "pii_in_reply"),
        (replace(GOOD_REPLY, body="赵晓梅您好，" + GOOD_REPLY.body), "body", "pii_in_reply"),
    ],
)
def test_r75_to_r79_a_reply_that_breaks_a_rule_cannot_be_submitted(
    store: Store, world: World, ref: str, words: ReplyDraft, field: str, code: str
) -> None:
    with store.writing() as session:
        draft(session, world.viewer("jtw_officer"), ref, words)
    with pytest.raises(FieldErrors) as caught, store.writing() as session:
        approve(session, world.viewer("jtw_leader"), ref)
    assert caught.value.codes() == {field: [code]}
    with store.reading() as session:
        assert get(session, ref).handling_state == "in_progress"


@pytest.mark.parametrize("place", [("nope", 1), ("s3", 2), ("s3", None)])
def test_r77_the_place_in_the_draft_must_exist(
    store: Store, world: World, ref: str, place: tuple[str, int | None]
) -> None:
    words = replace(GOOD_REPLY, section_key=place[0], version=place[1])
    with pytest.raises(DomainError, match="draft_location_unknown"), store.writing() as session:
        draft(session, world.viewer("jtw_officer"), ref, words)


def test_r80_drafter_leader_and_signer_are_three_natural_persons(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        leader_twin = make_staff(
            session, "leader_twin", world.units["JTW"], tuple(world.viewer("jtw_leader").roles),
            person_key="p-jtw-officer",
        )  # fmt: skip
        signer_leader = make_staff(
            session, "signer_leader", world.units["FGW"], tuple(world.viewer("signer").roles),
            person_key="p-jtw-leader",
        )  # fmt: skip
        draft(session, world.viewer("jtw_officer"), ref)
    with pytest.raises(TwoPersonRule), store.writing() as session:
        approve(session, leader_twin, ref)
    with store.writing() as session:
        approve(session, world.viewer("jtw_leader"), ref)
    for same in (world.viewer("signer_twin"), signer_leader):
        with pytest.raises(SamePerson), store.writing() as session:
            sign_off(session, same, ref)


def test_r80_who_drafted_an_earlier_version_does_not_sign_the_later_one(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        draft(session, world.viewer("jtw_officer"), ref)
        draft(session, world.viewer("jtw_officer2"), ref)
        approve(session, world.viewer("jtw_leader"), ref)
    with store.reading() as session:
        assert session.scalars(select(Reply.state).order_by(Reply.revision)).all() == [
            "superseded",
            "pending_sign_off",
        ]
    with pytest.raises(SamePerson), store.writing() as session:
        sign_off(session, world.viewer("signer_twin"), ref)


def test_an_officer_goes_on_with_their_own_draft_instead_of_starting_another(
    store: Store, world: World, ref: str
) -> None:
    officer = world.viewer("jtw_officer")
    with store.writing() as session:
        draft(session, officer, ref, ReplyDraft(body="先写一句"))
        draft(session, officer, ref)
        replies.send_to_leader(session, officer, ref, version(session, ref), GOOD_REPLY, MONDAY)
    with store.reading() as session:
        reply = session.scalars(select(Reply)).one()
        assert (reply.revision, reply.state, reply.body) == (1, "pending_leader", GOOD_REPLY.body)


def test_what_the_leader_would_be_refused_is_refused_before_it_reaches_the_leader(
    store: Store, world: World, ref: str
) -> None:
    with pytest.raises(FieldErrors), store.writing() as session:
        replies.send_to_leader(
            session, world.viewer("jtw_officer"), ref, version(session, ref), ReplyDraft(body="已阅"), MONDAY
        )


def test_a_co_unit_cannot_submit_and_another_unit_does_not_see_it(store: Store, world: World, ref: str) -> None:
    for who, error in (("jgw_officer", NotLeadUnit), ("fgj_officer", NotFound), ("jtw_leader", NotAllowed)):
        with pytest.raises(error), store.writing() as session:
            draft(session, world.viewer(who), ref)


def test_r71_sign_off_stops_the_units_clock_and_a_rejection_moves_the_due_day(
    store: Store, world: World, ref: str
) -> None:
    wednesday, next_monday = MONDAY + timedelta(days=2), MONDAY + timedelta(days=7)
    with store.writing() as session:
        draft(session, world.viewer("jtw_officer"), ref)
        approve(session, world.viewer("jtw_leader"), ref, wednesday)
        assert session.scalars(select(ClockPause.paused_at)).one() == wednesday
    with pytest.raises(DomainError, match="reason_required"), store.writing() as session:
        replies.reject(session, world.viewer("signer"), ref, version(session, ref), " ", CALENDAR, next_monday)
    with store.writing() as session:
        replies.reject(session, world.viewer("signer"), ref, version(session, ref), "请写明站点", CALENDAR, next_monday)
    with store.reading() as session:
        comment = get(session, ref)
        # Vector: paused 07-19 to 07-24 is three working days, 07-26 becomes 07-31.
        assert (comment.handling_state, comment.reply_due_on, comment.rejection_count) == (
            "in_progress",
            date(2023, 7, 31),
            1,
        )
        assert session.scalars(select(ClockPause.resumed_at)).one() == next_monday


def test_r81_after_a_rejection_a_new_version_begins_and_the_old_one_is_kept(
    store: Store, world: World, ref: str
) -> None:
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, MONDAY)
        replies.reject(session, world.viewer("signer"), ref, version(session, ref), "请写明站点", CALENDAR, MONDAY)
        casework.draft_and_approve(
            session, world, ref, MONDAY, replace(GOOD_REPLY, body=GOOD_REPLY.body + "站点设在银都路。")
        )
        sign_off(session, world.viewer("signer"), ref)
    with store.reading() as session:
        assert session.execute(select(Reply.revision, Reply.state, Reply.rejection).order_by(Reply.revision)).all() == [
            (1, "rejected", "请写明站点"),
            (2, "published", ""),
        ]


def test_r79_personal_data_is_looked_for_again_at_sign_off(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, MONDAY)
        session.scalars(select(Reply)).one().body += "电话13912345678"
    with pytest.raises(FieldErrors), store.writing() as session:
        sign_off(session, world.viewer("signer"), ref)
    with store.reading() as session:
        assert get(session, ref).handling_state == "pending_sign_off"


def test_r82_a_correction_is_a_new_version_with_a_note_and_keeps_the_old(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, MONDAY)
        sign_off(session, world.viewer("signer"), ref)
    better = replace(GOOD_REPLY, outcome="adopted", body=GOOD_REPLY.body + "另增加周末班次。")
    signer = world.viewer("signer")
    with pytest.raises(DomainError, match="correction_note_required"), store.writing() as session:
        replies.correct(session, signer, ref, version(session, ref), better, "", CIPHER, MONDAY)
    with store.writing() as session:
        replies.correct(session, signer, ref, version(session, ref), better, "补充周末班次", CIPHER, MONDAY)
    with store.reading() as session:
        assert session.execute(
            select(Reply.revision, Reply.state, Reply.correction_note).order_by(Reply.revision)
        ).all() == [(1, "superseded", ""), (2, "published", "补充周末班次")]
        comment = get(session, ref)
        assert (comment.handling_state, comment.outcome) == ("replied", "adopted")
        assert kinds(session, ref)[-1] == "correct_reply"


def test_r82_nothing_unpublished_is_corrected(store: Store, world: World, ref: str) -> None:
    with pytest.raises(IllegalTransition), store.writing() as session:
        replies.correct(session, world.viewer("signer"), ref, version(session, ref), GOOD_REPLY, "说明", CIPHER, MONDAY)


def test_r85_every_merged_member_is_answered_under_its_own_number(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        member = make_comment(session, world, MONDAY).receipt_no
        casework.to_assign(session, world, member, MONDAY)
        row = get(session, member)
        row.handling_state, row.merged_into_id = "merged", get(session, ref).id
        session.flush()
        casework.draft_and_approve(session, world, ref, MONDAY)
        sign_off(session, world.viewer("signer"), ref)
    with store.reading() as session:
        comment = get(session, member)
        assert (comment.handling_state, comment.outcome, comment.replied_at) == ("replied", "partly_adopted", MONDAY)
        assert kinds(session, member)[-1] == "merged_reply"
        told = session.scalars(select(Outbox.comment_id).where(Outbox.kind == "reply")).all()
        assert set(told) == {comment.id, get(session, ref).id}


def test_t23_an_answered_comment_closes_after_five_working_days_and_only_once(
    store: Store, world: World, ref: str
) -> None:
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, MONDAY)
        sign_off(session, world.viewer("signer"), ref)
    over = end_of_day(date(2023, 7, 24))
    with store.writing() as session:
        assert replies.close_answered(session, CALENDAR, over - timedelta(seconds=1)) == 0
    with store.writing() as session:
        assert replies.close_answered(session, CALENDAR, over) == 1
    with store.writing() as session:
        assert replies.close_answered(session, CALENDAR, over) == 0
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.closed_as, comment.standing) == ("closed", "answered", "public")


def test_nothing_the_submitter_wrote_or_is_called_reaches_the_log_or_the_outbox(
    store: Store, world: World, ref: str
) -> None:
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, MONDAY)
        sign_off(session, world.viewer("signer"), ref)
        reveals.reveal(session, world.viewer("reviewer"), ref, "verify", CIPHER, MONDAY)
    with store.reading() as session:
        told = str(session.execute(select(CommentEvent.reason, CommentEvent.detail)).all()) + str(
            session.execute(select(Outbox.params, Outbox.message_key)).all()
        )
        for secret in ("赵晓梅", "13800138000", "zhao@example.com", "接驳公交", "道路条件"):
            assert secret not in told


# -- contact ---------------------------------------------------------------------------------------


def test_r51_a_look_at_the_contact_needs_a_purpose_and_is_written_down(store: Store, world: World, ref: str) -> None:
    officer = world.viewer("jtw_officer")
    with pytest.raises(DomainError, match="reason_required"), store.writing() as session:
        reveals.reveal(session, officer, ref, "curiosity", CIPHER, MONDAY)
    with store.writing() as session:
        shown = reveals.reveal(session, officer, ref, "reply", CIPHER, MONDAY)
    assert (shown.name, shown.phone, shown.email) == ("赵晓梅", "13800138000", "zhao@example.com")
    with store.reading() as session:
        event = session.scalars(select(CommentEvent).where(CommentEvent.kind == "reveal_contact")).one()
        assert (event.actor_id, event.reason, event.actor_role) == (officer.staff_id, "reply", "unit_officer")


def test_r51_the_contact_is_on_the_page_only_for_the_one_who_looked_and_only_for_a_while(
    store: Store, world: World, ref: str
) -> None:
    officer = world.viewer("jtw_officer")
    with store.reading() as session:
        assert comment_page.load(session, officer, ref, CIPHER, MONDAY).contact is None
    with store.writing() as session:
        reveals.reveal(session, officer, ref, "reply", CIPHER, MONDAY)
    with store.reading() as session:
        page = comment_page.load(session, officer, ref, CIPHER, MONDAY + timedelta(minutes=9))
        assert page.contact is not None
        assert page.contact.phone == "13800138000"
        for who, minutes in (("jtw_officer", 11), ("jtw_officer2", 1), ("reviewer", 1)):
            later = MONDAY + timedelta(minutes=minutes)
            assert comment_page.load(session, world.viewer(who), ref, CIPHER, later).contact is None


@pytest.mark.parametrize(
    ("who", "error"),
    [
        ("assigner", NotAllowed),
        ("signer", NotAllowed),
        ("sysadmin", NotAllowed),
        ("auditor", NotAllowed),
        ("jgw_officer", NotAllowed),
        ("supervisor", NotAllowed),
        ("fgj_officer", NotFound),
    ],
)
def test_r51_who_may_not_look(store: Store, world: World, ref: str, who: str, error: type[DomainError]) -> None:
    with pytest.raises(error), store.writing() as session:
        reveals.reveal(session, world.viewer(who), ref, "verify", CIPHER, MONDAY)


def test_r49_a_contact_on_hold_or_erased_is_not_shown(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        session.scalars(select(ContactDetails)).one().legal_hold = "行政复议"
    with pytest.raises(DomainError, match="contact_on_hold"), store.writing() as session:
        reveals.reveal(session, world.viewer("reviewer"), ref, "verify", CIPHER, MONDAY)
    with store.writing() as session:
        session.scalars(select(ContactDetails)).one().erased_at = MONDAY
    with pytest.raises(DomainError, match="contact_erased"), store.writing() as session:
        reveals.reveal(session, world.viewer("reviewer"), ref, "verify", CIPHER, MONDAY)


def test_r74_a_missing_co_unit_does_not_hold_up_the_reply(store: Store, world: World, ref: str) -> None:
    with store.writing() as session:
        casework.draft_and_approve(session, world, ref, MONDAY)
    with pytest.raises(DomainError, match="co_feedback_late"), store.writing() as session:
        routing.co_feedback(session, world.viewer("jgw_officer"), ref, version(session, ref), "迟到的意见", MONDAY)
