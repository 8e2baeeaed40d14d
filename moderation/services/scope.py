"""Taking a comment into hand: may the viewer do this, does the comment lie in reach, is it as they saw it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Action, CommentState, transition
from consult.domain.errors import ChangedMeanwhile, NotAllowed, NotFound, NotLeadUnit
from consult.models.comments import Comment
from consult.services import events, moves
from consult.services.events import Actor
from moderation.models import StaffMember
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import reached

_LEAD_ONLY = frozenset({Permission.DRAFT_REPLY, Permission.SUBMIT_REPLY})


def take(
    session: Session,
    viewer: Viewer,
    permission: Permission,
    receipt_no: str,
    seen_version: int | None = None,
    *,
    sealed_too: bool = False,
) -> Comment:
    """Lock a comment for an action of the viewer until the transaction ends.

    The questions come in this order, so that nobody learns more than they may: the role, the reach, the version.

    Raises:
        NotAllowed: no role of the viewer has the permission, or they may see the comment but not do this to it.
        NotLeadUnit: a co-unit tries what only the lead unit does.
        NotFound: there is no such comment in reach; existence is not told.
        ChangedMeanwhile: somebody changed it after the viewer's page was drawn (R-91).
    """
    if not viewer.may(permission):
        raise NotAllowed(permission=permission.value)
    comment = moves.lock(session, receipt_no)
    if not _lies_in(session, viewer, permission, comment, sealed_too):
        if _lies_in(session, viewer, Permission.VIEW_UNPUBLISHED, comment, sealed_too):
            raise NotLeadUnit if permission in _LEAD_ONLY else NotAllowed(permission=permission.value)
        raise NotFound(object="comment")
    if seen_version is not None and comment.version != seen_version:
        raise ChangedMeanwhile(comment.version, comment.handling_state)
    return comment


def expect(comment: Comment, action: Action) -> None:
    """Ask the state table before anything else is judged.

    Raises:
        IllegalTransition: no such step from where the comment stands (R-90).
    """
    transition(CommentState(comment.handling_state), action)


def acting(viewer: Viewer, permission: Permission) -> Actor:
    """Return the viewer as the record names them: in the role that gives them this permission."""
    return events.staff(viewer.staff_id, viewer.role_for(permission))


def person_of(session: Session, staff_id: int | None) -> str:
    """Return the natural person behind an account (R-95), or an empty text when nobody is named."""
    if staff_id is None:
        return ""
    return session.scalar(select(StaffMember.person_key).where(StaffMember.id == staff_id)) or ""


def _lies_in(session: Session, viewer: Viewer, permission: Permission, comment: Comment, sealed_too: bool) -> bool:
    condition = reached(viewer.reach(permission), sealed_too=sealed_too)
    return session.scalar(select(1).where(Comment.id == comment.id, condition)) is not None
