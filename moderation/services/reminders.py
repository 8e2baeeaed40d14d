"""One reminder: kept once a day and kind, recorded in the comment's log, put into the outbox (R-72).

A reminder changes nothing about a comment, so it leaves the comment's version alone: whoever has the page open and is
writing a reply must not be told that somebody changed it meanwhile. The log's own number and digest move on under the
comment's lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from consult.domain.calendar import WorkCalendar
from consult.domain.comment_states import NonStateAction
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from consult.services import events
from consult.services.events import Actor
from moderation.domain.deadlines import OVERDUE, SOON, TODAY, working_days_left
from moderation.models import Urge
from moderation.services import notices

BY_HAND = "manual"
_BY_ROLE = {"review": "urge_review", "route": "urge_route", "sign_off": "urge_sign_off"}


@dataclass(frozen=True)
class Reminder:
    """What to say to whom: a unit about its due day, or a role about its own part of the work."""

    kind: str
    on_day: date
    unit_id: int | None = None
    role: str = ""
    assignment_id: int | None = None
    due: date | None = None

    @property
    def recipient(self) -> str:
        """Whom it goes to, as the store keeps it."""
        return f"unit:{self.unit_id}" if self.unit_id is not None else self.role


def remind(
    session: Session,
    comment: Comment,
    what: Reminder,
    calendar: WorkCalendar,
    now: datetime,
    actor: Actor = events.SYSTEM,
) -> bool:
    """Remind once: False when the same was said today already. The comment is locked by the caller."""
    said = session.scalar(
        select(Urge.id).where(
            Urge.comment_id == comment.id,
            Urge.recipient == what.recipient,
            Urge.kind == what.kind,
            Urge.on_day == what.on_day,
        )
    )
    if said is not None:
        return False
    session.add(
        Urge(
            comment_id=comment.id,
            assignment_id=what.assignment_id,
            unit_id=what.unit_id,
            recipient=what.recipient,
            kind=what.kind,
            on_day=what.on_day,
            made_by=actor.id,
            made_at=now,
        )
    )
    left = None if what.due is None else working_days_left(calendar, what.due, what.on_day)
    note_quietly(
        session,
        comment,
        NonStateAction.URGE,
        actor,
        now,
        {"kind": what.kind, "to": what.recipient, "due": notices.day(what.due), "days_left": left},
    )
    _tell(session, comment, what, left, now)
    session.flush()
    return True


def note_quietly(
    session: Session, comment: Comment, kind: str, actor: Actor, now: datetime, detail: Mapping[str, object]
) -> None:
    """Append an event that changes nothing else: the chain's head moves on, the comment's version does not."""
    events.append(session, comment, kind, actor, now, detail=detail)
    seq, head = comment.event_seq, comment.event_head
    # Said to be stored already, so that the unit of work does not write the row and count its version up.
    set_committed_value(comment, "event_seq", seq)
    set_committed_value(comment, "event_head", head)
    table = Comment.__table__
    session.execute(update(table).where(table.c.id == comment.id).values(event_seq=seq, event_head=head))  # type: ignore[arg-type]


def _tell(session: Session, comment: Comment, what: Reminder, left: int | None, now: datetime) -> None:
    key = f"{what.on_day.isoformat()}-{what.kind}"
    if what.unit_id is not None:
        params = {"due": notices.day(what.due), "n": None if left is None else abs(left)}
        if what.kind.startswith("co_"):
            params["co"] = True
        notices.to_unit(session, comment, what.unit_id, f"urge_{_stage(what, left)}", key, now, params)
        return
    # Reviewers, assigners and signers sit in the consultation's own unit.
    owner = session.scalars(select(Consultation.owner_unit_id).where(Consultation.id == comment.consultation_id)).one()
    told = {"role": what.role, "by_hand": what.kind == BY_HAND}
    notices.to_unit(session, comment, owner, _BY_ROLE.get(what.kind, _of_role(what.role)), key, now, told)


def _of_role(role: str) -> str:
    return {"reviewer": "urge_review", "assigner": "urge_route"}.get(role, "urge_sign_off")


def _stage(what: Reminder, left: int | None) -> str:
    if what.kind != BY_HAND:
        return what.kind.removeprefix("co_")
    if what.due is None or left is None or what.due > what.on_day:
        return SOON
    return TODAY if what.due == what.on_day else OVERDUE
