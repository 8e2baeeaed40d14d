"""Short names for taking a comment through its life by the services, for tests of what comes after."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Publicity
from consult.models.comments import Comment, CommentEvent
from moderation.services import replies, routing, screening
from moderation.services.replies import ReplyDraft
from moderation.services.routing import Routing
from moderation.services.screening import Acceptance
from tests.support.factories import CALENDAR, CIPHER, NOW, World

FULL = Acceptance(Publicity.FULL)
GOOD_REPLY = ReplyDraft(
    outcome="partly_adopted",
    body="您提出的接驳公交建议部分采纳：今年九月起早高峰增加两个班次，站点位置与马桥镇商定后公布。",
    reason="道路条件暂不具备增设专用站点，待元江路改造完成以后再行研究确定方案。",
    section_key="s3",
    version=1,
    place_detail="第1段",
)


def get(session: Session, receipt_no: str) -> Comment:
    """The comment as it stands."""
    return session.scalars(select(Comment).where(Comment.receipt_no == receipt_no)).one()


def version(session: Session, receipt_no: str) -> int:
    """The version a page drawn now would carry."""
    return get(session, receipt_no).version


def kinds(session: Session, receipt_no: str) -> list[str]:
    """The kinds of a comment's events, oldest first."""
    return list(
        session.scalars(
            select(CommentEvent.kind)
            .join(Comment, Comment.id == CommentEvent.comment_id)
            .where(Comment.receipt_no == receipt_no)
            .order_by(CommentEvent.seq)
        )
    )


def accept(session: Session, world: World, ref: str, now: datetime = NOW, how: Acceptance = FULL) -> None:
    screening.accept(session, world.viewer("reviewer"), ref, version(session, ref), how, CIPHER, now)


def to_assign(session: Session, world: World, ref: str, now: datetime = NOW) -> None:
    accept(session, world, ref, now)
    screening.route(session, world.viewer("reviewer"), ref, version(session, ref), now)


def assigned(
    session: Session, world: World, ref: str, now: datetime = NOW, lead: str = "JTW", co: tuple[str, ...] = ()
) -> None:
    to_assign(session, world, ref, now)
    assign(session, world, ref, now, lead, co)


def assign(
    session: Session, world: World, ref: str, now: datetime = NOW, lead: str = "JTW", co: tuple[str, ...] = ()
) -> None:
    routing.assign(session, world.viewer("assigner"), ref, version(session, ref), Routing(lead, co), CALENDAR, now)


def in_progress(
    session: Session, world: World, ref: str, now: datetime = NOW, lead: str = "JTW", co: tuple[str, ...] = ()
) -> None:
    assigned(session, world, ref, now, lead, co)
    routing.sign_receipt(session, world.viewer(f"{lead.lower()}_officer"), ref, version(session, ref), now)


def submitted(session: Session, world: World, ref: str, now: datetime = NOW, draft: ReplyDraft = GOOD_REPLY) -> None:
    """In progress at JTW, drafted by its officer, approved by its leader."""
    in_progress(session, world, ref, now)
    draft_and_approve(session, world, ref, now, draft)


def draft_and_approve(
    session: Session, world: World, ref: str, now: datetime = NOW, draft: ReplyDraft = GOOD_REPLY
) -> None:
    replies.save_draft(session, world.viewer("jtw_officer"), ref, version(session, ref), draft, now)
    replies.approve(session, world.viewer("jtw_leader"), ref, version(session, ref), "", CIPHER, CALENDAR, now)


def replied(session: Session, world: World, ref: str, now: datetime = NOW) -> None:
    submitted(session, world, ref, now)
    replies.sign_off(session, world.viewer("signer"), ref, version(session, ref), CIPHER, now)
