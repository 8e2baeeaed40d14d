"""What notices need from the tables only staff know: a unit's mailboxes, the words of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.comments import Appeal
from moderation.models import ExtensionRequest, ReturnRequest, RoleGrant, StaffMember
from moderation.permissions import UNIT_ROLES


def mailboxes(session: Session, unit_id: int) -> Sequence[bytes]:
    """Return the encrypted addresses of a unit's active officers and leaders."""
    holders = select(RoleGrant.staff_id).where(
        RoleGrant.revoked_at.is_(None), RoleGrant.role.in_(sorted(role.value for role in UNIT_ROLES))
    )
    found = session.scalars(
        select(StaffMember.email)
        .where(
            StaffMember.unit_id == unit_id,
            StaffMember.active,
            StaffMember.email.is_not(None),
            StaffMember.id.in_(holders),
        )
        .order_by(StaffMember.id)
    )
    return [token for token in found if token is not None]


def words(session: Session, kind: str, params: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what a person wrote in the request a notice is about; empty when it is about none."""
    if kind == "appeal_decided":
        why = select(Appeal.decision_reason).where(Appeal.id == params.get("appeal"))
        return {"decision": session.scalar(why) or ""}
    request = params.get("request")
    if not isinstance(request, int):
        return {}
    if kind == "extension":
        return {"reason": session.scalar(select(ExtensionRequest.reason).where(ExtensionRequest.id == request)) or ""}
    if kind == "return_refused":
        why = select(ReturnRequest.decision_reason).where(ReturnRequest.id == request)
        return {"decision": session.scalar(why) or ""}
    return {}
