"""Accounts, roles and sessions; every change is in the audit log (R-93 to R-97).

Passwords arrive here already hashed: hashing takes 45 ms and must not hold the store's write lock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from consult.domain.comment_states import Role
from consult.domain.errors import ConflictingRoles, NotFound, Refused
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from moderation.domain.accounts import check_display_name, check_username
from moderation.models import RoleGrant, StaffMember, StaffSession
from moderation.permissions import UNIT_ROLES, Grant, conflicting
from moderation.queries.accounts import ABSOLUTE, alive
from moderation.services import audit
from moderation.services.audit import By

_DIGEST = re.compile(r"[0-9a-f]{64}")
# The log tells who signed in when; the rows themselves serve only while somebody may ask about them.
_SESSIONS_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class NewAccount:
    """An account to be made.

    Attributes:
        username: 2 to 32 letters, digits or `.@_-`, unique without case.
        person_key: equal for all accounts of one natural person (`domain.accounts.person_key`).
        password_hash: from the password gateway, of a password that `domain.accounts.check_password` let pass.
        must_change_password: the password was made up by somebody else.
    """

    username: str
    display_name: str
    person_key: str
    password_hash: str
    unit_id: int | None = None
    must_change_password: bool = False
    email: bytes | None = None


def create(session: Session, by: By, new: NewAccount, now: datetime) -> int:
    """Make an account without roles and return its id.

    Raises:
        Refused: `username_invalid`, `username_taken`, `unit_unknown`, or what the domain says to the name.
    """
    username = check_username(new.username)
    display_name = check_display_name(new.display_name)
    _one_change_at_a_time(session)
    if session.scalar(select(StaffMember.id).where(StaffMember.username == username)) is not None:
        raise Refused("username_taken", field="username")
    if new.unit_id is not None and session.get(Unit, new.unit_id) is None:
        raise Refused("unit_unknown", field="unit_id")
    member = StaffMember(
        username=username,
        display_name=display_name,
        person_key=new.person_key,
        password_hash=new.password_hash,
        unit_id=new.unit_id,
        must_change_password=new.must_change_password,
        email=new.email,
        created_at=now,
    )
    session.add(member)
    session.flush()
    _record(session, by, "account_create", member, now, {"unit_id": new.unit_id})
    return member.id


def disable(session: Session, by: By, staff_id: int, now: datetime) -> None:
    """Disable an account for good: sessions end, roles go, claimed comments return to the queue (R-96).

    The account stays, because the log names it.

    Raises:
        NotFound: there is no such account.
        Refused: `own_account`, `already_disabled`, `last_administrator`.
    """
    _one_change_at_a_time(session)
    member = _member(session, staff_id)
    if staff_id == by.actor_id:
        raise Refused("own_account")
    if not member.active:
        raise Refused("already_disabled")
    _keep_an_administrator(session, leaving=staff_id)
    member.active = False
    member.disabled_at = now
    revoked = _end_sessions(session, staff_id, now)
    held = session.scalars(
        select(RoleGrant).where(RoleGrant.staff_id == staff_id, RoleGrant.revoked_at.is_(None))
    ).all()
    for grant in held:
        grant.revoked_at = now
    session.execute(update(Comment).where(Comment.claimed_by == staff_id).values(claimed_by=None, claimed_until=None))
    _record(
        session,
        by,
        "account_disable",
        member,
        now,
        {"sessions": revoked, "roles": sorted({grant.role for grant in held})},
    )


def reset_password(session: Session, by: By, staff_id: int, password_hash: str, now: datetime) -> None:
    """Give an account a password somebody else made up; it must be changed at the next sign-in.

    Every session of the account ends.

    Raises:
        NotFound: there is no such account.
        Refused: `already_disabled`.
    """
    member = _member(session, staff_id)
    if not member.active:
        raise Refused("already_disabled")
    member.password_hash = password_hash
    member.must_change_password = True
    _record(session, by, "password_reset", member, now, {"sessions": _end_sessions(session, staff_id, now)})


def change_password(session: Session, by: By, seen_hash: str, password_hash: str, keep: str, now: datetime) -> None:
    """Give one's own account a new password; every session but the one with token digest `keep` ends.

    `seen_hash` is the hash the old password was compared with.

    Raises:
        NotFound: nobody is signed in.
        Refused: `password_wrong`, the password was changed meanwhile.
    """
    member = _member(session, by.actor_id or 0)
    if member.password_hash != seen_hash:
        raise Refused("password_wrong", field="old_password")
    member.password_hash = password_hash
    member.must_change_password = False
    ended = _end_sessions(session, member.id, now, keep=keep)
    _record(session, by, "password_change", member, now, {"sessions": ended})


def renew_hash(session: Session, staff_id: int, seen_hash: str, password_hash: str) -> None:
    """Store the same password under today's parameters, unless it was changed meanwhile."""
    session.execute(
        update(StaffMember)
        .where(StaffMember.id == staff_id, StaffMember.password_hash == seen_hash)
        .values(password_hash=password_hash)
    )


def grant(session: Session, by: By, staff_id: int, given: Grant, now: datetime) -> None:
    """Give an account a role, everywhere or in one consultation.

    Raises:
        NotFound: there is no such account or consultation.
        ConflictingRoles: the natural person holds a role, in this or another account, that excludes it (R-94).
        Refused: `unit_role_needs_unit`, `role_held`, `already_disabled`, `role_is_everywhere`.
    """
    _one_change_at_a_time(session)
    member = _member(session, staff_id)
    if not member.active:
        raise Refused("already_disabled")
    if given.role in UNIT_ROLES and member.unit_id is None:
        raise Refused("unit_role_needs_unit", field="role")
    if given.consultation_id is not None:
        if given.role in (Role.SYSADMIN, Role.SECURITY_AUDITOR):
            raise Refused("role_is_everywhere", field="consultation_id")
        if session.get(Consultation, given.consultation_id) is None:
            raise NotFound(object="consultation")
    held = _grants_of_person(session, member.person_key)
    roles = frozenset(Role(each.role) for each in held) | {given.role}
    if conflicting(roles):
        raise ConflictingRoles(field="role", role=given.role.value, held=sorted(roles - {given.role}))
    if any(
        (each.staff_id, each.role, each.consultation_id) == (staff_id, given.role.value, given.consultation_id)
        for each in held
    ):
        raise Refused("role_held", field="role")
    session.add(
        RoleGrant(
            staff_id=staff_id,
            role=given.role.value,
            consultation_id=given.consultation_id,
            granted_by=by.actor_id,
            granted_at=now,
        )
    )
    detail = {"role": given.role.value, "consultation_id": given.consultation_id}
    _record(session, by, "role_grant", member, now, detail)


def revoke(session: Session, by: By, staff_id: int, grant_id: int, now: datetime) -> None:
    """Take a role from an account; it stays in the table with the time it ended.

    Raises:
        NotFound: the account holds no such role.
        Refused: `last_administrator`.
    """
    _one_change_at_a_time(session)
    member = _member(session, staff_id)
    held = session.scalar(
        select(RoleGrant).where(
            RoleGrant.id == grant_id, RoleGrant.staff_id == staff_id, RoleGrant.revoked_at.is_(None)
        )
    )
    if held is None:
        raise NotFound(object="role")
    if held.role == Role.SYSADMIN:
        _keep_an_administrator(session, leaving=staff_id)
    held.revoked_at = now
    detail = {"role": held.role, "consultation_id": held.consultation_id}
    _record(session, by, "role_revoke", member, now, detail)


def sign_in(session: Session, staff_id: int, seen_hash: str, token_digest: str, by: By, now: datetime) -> None:
    """Open a session under a new token; the password has been compared with `seen_hash`.

    Raises:
        Refused: `sign_in_failed`, the account was disabled or its password changed meanwhile.
    """
    member = session.scalar(select(StaffMember).where(StaffMember.id == staff_id).with_for_update())
    if member is None or not member.active or member.password_hash != seen_hash:
        raise Refused("sign_in_failed")
    session.execute(
        delete(StaffSession).where(StaffSession.staff_id == staff_id, StaffSession.ends_at < now - _SESSIONS_KEPT)
    )
    session.add(
        StaffSession(
            token_digest=token_digest,
            staff_id=staff_id,
            started_at=now,
            seen_at=now,
            ends_at=now + ABSOLUTE,
            address=by.address,
        )
    )
    _record(session, By(staff_id, "", by.address), "sign_in", member, now)


def record_failed_sign_in(session: Session, by: By, username: str, now: datetime) -> None:
    """Record a refused sign-in; `username` is empty when no such account exists.

    What was typed then is not kept: people type their password there.
    """
    audit.record(session, by, "sign_in", now, object_kind="account", object_ref=username, result=audit.REFUSED)


def touch(session: Session, token_digest: str, now: datetime) -> None:
    """Note that a session is in use; called at most once a minute."""
    session.execute(
        update(StaffSession)
        .where(StaffSession.token_digest == token_digest, StaffSession.seen_at < now)
        .values(seen_at=now)
    )


def sign_out(session: Session, by: By, token_digest: str, now: datetime) -> None:
    """End the session of a token; nothing happens when it has ended already."""
    ended = session.scalar(
        update(StaffSession)
        .where(StaffSession.token_digest == token_digest, StaffSession.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(StaffSession.staff_id)
    )
    if ended is not None:
        audit.record(session, by, "sign_out", now, object_kind="session", object_ref=token_digest[:12])


def revoke_session(session: Session, by: By, token_digest: str, now: datetime) -> None:
    """End one of one's own sessions.

    Raises:
        NotFound: the actor has no such open session.
    """
    if not _DIGEST.fullmatch(token_digest):
        raise NotFound(object="session")
    ended = session.scalar(
        update(StaffSession)
        .where(StaffSession.token_digest == token_digest, StaffSession.staff_id == by.actor_id, alive(now))
        .values(revoked_at=now)
        .returning(StaffSession.staff_id)
    )
    if ended is None:
        raise NotFound(object="session")
    audit.record(session, by, "session_revoke", now, object_kind="session", object_ref=token_digest[:12])


def revoke_other_sessions(session: Session, by: By, keep: str, now: datetime) -> int:
    """End every session of the actor but the one with token digest `keep`; return how many ended."""
    ended = _end_sessions(session, by.actor_id or 0, now, keep=keep)
    audit.record(session, by, "session_revoke", now, object_kind="session", detail={"sessions": ended})
    return ended


def set_shortcuts(session: Session, staff_id: int, on: bool) -> None:
    """Switch single-key shortcuts on or off for an account (WCAG 2.1.4)."""
    session.execute(update(StaffMember).where(StaffMember.id == staff_id).values(shortcuts=on))


def _one_change_at_a_time(session: Session) -> None:
    """Let changes of accounts and roles wait for one another.

    Otherwise two administrators could give two accounts of one person roles that exclude each other, or each
    remove the other as the last administrator: neither transaction would see the other's rows.
    """
    audit.lock_chain(session, audit.NOT_SIGNED_IN)


def _member(session: Session, staff_id: int) -> StaffMember:
    member = session.scalar(select(StaffMember).where(StaffMember.id == staff_id).with_for_update())
    if member is None:
        raise NotFound(object="account")
    return member


def _grants_of_person(session: Session, person_key: str) -> list[RoleGrant]:
    return list(
        session.scalars(
            select(RoleGrant)
            .join(StaffMember, StaffMember.id == RoleGrant.staff_id)
            .where(StaffMember.person_key == person_key, StaffMember.active, RoleGrant.revoked_at.is_(None))
        )
    )


def _keep_an_administrator(session: Session, leaving: int) -> None:
    others = session.scalar(
        select(RoleGrant.id)
        .join(StaffMember, StaffMember.id == RoleGrant.staff_id)
        .where(
            RoleGrant.role == Role.SYSADMIN.value,
            RoleGrant.revoked_at.is_(None),
            RoleGrant.staff_id != leaving,
            StaffMember.active,
        )
        .limit(1)
    )
    is_administrator = session.scalar(
        select(RoleGrant.id).where(
            RoleGrant.role == Role.SYSADMIN.value, RoleGrant.revoked_at.is_(None), RoleGrant.staff_id == leaving
        )
    )
    if is_administrator is not None and others is None:
        raise Refused("last_administrator")


def _end_sessions(session: Session, staff_id: int, now: datetime, keep: str = "") -> int:
    ended = session.scalars(
        update(StaffSession)
        .where(StaffSession.staff_id == staff_id, StaffSession.token_digest != keep, alive(now))
        .values(revoked_at=now)
        .returning(StaffSession.token_digest)
    )
    return len(ended.all())


def _record(
    session: Session,
    by: By,
    action: str,
    member: StaffMember,
    now: datetime,
    detail: Mapping[str, object] | None = None,
) -> None:
    session.flush()
    audit.record(session, by, action, now, object_kind="account", object_ref=member.username, detail=detail)
