"""Publishing what became of the comments (C06): only when all are finished and the sums close."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from consult.domain.comment_states import ANSWERED, CommentState
from consult.domain.errors import NotFound
from consult.domain.ledger import RESULT_NAMES, reconcile
from consult.domain.periods import (
    ConsultationAction,
    ConsultationState,
    check_publish_feedback,
    next_consultation_state,
)
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from consult.queries import published
from consult.services import events
from consult.services.events import Actor


def publish_feedback(session: Session, slug: str, actor: Actor, now: datetime) -> None:
    """Publish the results of a consultation whose comments are all finished (C06).

    Raises:
        NotFound: there is no such consultation.
        IllegalTransition: it is not being collated (R-13).
        UnfinishedComments: some comments have not reached an end (R-62).
        CountsDoNotReconcile: the results do not add up to what was received (R-63).
    """
    consultation = session.scalar(select(Consultation).where(Consultation.slug == slug).with_for_update())
    if consultation is None:
        raise NotFound(object="consultation")
    state = ConsultationState(consultation.stage)
    target = next_consultation_state(state, ConsultationAction.PUBLISH_FEEDBACK)
    check_publish_feedback(unfinished(session, consultation.id))
    results = reconcile(
        published.counts(session, consultation.id).received, published.results(session, consultation.id)
    )
    consultation.stage = target
    consultation.feedback_published_at = now
    events.append_to_consultation(
        session,
        consultation,
        "publish_feedback",
        actor,
        now,
        before=state,
        after=target,
        detail={"results": {name: getattr(results, name) for name in RESULT_NAMES}, "total": results.total},
    )
    session.flush()


def unfinished(session: Session, consultation_id: int) -> int:
    """Count comments that have not reached an end (R-62)."""
    primary = aliased(Comment)
    ends = (*(state.value for state in ANSWERED), CommentState.WITHDRAWN.value)
    return int(
        session.scalar(
            select(func.count())
            .select_from(Comment)
            .outerjoin(primary, primary.id == Comment.merged_into_id)
            .where(
                Comment.consultation_id == consultation_id,
                Comment.handling_state.not_in(ends),
                ~((Comment.handling_state == CommentState.MERGED.value) & primary.handling_state.in_(ends[:-1])),
            )
        )
        or 0
    )
