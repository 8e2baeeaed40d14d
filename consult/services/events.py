"""Appending to the event log, always in the transaction of the change it records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from consult.domain.comment_states import Role
from consult.domain.event_chain import Entry, digest_of
from consult.models.comments import Comment, CommentEvent
from consult.models.consultations import Consultation, ConsultationEvent
from consult.services import search_index


@dataclass(frozen=True)
class Actor:
    """Who does something: `kind` public, staff or system; `id` of the staff member; `role` in which they act."""

    kind: str
    role: str
    id: int | None = None


PUBLIC = Actor("public", Role.PUBLIC)
SYSTEM = Actor("system", Role.SYSTEM)


def staff(staff_id: int, role: str) -> Actor:
    """Return a staff member acting in one of their roles."""
    return Actor("staff", role, staff_id)


def start_chain(comment: Comment, actor: Actor, now: datetime, detail: Mapping[str, object]) -> CommentEvent:
    """Prepare the first event of a comment that is not flushed yet and set its head.

    The caller flushes the comment, fills in `comment_id` and adds the event.
    """
    return _next(comment, "submit", actor, now, "", comment.handling_state, "", detail)


def append(
    session: Session,
    comment: Comment,
    kind: str,
    actor: Actor,
    now: datetime,
    *,
    before: str = "",
    after: str = "",
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> CommentEvent:
    """Append one event to a comment's chain and move its head.

    `reason` and `detail` must hold no personal data and no comment text (R-53, R-98).
    """
    event = _next(comment, kind, actor, now, before, after, reason, detail or {})
    event.comment_id = comment.id
    session.add(event)
    search_index.note(session, comment)
    return event


def _next(
    comment: Comment,
    kind: str,
    actor: Actor,
    now: datetime,
    before: str,
    after: str,
    reason: str,
    detail: Mapping[str, object],
) -> CommentEvent:
    seq, previous = (comment.event_seq or 0) + 1, comment.event_head or ""
    entry = Entry(
        comment.receipt_no,
        seq,
        kind,
        before,
        after,
        actor.kind,
        actor.id,
        actor.role,
        reason,
        dict(detail),
        now,
    )
    digest = digest_of(entry, previous)
    comment.event_seq, comment.event_head = seq, digest
    return CommentEvent(
        seq=seq,
        kind=kind,
        before=before,
        after=after,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_role=actor.role,
        reason=reason,
        detail=dict(detail),
        at=now,
        previous_digest=previous,
        digest=digest,
    )


def append_to_consultation(
    session: Session,
    consultation: Consultation,
    kind: str,
    actor: Actor,
    now: datetime,
    *,
    before: str = "",
    after: str = "",
    reason: str = "",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Append one event to a consultation's chain and move its head; the consultation has been flushed."""
    seq, previous = (consultation.event_seq or 0) + 1, consultation.event_head or ""
    entry = Entry(
        f"consultation:{consultation.slug}",
        seq,
        kind,
        before,
        after,
        actor.kind,
        actor.id,
        actor.role,
        reason,
        dict(detail or {}),
        now,
    )
    digest = digest_of(entry, previous)
    consultation.event_seq, consultation.event_head = seq, digest
    session.add(
        ConsultationEvent(
            consultation_id=consultation.id,
            seq=seq,
            kind=kind,
            actor_id=actor.id,
            actor_role=actor.role,
            before=before,
            after=after,
            reason=reason,
            detail=dict(detail or {}),
            at=now,
            previous_digest=previous,
            digest=digest,
        )
    )
