"""Comments that read like one another, for the person who merges: a suggestion that merges nothing (R-84, R-85).

The index of a consultation is kept per process for a few minutes and bounded to its newest comments that are not
answered; what it finds is looked up again, so that states and reach are those of now.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import MERGEABLE, CommentState
from consult.domain.errors import NotFound
from consult.domain.similarity import SAME, SimilarityIndex
from consult.models.comments import Comment
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached

INDEXED = 1000
"""Comments compared; the index over this many is built in about a second."""

KEPT_FOR = timedelta(minutes=5)
OPENING = 160
COMPARED: tuple[CommentState, ...] = (
    CommentState.ACCEPTED,
    CommentState.TO_ASSIGN,
    CommentState.ASSIGNED,
    CommentState.IN_PROGRESS,
    CommentState.RETURN_REQUESTED,
    CommentState.PENDING_SIGN_OFF,
)


@dataclass(frozen=True)
class Prepared:
    """The index of one consultation and when it was made; position in it to id of the comment."""

    ids: tuple[int, ...]
    index: SimilarityIndex
    made_at: datetime


@dataclass(frozen=True)
class Candidate:
    """A comment that may belong together with the one looked at; `score` is 0 to 1."""

    receipt_no: str
    version: int
    state: str
    opening: str
    score: float
    same: bool
    may_lead: bool
    may_join: bool


@dataclass(frozen=True)
class MergePage:
    """The comment that is to be merged, or into which others are, and what reads like it."""

    receipt_no: str
    version: int
    state: str
    body: str
    may_join: bool
    may_lead: bool
    members: int
    candidates: tuple[Candidate, ...]


def merge_page(
    session: Session, viewer: Viewer, receipt_no: str, kept: MutableMapping[Any, Any], now: datetime, limit: int = 10
) -> MergePage:
    """Return one comment with what reads like it, best first.

    Raises:
        NotFound: it does not exist or lies outside the viewer's reach.
    """
    reach = reached(viewer.reach(Permission.ASSIGN))
    comment = session.scalar(select(Comment).where(Comment.receipt_no == receipt_no, reach))
    if comment is None:
        raise NotFound(object="comment")
    members = _member_counts(session, [comment.id]).get(comment.id, 0)
    prepared = _prepared(session, comment.consultation_id, kept, now)
    found = {
        prepared.ids[one.position]: one.score
        for one in prepared.index.similar_to(comment.body, limit + 1)
        if prepared.ids[one.position] != comment.id
    }
    rows = session.scalars(
        select(Comment).where(
            Comment.id.in_(found), Comment.handling_state.in_([state.value for state in COMPARED]), reach
        )
    ).all()
    heads = _member_counts(session, [row.id for row in rows])
    candidates = sorted(
        (_candidate(row, found[row.id], heads.get(row.id, 0)) for row in rows),
        key=lambda one: (-one.score, one.receipt_no),
    )
    return MergePage(
        comment.receipt_no,
        comment.version,
        comment.handling_state,
        comment.body,
        may_join=comment.handling_state in MERGEABLE and not members,
        may_lead=comment.handling_state in COMPARED,
        members=members,
        candidates=tuple(candidates[:limit]),
    )


def _candidate(row: Comment, score: float, members: int) -> Candidate:
    return Candidate(
        row.receipt_no,
        row.version,
        row.handling_state,
        row.body[:OPENING],
        score,
        same=score >= SAME,
        may_lead=True,
        may_join=row.handling_state in MERGEABLE and not members,
    )


def _member_counts(session: Session, ids: list[int]) -> dict[int, int]:
    rows = session.execute(
        select(Comment.merged_into_id, func.count())
        .where(Comment.merged_into_id.in_(ids))
        .group_by(Comment.merged_into_id)
    )
    return {key: int(n) for key, n in rows if key is not None}


def _prepared(session: Session, consultation_id: int, kept: MutableMapping[Any, Any], now: datetime) -> Prepared:
    key = ("similar", consultation_id)
    held = kept.get(key)
    if isinstance(held, Prepared) and held.made_at <= now < held.made_at + KEPT_FOR:
        return held
    rows = session.execute(
        select(Comment.id, Comment.body)
        .where(
            Comment.consultation_id == consultation_id,
            Comment.handling_state.in_([state.value for state in COMPARED]),
            Comment.sealed.is_(False),
        )
        .order_by(Comment.submitted_at.desc(), Comment.id.desc())
        .limit(INDEXED)
    ).all()
    made = Prepared(tuple(row.id for row in rows), SimilarityIndex([row.body for row in rows]), now)
    kept[key] = made
    return made
