"""Objections in a viewer's reach: the list, and one with the decision it is about (R-37)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.comments import Appeal, Comment, CommentEvent, Reply
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from moderation.models import StaffMember
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached

SIZE = 200


@dataclass(frozen=True, slots=True)
class AppealRow:
    """One objection in the list. A sealed comment's words are not among what is shown (R-38)."""

    id: int
    receipt_no: str
    consultation: str
    kind: str
    state: str
    opening: str
    unit: str
    asked_at: datetime
    due_on: date | None
    decided_at: datetime | None
    sealed: bool


@dataclass(frozen=True)
class Decision:
    """What is objected to: who proposed it, who decided it, why and when."""

    kind: str
    reason: str
    at: datetime
    people: tuple[str, ...]


@dataclass(frozen=True)
class AppealPage:
    """One objection with what it is about; `body` is empty for a sealed comment."""

    id: int
    receipt_no: str
    version: int
    handling_state: str
    publicity: str
    accepted: bool
    kind: str
    state: str
    text: str
    asked_at: datetime
    due_on: date | None
    decided_at: datetime | None
    decided_by: str
    decision_reason: str
    body: str
    sealed: bool
    reply: str
    reply_unit: str
    decision: Decision


def rows(session: Session, viewer: Viewer, *, decided: bool = False, size: int = SIZE) -> tuple[AppealRow, ...]:
    """Return the objections that wait, the earliest day first, or those that were decided, newest first."""
    order: tuple[ColumnElement[Any], ...] = (Appeal.due_on.is_(None), Appeal.due_on.asc(), Appeal.id.asc())
    if decided:
        order = (Appeal.decided_at.desc(), Appeal.id.desc())
    found = session.execute(
        select(
            Appeal.id,
            Comment.receipt_no,
            Consultation.title,
            Appeal.kind,
            Appeal.state,
            Appeal.text,
            Unit.short_name,
            Appeal.asked_at,
            Appeal.due_on,
            Appeal.decided_at,
            Comment.sealed,
        )
        .join(Comment, Comment.id == Appeal.comment_id)
        .join(Consultation, Consultation.id == Comment.consultation_id)
        .outerjoin(Unit, Unit.id == Comment.lead_unit_id)
        .where(
            Appeal.state != "open" if decided else Appeal.state == "open",
            reached(viewer.reach(Permission.DECIDE_APPEAL), sealed_too=True),
        )
        .order_by(*order)
        .limit(size)
    )
    return tuple(AppealRow(*row[:5], "" if row[10] else row[5], row[6] or "", *row[7:]) for row in found)


def show(session: Session, viewer: Viewer, appeal_id: int) -> AppealPage:
    """Return one objection.

    Raises:
        NotFound: it does not exist or lies outside the viewer's reach (R-93).
    """
    row = session.execute(
        select(Appeal, Comment)
        .join(Comment, Comment.id == Appeal.comment_id)
        .where(Appeal.id == appeal_id, reached(viewer.reach(Permission.DECIDE_APPEAL), sealed_too=True))
    ).first()
    if row is None:
        raise NotFound(object="appeal")
    appeal, comment = row
    reply = session.execute(
        select(Reply, Unit.short_name)
        .outerjoin(Unit, Unit.id == Reply.lead_unit_id)
        .where(Reply.comment_id == comment.id, Reply.published_at.is_not(None))
        .order_by(Reply.revision.desc())
        .limit(1)
    ).first()
    replied = reply if appeal.kind == "reply" else None
    return AppealPage(
        id=appeal.id,
        receipt_no=comment.receipt_no,
        version=comment.version,
        handling_state=comment.handling_state,
        publicity=comment.publicity,
        accepted=comment.handling_state not in ("pending_review", "awaiting_supplement"),
        kind=appeal.kind,
        state=appeal.state,
        text="" if comment.sealed else appeal.text,
        asked_at=appeal.asked_at,
        due_on=appeal.due_on,
        decided_at=appeal.decided_at,
        decided_by=_names(session, [appeal.decided_by])[0] if appeal.decided_by else "",
        decision_reason=appeal.decision_reason,
        body="" if comment.sealed else comment.body,
        sealed=comment.sealed,
        reply=replied[0].body if replied else "",
        reply_unit=(replied[1] or "") if replied else "",
        decision=_decision(session, appeal),
    )


def _decision(session: Session, appeal: Appeal) -> Decision:
    event = session.execute(
        select(CommentEvent.kind, CommentEvent.reason, CommentEvent.at, CommentEvent.actor_id, CommentEvent.detail)
        .where(CommentEvent.comment_id == appeal.comment_id, CommentEvent.seq == appeal.decision_seq)
    ).one()  # fmt: skip
    detail: Mapping[str, Any] = event.detail
    accounts = [one for one in (detail.get("proposed_by"), event.actor_id) if isinstance(one, int)]
    return Decision(event.kind, event.reason, event.at, _names(session, accounts))


def _names(session: Session, accounts: list[int]) -> tuple[str, ...]:
    rows = session.execute(select(StaffMember.id, StaffMember.display_name).where(StaffMember.id.in_(accounts)))
    known = {row.id: row.display_name for row in rows}
    return tuple(dict.fromkeys(known.get(account, "") for account in accounts))
