"""Raising the one objection against a decision or a reply, by 查询码 (R-37, T23)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from consult.domain.calendar import APPEAL_DECISION_DAYS, WorkCalendar, due_date_or_none, is_overdue, local_day
from consult.domain.comments import BODY_MAXIMUM, normalise_text, text_problems, user_characters, visible_characters
from consult.domain.errors import AppealOnce, AppealWindowClosed, DomainError, FieldErrors, Refused
from consult.models.comments import Appeal, Comment
from consult.queries.appeals import REPLY, in_force
from consult.services import events, moves


def raise_appeal(
    session: Session, receipt_no: str, kind: str, text: str, calendar: WorkCalendar, now: datetime
) -> Appeal:
    """Object once to a decision: 15 calendar days (R-37), 5 working days for a reply; decided in 5 working days.

    Raises:
        Refused: `appeal_nothing`, there is no such decision in force.
        AppealOnce: there was one against this decision.
        AppealWindowClosed: the last day is over.
        FieldErrors: no words, too many, or such as cannot be stored; the field is `text_appeal_<kind>`.
    """
    comment = moves.lock(session, receipt_no)
    decision = next((one for one in in_force(session, comment, calendar) if one.kind == kind), None)
    if decision is None:
        raise Refused("appeal_nothing")
    if decision.appealed:
        raise AppealOnce
    if is_overdue(decision.last_day, now):
        raise AppealWindowClosed(code_of_window(kind), last_day=decision.last_day)
    written = checked_words(text, f"text_appeal_{kind}", "appeal_required")
    appeal = Appeal(
        comment_id=comment.id,
        kind=kind,
        decision_seq=decision.decision_seq,
        text=written,
        asked_at=now,
        due_on=due_date_or_none(calendar, local_day(now), APPEAL_DECISION_DAYS),
    )
    session.add(appeal)
    comment.updated_at = now
    events.append(
        session,
        comment,
        "appeal",
        events.PUBLIC,
        now,
        detail={"against": kind, "decision": decision.decision_seq},
    )
    session.flush()
    return appeal


def lapse(session: Session, comment: Comment, now: datetime) -> None:
    """Let open objections end undecided, because the whole comment leaves."""
    session.execute(
        update(Appeal).where(Appeal.comment_id == comment.id, Appeal.state == "open").values(
            state="lapsed", decided_at=now
        )
    )  # fmt: skip


def code_of_window(kind: str) -> str:
    """Return the code of a window that has closed; the wording names another number of days for a reply."""
    return "reply_appeal_window_closed" if kind == REPLY else "appeal_window_closed"


def checked_words(text: str, field: str, required: str = "") -> str:
    """Return words for storing; nothing is fine unless `required` is the code to refuse it with.

    Raises:
        FieldErrors: under `field`.
    """
    cleaned = normalise_text(text).strip()
    problems = [code for code in text_problems(cleaned) if code != "text_invisible"]
    over = user_characters(cleaned) - BODY_MAXIMUM
    if required and visible_characters(cleaned) == 0 and not problems:
        problems = [required]
    if problems:
        raise FieldErrors({field: [DomainError(code, field=field) for code in problems]})
    if over > 0:
        raise FieldErrors({field: [DomainError("body_too_long", field=field, over=over, maximum=BODY_MAXIMUM)]})
    return cleaned
