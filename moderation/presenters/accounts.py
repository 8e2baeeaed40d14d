"""Accounts, roles and sessions as the templates show them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from moderation.permissions import STAFF_ROLES
from moderation.presenters.frame import ROLE_LABELS, roles_of
from moderation.presenters.moments import Moment, moment
from moderation.queries.accounts import Account, AccountRow, Choice, OpenSession


@dataclass(frozen=True)
class Option:
    """One choice of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class Line:
    """One account in a list."""

    id: int
    username: str
    name: str
    unit: str
    roles: str
    active: bool
    shared: bool


@dataclass(frozen=True)
class RoleLine:
    """One role an account holds."""

    id: int
    label: str
    where: str
    since: Moment


@dataclass(frozen=True)
class AccountPage:
    """One account in full."""

    id: int
    username: str
    name: str
    unit: str
    active: bool
    state: str
    created: Moment
    roles: tuple[RoleLine, ...]
    siblings: tuple[Line, ...]
    sessions: int


@dataclass(frozen=True)
class SessionLine:
    """One signed-in browser; `handle` finds it again, `here` marks the one in use."""

    handle: str
    started: Moment
    seen: Moment
    ends: Moment
    address: str
    here: bool


def lines(rows: Iterable[AccountRow]) -> tuple[Line, ...]:
    """Return the rows of the list of accounts."""
    return tuple(
        Line(
            row.id,
            row.username,
            row.display_name,
            row.unit or str(_("不属于单位")),
            roles_of(row.roles) or str(_("无")),
            row.active,
            row.siblings > 0,
        )
        for row in rows
    )


def page(account: Account) -> AccountPage:
    """Return one account for its page."""
    if not account.active:
        when = moment(account.disabled_at).text if account.disabled_at else ""
        state = str(_("已停用（%(when)s）", when=when))
    elif account.must_change_password:
        state = str(_("在用，首次登录须改密码"))
    else:
        state = str(_("在用"))
    return AccountPage(
        id=account.id,
        username=account.username,
        name=account.display_name,
        unit=account.unit or str(_("不属于单位")),
        active=account.active,
        state=state,
        created=moment(account.created_at),
        roles=tuple(
            RoleLine(
                held.id,
                str(ROLE_LABELS[held.role]),
                held.consultation or str(_("全部征集")),
                moment(held.granted_at),
            )
            for held in account.grants
        ),
        siblings=lines(account.siblings),
        sessions=account.open_sessions,
    )


def sessions(rows: Iterable[OpenSession], here: str, decrypt: Callable[[bytes | None], str]) -> tuple[SessionLine, ...]:
    """Return a person's own sessions; `here` is the token digest of this one."""
    return tuple(
        SessionLine(
            row.token_digest,
            moment(row.started_at),
            moment(row.seen_at),
            moment(row.ends_at),
            decrypt(row.address) or str(_("未知")),
            row.token_digest == here,
        )
        for row in rows
    )


def role_options(first: str) -> tuple[Option, ...]:
    """Return every role to choose from, after an empty choice worded `first`."""
    return (Option("", first), *(Option(role.value, str(ROLE_LABELS[role])) for role in STAFF_ROLES))


def options(choices: Iterable[Choice], first: str) -> tuple[Option, ...]:
    """Return units or consultations to choose from, after an empty choice worded `first`."""
    return (Option("", first), *(Option(str(choice.id), choice.label) for choice in choices))
