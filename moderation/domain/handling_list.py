"""意见办理清单 and 单位事项清单: their columns and words, in the order exports.md 2 fixes.

The words are part of the file's format, not of a page, and are Chinese in every language of the site.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consult.domain.comment_states import CommentState, Publicity
from consult.domain.errors import DomainError, FieldErrors, Refused
from consult.domain.replies import Outcome
from consult.domain.tables import Column, Kind, moment_text

_K = Kind

COLUMNS: tuple[Column, ...] = (
    Column("序号", "seq", _K.INTEGER, 6),
    Column("受理编号", "receipt_no", _K.TEXT, 16),
    Column("章节", "section", _K.TEXT, 24),
    Column("关联事项", "related_item", _K.TEXT, 24),
    Column("意见与建议", "comment_body", _K.TEXT, 60),
    Column("公开方式", "publicity", _K.TEXT, 12),
    Column("提交时间", "submitted_at", _K.MOMENT, 18),
    Column("主办单位", "lead_unit", _K.TEXT, 16),
    Column("协办单位", "co_units", _K.TEXT, 20),
    Column("转办时间", "assigned_at", _K.MOMENT, 18),
    Column("签收时间", "receipted_at", _K.MOMENT, 18),
    Column("到期日", "due_date", _K.DAY, 12),
    Column("延期至", "extended_due", _K.DAY, 12),
    Column("办理状态", "handling_state", _K.TEXT, 12),
    Column("剩余/逾期工作日", "remaining_working_days", _K.REMAINING, 14),
    Column("退回次数", "return_count", _K.INTEGER, 10),
    Column("采纳情况", "outcome", _K.TEXT, 12),
    Column("落实位置", "draft_location", _K.TEXT, 24),
    Column("理由", "reason", _K.TEXT, 40),
    Column("回复内容", "reply_body", _K.TEXT, 60),
    Column("审签时间", "signed_off_at", _K.MOMENT, 18),
)

CONTACT_COLUMNS: tuple[Column, ...] = (
    Column("姓名", "commenter_name", _K.TEXT, 12),
    Column("联系方式", "contact_phone", _K.TEXT, 16),
    Column("电子邮箱", "contact_email", _K.TEXT, 24),
)
"""All three or none (exports.md 2); a file for somebody who may not see them has no such columns."""

CO_COLUMNS: tuple[Column, ...] = (
    *COLUMNS,
    Column("反馈期限", "co_due", _K.DAY, 12),
    Column("本单位协办意见", "co_feedback", _K.TEXT, 40),
    Column("反馈时间", "co_feedback_at", _K.MOMENT, 18),
)

ITEM_COLUMNS: tuple[Column, ...] = (
    Column("序号", "seq", _K.INTEGER, 6),
    Column("类别", "kind", _K.TEXT, 12),
    Column("事项编号", "key", _K.TEXT, 10),
    Column("事项名称", "title", _K.TEXT, 40),
    Column("本单位职责", "role", _K.TEXT, 12),
    Column("责任分解表所列单位", "listed_units", _K.TEXT, 30),
    Column("转办本单位意见条数", "comments", _K.INTEGER, 12),
    Column("其中已回复", "answered", _K.INTEGER, 12),
)

PUBLIC_COLUMNS: tuple[Column, ...] = (
    Column("咨询人", "commenter", _K.TEXT, 12),
    Column("意见与建议", "comment_body", _K.TEXT, 60),
    Column("回复内容", "reply_body", _K.TEXT, 60),
    Column("提交时间", "submitted_at", _K.MOMENT, 18),
    Column("回复单位", "reply_unit", _K.TEXT, 18),
    Column("回复时间", "replied_at", _K.MOMENT, 18),
    Column("采纳情况", "outcome", _K.TEXT, 12),
    Column("章节", "section", _K.TEXT, 24),
)
"""The public table: the four columns of the notice, then the settled four (R-101)."""

LEAD_TITLE = "意见办理清单"
PUBLIC_TITLE = "征集公众意见"
CO_TITLE = "协办"
ITEMS_TITLE = "单位事项清单"

STATES: Mapping[str, str] = {
    CommentState.PENDING_REVIEW: "待审核",
    CommentState.AWAITING_SUPPLEMENT: "待补充",
    CommentState.ACCEPTED: "已受理",
    CommentState.TO_ASSIGN: "待转办",
    CommentState.ASSIGNED: "已转办（待签收）",
    CommentState.IN_PROGRESS: "办理中",
    CommentState.RETURN_REQUESTED: "退回待核",
    CommentState.PENDING_SIGN_OFF: "待审签",
    CommentState.REPLIED: "已回复",
    CommentState.CLOSED: "已办结",
    CommentState.MERGED: "已合并",
    CommentState.WITHDRAWN: "已撤回",
}
PUBLICITIES: Mapping[str, str] = {
    Publicity.PENDING: "待定",
    Publicity.FULL: "公开",
    Publicity.REDACTED: "隐去后公开",
    Publicity.WITHHELD: "不予公开",
}
OUTCOMES: Mapping[str, str] = {
    Outcome.ADOPTED: "采纳",
    Outcome.PARTLY_ADOPTED: "部分采纳",
    Outcome.NOT_ADOPTED: "不采纳",
    Outcome.EXPLAINED: "解释说明",
    Outcome.REFERENCE: "留作参考",
}
ITEM_KINDS: Mapping[str, str] = {
    "special_plan": "专项规划",
    "indicator": "主要指标",
    "key_task": "重点任务",
    "major_project": "重大项目",
    "regional_plan": "区域规划",
}
ITEM_ROLES: Mapping[str, str] = {"lead": "牵头", "other": "参与"}
WHOLE_REPORT = "整体"
BEING_ANSWERED = frozenset(
    {
        CommentState.ASSIGNED,
        CommentState.IN_PROGRESS,
        CommentState.RETURN_REQUESTED,
        CommentState.PENDING_SIGN_OFF,
    }
)
"""States in which days until the due day mean something (column 15)."""


class TableName(StrEnum):
    """What is exported."""

    OPINIONS = "handling_list"
    ITEMS = "unit_items"
    PUBLIC = "public_table"


class Format(StrEnum):
    """File formats of these tables."""

    XLSX = "xlsx"
    CSV = "csv"
    JSON = "json"


class Part(StrEnum):
    """Which rows: those the unit leads, those it helps with, or both."""

    BOTH = "both"
    LEAD = "lead"
    CO = "co"


class ContactPurpose(StrEnum):
    """Why contact columns are asked for; written into the export record (R-99, R-100)."""

    VERIFY = "verify"
    SUPPLEMENT = "supplement"
    REPLY = "reply"


PURPOSES: Mapping[str, str] = {
    ContactPurpose.VERIFY: "核实情况",
    ContactPurpose.SUPPLEMENT: "联系提交人补充",
    ContactPurpose.REPLY: "当面或电话答复",
}


@dataclass(frozen=True)
class Criteria:
    """Which rows and columns somebody asks for.

    `states` empty means every state. `unit_id` narrows an operator's export to one unit; staff are narrowed by
    their reach, whatever stands here.
    """

    table: TableName = TableName.OPINIONS
    format: Format = Format.XLSX
    part: Part = Part.BOTH
    consultation_id: int | None = None
    states: tuple[str, ...] = ()
    unit_id: int | None = None
    with_contact: bool = False
    purpose: str = ""

    def stored(self) -> dict[str, object]:
        """Return what the export record keeps as its range."""
        return {
            "table": self.table.value,
            "format": self.format.value,
            "part": self.part.value,
            "consultation_id": self.consultation_id,
            "states": list(self.states),
            "unit_id": self.unit_id,
        }


def from_stored(kept: Mapping[str, object], *, with_contact: bool, purpose: str) -> Criteria:
    """Return the criteria an export record keeps."""
    states = kept.get("states")
    consultation, unit = kept.get("consultation_id"), kept.get("unit_id")
    return Criteria(
        table=TableName(str(kept["table"])),
        format=Format(str(kept["format"])),
        part=Part(str(kept["part"])),
        consultation_id=consultation if isinstance(consultation, int) else None,
        states=tuple(str(state) for state in states) if isinstance(states, list) else (),
        unit_id=unit if isinstance(unit, int) else None,
        with_contact=with_contact,
        purpose=purpose,
    )


def check_contact(*, with_contact: bool, purpose: str, confirmed: bool) -> None:
    """Check that whoever wants contact columns says why and confirms (R-100).

    Raises:
        FieldErrors: `export_purpose_required`, `export_confirm_required`.
    """
    if not with_contact:
        return
    errors: dict[str, list[DomainError]] = {}
    if purpose not in set(ContactPurpose):
        errors["purpose"] = [Refused("export_purpose_required")]
    if not confirmed:
        errors["confirm"] = [Refused("export_confirm_required")]
    if errors:
        raise FieldErrors(errors)


def columns_of(criteria: Criteria) -> tuple[Column, ...]:
    """Return the columns of the main table."""
    if criteria.table is TableName.ITEMS:
        return ITEM_COLUMNS
    if criteria.table is TableName.PUBLIC:
        return PUBLIC_COLUMNS
    if criteria.part is Part.CO:
        return CO_COLUMNS
    return COLUMNS + CONTACT_COLUMNS if criteria.with_contact else COLUMNS


TITLES: Mapping[TableName, str] = {
    TableName.OPINIONS: LEAD_TITLE,
    TableName.ITEMS: ITEMS_TITLE,
    TableName.PUBLIC: PUBLIC_TITLE,
}


def item_label(kind: str, key: str) -> str:
    """Return 重点任务63 for the key_task T63."""
    number = key.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").lstrip("0")
    return f"{ITEM_KINDS.get(kind, '')}{number or key}"


def explanations(
    title: str, unit: str, criteria: Criteria, as_of: datetime, count: int, co_count: int
) -> list[tuple[str, str]]:
    """Return the sheet 说明: what the file holds, as of when, and how to read it."""
    lines = [
        ("项目", "说明"),
        ("表名", TITLES[criteria.table]),
        ("征集", title),
        ("单位", unit or "全部"),
        ("数据时点", moment_text(as_of)),
        ("行数", str(count) + (f"，另有协办 {co_count} 行" if co_count else "")),
    ]
    if criteria.states:
        lines.append(("办理状态", "、".join(STATES[state] for state in criteria.states if state in STATES)))
    if criteria.table is TableName.OPINIONS:
        lines += [
            ("意见与建议", "为隐去个人信息后的文本；超过单元格长度的在末尾注明“全文见系统”。"),
            ("到期日", "转办后第7个工作日，当日24:00届满；签发期间停止计时。放假安排未公布的年份为空（待定）。"),
            ("剩余/逾期工作日", "按数据时点计算，负数为已逾期；已回复、已办结的不计。"),
            ("回复内容", "仅为已发布的回复；正在起草的稿件不在本表。"),
            ("协办", "本单位协办的意见单独成表，没有联系方式列。"),
        ]
    if criteria.with_contact:
        lines += [
            ("联系方式", "含提交人个人信息，只供办理本单位主办意见使用，不得转发；用后删除。"),
            ("导出事由", PURPOSES.get(criteria.purpose, "")),
        ]
    return lines
