"""Sealing: at intervals one digest over the heads of all comment chains that moved since the last seal.

A chain per comment lets writes run side by side, but whoever can write to the store could rewrite one chain whole.
A seal ties the chains together: each covers the last digest of every chain that grew, and the seal before it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.models.comments import Comment, CommentEvent, EventSeal

SETTLED = timedelta(minutes=2)
"""How old an event must be. On PostgreSQL numbers are given before the commit; no transaction lives this long."""


def seal(session: Session, now: datetime) -> bool:
    """Seal what has settled since the last seal; return whether there was anything. Safe to run twice."""
    before = session.scalar(select(EventSeal).order_by(EventSeal.id.desc()).limit(1))
    after_id = before.last_event_id if before else 0
    until = session.scalar(
        select(func.max(CommentEvent.id)).where(CommentEvent.id > after_id, CommentEvent.at <= now - SETTLED)
    )
    if until is None:
        return False
    heads = _heads(session, after_id, until)
    previous = before.digest if before else ""
    session.add(
        EventSeal(
            sealed_at=now,
            last_event_id=until,
            chains=len(heads),
            previous_digest=previous,
            digest=_digest(heads, until, previous),
        )
    )
    session.flush()
    return True


def check_seals(session: Session) -> list[str]:
    """Compute every seal again from the log; return one line for each that does not hold."""
    problems = []
    previous, after_id = "", 0
    for one in session.scalars(select(EventSeal).order_by(EventSeal.id)):
        heads = _heads(session, after_id, one.last_event_id)
        if one.previous_digest != previous:
            problems.append(f"seal {one.id} is unlinked")
        elif len(heads) != one.chains or _digest(heads, one.last_event_id, previous) != one.digest:
            problems.append(f"seal {one.id} does not fit the log up to entry {one.last_event_id}")
        previous, after_id = one.digest, one.last_event_id
    return problems


def _heads(session: Session, after_id: int, until: int) -> list[tuple[str, int, str]]:
    """Return (编号, sequence number, digest) of the last event of every chain that grew between two seals."""
    grown = (
        select(CommentEvent.comment_id, func.max(CommentEvent.seq).label("seq"))
        .where(CommentEvent.id > after_id, CommentEvent.id <= until)
        .group_by(CommentEvent.comment_id)
        .subquery()
    )
    rows = session.execute(
        select(Comment.receipt_no, CommentEvent.seq, CommentEvent.digest)
        .join(grown, (grown.c.comment_id == CommentEvent.comment_id) & (grown.c.seq == CommentEvent.seq))
        .join(Comment, Comment.id == CommentEvent.comment_id)
        .order_by(Comment.receipt_no)
    )
    return [(receipt_no, int(seq), digest) for receipt_no, seq, digest in rows]


def _digest(heads: Sequence[tuple[str, int, str]], until: int, previous: str) -> str:
    content = json.dumps([previous, until, [list(head) for head in heads]], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
