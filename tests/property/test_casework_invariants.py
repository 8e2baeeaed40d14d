"""Random legal and illegal actions through the services, on both stores, and what must hold after each step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.calendar import due_date_or_none, local_day
from consult.domain.comment_states import (
    TRANSITIONS,
    ClosedAs,
    CommentState,
    Publicity,
    standing,
)
from consult.domain.errors import DomainError
from consult.domain.event_chain import Entry, first_break
from consult.domain.personal_data import PiiType, find
from consult.models.comments import Assignment, Comment, CommentEvent, CommentTally, Reply
from moderation.domain.decisions import FalsePositive
from moderation.domain.routing import ReturnRequest
from moderation.models import StaffMember
from moderation.services import replies, returns, reveals, routing, screening
from moderation.services.replies import ReplyDraft
from moderation.services.routing import Designation, Routing
from moderation.services.screening import Acceptance, Covered, Proposal
from tests.support import casework
from tests.support.casework import GOOD_REPLY
from tests.support.factories import CALENDAR, CIPHER, NOW, STAFF, World, make_comment, make_world

PHONE = "建议增加班次，请电话联系13800138000谢谢。"
PLAIN = "建议加密马桥到地铁站的接驳公交，早高峰要走二十五分钟。"
SPAN = (12, 23)
ROUTED = {
    CommentState.ASSIGNED,
    CommentState.IN_PROGRESS,
    CommentState.RETURN_REQUESTED,
    CommentState.PENDING_SIGN_OFF,
    CommentState.REPLIED,
}
BEFORE_ROUTING = {CommentState.PENDING_REVIEW, CommentState.ACCEPTED, CommentState.TO_ASSIGN}
LEGAL = {(line.source, line.action.value): line.target for line in TRANSITIONS}


@dataclass(frozen=True)
class Step:
    """One try: what (empty: something sensible), by whom, on which comment, with which values, how much later."""

    action: str
    legal_role: bool
    who: int
    comment: int
    variant: int
    stale: bool
    hours: int


ACTORS: dict[str, tuple[str, ...]] = {
    "accept": ("reviewer", "moderator"),
    "accept_and_route": ("moderator",),
    "route": ("reviewer", "moderator"),
    "propose": ("reviewer", "signer"),
    "confirm": ("reviewer2", "signer", "reviewer_twin"),
    "refuse": ("reviewer2", "reviewer"),
    "channel": ("reviewer",),
    "assign": ("assigner", "moderator"),
    "designate": ("supervisor",),
    "receipt": ("jtw_officer", "fgj_officer"),
    "return": ("jtw_leader", "fgj_leader"),
    "approve_return": ("assigner",),
    "refuse_return": ("assigner",),
    "extension": ("jtw_officer", "fgj_officer"),
    "approve_extension": ("assigner",),
    "refuse_extension": ("assigner",),
    "draft": ("jtw_officer", "fgj_officer", "jtw_officer2"),
    "approve": ("jtw_leader", "fgj_leader"),
    "sign_off": ("signer", "signer_twin"),
    "reject": ("signer",),
    "correct": ("signer",),
    "feedback": ("jgw_officer",),
    "reveal": ("reviewer", "jtw_officer"),
    "auto_receipt": ("system",),
    "close": ("system",),
}
SENSIBLE: dict[str, tuple[str, ...]] = {
    "pending_review": ("accept_and_route", "accept", "accept", "propose", "confirm", "refuse", "channel", "reveal"),
    "accepted": ("route", "route", "propose", "confirm"),
    "to_assign": ("assign", "assign", "assign", "designate"),
    "assigned": ("receipt", "receipt", "receipt", "return", "auto_receipt", "feedback"),
    "in_progress": ("draft", "draft", "approve", "approve", "approve", "extension", "approve_extension",
                    "refuse_extension", "return", "feedback"),
    "return_requested": ("approve_return", "refuse_return"),
    "pending_sign_off": ("sign_off", "sign_off", "reject"),
    "replied": ("correct", "close", "propose", "confirm", "reveal"),
    "closed": ("correct", "reveal"),
}  # fmt: skip
"""What somebody would try in a state; random tries alone seldom get past acceptance."""

STEPS = st.builds(
    Step,
    action=st.one_of(st.just(""), st.just(""), st.just(""), st.sampled_from(sorted(ACTORS))),
    legal_role=st.integers(0, 11).map(lambda n: n > 0),
    who=st.integers(0, 30),
    comment=st.integers(0, 3),
    variant=st.one_of(st.just(0), st.just(0), st.integers(0, 5)),
    stale=st.integers(0, 14).map(lambda n: n == 7),
    hours=st.sampled_from((0, 0, 0, 1, 5, 30, 200)),
)


def _acceptance(variant: int, body: str) -> Acceptance:
    if body != PHONE:
        return Acceptance((Publicity.FULL, Publicity.FULL, Publicity.FULL, Publicity.REDACTED)[variant % 4])
    return (
        Acceptance(Publicity.REDACTED, (Covered(*SPAN, PiiType.MOBILE),)),
        Acceptance(Publicity.REDACTED, (Covered(*SPAN, PiiType.MOBILE),)),
        Acceptance(Publicity.FULL, dismissed=(FalsePositive(*SPAN, "mobile", "单位电话"),)),
        Acceptance(Publicity.FULL),
        Acceptance(Publicity.REDACTED, (Covered(0, 999, PiiType.OTHER, "x"),)),
        Acceptance(Publicity.REDACTED, (Covered(*SPAN, PiiType.MOBILE),), (), True),
    )[variant]


_ROUTINGS = (
    Routing("JTW", ("JGW",)),
    Routing("FGJ"),
    Routing("JTW"),
    Routing("GJZ"),
    Routing("XCB"),
    Routing("JTW", ("JTW",)),
)
_PROPOSALS = (
    Proposal("withhold", "privacy"),
    Proposal("withhold", "submitter_request"),
    Proposal("not_accept", "advertising"),
    Proposal("withhold", "accusation", accused_units=("JTW",)),
    Proposal("withhold", "other"),
    Proposal("not_accept", "criticism"),
)
_RETURNS = (
    ReturnRequest("other_unit_leads", "", "三定方案", "FGJ"),
    ReturnRequest("unclear_content", "", "内容不清", ""),
    ReturnRequest("other", "短", "依据", "FGJ"),
)
_DRAFTS = (
    GOOD_REPLY,
    GOOD_REPLY,
    replace(GOOD_REPLY, outcome="not_adopted", section_key="", version=None),
    replace(GOOD_REPLY, body="已阅"),
    replace(GOOD_REPLY, section_key="nope"),
    ReplyDraft(),
)


def _try(session: Session, world: World, step: Step, who: str, ref: str, seen: int, now: datetime) -> None:
    if who == "system":
        if step.action == "auto_receipt":
            routing.auto_receipts(session, now)
        else:
            replies.close_answered(session, CALENDAR, now)
        return
    viewer, v = world.viewer(who), step.variant
    body = session.scalars(select(Comment.body).where(Comment.receipt_no == ref)).one()
    calls: dict[str, Callable[[], object]] = {
        "accept": lambda: screening.accept(session, viewer, ref, seen, _acceptance(v, body), CIPHER, now),
        "accept_and_route": lambda: screening.accept_and_route(
            session, viewer, ref, seen, _acceptance(v, body), _ROUTINGS[v], CIPHER, CALENDAR, now
        ),
        "route": lambda: screening.route(session, viewer, ref, seen, now),
        "propose": lambda: screening.propose(session, viewer, ref, seen, _PROPOSALS[v], now),
        "confirm": lambda: screening.confirm(session, viewer, ref, seen, now),
        "refuse": lambda: screening.refuse(session, viewer, ref, seen, "不同意" if v else "", now),
        "channel": lambda: screening.channel_notice(session, viewer, ref, seen, "petition" if v else "", now),
        "assign": lambda: routing.assign(session, viewer, ref, seen, _ROUTINGS[v], CALENDAR, now),
        "designate": lambda: routing.designate(
            session, viewer, ref, seen, Designation(_ROUTINGS[v], "纪要", "争议" if v % 2 else ""), CALENDAR, now
        ),
        "receipt": lambda: routing.sign_receipt(session, viewer, ref, seen, now),
        "return": lambda: returns.request_return(session, viewer, ref, seen, _RETURNS[v % 3], now),
        "approve_return": lambda: returns.approve_return(session, viewer, ref, seen, now),
        "refuse_return": lambda: returns.refuse_return(session, viewer, ref, seen, "属你单位" if v else "", now),
        "extension": lambda: returns.request_extension(session, viewer, ref, seen, "会商", now, (15, 10, 16)[v % 3]),
        "approve_extension": lambda: returns.approve_extension(session, viewer, ref, seen, CALENDAR, now),
        "refuse_extension": lambda: returns.refuse_extension(session, viewer, ref, seen, "按期", now),
        "draft": lambda: replies.save_draft(session, viewer, ref, seen, _DRAFTS[v], now),
        "approve": lambda: replies.approve(session, viewer, ref, seen, "", CIPHER, CALENDAR, now),
        "sign_off": lambda: replies.sign_off(session, viewer, ref, seen, CIPHER, now),
        "reject": lambda: replies.reject(session, viewer, ref, seen, "请改" if v else "", CALENDAR, now),
        "correct": lambda: replies.correct(session, viewer, ref, seen, _DRAFTS[v], "更正" if v else "", CIPHER, now),
        "feedback": lambda: routing.co_feedback(session, viewer, ref, seen, "同意", now),
        "reveal": lambda: reveals.reveal(session, viewer, ref, "verify" if v else "", CIPHER, now),
    }
    calls[step.action]()


def _facts(session: Session) -> tuple[int, int]:
    events = session.scalar(select(func.count(CommentEvent.id))) or 0
    return events, session.scalar(select(func.sum(Comment.version))) or 0


def _check(session: Session, ref: str, now: datetime) -> None:
    comment = session.scalars(select(Comment).where(Comment.receipt_no == ref)).one()
    _check_log(session, comment)
    _check_routing(session, comment)
    _check_publicity(session, comment)
    _check_replies(session, comment)
    assert comment.submitted_at == NOW


def _check_log(session: Session, comment: Comment) -> None:
    rows = session.scalars(
        select(CommentEvent).where(CommentEvent.comment_id == comment.id).order_by(CommentEvent.seq)
    ).all()
    chain = [
        (
            Entry(
                comment.receipt_no,
                row.seq,
                row.kind,
                row.before,
                row.after,
                row.actor_kind,
                row.actor_id,
                row.actor_role,
                row.reason,
                row.detail,
                row.at,
            ),
            row.previous_digest,
            row.digest,
        )
        for row in rows
    ]
    assert comment.event_seq == len(rows)
    assert first_break(chain, (comment.event_seq, comment.event_head)) is None
    state = ""
    for row in rows:
        if row.kind == "submit":
            state = row.after
        elif row.after:
            assert row.before == state
            assert LEGAL[CommentState(row.before), row.kind] == row.after
            state = row.after
    assert state == comment.handling_state


def _check_routing(session: Session, comment: Comment) -> None:
    rows = session.scalars(
        select(Assignment).where(Assignment.comment_id == comment.id, Assignment.closed_at.is_(None))
    ).all()
    state = CommentState(comment.handling_state)
    assert len(rows) <= 1
    if state in ROUTED:
        assert len(rows) == 1
    if state in BEFORE_ROUTING:
        assert not rows
    if not rows:
        assert (comment.lead_unit_id, comment.assigned_at, comment.reply_due_on) == (None, None, None)
        return
    [row] = rows
    assert (comment.lead_unit_id, comment.assigned_at) == (row.lead_unit_id, row.assigned_at)
    assert comment.reply_due_on == (row.extended_due_on or row.reply_due_on)
    start = local_day(row.assigned_at)
    earliest = due_date_or_none(CALENDAR, start, 7)
    assert earliest is not None
    assert comment.reply_due_on is not None
    assert comment.reply_due_on >= earliest
    assert row.receipted_at is None or row.receipted_at >= row.assigned_at


def _check_publicity(session: Session, comment: Comment) -> None:
    wanted = standing(
        CommentState(comment.handling_state),
        Publicity(comment.publicity),
        ClosedAs(comment.closed_as) if comment.closed_as else None,
        hidden=comment.hidden_at is not None,
    )
    assert comment.standing == wanted
    if comment.standing == "public":
        assert comment.accepted_at is not None
        assert comment.publicity in ("full", "redacted")
        accepted = session.scalars(
            select(CommentEvent.actor_kind).where(CommentEvent.comment_id == comment.id, CommentEvent.kind == "accept")
        ).all()
        assert accepted == ["staff"]
        if comment.publicity == "redacted":
            assert not find(comment.body)


def _check_replies(session: Session, comment: Comment) -> None:
    person = {row[0]: row[1] for row in session.execute(select(StaffMember.id, StaffMember.person_key))}
    rows = session.scalars(select(Reply).where(Reply.comment_id == comment.id).order_by(Reply.revision)).all()
    assert [row.revision for row in rows] == list(range(1, len(rows) + 1))
    published = [row for row in rows if row.state == "published"]
    assert len(published) == (1 if comment.handling_state == "replied" or comment.outcome else 0)
    for row in published:
        people = [person[account] for account in (row.drafted_by, row.approved_by, row.signed_off_by) if account]
        assert len(people) == len(set(people)) == 3
        assert comment.outcome == row.outcome


def _check_counts(session: Session) -> None:
    tallied = {
        row[0]: row[1]
        for row in session.execute(
            select(CommentTally.standing, func.sum(CommentTally.n)).group_by(CommentTally.standing)
        )
    }
    counted = {
        row[0]: row[1] for row in session.execute(select(Comment.standing, func.count()).group_by(Comment.standing))
    }
    assert {pile: n for pile, n in tallied.items() if n} == counted


@given(steps=st.lists(STEPS, min_size=10, max_size=30))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_whatever_people_try_in_whatever_order_the_invariants_hold(store: Store, steps: list[Step]) -> None:
    world = _world(store)
    with store.writing() as session:
        refs = [make_comment(session, world, body=body).receipt_no for body in (PLAIN, PHONE, PLAIN, PLAIN)]
        # Two start further on, so that what follows a routing is tried as often as what comes before it.
        casework.in_progress(session, world, refs[2], NOW, "JTW", ("JGW",))
        casework.submitted(session, world, refs[3], NOW)
    now = NOW
    for step in steps:
        now += timedelta(hours=step.hours)
        ref = refs[step.comment]
        step = _chosen(store, step, ref)
        who = ACTORS[step.action][step.who % len(ACTORS[step.action])]
        if not step.legal_role and who != "system":
            who = sorted(STAFF)[step.who % len(STAFF)]
        with store.reading() as session:
            before = _facts(session)
            seen = session.scalars(select(Comment.version).where(Comment.receipt_no == ref)).one()
        try:
            with store.writing() as session:
                _try(session, world, step, who, ref, seen - 1 if step.stale else seen, now)
        except DomainError:
            with store.reading() as session:
                assert _facts(session) == before, "a refusal leaves nothing behind"
        else:
            with store.reading() as session:
                assert who == "system" or step.action == "draft" or _facts(session)[0] > before[0], (
                    "every deed is logged"
                )
        with store.reading() as session:
            for one in refs:
                _check(session, one, now)
            _check_counts(session)


def _chosen(store: Store, step: Step, ref: str) -> Step:
    if step.action:
        return step
    with store.reading() as session:
        state = session.scalars(select(Comment.handling_state).where(Comment.receipt_no == ref)).one()
    wanted = SENSIBLE.get(state, ("reveal",))
    return replace(step, action=wanted[step.who % len(wanted)], who=step.who // len(wanted))


_worlds: dict[str, World] = {}


def _world(store: Store) -> World:
    """One district for all examples on a store; every example submits comments of its own."""
    if store.url not in _worlds:
        with store.writing() as session:
            _worlds[store.url] = make_world(session)
    return _worlds[store.url]
