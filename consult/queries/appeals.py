"""Which decisions on a comment stand and may be objected to (R-37, T23)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import (
    OBJECTION_DAYS,
    WorkCalendar,
    appeal_last_day,
    due_date_or_none,
    is_overdue,
    local_day,
)
from consult.domain.comment_states import Action, ClosedAs, CommentState, NonStateAction, Publicity
from consult.models.comments import Appeal, Comment, CommentEvent

WITHHOLD, NOT_ACCEPT, REPLY = "withhold", "not_accept", "reply"
KINDS = (WITHHOLD, NOT_ACCEPT, REPLY)
_DECIDED_BY = {
    WITHHOLD: (NonStateAction.CONFIRM_WITHHOLD.value,),
    NOT_ACCEPT: (Action.NOT_ACCEPT.value,),
    REPLY: (Action.SIGN_OFF.value, Action.MERGED_REPLY.value),
}


@dataclass(frozen=True)
class Appealable:
    """A decision in force that may be objected to. `last_day` is None while the calendar cannot tell it (R-61)."""

    kind: str
    decision_seq: int
    last_day: date | None
    appealed: bool = False

    def open_at(self, now: datetime) -> bool:
        """Tell whether an objection is taken now."""
        return not self.appealed and not is_overdue(self.last_day, now)


def in_force(session: Session, comment: Comment, calendar: WorkCalendar) -> tuple[Appealable, ...]:
    """Return the decisions on a comment that stand, whether or not the time to object is over."""
    kinds = [kind for kind in KINDS if _stands(comment, kind)]
    if not kinds:
        return ()
    wanted = [name for kind in kinds for name in _DECIDED_BY[kind]]
    decided: dict[str, tuple[int, datetime]] = {}
    for seq, name, at in session.execute(
        select(CommentEvent.seq, CommentEvent.kind, CommentEvent.at)
        .where(CommentEvent.comment_id == comment.id, CommentEvent.kind.in_(wanted))
        .order_by(CommentEvent.seq)
    ):
        decided[next(kind for kind in kinds if name in _DECIDED_BY[kind])] = (seq, at)
    earlier = select(Appeal.kind, Appeal.decision_seq).where(Appeal.comment_id == comment.id)
    before = {(kind, seq) for kind, seq in session.execute(earlier)}
    return tuple(
        Appealable(kind, seq, _last_day(kind, local_day(at), calendar), (kind, seq) in before)
        for kind, (seq, at) in decided.items()
    )


def _stands(comment: Comment, kind: str) -> bool:
    if comment.handling_state == CommentState.WITHDRAWN:
        return False
    if kind == WITHHOLD:
        return comment.publicity == Publicity.WITHHELD
    if kind == NOT_ACCEPT:
        return comment.closed_as == ClosedAs.NOT_ACCEPTED
    answered = comment.closed_as in ("", ClosedAs.ANSWERED)
    return answered and comment.handling_state in (CommentState.REPLIED, CommentState.CLOSED)


def _last_day(kind: str, decided_on: date, calendar: WorkCalendar) -> date | None:
    if kind == REPLY:
        return due_date_or_none(calendar, decided_on, OBJECTION_DAYS)
    return appeal_last_day(decided_on)
