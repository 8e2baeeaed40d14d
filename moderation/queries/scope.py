"""Which comments somebody reaches, as one SQL condition that every staff query and service uses (R-93).

A comment that is sealed as a suspected state secret is reached by nobody (R-38).
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, exists, false, or_, select, true

from consult.domain.comment_states import NonStateAction
from consult.models.comments import Assignment, CoAssignment, Comment, CommentEvent
from moderation.permissions import Permission, Reach, Viewer


def reached(reach: Reach, *, sealed_too: bool = False) -> ColumnElement[bool]:
    """Return the condition on `Comment` that a reach stands for.

    The lead unit is the one of the routing in force, so a unit loses sight of what it handed back; a co-unit is
    looked up in the routing in force. Nothing reached gives a condition that is never true.
    """
    ways: list[ColumnElement[bool]] = []
    if reach.everything:
        ways.append(true())
    if reach.consultations:
        ways.append(Comment.consultation_id.in_(sorted(reach.consultations)))
    if reach.lead_unit is not None:
        ways.append(Comment.lead_unit_id == reach.lead_unit)
    if reach.co_unit is not None:
        ways.append(_co_unit(reach.co_unit))
    if reach.supervised_everywhere:
        ways.append(_supervised())
    if reach.supervised_in:
        ways.append(and_(Comment.consultation_id.in_(sorted(reach.supervised_in)), _supervised()))
    if not ways:
        return false()
    condition = or_(*ways)
    return condition if sealed_too else and_(condition, Comment.sealed.is_(False))


def joined(viewer: Viewer, permissions: Iterable[Permission]) -> Reach:
    """Return what any of several permissions reaches, for pages that several of them open."""
    everything = supervised_everywhere = False
    consultations: set[int] = set()
    supervised: set[int] = set()
    lead = co = None
    for permission in permissions:
        one = viewer.reach(permission)
        everything = everything or one.everything
        supervised_everywhere = supervised_everywhere or one.supervised_everywhere
        consultations |= one.consultations
        supervised |= one.supervised_in
        lead = lead if one.lead_unit is None else one.lead_unit
        co = co if one.co_unit is None else one.co_unit
    return Reach(everything, frozenset(consultations), lead, co, supervised_everywhere, frozenset(supervised))


def _co_unit(unit_id: int) -> ColumnElement[bool]:
    return exists(
        select(1)
        .select_from(CoAssignment)
        .join(Assignment, Assignment.id == CoAssignment.assignment_id)
        .where(
            Assignment.comment_id == Comment.id,
            Assignment.closed_at.is_(None),
            CoAssignment.unit_id == unit_id,
        )
    )


def _supervised() -> ColumnElement[bool]:
    return exists(
        select(1).where(CommentEvent.comment_id == Comment.id, CommentEvent.kind == NonStateAction.SUPERVISE.value)
    )
