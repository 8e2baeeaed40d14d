"""The frame of every staff page: the menu from the permission table, and who is signed in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.domain.comment_states import Role
from moderation.permissions import STAFF_ROLES, Viewer, opens

ROLE_LABELS = {
    Role.REVIEWER: _l("审核员"),
    Role.ASSIGNER: _l("分办员"),
    Role.SIGN_OFF_OFFICER: _l("审签人"),
    Role.SUPERVISOR: _l("督办人员"),
    Role.UNIT_OFFICER: _l("单位承办人"),
    Role.UNIT_LEADER: _l("单位负责人"),
    Role.SYSADMIN: _l("系统管理员"),
    Role.SECURITY_AUDITOR: _l("安全审计员"),
}

MENU = (
    ("today.index", _l("今日工作")),
    ("queue.index", _l("审核分办")),
    ("unit.index", _l("本单位")),
    ("sign_off.index", _l("审签")),
    ("appeals.index", _l("异议裁定")),
    ("supervision.index", _l("督办看板")),
    ("supervision.mine", _l("督办说明")),
    ("reissue.form", _l("重发查询码")),
    ("exports.index", _l("导出")),
    ("consultations_admin.index", _l("征集管理")),
    ("users_admin.index", _l("账号管理")),
    ("units_admin.index", _l("单位管理")),
    ("calendar_admin.index", _l("工作日历")),
    ("audit.index", _l("操作记录")),
)


@dataclass(frozen=True)
class MenuItem:
    """One entry of the menu; `count` 0 shows no badge."""

    label: str
    url: str
    count: int
    current: bool


@dataclass(frozen=True)
class Person:
    """Who is signed in, as the bar shows it."""

    name: str
    unit: str
    role: str


def menu(
    viewer: Viewer,
    present: Collection[str],
    url: Callable[[str], str],
    endpoint: str,
    counts: Mapping[str, int],
) -> list[MenuItem]:
    """Return the entries whose pages this viewer may open.

    `present` are the endpoints the application has, `endpoint` the page being shown.
    """
    family = endpoint.partition(".")[0]
    return [
        MenuItem(str(label), url(entry), counts.get(entry, 0), entry.partition(".")[0] == family)
        for entry, label in MENU
        if entry in present and opens(viewer, entry)
    ]


def person(viewer: Viewer) -> Person:
    """Return name, unit and roles of the viewer as the bar shows them."""
    return Person(viewer.display_name, viewer.unit_name or viewer.username, roles_of(viewer.roles))


def roles_of(roles: Collection[Role]) -> str:
    """Return role names in the order of the permission matrix."""
    return str(_("、")).join(str(ROLE_LABELS[role]) for role in STAFF_ROLES if role in roles)
