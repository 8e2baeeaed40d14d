"""Finding staff by name or number, for the command line and for checks between natural persons (R-95)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Role
from consult.domain.errors import NotFound
from consult.models.plan import Unit
from moderation.domain.accounts import fold_username
from moderation.models import RoleGrant, StaffMember
from moderation.permissions import Grant, Viewer


def viewer_named(session: Session, username: str) -> Viewer:
    """Return an active account with its roles.

    Raises:
        NotFound: there is no active account of that name.
    """
    member = session.scalar(
        select(StaffMember).where(StaffMember.username == fold_username(username), StaffMember.active)
    )
    if member is None:
        raise NotFound("account_unknown", username=username)
    held = session.execute(
        select(RoleGrant.role, RoleGrant.consultation_id).where(
            RoleGrant.staff_id == member.id, RoleGrant.revoked_at.is_(None)
        )
    )
    unit = session.get(Unit, member.unit_id) if member.unit_id is not None else None
    return Viewer(
        member.id,
        member.username,
        member.display_name,
        member.person_key,
        member.unit_id,
        frozenset(Grant(Role(role), consultation_id) for role, consultation_id in held),
        "" if unit is None else unit.short_name,
    )


def person_keys(session: Session, staff_ids: Iterable[int]) -> frozenset[str]:
    """Return the keys of the natural persons behind these accounts (R-95)."""
    return frozenset(session.scalars(select(StaffMember.person_key).where(StaffMember.id.in_(list(staff_ids)))))


def display_names(session: Session, staff_ids: Iterable[int]) -> dict[int, str]:
    """Return account id -> name."""
    return dict(
        session.execute(
            select(StaffMember.id, StaffMember.display_name).where(StaffMember.id.in_(list(staff_ids)))
        ).all()
    )
