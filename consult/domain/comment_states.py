"""Where a comment is, where it may go, who may send it there, and how it is counted.

Two independent axes (R-28): the handling state (table T01 to T35) and the publicity. Whether the public sees
a comment, and in which pile it is counted, follows from both through `standing`, the one function for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consult.domain.errors import IllegalTransition


class Role(StrEnum):
    """Who acts. PUBLIC is the holder of the query code, SYSTEM the clock and the jobs."""

    PUBLIC = "public"
    SYSTEM = "system"
    REVIEWER = "reviewer"
    ASSIGNER = "assigner"
    SIGN_OFF_OFFICER = "sign_off_officer"
    SUPERVISOR = "supervisor"
    UNIT_OFFICER = "unit_officer"
    UNIT_LEADER = "unit_leader"
    SYSADMIN = "sysadmin"
    SECURITY_AUDITOR = "security_auditor"


class CommentState(StrEnum):
    """Handling states of rules.md 8.1."""

    PENDING_REVIEW = "pending_review"
    AWAITING_SUPPLEMENT = "awaiting_supplement"
    ACCEPTED = "accepted"
    TO_ASSIGN = "to_assign"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    RETURN_REQUESTED = "return_requested"
    PENDING_SIGN_OFF = "pending_sign_off"
    REPLIED = "replied"
    CLOSED = "closed"
    MERGED = "merged"
    WITHDRAWN = "withdrawn"


class Publicity(StrEnum):
    """How a comment is published (R-28)."""

    PENDING = "pending"
    FULL = "full"
    REDACTED = "redacted"
    WITHHELD = "withheld"


class ClosedAs(StrEnum):
    """Why a comment without a reply is closed (T06, T07), or that it was answered (T23)."""

    ANSWERED = "answered"
    NOT_ACCEPTED = "not_accepted"
    CHANNEL_NOTICE = "channel_notice"


class Action(StrEnum):
    """Actions that move the handling state."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    ASK_SUPPLEMENT = "ask_supplement"
    SUPPLEMENT = "supplement"
    SUPPLEMENT_TIMEOUT = "supplement_timeout"
    NOT_ACCEPT = "not_accept"
    CHANNEL_NOTICE = "channel_notice"
    ROUTE = "route"
    ASSIGN = "assign"
    DESIGNATE = "designate"
    SIGN_RECEIPT = "sign_receipt"
    AUTO_RECEIPT = "auto_receipt"
    REQUEST_RETURN = "request_return"
    APPROVE_RETURN = "approve_return"
    REFUSE_RETURN = "refuse_return"
    REQUEST_EXTENSION = "request_extension"
    APPROVE_EXTENSION = "approve_extension"
    REFUSE_EXTENSION = "refuse_extension"
    SUBMIT_REPLY = "submit_reply"
    REJECT_SIGN_OFF = "reject_sign_off"
    SIGN_OFF = "sign_off"
    CLOSE = "close"
    REOPEN = "reopen"
    MERGE = "merge"
    UNMERGE = "unmerge"
    MERGED_REPLY = "merged_reply"
    WITHDRAW = "withdraw"
    APPEAL_UPHELD = "appeal_upheld"


class NonStateAction(StrEnum):
    """Actions that leave the state alone but are recorded (rules.md 8.1, end)."""

    REDACT = "redact"
    PROPOSE_WITHHOLD = "propose_withhold"
    CONFIRM_WITHHOLD = "confirm_withhold"
    DECIDE_APPEAL = "decide_appeal"
    SPLIT = "split"
    URGE = "urge"
    SUPERVISE = "supervise"
    CO_FEEDBACK = "co_feedback"
    EMERGENCY_HIDE = "emergency_hide"
    CORRECT_REPLY = "correct_reply"
    REVEAL_CONTACT = "reveal_contact"
    ERASE_PERSONAL_INFO = "erase_personal_info"
    EXPORT = "export"


NON_STATE_ACTIONS: frozenset[NonStateAction] = frozenset(NonStateAction)


@dataclass(frozen=True)
class Transition:
    """One line of the table. `source` is None for T01, the submission itself."""

    id: str
    source: CommentState | None
    action: Action
    role: Role
    target: CommentState


_S, _A, _R = CommentState, Action, Role

TRANSITIONS: tuple[Transition, ...] = (
    Transition("T01", None, _A.SUBMIT, _R.PUBLIC, _S.PENDING_REVIEW),
    Transition("T02", _S.PENDING_REVIEW, _A.ACCEPT, _R.REVIEWER, _S.ACCEPTED),
    Transition("T03", _S.PENDING_REVIEW, _A.ASK_SUPPLEMENT, _R.REVIEWER, _S.AWAITING_SUPPLEMENT),
    Transition("T04", _S.AWAITING_SUPPLEMENT, _A.SUPPLEMENT, _R.PUBLIC, _S.PENDING_REVIEW),
    Transition("T05", _S.AWAITING_SUPPLEMENT, _A.SUPPLEMENT_TIMEOUT, _R.SYSTEM, _S.PENDING_REVIEW),
    Transition("T06", _S.PENDING_REVIEW, _A.NOT_ACCEPT, _R.REVIEWER, _S.CLOSED),
    Transition("T07", _S.PENDING_REVIEW, _A.CHANNEL_NOTICE, _R.REVIEWER, _S.CLOSED),
    Transition("T08", _S.ACCEPTED, _A.ROUTE, _R.REVIEWER, _S.TO_ASSIGN),
    Transition("T09", _S.TO_ASSIGN, _A.ASSIGN, _R.ASSIGNER, _S.ASSIGNED),
    Transition("T10", _S.TO_ASSIGN, _A.DESIGNATE, _R.SUPERVISOR, _S.ASSIGNED),
    Transition("T11", _S.ASSIGNED, _A.SIGN_RECEIPT, _R.UNIT_OFFICER, _S.IN_PROGRESS),
    Transition("T12", _S.ASSIGNED, _A.AUTO_RECEIPT, _R.SYSTEM, _S.IN_PROGRESS),
    Transition("T13", _S.ASSIGNED, _A.REQUEST_RETURN, _R.UNIT_LEADER, _S.RETURN_REQUESTED),
    Transition("T14", _S.IN_PROGRESS, _A.REQUEST_RETURN, _R.UNIT_LEADER, _S.RETURN_REQUESTED),
    Transition("T15", _S.RETURN_REQUESTED, _A.APPROVE_RETURN, _R.ASSIGNER, _S.TO_ASSIGN),
    Transition("T16", _S.RETURN_REQUESTED, _A.REFUSE_RETURN, _R.ASSIGNER, _S.IN_PROGRESS),
    Transition("T17", _S.IN_PROGRESS, _A.REQUEST_EXTENSION, _R.UNIT_OFFICER, _S.IN_PROGRESS),
    Transition("T18", _S.IN_PROGRESS, _A.APPROVE_EXTENSION, _R.ASSIGNER, _S.IN_PROGRESS),
    Transition("T19", _S.IN_PROGRESS, _A.REFUSE_EXTENSION, _R.ASSIGNER, _S.IN_PROGRESS),
    Transition("T20", _S.IN_PROGRESS, _A.SUBMIT_REPLY, _R.UNIT_LEADER, _S.PENDING_SIGN_OFF),
    Transition("T21", _S.PENDING_SIGN_OFF, _A.REJECT_SIGN_OFF, _R.SIGN_OFF_OFFICER, _S.IN_PROGRESS),
    Transition("T22", _S.PENDING_SIGN_OFF, _A.SIGN_OFF, _R.SIGN_OFF_OFFICER, _S.REPLIED),
    Transition("T23", _S.REPLIED, _A.CLOSE, _R.SYSTEM, _S.CLOSED),
    Transition("T24", _S.REPLIED, _A.REOPEN, _R.SUPERVISOR, _S.IN_PROGRESS),
    Transition("T25", _S.CLOSED, _A.REOPEN, _R.SUPERVISOR, _S.IN_PROGRESS),
    Transition("T26", _S.ACCEPTED, _A.MERGE, _R.ASSIGNER, _S.MERGED),
    Transition("T27", _S.TO_ASSIGN, _A.MERGE, _R.ASSIGNER, _S.MERGED),
    Transition("T28", _S.MERGED, _A.UNMERGE, _R.ASSIGNER, _S.TO_ASSIGN),
    Transition("T29", _S.MERGED, _A.MERGED_REPLY, _R.SYSTEM, _S.REPLIED),
    Transition("T30", _S.PENDING_REVIEW, _A.WITHDRAW, _R.PUBLIC, _S.WITHDRAWN),
    Transition("T31", _S.AWAITING_SUPPLEMENT, _A.WITHDRAW, _R.PUBLIC, _S.WITHDRAWN),
    Transition("T32", _S.ACCEPTED, _A.WITHDRAW, _R.PUBLIC, _S.WITHDRAWN),
    Transition("T33", _S.TO_ASSIGN, _A.WITHDRAW, _R.PUBLIC, _S.WITHDRAWN),
    Transition("T34", _S.MERGED, _A.WITHDRAW, _R.PUBLIC, _S.WITHDRAWN),
    Transition("T35", _S.CLOSED, _A.APPEAL_UPHELD, _R.SIGN_OFF_OFFICER, _S.PENDING_REVIEW),
)

_BY_PAIR: dict[tuple[CommentState | None, Action], Transition] = {
    (line.source, line.action): line for line in TRANSITIONS
}


def available_actions(state: CommentState | None) -> tuple[Action, ...]:
    """Return what the table allows from a state, in table order."""
    return tuple(line.action for line in TRANSITIONS if line.source == state)


def transition(state: CommentState | None, action: Action) -> Transition:
    """Return the line of the table, whose `role` and `id` go into the record.

    Raises:
        IllegalTransition: no such line (R-90); it carries what is available instead.
    """
    line = _BY_PAIR.get((state, action))
    if line is None:
        raise IllegalTransition(state, action, available_actions(state))
    return line


def next_state(state: CommentState | None, action: Action) -> CommentState:
    """Return the state an action leads to.

    Raises:
        IllegalTransition: no such line (R-90).
    """
    return transition(state, action).target


WITHDRAWABLE = frozenset(line.source for line in TRANSITIONS if line.action is Action.WITHDRAW)
"""States before routing, in which the submitter may withdraw the whole comment (R-88)."""

MERGEABLE = frozenset(line.source for line in TRANSITIONS if line.action is Action.MERGE)
"""States in which a comment may be merged into another (R-84)."""

ANSWERED = frozenset({CommentState.REPLIED, CommentState.CLOSED})

_UNREVIEWED = frozenset({CommentState.PENDING_REVIEW, CommentState.AWAITING_SUPPLEMENT})


def is_terminal(state: CommentState, primary: CommentState | None = None) -> bool:
    """Tell whether nothing more is owed: closed, replied, withdrawn, or merged into an answered one (R-62).

    `primary` is the state of the comment it was merged into.
    """
    if state is CommentState.MERGED:
        return primary in ANSWERED
    return state in ANSWERED or state is CommentState.WITHDRAWN


class Standing(StrEnum):
    """The piles of the settled count, in the order they are tried; each comment lies in exactly one."""

    WITHDRAWN = "withdrawn"
    NOT_ACCEPTED = "not_accepted"
    CHANNEL_NOTICE = "channel_notice"
    WITHHELD = "withheld"
    PUBLIC = "public"
    WAITING = "waiting"


def standing(
    state: CommentState, publicity: Publicity, closed_as: ClosedAs | None = None, *, hidden: bool = False
) -> Standing:
    """Return the first pile that applies (contract, "counts").

    `hidden` is an emergency hide in force; it counts with the withheld. A comment sent back to review after
    an appeal waits again and is not public, whatever its publicity was (R-27).
    """
    if state is CommentState.WITHDRAWN:
        return Standing.WITHDRAWN
    if state is CommentState.CLOSED and closed_as is ClosedAs.NOT_ACCEPTED:
        return Standing.NOT_ACCEPTED
    if state is CommentState.CLOSED and closed_as is ClosedAs.CHANNEL_NOTICE:
        return Standing.CHANNEL_NOTICE
    if hidden or publicity is Publicity.WITHHELD:
        return Standing.WITHHELD
    if publicity is Publicity.PENDING or state in _UNREVIEWED:
        return Standing.WAITING
    return Standing.PUBLIC


def is_public(
    state: CommentState, publicity: Publicity, closed_as: ClosedAs | None = None, *, hidden: bool = False
) -> bool:
    """Tell whether the public may see the comment (R-27)."""
    return standing(state, publicity, closed_as, hidden=hidden) is Standing.PUBLIC
