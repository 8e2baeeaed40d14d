"""The audit log as the auditor reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.comment_states import Role
from moderation.presenters.frame import ROLE_LABELS
from moderation.presenters.moments import Moment, moment
from moderation.queries.audit import AuditRow

ACTIONS = {
    "sign_in": _l("登录"),
    "sign_out": _l("退出"),
    "session_revoke": _l("结束会话"),
    "refused": _l("越权访问"),
    "account_create": _l("新建账号"),
    "account_disable": _l("停用账号"),
    "password_reset": _l("重置密码"),
    "password_change": _l("修改密码"),
    "role_grant": _l("授予角色"),
    "role_revoke": _l("收回角色"),
    "contact_reveal": _l("查看联系方式"),
    "export": _l("导出"),
    "export_download": _l("下载导出"),
    "calendar_import": _l("导入工作日历"),
    "calendar_day_put": _l("修改工作日历"),
    "calendar_day_removed": _l("修改工作日历"),
    "calendar_publish": _l("公布工作日历"),
    "unit_rename": _l("单位改名"),
    "unit_settings": _l("修改单位设置"),
    "unit_member_added": _l("单位组加入单位"),
    "unit_member_removed": _l("单位组移出单位"),
}
_OBJECTS = {
    "account": _l("账号"),
    "session": _l("会话"),
    "page": _l("页面"),
    "comment": _l("意见"),
    "consultation": _l("征集"),
    "export": _l("导出"),
    "audit": _l("审计日志"),
    "calendar": _l("工作日历"),
    "unit": _l("单位"),
}
_WHY = {
    "missing": _l("有记录缺失"),
    "unlinked": _l("前后记录接不上"),
    "altered": _l("内容被改动"),
    "foreign": _l("不属于任何已知的链"),
}


@dataclass(frozen=True)
class Line:
    """One entry."""

    at: Moment
    number: str
    who: str
    role: str
    action: str
    target: str
    refused: bool
    detail: str
    address: str


@dataclass(frozen=True)
class Verdict:
    """What a check of the chains found."""

    sound: bool
    text: str
    breaks: tuple[str, ...]


def lines(rows: Iterable[AuditRow], decrypt: Callable[[bytes | None], str]) -> tuple[Line, ...]:
    """Return the entries of a page; `decrypt` reads an address."""
    return tuple(
        Line(
            at=moment(row.at),
            number=row.number,
            who=_who(row),
            role=_role(row.role),
            action=action_label(row.action),
            target=" ".join(part for part in (_target(row.object_kind), row.object_ref) if part),
            refused=row.result == "refused",
            detail=_detail(row.detail),
            address=decrypt(row.address),
        )
        for row in rows
    )


def action_label(action: str) -> str:
    """Return the words for an action; one that has none is shown as it is stored."""
    return str(ACTIONS.get(action, action))


def verdict(chains: int, entries: int, complete: bool, breaks: Iterable[tuple[str, str, int, str]]) -> Verdict:
    """Return a check's result in words; a break is (kind, chain, number of the entry, why)."""
    found = tuple(
        str(_("%(kind)s %(chain)s 的第 %(seq)s 条：%(why)s", kind=_target(kind), chain=chain, seq=seq, why=_WHY[why]))
        for kind, chain, seq, why in breaks
    )
    text = _("已核对 %(chains)s 条链、%(entries)s 条记录", chains=chains, entries=entries)
    if not complete:
        text += _("；记录较多，其余请用命令 consult audit verify 核对")
    return Verdict(not found, str(text), found)


def _who(row: AuditRow) -> str:
    if row.username:
        return i18n.bracketed(row.display_name, row.username)
    return str(_("未登录") if row.role == Role.PUBLIC else _("系统"))


def _role(role: str) -> str:
    return next((str(label) for key, label in ROLE_LABELS.items() if key.value == role), "")


def _target(kind: str) -> str:
    return str(_OBJECTS.get(kind, kind))


def _detail(detail: Mapping[str, Any]) -> str:
    shown = ((key, value) for key, value in detail.items() if value not in (None, "", [], {}))
    return str(_("；")).join(f"{key}={_plain(value)}" for key, value in shown)


def _plain(value: Any) -> str:
    return str(_("、")).join(map(str, value)) if isinstance(value, list) else str(value)
