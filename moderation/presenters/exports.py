"""Exports as their pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.domain.comment_states import CommentState
from moderation.domain.handling_list import ContactPurpose, Format, Part, TableName
from moderation.presenters.moments import Moment, moment
from moderation.queries.export_records import ExportRow

_TABLES = {
    TableName.OPINIONS: _l("意见办理清单"),
    TableName.ITEMS: _l("单位事项清单"),
    TableName.PUBLIC: _l("公开表（征集公众意见）"),
}
_FORMATS = {Format.XLSX: _l("Excel（xlsx）"), Format.CSV: _l("CSV"), Format.JSON: _l("JSON")}
_PARTS = {Part.BOTH: _l("主办件和协办件"), Part.LEAD: _l("只要主办件"), Part.CO: _l("只要协办件")}
_PURPOSES = {
    ContactPurpose.VERIFY: _l("核实情况"),
    ContactPurpose.SUPPLEMENT: _l("联系提交人补充"),
    ContactPurpose.REPLY: _l("当面或电话答复"),
}
_STATES = {
    CommentState.ASSIGNED: _l("已转办（待签收）"),
    CommentState.IN_PROGRESS: _l("办理中"),
    CommentState.RETURN_REQUESTED: _l("退回待核"),
    CommentState.PENDING_SIGN_OFF: _l("待审签"),
    CommentState.REPLIED: _l("已回复"),
    CommentState.CLOSED: _l("已办结"),
    CommentState.PENDING_REVIEW: _l("待审核"),
    CommentState.TO_ASSIGN: _l("待转办"),
}
_JOB_STATES = {
    "waiting": (_l("排队中"), "soon"),
    "running": (_l("正在导出"), "soon"),
    "done": (_l("可以下载"), "open"),
    "failed": (_l("没有完成"), "red"),
    "cancelled": (_l("已取消"), "plain"),
    "expired": (_l("已过期"), "plain"),
}
_WHY = {
    "not_allowed": _l("您现在的岗位没有这项权限。"),
    "worker_died": _l("后台进程中断了三次，请联系系统管理员。"),
}


@dataclass(frozen=True)
class Choice:
    """One choice of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class Tag:
    """A short label with its tone."""

    label: str
    tone: str


@dataclass(frozen=True)
class Line:
    """One export."""

    id: int
    title: str
    consultation: str
    format: str
    with_contact: bool
    state: Tag
    busy: bool
    ready: bool
    failed: str
    done: int
    total: int
    rows: str
    sha256: str
    as_of: Moment
    asked: Moment
    expires: Moment | None


def line(row: ExportRow) -> Line:
    """Return one export in words."""
    label, tone = _JOB_STATES[row.state]
    failed = ""
    if row.state == "failed":
        failed = str(_WHY.get(row.error, _("系统没有做完这次导出，请再试一次；仍不行请联系系统管理员。")))
    return Line(
        id=row.id,
        title=str(_TABLES[TableName(row.table)]) if row.table in set(TableName) else row.table,
        consultation=row.consultation or str(_("全部征集")),
        format=str(_FORMATS[Format(row.format)]) if row.format in set(Format) else row.format,
        with_contact=row.with_contact,
        state=Tag(str(label), tone),
        busy=row.state in {"waiting", "running"},
        ready=row.state == "done" and bool(row.file_name),
        failed=failed,
        done=row.done,
        total=row.total,
        rows="" if row.rows is None else str(row.rows),
        sha256=row.sha256,
        as_of=moment(row.as_of),
        asked=moment(row.asked_at),
        expires=moment(row.expires_at) if row.expires_at else None,
    )


def lines(rows: Iterable[ExportRow]) -> tuple[Line, ...]:
    """Return exports in words."""
    return tuple(line(row) for row in rows)


def tables(*, own: bool, unit: bool) -> tuple[Choice, ...]:
    """Return the tables somebody may choose: `own` comments of their reach, `unit` the items of their unit."""
    shown = [TableName.PUBLIC]
    if own:
        shown.insert(0, TableName.OPINIONS)
    if unit:
        shown.insert(1, TableName.ITEMS)
    return tuple(Choice(table.value, str(_TABLES[table])) for table in shown)


def formats() -> tuple[Choice, ...]:
    """Return the file formats."""
    return tuple(Choice(form.value, str(label)) for form, label in _FORMATS.items())


def parts() -> tuple[Choice, ...]:
    """Return lead and co-unit items to choose from."""
    return tuple(Choice(part.value, str(label)) for part, label in _PARTS.items())


def states() -> tuple[Choice, ...]:
    """Return handling states to narrow by."""
    return (Choice("", str(_("全部状态"))), *(Choice(state.value, str(label)) for state, label in _STATES.items()))


def purposes() -> tuple[tuple[str, str, str], ...]:
    """Return the purposes contact columns may be asked for, as radio choices."""
    return tuple((purpose.value, str(label), "") for purpose, label in _PURPOSES.items())


def consultations(found: Iterable[tuple[int, str]]) -> tuple[Choice, ...]:
    """Return consultations to choose from."""
    return (Choice("", str(_("全部征集"))), *(Choice(str(key), title) for key, title in found))
