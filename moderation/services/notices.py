"""Putting notices into the outbox, in the transaction that causes them (R-91).

A notice names what happened, never the person or their words: `params` holds dates, unit names and ids of rows
to be read when it is sent. Kinds to the submitter are those of texts.md §4, kinds to units those of §5.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.comments import Comment, ContactDetails, Outbox


def to_submitter(
    session: Session, comment: Comment, kind: str, key: str, now: datetime, params: Mapping[str, object] | None = None
) -> None:
    """Queue a notice to the submitter; people without e-mail are listed for a telephone call.

    `key` tells this occasion from other ones of the same kind; the same key is never sent twice.
    """
    contact = session.execute(
        select(ContactDetails.email, ContactDetails.erased_at).where(ContactDetails.comment_id == comment.id)
    ).first()
    if contact is None or contact.erased_at is not None:
        return
    session.add(
        Outbox(
            message_key=f"{kind}:{comment.receipt_no}:{key}",
            kind=kind,
            comment_id=comment.id,
            params=dict(params or {}),
            state="waiting" if contact.email else "phone",
            created_at=now,
            due_at=now,
        )
    )


def to_unit(
    session: Session,
    comment: Comment,
    unit_id: int,
    kind: str,
    key: str,
    now: datetime,
    params: Mapping[str, object] | None = None,
) -> None:
    """Queue a notice to a unit."""
    session.add(
        Outbox(
            message_key=f"{kind}:{comment.receipt_no}:{key}:{unit_id}",
            kind=kind,
            comment_id=comment.id,
            unit_id=unit_id,
            params=dict(params or {}),
            created_at=now,
            due_at=now,
        )
    )


def day(value: date | None) -> str | None:
    """Return a day as it is kept in `params`, None while it cannot be told (R-61)."""
    return None if value is None else value.isoformat()
