"""Supervision: what brings a comment before the supervisor, what the unit owes then, what a reopening needs.

R-70, R-73, T24, T25. Every fact is passed in; nothing is looked up here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from consult.domain.calendar import WorkCalendar, remaining_working_days
from consult.domain.comment_states import ClosedAs, CommentState, NonStateAction, available_actions
from consult.domain.comments import user_characters
from consult.domain.errors import CalendarPending, FieldErrors, IllegalTransition, ReasonRequired, Refused
from moderation.domain.routing import SupervisionTrigger, supervision_triggers

BY_HAND = "by_hand"
ANSWER_MINIMUM = 10
ANSWER_MAXIMUM = 2000

HANDLED = (CommentState.ASSIGNED, CommentState.IN_PROGRESS, CommentState.RETURN_REQUESTED)
"""States in which the lead unit's clock runs (R-67, R-71)."""

SUPERVISED_STATES = (
    CommentState.ACCEPTED,
    CommentState.TO_ASSIGN,
    *HANDLED,
    CommentState.PENDING_SIGN_OFF,
)
"""States in which something is still owed after acceptance; in the others there is nothing to supervise."""


@dataclass(frozen=True)
class Facts:
    """What the causes of R-73 are judged by. `since` is the day of acceptance, or of the last reopening."""

    state: CommentState
    due: date | None = None
    return_count: int = 0
    rejection_count: int = 0
    since: date | None = None
    appeal_upheld: bool = False


def causes(facts: Facts, calendar: WorkCalendar, today: date) -> tuple[SupervisionTrigger, ...]:
    """Return every cause that applies today (R-73).

    The clock of a reply that waits for sign-off stands still (R-71), so it is not overdue then. What cannot be counted
    because a year's notice is missing is no cause (R-61).
    """
    if facts.appeal_upheld:
        return (SupervisionTrigger.APPEAL_UPHELD,)
    if facts.state not in SUPERVISED_STATES:
        return ()
    return supervision_triggers(
        overdue_working_days=_overdue(facts, calendar, today),
        return_count=facts.return_count,
        rejection_count=facts.rejection_count,
        cumulative_working_days=_since(facts, calendar, today),
    )


def _overdue(facts: Facts, calendar: WorkCalendar, today: date) -> int:
    if facts.state not in HANDLED or facts.due is None or facts.due >= today:
        return 0
    try:
        return -remaining_working_days(calendar, facts.due, today)
    except CalendarPending:
        return 0


def _since(facts: Facts, calendar: WorkCalendar, today: date) -> int:
    if facts.since is None:
        return 0
    try:
        return calendar.working_days_between(facts.since, today)
    except CalendarPending:
        return 0


def check_may_urge(state: CommentState) -> str:
    """Return who is to be urged by hand: `unit`, or the role whose turn it is.

    Raises:
        IllegalTransition: nobody owes anything in this state.
    """
    if state in HANDLED:
        return "unit"
    turn = {
        CommentState.PENDING_REVIEW: "reviewer",
        CommentState.ACCEPTED: "assigner",
        CommentState.TO_ASSIGN: "assigner",
        CommentState.PENDING_SIGN_OFF: "sign_off_officer",
    }.get(state)
    if turn is None:
        raise IllegalTransition(state, NonStateAction.URGE, available_actions(state))
    return turn


def check_may_supervise(state: CommentState, *, open_already: bool) -> None:
    """Refuse to supervise what is over, or to open a second case by hand beside an open one.

    Raises:
        IllegalTransition: nothing is owed in this state.
        Refused: `supervision_open`.
    """
    if state not in SUPERVISED_STATES:
        raise IllegalTransition(state, NonStateAction.SUPERVISE, available_actions(state))
    if open_already:
        raise Refused("supervision_open")


def check_answer(text: str, promised: date | None, today: date) -> str:
    """Return a leader's written explanation; it names the day by which the comment will be answered (R-73).

    Raises:
        FieldErrors: `answer_too_short`, `answer_too_long`; `promised_day_required`, `promised_day_past`.
    """
    errors: dict[str, list[Exception]] = {}
    written = text.strip()
    length = user_characters(written)
    if length < ANSWER_MINIMUM:
        errors["answer"] = [Refused("answer_too_short", field="answer", minimum=ANSWER_MINIMUM)]
    elif length > ANSWER_MAXIMUM:
        errors["answer"] = [Refused("answer_too_long", field="answer", maximum=ANSWER_MAXIMUM)]
    if promised is None:
        errors["promised_on"] = [Refused("promised_day_required", field="promised_on")]
    elif promised < today:
        errors["promised_on"] = [Refused("promised_day_past", field="promised_on")]
    if errors:
        raise FieldErrors(errors)  # type: ignore[arg-type]
    return written


def check_reopen(closed_as: str, reason: str, *, archived: bool) -> str:
    """Return the reason of a reopening that may be made (T24, T25).

    Raises:
        Refused: `reopen_archived`, the consultation is archived; `reopen_unanswered`, it was closed without a reply.
        ReasonRequired: no reason written.
    """
    if archived:
        raise Refused("reopen_archived")
    if closed_as not in ("", ClosedAs.ANSWERED):
        raise Refused("reopen_unanswered")
    if not reason.strip():
        raise ReasonRequired(field="reason")
    return reason.strip()
