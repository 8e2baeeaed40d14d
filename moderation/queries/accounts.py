"""Reading accounts: who is signed in, who may sign in, and the pages of the administrator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Role
from consult.domain.errors import NotFound
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from moderation.domain.accounts import fold_username
from moderation.models import RoleGrant, StaffMember, StaffSession
from moderation.permissions import STAFF_ROLES, Grant, Viewer

IDLE = timedelta(minutes=30)
ABSOLUTE = timedelta(hours=8)


@dataclass(frozen=True)
class SignedIn:
    """A living session: the viewer, and what the checks of a request need besides."""

    viewer: Viewer
    token_digest: str
    seen_at: datetime
    must_change_password: bool


@dataclass(frozen=True)
class Credentials:
    """What sign-in compares with."""

    staff_id: int
    username: str
    password_hash: str
    active: bool


@dataclass(frozen=True)
class OpenSession:
    """One signed-in browser of a person; `address` is still encrypted."""

    token_digest: str
    started_at: datetime
    seen_at: datetime
    ends_at: datetime
    address: bytes | None


@dataclass(frozen=True)
class AccountRow:
    """One line of the list of accounts. `siblings`: other accounts of the same natural person."""

    id: int
    username: str
    display_name: str
    unit: str
    roles: tuple[Role, ...]
    active: bool
    siblings: int


@dataclass(frozen=True)
class HeldGrant:
    """A role an account holds; `consultation` is empty when it holds everywhere."""

    id: int
    role: Role
    consultation: str
    granted_at: datetime


@dataclass(frozen=True)
class Account:
    """One account with its roles, and the other accounts of the same natural person."""

    id: int
    username: str
    display_name: str
    unit: str
    active: bool
    must_change_password: bool
    created_at: datetime
    disabled_at: datetime | None
    grants: tuple[HeldGrant, ...]
    siblings: tuple[AccountRow, ...]
    open_sessions: int


@dataclass(frozen=True)
class Choice:
    """A unit or a consultation to choose from."""

    id: int
    label: str


@dataclass(frozen=True)
class AccountFilter:
    """Which accounts to list: part of a name, a unit, a role; `active` None means both."""

    q: str = ""
    unit_id: int | None = None
    role: Role | None = None
    active: bool | None = True


def alive(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a session is neither revoked, idle for 30 minutes, nor 8 hours old."""
    return and_(StaffSession.revoked_at.is_(None), StaffSession.ends_at > now, StaffSession.seen_at > now - IDLE)


def signed_in(session: Session, token_digest: str, now: datetime) -> SignedIn | None:
    """Return who a session token belongs to, in one query; None when it is not, or no longer, good."""
    rows = session.execute(
        select(
            StaffMember.id,
            StaffMember.username,
            StaffMember.display_name,
            StaffMember.person_key,
            StaffMember.unit_id,
            StaffMember.shortcuts,
            StaffMember.must_change_password,
            StaffSession.seen_at,
            Unit.short_name,
            RoleGrant.role,
            RoleGrant.consultation_id,
        )
        .select_from(StaffSession)
        .join(StaffMember, StaffMember.id == StaffSession.staff_id)
        .outerjoin(Unit, Unit.id == StaffMember.unit_id)
        .outerjoin(RoleGrant, and_(RoleGrant.staff_id == StaffMember.id, RoleGrant.revoked_at.is_(None)))
        .where(StaffSession.token_digest == token_digest, StaffMember.active, alive(now))
    ).all()
    if not rows:
        return None
    first = rows[0]
    viewer = Viewer(
        staff_id=first.id,
        username=first.username,
        display_name=first.display_name,
        person_key=first.person_key,
        unit_id=first.unit_id,
        grants=frozenset(Grant(Role(row.role), row.consultation_id) for row in rows if row.role is not None),
        unit_name=first.short_name or "",
        shortcuts=first.shortcuts,
    )
    return SignedIn(viewer, token_digest, first.seen_at, first.must_change_password)


def credentials(session: Session, username: str) -> Credentials | None:
    """Return what a sign-in compares with, or None when there is no such account."""
    row = session.execute(
        select(StaffMember.id, StaffMember.username, StaffMember.password_hash, StaffMember.active).where(
            StaffMember.username == fold_username(username)
        )
    ).one_or_none()
    return None if row is None else Credentials(row.id, row.username, row.password_hash, row.active)


def open_sessions(session: Session, staff_id: int, now: datetime) -> tuple[OpenSession, ...]:
    """Return the living sessions of an account, newest first."""
    rows = session.execute(
        select(
            StaffSession.token_digest,
            StaffSession.started_at,
            StaffSession.seen_at,
            StaffSession.ends_at,
            StaffSession.address,
        )
        .where(StaffSession.staff_id == staff_id, alive(now))
        .order_by(StaffSession.started_at.desc())
    )
    return tuple(OpenSession(*row) for row in rows)


def listed(
    session: Session, wanted: AccountFilter, after: int = 0, size: int = 100
) -> tuple[tuple[AccountRow, ...], int]:
    """Return a page of accounts after id `after`, and the id to go on from (0 at the end)."""
    conditions: list[ColumnElement[bool]] = [StaffMember.id > after]
    if wanted.q:
        pattern = "%" + wanted.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        conditions.append(
            or_(
                StaffMember.username.like(pattern.casefold(), escape="\\"),
                StaffMember.display_name.like(pattern, escape="\\"),
            )
        )
    if wanted.unit_id is not None:
        conditions.append(StaffMember.unit_id == wanted.unit_id)
    if wanted.active is not None:
        conditions.append(StaffMember.active.is_(wanted.active))
    if wanted.role is not None:
        holders = select(RoleGrant.staff_id).where(RoleGrant.role == wanted.role.value, RoleGrant.revoked_at.is_(None))
        conditions.append(StaffMember.id.in_(holders))
    rows = _rows(session, and_(*conditions), size + 1)
    return rows[:size], rows[size - 1].id if len(rows) > size else 0


def account(session: Session, staff_id: int, now: datetime) -> Account:
    """Return one account in full.

    Raises:
        NotFound: there is no such account.
    """
    member = session.get(StaffMember, staff_id)
    if member is None:
        raise NotFound(object="account")
    grants = session.execute(
        select(RoleGrant.id, RoleGrant.role, Consultation.title, RoleGrant.granted_at)
        .outerjoin(Consultation, Consultation.id == RoleGrant.consultation_id)
        .where(RoleGrant.staff_id == staff_id, RoleGrant.revoked_at.is_(None))
        .order_by(RoleGrant.id)
    )
    siblings = and_(StaffMember.person_key == member.person_key, StaffMember.id != staff_id)
    unit = session.get(Unit, member.unit_id) if member.unit_id is not None else None
    return Account(
        id=member.id,
        username=member.username,
        display_name=member.display_name,
        unit=unit.short_name if unit else "",
        active=member.active,
        must_change_password=member.must_change_password,
        created_at=member.created_at,
        disabled_at=member.disabled_at,
        grants=tuple(HeldGrant(row.id, Role(row.role), row.title or "", row.granted_at) for row in grants),
        siblings=_rows(session, siblings, 20),
        open_sessions=len(open_sessions(session, staff_id, now)),
    )


def units(session: Session) -> tuple[Choice, ...]:
    """Return the units an account can belong to: those that can be responsible themselves."""
    rows = session.execute(select(Unit.id, Unit.short_name).where(Unit.assignable).order_by(Unit.position, Unit.id))
    return tuple(Choice(*row) for row in rows)


def consultations(session: Session) -> tuple[Choice, ...]:
    """Return the consultations a role can be limited to, newest first."""
    rows = session.execute(select(Consultation.id, Consultation.title).order_by(Consultation.id.desc()))
    return tuple(Choice(*row) for row in rows)


def _rows(session: Session, condition: ColumnElement[bool], size: int) -> tuple[AccountRow, ...]:
    same_person = StaffMember.__table__.alias("same_person")
    others = (
        select(func.count())
        .select_from(same_person)
        .where(same_person.c.person_key == StaffMember.person_key, same_person.c.id != StaffMember.id)
        .scalar_subquery()
    )
    members = session.execute(
        select(
            StaffMember.id,
            StaffMember.username,
            StaffMember.display_name,
            Unit.short_name,
            StaffMember.active,
            others.label("siblings"),
        )
        .outerjoin(Unit, Unit.id == StaffMember.unit_id)
        .where(condition)
        .order_by(StaffMember.id)
        .limit(size)
    ).all()
    held: dict[int, set[str]] = {}
    for staff_id, role in session.execute(
        select(RoleGrant.staff_id, RoleGrant.role).where(
            RoleGrant.staff_id.in_([row.id for row in members]), RoleGrant.revoked_at.is_(None)
        )
    ):
        held.setdefault(staff_id, set()).add(role)
    return tuple(
        AccountRow(
            id=row.id,
            username=row.username,
            display_name=row.display_name,
            unit=row.short_name or "",
            roles=tuple(role for role in STAFF_ROLES if role.value in held.get(row.id, ())),
            active=row.active,
            siblings=row.siblings,
        )
        for row in members
    )
