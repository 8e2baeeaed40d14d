"""Same comments under one: each keeps its number, its public row and its own answer (R-84 to R-87)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Action, CommentState
from consult.domain.errors import IllegalTransition, NotFound
from consult.models.comments import Comment
from consult.services import merging, moves
from moderation.domain.decisions import MergeSide, check_merge, check_unmerge
from moderation.permissions import Permission, Viewer
from moderation.services import notices
from moderation.services.scope import acting, take


def merge(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    primary_no: str,
    reason: str,
    now: datetime,
) -> Comment:
    """Put a comment under a primary one (T26, T27); it will be answered with it, by its own number.

    Raises:
        DifferentConsultation, MergeChain, PrimaryAnswered, IllegalTransition, ReasonRequired: R-84.
        NotFound: either lies outside the viewer's reach.
    """
    # Locked in the order of their numbers, so that two people merging at once cannot lock each other out.
    taken = {
        number: take(session, viewer, Permission.ASSIGN, number, seen_version if number == receipt_no else None)
        for number in sorted({receipt_no, primary_no})
    }
    comment, primary = taken[receipt_no], taken[primary_no]
    check_merge(_side(session, comment), _side(session, primary), reason)
    comment.merged_into_id = primary.id
    moves.move(
        session,
        comment,
        Action.MERGE,
        acting(viewer, Permission.ASSIGN),
        now,
        reason=reason.strip(),
        detail={"primary": primary.receipt_no},
    )
    notices.to_submitter(session, comment, "merged", str(comment.event_seq), now, {"primary": primary.receipt_no})
    return comment


def unmerge(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, reason: str, now: datetime
) -> Comment:
    """Take a comment out again; it goes back to be routed and its clock starts anew (T28, R-86).

    Raises:
        IllegalTransition: it is not merged.
        PrimaryAnswered: the primary is answered.
    """
    comment = take(session, viewer, Permission.ASSIGN, receipt_no, seen_version)
    if comment.merged_into_id is None:
        raise IllegalTransition(comment.handling_state, Action.UNMERGE, moves.what_is_possible(comment))
    primary = session.get(Comment, comment.merged_into_id)
    if primary is None:
        raise NotFound(object="comment")
    check_unmerge(CommentState(primary.handling_state))
    merging.release(session, comment, acting(viewer, Permission.ASSIGN), reason, now)
    return comment


def _side(session: Session, comment: Comment) -> MergeSide:
    members = session.scalar(select(func.count()).where(Comment.merged_into_id == comment.id)) or 0
    return MergeSide(
        comment=comment.receipt_no,
        consultation=str(comment.consultation_id),
        state=CommentState(comment.handling_state),
        merged_into=None if comment.merged_into_id is None else str(comment.merged_into_id),
        has_members=members > 0,
    )
