"""The one way a comment changes its state or its publicity.

Every service that moves a comment comes through `move` or `set_publicity`: the table of states is asked,
the standing and the counts follow, and the event is appended, all in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import (
    Action,
    ClosedAs,
    CommentState,
    Publicity,
    Standing,
    available_actions,
    standing,
    transition,
)
from consult.domain.errors import ChangedMeanwhile, NotFound
from consult.models.comments import Comment
from consult.services import events, search_index, tallies
from consult.services.events import Actor


def lock(session: Session, receipt_no: str, seen_version: int | None = None) -> Comment:
    """Load a comment for changing, locked against everybody else until the transaction ends.

    Raises:
        NotFound: there is no such comment.
        ChangedMeanwhile: somebody changed it after the caller's page was drawn (R-91).
    """
    comment = session.scalar(select(Comment).where(Comment.receipt_no == receipt_no).with_for_update())
    if comment is None:
        raise NotFound(object="comment")
    if seen_version is not None and comment.version != seen_version:
        raise ChangedMeanwhile(comment.version, comment.handling_state)
    return comment


def move(
    session: Session,
    comment: Comment,
    action: Action,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    detail: Mapping[str, object] | None = None,
    publicity: Publicity | None = None,
    closed_as: ClosedAs | None = None,
) -> None:
    """Take one step of the state table and record it.

    Raises:
        IllegalTransition: the table has no such step (R-90); nothing is changed.
    """
    step = transition(CommentState(comment.handling_state), action)
    before = comment.handling_state
    comment.handling_state = step.target
    if publicity is not None:
        comment.publicity = publicity
    if step.target is CommentState.CLOSED:
        comment.closed_as = (closed_as or ClosedAs.ANSWERED).value
    elif before == CommentState.CLOSED:
        comment.closed_as = ""
    refresh_standing(session, comment, now)
    events.append(
        session,
        comment,
        action,
        actor,
        now,
        before=before,
        after=step.target,
        reason=reason,
        detail={"transition": step.id, **(detail or {})},
    )
    session.flush()


def refresh_standing(session: Session, comment: Comment, now: datetime) -> None:
    """Recompute in which pile a comment counts, and move the counts with it."""
    after = standing(
        CommentState(comment.handling_state),
        Publicity(comment.publicity),
        ClosedAs(comment.closed_as) if comment.closed_as else None,
        hidden=comment.hidden_at is not None,
    )
    before = Standing(comment.standing)
    comment.updated_at = now
    search_index.note(session, comment)
    if after is before:
        return
    comment.standing = after
    session.flush()
    tallies.shift(session, comment, before, after)


def what_is_possible(comment: Comment) -> tuple[Action, ...]:
    """Return the steps the table allows from where the comment stands."""
    return available_actions(CommentState(comment.handling_state))
