"""What the holder of a 查询码 may do with their own comment, without an account."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from consult.domain.comment_states import Action, CommentState
from consult.services import events, moves


def withdraw(session: Session, receipt_no: str, now: datetime) -> None:
    """Withdraw a comment that has not been routed yet; it leaves every public page at once (R-88).

    Raises:
        NotFound: there is no such comment.
        IllegalTransition: it has been routed, answered or withdrawn already.
    """
    comment = moves.lock(session, receipt_no)
    was_merged = comment.handling_state == CommentState.MERGED
    moves.move(session, comment, Action.WITHDRAW, events.PUBLIC, now)
    if was_merged:
        comment.merged_into_id = None
        session.flush()


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
