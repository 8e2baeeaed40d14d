"""A lost 查询码 is issued anew by staff who compare what the caller says with the stored contact; the old one is void.

Nothing stored is shown: what the caller says is compared by the blind index. Nobody learns whether the number, the
contact or the reach was wrong (R-20, R-21).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.errors import DomainError, FieldErrors, NotAllowed, Refused
from consult.domain.public_codes import new_query_code, parse_receipt_no
from consult.gateways.blind_index import digest_query_code, index_contact
from consult.models.comments import Comment, ContactDetails
from consult.services import events, moves
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached
from moderation.services import audit
from moderation.services.audit import By
from moderation.services.scope import acting

ACTION = "reissue_code"
REASONS = ("not_kept", "not_seen", "leaked")
"""Why a code is issued anew; closed, so that nothing personal gets into the record (R-53)."""
_NO_INDEX = "-" * 64


def reissue(
    session: Session,
    viewer: Viewer,
    typed_number: str,
    typed_contact: str,
    reason: str,
    index_key: bytes,
    random_bytes: Callable[[int], bytes],
    now: datetime,
) -> str:
    """Return a new 查询码, shown once; the old one opens nothing any more.

    Raises:
        NotAllowed: the viewer does not review.
        FieldErrors: `reissue_reason_required`, no reason of the list.
        Refused: `reissue_no_match`, whatever did not fit.
    """
    if not viewer.may(Permission.REVIEW):
        raise NotAllowed(permission=Permission.REVIEW.value)
    if reason not in REASONS:
        raise FieldErrors({"reason": [DomainError("reissue_reason_required", field="reason")]})
    number = parse_receipt_no(typed_number)
    claimed = index_contact(index_key, typed_contact).hex()
    row = session.execute(
        select(Comment.receipt_no, ContactDetails.phone_index, ContactDetails.email_index)
        .join(ContactDetails, ContactDetails.comment_id == Comment.id)
        .where(
            Comment.receipt_no == (str(number) if number else ""),
            ContactDetails.erased_at.is_(None),
            ContactDetails.legal_hold == "",
            reached(viewer.reach(Permission.REVIEW)),
        )
    ).first()
    stored = (row.phone_index, row.email_index) if row is not None else (None, None)
    # Both are always compared, so that the time tells nothing either.
    matches = [hmac.compare_digest(claimed, one or _NO_INDEX) for one in stored]
    if row is None or not any(matches):
        raise Refused("reissue_no_match")
    comment = moves.lock(session, row.receipt_no)
    code = new_query_code(random_bytes)
    comment.query_code_digest = digest_query_code(index_key, code).hex()
    comment.updated_at = now
    by = "phone" if matches[0] else "email"
    events.append(
        session, comment, ACTION, acting(viewer, Permission.REVIEW), now, reason=reason, detail={"matched_by": by}
    )
    session.flush()
    return code


def note_refused(session: Session, by: By, typed_number: str, now: datetime) -> None:
    """Write down a try that did not fit; only a number that could be one is kept, never what else was typed."""
    number = parse_receipt_no(typed_number)
    audit.record(
        session,
        by,
        ACTION,
        now,
        object_kind="comment",
        object_ref=str(number) if number else "",
        result=audit.REFUSED,
    )
