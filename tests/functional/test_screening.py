"""Reviewing: acceptance, redaction, withholding, not accepting, other channels."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.comment_states import Publicity
from consult.domain.errors import (
    ChangedMeanwhile,
    DomainError,
    FindingsUnresolved,
    IllegalTransition,
    NotAcceptReasonRequired,
    NotAllowed,
    NotFound,
    PublicityRequired,
    ReasonRequired,
    RedactionRangeInvalid,
    TwoPersonRule,
    WithholdReasonRequired,
)
from consult.domain.personal_data import PiiType
from consult.models.comments import CommentOriginal, CommentTally, Outbox, Redaction
from moderation.domain.decisions import FalsePositive
from moderation.models import FindingDecision, TwoPersonDecision
from moderation.services import screening
from moderation.services.routing import Routing
from moderation.services.screening import Acceptance, Covered, Proposal
from tests.support import casework
from tests.support.casework import FULL, get, kinds, version
from tests.support.factories import (
    CALENDAR,
    CIPHER,
    NOW,
    World,
    make_comment,
    make_consultation,
    make_staff,
    make_world,
)

PHONE = "建议增加班次，请电话联系13800138000谢谢。"
PHONE_SPAN = (12, 23)
MASKED = "建议增加班次，请电话联系[已隐去:手机]谢谢。"


@pytest.fixture
def world(store: Store) -> World:
    with store.writing() as session:
        return make_world(session)


def submit(store: Store, world: World, body: str | None = None, **columns: object) -> str:
    with store.writing() as session:
        words = {} if body is None else {"body": body}
        return make_comment(session, world, **words, **columns).receipt_no  # type: ignore[arg-type]


def accept(session: Session, world: World, ref: str, how: Acceptance = FULL, who: str = "reviewer") -> None:
    screening.accept(session, world.viewer(who), ref, version(session, ref), how, CIPHER, NOW)


def test_r28_accepting_in_full_makes_it_public_and_says_who_when(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        accept(session, world, ref)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.publicity, comment.standing) == ("accepted", "full", "public")
        assert comment.accepted_at == NOW
        assert comment.accepted_by == world.viewer("reviewer").staff_id
        assert kinds(session, ref) == ["submit", "accept"]
        notice = session.scalars(select(Outbox)).one()
        assert (notice.kind, notice.state, notice.params) == ("accepted", "waiting", {"publicity": "full"})


def test_r31_a_strong_finding_must_be_covered_or_dismissed_before_acceptance(store: Store, world: World) -> None:
    ref = submit(store, world, PHONE)
    for how in (FULL, Acceptance(Publicity.FULL, dismissed=(FalsePositive(*PHONE_SPAN, "mobile", " "),))):
        with pytest.raises(FindingsUnresolved), store.writing() as session:
            accept(session, world, ref, how)
    with store.reading() as session:
        assert kinds(session, ref) == ["submit"]
        assert get(session, ref).standing == "waiting"


def test_r31_a_dismissed_finding_is_recorded_with_its_reason(store: Store, world: World) -> None:
    ref = submit(store, world, PHONE)
    dismissed = (FalsePositive(*PHONE_SPAN, "mobile", "单位公开电话"),)
    with store.writing() as session:
        accept(session, world, ref, Acceptance(Publicity.FULL, dismissed=dismissed))
    with store.reading() as session:
        row = session.scalars(select(FindingDecision)).one()
        assert (row.starts, row.ends, row.kind, row.reason) == (*PHONE_SPAN, "mobile", "单位公开电话")
        assert get(session, ref).body == PHONE


def test_r30_redaction_masks_the_text_keeps_the_original_encrypted_and_logs_each_span(
    store: Store, world: World
) -> None:
    ref = submit(store, world, PHONE)
    how = Acceptance(Publicity.REDACTED, (Covered(*PHONE_SPAN, PiiType.MOBILE),))
    with store.writing() as session:
        accept(session, world, ref, how)
    with store.reading() as session:
        comment = get(session, ref)
        assert comment.body == MASKED
        assert (comment.publicity, comment.standing) == ("redacted", "public")
        original = session.get_one(CommentOriginal, comment.id)
        assert original.body is not None
        assert b"13800138000" not in original.body
        assert CIPHER.decrypt(original.body) == PHONE
        row = session.scalars(select(Redaction)).one()
        assert (row.starts, row.ends, row.kind, row.made_by) == (
            *PHONE_SPAN,
            "mobile",
            world.viewer("reviewer").staff_id,
        )
        assert kinds(session, ref) == ["submit", "redact", "accept"]


def test_r30_text_covered_by_hand_needs_a_reason(store: Store, world: World) -> None:
    ref = submit(store, world, "张伟家门口的路灯坏了半年没有人修，请安排。")
    with pytest.raises(ReasonRequired), store.writing() as session:
        accept(session, world, ref, Acceptance(Publicity.REDACTED, (Covered(0, 2, PiiType.NAME),), (), True))
    with store.writing() as session:
        accept(
            session, world, ref, Acceptance(Publicity.REDACTED, (Covered(0, 2, PiiType.NAME, "第三人姓名"),), (), True)
        )
    with store.reading() as session:
        assert get(session, ref).body.startswith("[已隐去:姓名]家门口")
        assert get(session, ref).has_third_party


@pytest.mark.parametrize("span", [(12, 99), (5, 5), (-1, 4)])
def test_r30_a_span_outside_the_text_is_refused(store: Store, world: World, span: tuple[int, int]) -> None:
    ref = submit(store, world, PHONE)
    with pytest.raises(RedactionRangeInvalid), store.writing() as session:
        accept(session, world, ref, Acceptance(Publicity.REDACTED, (Covered(*span, PiiType.MOBILE, "x"),)))


def test_r34_third_person_data_must_be_covered(store: Store, world: World) -> None:
    ref = submit(store, world)
    with pytest.raises(FindingsUnresolved), store.writing() as session:
        accept(session, world, ref, Acceptance(Publicity.FULL, has_third_party=True))


def test_t02_publicity_must_be_chosen_and_fit_the_redactions(store: Store, world: World) -> None:
    ref = submit(store, world)
    for publicity in (Publicity.PENDING, Publicity.REDACTED):
        with pytest.raises(PublicityRequired), store.writing() as session:
            accept(session, world, ref, Acceptance(publicity))


def test_r90_accepting_twice_is_an_illegal_step(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        accept(session, world, ref)
    with pytest.raises(IllegalTransition), store.writing() as session:
        accept(session, world, ref)


def test_r91_the_second_of_two_who_saw_the_same_version_is_refused(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.reading() as session:
        seen = version(session, ref)
    with store.writing() as session:
        screening.accept(session, world.viewer("reviewer"), ref, seen, FULL, CIPHER, NOW)
    with pytest.raises(ChangedMeanwhile) as caught, store.writing() as session:
        screening.propose(session, world.viewer("reviewer2"), ref, seen, Proposal("withhold", "privacy"), NOW)
    assert caught.value.current_state == "accepted"
    assert caught.value.current_version > seen


def test_one_step_accepts_and_routes_with_all_three_events(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        screening.accept_and_route(
            session,
            world.viewer("moderator"),
            ref,
            version(session, ref),
            FULL,
            Routing("JTW", ("JGW",)),
            CIPHER,
            CALENDAR,
            NOW,
        )
    with store.reading() as session:
        assert kinds(session, ref) == ["submit", "accept", "route", "assign"]
        comment = get(session, ref)
        assert (comment.handling_state, comment.lead_unit_id) == ("assigned", world.units["JTW"])
        assert comment.suggested_lead_id == world.units["JTW"]


def test_one_step_needs_both_roles_and_leaves_nothing_when_the_routing_is_refused(store: Store, world: World) -> None:
    ref = submit(store, world)
    with pytest.raises(NotAllowed), store.writing() as session:
        screening.accept_and_route(
            session, world.viewer("reviewer"), ref, 1, FULL, Routing("JTW"), CIPHER, CALENDAR, NOW
        )
    with pytest.raises(DomainError, match="unit_without_officer"), store.writing() as session:
        screening.accept_and_route(
            session,
            world.viewer("moderator"),
            ref,
            version(session, ref),
            FULL,
            Routing("XCB"),
            CIPHER,
            CALENDAR,
            NOW,
        )
    with store.reading() as session:
        assert kinds(session, ref) == ["submit"]
        assert get(session, ref).handling_state == "pending_review"


# -- withholding -----------------------------------------------------------------------------------


def propose(
    session: Session, world: World, ref: str, reason: str, who: str = "reviewer", kind: str = "withhold"
) -> None:
    screening.propose(session, world.viewer(who), ref, version(session, ref), Proposal(kind, reason), NOW)


def test_r36_withholding_takes_two_natural_persons(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        propose(session, world, ref, "privacy")
    for same in ("reviewer", "reviewer_twin"):
        with pytest.raises(TwoPersonRule), store.writing() as session:
            screening.confirm(session, world.viewer(same), ref, version(session, ref), NOW)
    with store.writing() as session:
        screening.confirm(session, world.viewer("signer"), ref, version(session, ref), NOW)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.publicity, comment.withhold_reason, comment.standing) == ("withheld", "privacy", "withheld")
        assert comment.handling_state == "pending_review"
        assert kinds(session, ref) == ["submit", "propose_withhold", "confirm_withhold"]
        notice = session.scalars(select(Outbox)).one()
        assert notice.params == {"reason": "privacy", "appeal_until": "2023-08-02"}


def test_r28_a_withheld_comment_is_still_accepted_and_routed_but_not_public(store: Store, world: World) -> None:
    ref = submit(store, world, PHONE)
    with store.writing() as session:
        propose(session, world, ref, "privacy")
        screening.confirm(session, world.viewer("reviewer2"), ref, version(session, ref), NOW)
        casework.assigned(session, world, ref)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.publicity, comment.standing) == ("assigned", "withheld", "withheld")


def test_r35_the_reason_comes_from_the_closed_list(store: Store, world: World) -> None:
    ref = submit(store, world)
    for reason in ("", "other", "advertising"):
        with pytest.raises(WithholdReasonRequired), store.writing() as session:
            propose(session, world, ref, reason)


def test_r36_the_submitters_own_wish_takes_one_person(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        propose(session, world, ref, "submitter_request")
    with store.reading() as session:
        assert get(session, ref).publicity == "withheld"
        assert kinds(session, ref)[1:] == ["propose_withhold", "confirm_withhold"]


def test_a_proposal_holds_up_acceptance_until_it_is_decided(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        propose(session, world, ref, "insult")
    with pytest.raises(DomainError, match="decision_open"), store.writing() as session:
        accept(session, world, ref, who="reviewer2")
    with store.writing() as session:
        screening.refuse(session, world.viewer("reviewer2"), ref, version(session, ref), "属正常批评", NOW)
        accept(session, world, ref)
    with store.reading() as session:
        assert get(session, ref).standing == "public"
        assert session.scalars(select(TwoPersonDecision.state)).one() == "refused"


def test_r38_a_suspected_state_secret_is_sealed_at_once_and_out_of_everybodys_reach(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        accept(session, world, ref)
        propose(session, world, ref, "state_secret")
    with store.reading() as session:
        assert (get(session, ref).sealed, get(session, ref).standing) == (True, "withheld")
    with pytest.raises(NotFound), store.writing() as session:
        screening.route(session, world.viewer("reviewer2"), ref, version(session, ref), NOW)
    with store.writing() as session:
        screening.confirm(session, world.viewer("reviewer2"), ref, version(session, ref), NOW)
    with store.reading() as session:
        assert get(session, ref).sealed


def test_a_public_comment_that_is_withheld_leaves_the_public_count(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        accept(session, world, ref)
        propose(session, world, ref, "minor")
        screening.confirm(session, world.viewer("reviewer2"), ref, version(session, ref), NOW)
    with store.reading() as session:
        piles = dict(
            session.execute(
                select(CommentTally.standing, func.sum(CommentTally.n)).group_by(CommentTally.standing)
            ).all()
        )
        assert piles == {"waiting": 0, "public": 0, "withheld": 1}


# -- not accepting and other channels --------------------------------------------------------------


def test_r40_not_accepting_takes_two_persons_and_a_reason_of_the_list(store: Store, world: World) -> None:
    ref = submit(store, world)
    for reason in ("", "criticism", "privacy"):
        with pytest.raises(NotAcceptReasonRequired), store.writing() as session:
            propose(session, world, ref, reason, kind="not_accept")
    with store.writing() as session:
        propose(session, world, ref, "advertising", kind="not_accept")
    with pytest.raises(TwoPersonRule), store.writing() as session:
        screening.confirm(session, world.viewer("reviewer_twin"), ref, version(session, ref), NOW)
    with pytest.raises(NotAllowed), store.writing() as session:
        screening.confirm(session, world.viewer("signer"), ref, version(session, ref), NOW)
    with store.writing() as session:
        screening.confirm(session, world.viewer("reviewer2"), ref, version(session, ref), NOW)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.closed_as, comment.standing) == (
            "closed",
            "not_accepted",
            "not_accepted",
        )
        assert kinds(session, ref) == ["submit", "propose_not_accept", "not_accept"]


def test_r41_a_personal_grievance_is_told_the_channel_and_is_never_public(store: Store, world: World) -> None:
    ref = submit(store, world)
    with pytest.raises(DomainError, match="channel_required"), store.writing() as session:
        screening.channel_notice(session, world.viewer("reviewer"), ref, version(session, ref), "", NOW)
    with store.writing() as session:
        screening.channel_notice(session, world.viewer("reviewer"), ref, version(session, ref), "petition", NOW)
    with store.reading() as session:
        comment = get(session, ref)
        assert (comment.handling_state, comment.closed_as, comment.standing) == (
            "closed",
            "channel_notice",
            "channel_notice",
        )
        assert session.scalars(select(Outbox.params)).one() == {"channel": "petition"}


# -- reach -----------------------------------------------------------------------------------------


def test_r93_a_reviewer_of_another_consultation_does_not_learn_that_it_exists(store: Store, world: World) -> None:
    ref = submit(store, world)
    with store.writing() as session:
        other = make_consultation(
            session, world.programme_id, world.units, world.items, slug="zhuanxiang", short_code="ZX"
        )
        stranger = make_staff(
            session,
            "stranger",
            world.units["FGW"],
            tuple(world.viewer("moderator").roles),
            consultation_id=other.consultation_id,
        )
    for seen in (1, 99):
        with pytest.raises(NotFound), store.writing() as session:
            screening.accept(session, stranger, ref, seen, FULL, CIPHER, NOW)


@pytest.mark.parametrize("who", ["assigner", "signer", "supervisor", "jtw_officer", "sysadmin", "auditor"])
def test_r93_only_a_reviewer_accepts(store: Store, world: World, who: str) -> None:
    ref = submit(store, world)
    with pytest.raises(NotAllowed), store.writing() as session:
        accept(session, world, ref, who=who)


def test_people_without_email_are_listed_for_a_call(store: Store, world: World) -> None:
    ref = submit(store, world, contact={"name": "钱多", "phone": "13900139000"})
    with store.writing() as session:
        accept(session, world, ref)
    with store.reading() as session:
        assert session.scalars(select(Outbox.state)).one() == "phone"
