"""What a submitter thinks of the reply: once for each published version; feeds the supervision of units."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.errors import DomainError, FieldErrors, Refused
from consult.models.comments import SATISFACTIONS, Rating, Reply
from consult.services import events, moves
from consult.services.appeals import checked_words

WORDS_FIELD = "rating_words"


def rate(session: Session, receipt_no: str, score: str, words: str, now: datetime) -> Rating:
    """Rate the reply in force: satisfied, basically or dissatisfied, with words if somebody likes.

    Raises:
        Refused: `rating_no_reply`, nothing is published; `rating_once`, this version was rated before.
        FieldErrors: no score chosen, or words that cannot be stored.
    """
    comment = moves.lock(session, receipt_no)
    reply = session.scalar(select(Reply).where(Reply.comment_id == comment.id, Reply.state == "published"))
    if reply is None:
        raise Refused("rating_no_reply")
    if session.scalar(select(Rating.id).where(Rating.reply_id == reply.id)) is not None:
        raise Refused("rating_once")
    written = checked_words(words, WORDS_FIELD)
    if score not in SATISFACTIONS:
        raise FieldErrors({"rating": [DomainError("rating_required", field="rating")]})
    rating = Rating(
        comment_id=comment.id,
        reply_id=reply.id,
        unit_id=reply.lead_unit_id,
        score=score,
        words=written,
        rated_at=now,
    )
    session.add(rating)
    comment.updated_at = now
    events.append(session, comment, "rate_reply", events.PUBLIC, now, detail={"revision": reply.revision})
    session.flush()
    return rating
