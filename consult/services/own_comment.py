"""What the holder of a 查询码 may do with their own comment, without an account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import is_overdue
from consult.domain.comment_states import WITHDRAWABLE, Action, CommentState
from consult.domain.comments import (
    BODY_MAXIMUM,
    normalise_text,
    text_problems,
    user_characters,
    visible_characters,
)
from consult.domain.errors import DomainError, FieldErrors, IllegalTransition, Refused, SupplementWindowClosed
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Comment, ContactDetails, Supplement
from consult.services import appeals, events, merging, moves, own_data

_TAKES_MORE = frozenset(
    {
        CommentState.PENDING_REVIEW,
        CommentState.AWAITING_SUPPLEMENT,
        CommentState.ACCEPTED,
        CommentState.TO_ASSIGN,
        CommentState.ASSIGNED,
        CommentState.IN_PROGRESS,
        CommentState.RETURN_REQUESTED,
        CommentState.MERGED,
    }
)


WHOLE, ANONYMISED = "whole", "anonymised"


def leaving(handling_state: str) -> str:
    """Tell what taking a comment back does in this state: all of it goes, or who wrote it (R-88); "" for neither."""
    if handling_state == CommentState.WITHDRAWN:
        return ""
    return WHOLE if CommentState(handling_state) in WITHDRAWABLE else ANONYMISED


def leave(session: Session, receipt_no: str, expected: str, cipher: FieldCipher, now: datetime) -> str:
    """Take a comment back as far as R-88 allows: all of it before routing, the person behind it afterwards.

    `expected` is what the page said would happen; `leaving` tells it.

    Raises:
        NotFound: there is no such comment.
        IllegalTransition: it is withdrawn already.
        Refused: `leaving_changed`, it has been routed since the page was drawn; and what `anonymise` raises.
    """
    comment = moves.lock(session, receipt_no)
    what = leaving(comment.handling_state)
    if what and what != expected:
        raise Refused("leaving_changed")
    if what == ANONYMISED:
        own_data.erase_on_request(session, receipt_no, cipher, now)
    else:
        _withdraw(session, comment, cipher, now)
    return what


def anonymise(session: Session, receipt_no: str, cipher: FieldCipher, now: datetime) -> None:
    """Erase who wrote a comment; its words are handled on without a name (R-88, R-52).

    Raises:
        NotFound: there is no such comment.
        Refused: `contact_erased`, `erasure_on_hold`, `erasure_appeal_open` (R-49).
    """
    own_data.erase_on_request(session, receipt_no, cipher, now)


def withdraw(session: Session, receipt_no: str, now: datetime, cipher: FieldCipher | None = None) -> None:
    """Withdraw a comment that has not been routed yet; it leaves every public page at once (R-88).

    What tells who wrote it goes with it, unless the law keeps it (R-49).

    Raises:
        NotFound: there is no such comment.
        IllegalTransition: it has been routed, answered or withdrawn already.
    """
    _withdraw(session, moves.lock(session, receipt_no), cipher, now)


def _withdraw(session: Session, comment: Comment, cipher: FieldCipher | None, now: datetime) -> None:
    was_merged = comment.handling_state == CommentState.MERGED
    moves.move(session, comment, Action.WITHDRAW, events.PUBLIC, now)
    merging.release_members(session, comment, "primary withdrawn", now)
    if was_merged:
        comment.merged_into_id = None
        session.flush()
    appeals.lapse(session, comment, now)
    hold = session.scalar(select(ContactDetails.legal_hold).where(ContactDetails.comment_id == comment.id))
    if not hold:
        own_data.erase(session, comment, events.PUBLIC, now, own_data.WITHDRAWN, cipher)


def revoke_name(session: Session, receipt_no: str, now: datetime) -> None:
    """Take back the consent to a public name: every public page shows the masked one from now on (R-47).

    Raises:
        NotFound: there is no such comment.
    """
    comment = moves.lock(session, receipt_no)
    if not comment.public_name:
        return
    comment.public_name = ""
    comment.consent_publish_name = False
    comment.consent_publish_org_name = False
    comment.updated_at = now
    events.append(session, comment, "revoke_publish_name", events.PUBLIC, now)
    session.flush()


def supplement(session: Session, receipt_no: str, text: str, now: datetime) -> None:
    """Add what was asked for, or something unasked before the reply is signed off; nothing is overwritten.

    What was asked for joins the text under review and the comment goes back there (T04). Unasked words after
    the review are kept beside the comment for staff and are never published unreviewed (R-27).

    Raises:
        FieldErrors: the text cannot be stored, is empty or too long.
        SupplementWindowClosed: the five working days are over.
        IllegalTransition: the comment is answered, closed or withdrawn.
    """
    comment = moves.lock(session, receipt_no)
    added = _checked(text)
    state = CommentState(comment.handling_state)
    if state not in _TAKES_MORE:
        raise IllegalTransition(state, Action.SUPPLEMENT, moves.what_is_possible(comment))
    asked = session.scalar(
        select(Supplement)
        .where(Supplement.comment_id == comment.id, Supplement.given_at.is_(None))
        .order_by(Supplement.id.desc())
    )
    if state is CommentState.AWAITING_SUPPLEMENT and asked is not None:
        if is_overdue(asked.due_on, now):
            raise SupplementWindowClosed(last_day=asked.due_on)
        asked.text, asked.given_at = added, now
        comment.body = f"{comment.body}\n{added}"
        moves.move(session, comment, Action.SUPPLEMENT, events.PUBLIC, now)
        return
    session.add(Supplement(comment_id=comment.id, text=added, given_at=now))
    if state is CommentState.PENDING_REVIEW:
        comment.body = f"{comment.body}\n{added}"
    comment.updated_at = now
    events.append(session, comment, "supplement_unasked", events.PUBLIC, now)
    session.flush()


def _checked(text: str) -> str:
    cleaned = normalise_text(text).strip()
    problems = [code for code in text_problems(cleaned) if code != "text_invisible"]
    if problems:
        raise FieldErrors({"text_supplement": [DomainError(code, field="text_supplement") for code in problems]})
    if not cleaned or visible_characters(cleaned) == 0:
        raise FieldErrors({"text_supplement": [DomainError("body_required", field="text_supplement")]})
    over = user_characters(cleaned) - BODY_MAXIMUM
    if over > 0:
        error = DomainError("body_too_long", field="text_supplement", over=over, maximum=BODY_MAXIMUM)
        raise FieldErrors({"text_supplement": [error]})
    return cleaned
