"""Consultations, drafts and what stands against them, in the words of the staff pages and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.errors import DomainError, FieldErrors, IllegalTransition
from consult.domain.outline_model import DraftRefused, DraftWarning
from consult.domain.outline_texts import REFUSAL_TEXTS, WARNING_TEXTS
from consult.domain.periods import ConsultationState
from consult.domain.plan_rows import PlanRefused
from consult.domain.prepared_draft import Prepared
from consult.domain.publication import PublicationRefused
from consult.queries.consultations import ConsultationRow, EventRow, ExtensionRow
from consult.queries.drafts import VersionRow
from moderation.presenters.moments import BEIJING, Moment, moment

STATE_LABELS: Mapping[ConsultationState, Any] = {
    ConsultationState.DRAFT: _l("编辑中"),
    ConsultationState.NOT_STARTED: _l("未开始"),
    ConsultationState.OPEN: _l("征集中"),
    ConsultationState.ENDED: _l("已截止"),
    ConsultationState.COLLATING: _l("意见整理中"),
    ConsultationState.FEEDBACK_PUBLISHED: _l("已反馈"),
    ConsultationState.ARCHIVED: _l("已归档"),
}
_TONES = {ConsultationState.OPEN: "open", ConsultationState.NOT_STARTED: "soon", ConsultationState.DRAFT: "plain"}
PART_SENTENCES: Mapping[str, Any] = {
    "draft": _l("缺草案分章正文：请导入评估稿。"),
    "drafting_note": _l("缺起草说明。"),
    "method": _l("缺提出意见的方式。"),
    "period": _l("缺征集期限。"),
    "contact_unit": _l("缺联系单位。"),
    "contact_way": _l("缺联系方式：电话、邮箱、地址至少填一项。"),
}
LEAD_REASONS: Mapping[str, Any] = {
    "given": _l("对照表指定"),
    "items": _l("按所涉条目"),
    "owner": _l("征集单位"),
}
_EVENTS: Mapping[str, Any] = {
    "create": _l("建立征集"),
    "import_draft": _l("导入评估稿"),
    "publish": _l("发布征集"),
    "publish_version": _l("发布修改稿"),
    "extend": _l("延长期限"),
    "start_collating": _l("转入整理"),
}
_UNMATCHED = _l("对照表第 %(row)s 行的章节“%(heading)s”在稿中找不到，未采用。")


@dataclass(frozen=True)
class Tag:
    """A coloured word."""

    label: str
    tone: str


@dataclass(frozen=True)
class Line:
    """One consultation in the list."""

    slug: str
    short_code: str
    title: str
    owner: str
    state: Tag
    period: str
    received: int


@dataclass(frozen=True)
class VersionLine:
    """One version of a draft."""

    number: int
    state: str
    source: str
    imported: Moment
    published: Moment | None
    note: str
    is_template: bool


@dataclass(frozen=True)
class OutlineLine:
    """One section of a preview."""

    key: str
    level: int
    heading: str
    blocks: int
    lead: str
    reason: str
    items: str


@dataclass(frozen=True)
class Problem:
    """One line of the list of problems; `line` is empty for the whole file."""

    line: str
    text: str


@dataclass(frozen=True)
class Fact:
    """A label and its value."""

    label: str
    value: str


@dataclass(frozen=True)
class HistoryLine:
    """One event of the log."""

    what: str
    when: Moment
    who: str
    reason: str


def day(value: date) -> str:
    """Return 2026年3月2日, or 2 March 2026."""
    return i18n.full_day(value)


def sentences(error: DomainError) -> tuple[str, ...]:
    """Return everything a refusal has to say, one sentence each."""
    if isinstance(error, PublicationRefused):
        return tuple(line for one in error.refusals for line in sentences(one))
    if isinstance(error, PlanRefused):
        return tuple(str(problem) for problem in error.problems)
    if isinstance(error, FieldErrors):
        return tuple(line for found in error.errors.values() for one in found for line in sentences(one))
    if error.code == "publication_incomplete":
        missing = error.params.get("missing")
        parts = missing if isinstance(missing, tuple) else ()
        return tuple(str(PART_SENTENCES[part]) for part in parts)
    return (sentence(error),)


def sentence(error: DomainError) -> str:
    """Return what one refusal says; dates are written out."""
    if isinstance(error, DraftRefused):
        return _numbered(error.line, str(_(REFUSAL_TEXTS[error.code])) % error.params)
    if isinstance(error, IllegalTransition):
        state = str(STATE_LABELS[ConsultationState(error.state)]) if error.state else ""
        return str(_("征集现在是“%(state)s”，不能这样办理。", state=state))
    if error.code == "not_found":
        return str(_("没有这次征集。"))
    template = i18n.MESSAGES.get(error.code)
    if template is None:
        return i18n.say(error)
    params = {key: _plain(value) for key, value in error.params.items()}
    try:
        return str(template) % params
    except KeyError:
        return i18n.say(error)


def by_field(errors: FieldErrors) -> dict[str, str]:
    """Return field name -> one sentence, in the order of the form."""
    return {name: sentence(found[0]) for name, found in errors.errors.items() if found}


def warning(one: DraftWarning) -> Problem:
    """Return one warning of an import with its line."""
    template = _UNMATCHED if one.code == "section_rule_unmatched" else _(WARNING_TEXTS[one.code])
    line = "" if one.line is None else str(_("第 %(line)s 行", line=one.line))
    return Problem(line, str(template) % one.params)


def warnings(found: Iterable[DraftWarning]) -> tuple[Problem, ...]:
    """Return warnings by line; those about the whole file come last."""
    return tuple(warning(one) for one in sorted(found, key=lambda one: (one.line is None, one.line or 0)))


def stored_warnings(version: VersionRow) -> tuple[Problem, ...]:
    """Return the warnings kept with a version."""
    return warnings(DraftWarning(one["line"], one["code"], one["params"]) for one in version.warnings)


def outline(prepared: Prepared) -> tuple[OutlineLine, ...]:
    """Return the parsed tree of an import."""
    return tuple(
        OutlineLine(
            one.section.key,
            one.section.level,
            one.section.heading,
            len(one.section.blocks),
            one.lead_name,
            str(LEAD_REASONS[one.lead.reason]),
            "、".join(one.item_keys),
        )
        for one in prepared.sections
    )


def state_tag(state: ConsultationState) -> Tag:
    """Return a state as a coloured word."""
    return Tag(str(STATE_LABELS[state]), _TONES.get(state, "navy"))


def line(row: ConsultationRow) -> Line:
    """Return one line of the list."""
    return Line(
        row.slug,
        row.short_code,
        row.title,
        row.owner_name,
        state_tag(row.state),
        f"{day(row.starts_on)}—{day(row.ends_on)}",
        row.received,
    )


def facts(row: ConsultationRow) -> tuple[Fact, ...]:
    """Return what the page of a consultation lists."""
    listed = (
        (_("评估"), row.programme),
        (_("征集单位"), row.owner_name),
        (_("编号字头"), row.short_code),
        (_("征集期限"), f"{day(row.starts_on)}—{day(row.ends_on)}"),
        (_("缩短期限的理由"), row.shortening_reason if row.shortened else ""),
        (_("起草说明"), row.drafting_note),
        (_("提出意见的方式"), row.how_to_comment),
        (_("联系单位"), row.contact_unit),
        (_("电话"), row.contact_phone),
        (_("邮箱"), row.contact_email),
        (_("地址"), row.contact_address),
        (_("约束性指标调整说明"), row.adjustment_note),
    )
    return tuple(Fact(str(label), value) for label, value in listed if value)


def versions(rows: Iterable[VersionRow]) -> tuple[VersionLine, ...]:
    """Return the versions of a draft, newest first."""
    found = [
        VersionLine(
            row.number,
            str(_("已发布") if row.is_published else _("提纲模板") if row.is_template else _("待发布")),
            row.source_name,
            moment(row.imported_at),
            None if row.published_at is None else moment(row.published_at),
            row.correction_note,
            row.is_template,
        )
        for row in rows
    ]
    return tuple(reversed(found))


def history(rows: Iterable[EventRow], names: Mapping[int, str]) -> tuple[HistoryLine, ...]:
    """Return the log of a consultation, newest first."""
    found = [
        HistoryLine(
            str(_EVENTS.get(row.kind, row.kind)),
            moment(row.at),
            names.get(row.actor_id, "") if row.actor_id is not None else str(_("命令行")),
            row.reason,
        )
        for row in rows
    ]
    return tuple(reversed(found))


def extensions(rows: Iterable[ExtensionRow]) -> tuple[Fact, ...]:
    """Return the extensions of a period."""
    return tuple(
        Fact(f"{day(row.old_end)} → {day(row.new_end)}", f"{row.reason} {row.notice_no}".strip()) for row in rows
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return day(value.astimezone(BEIJING).date())
    if isinstance(value, date):
        return day(value)
    if isinstance(value, tuple):
        return "、".join(str(one) for one in value)
    return value


def _numbered(line_no: int | None, text: str) -> str:
    return text if line_no is None else str(_("第 %(line)s 行（段）：%(text)s", line=line_no, text=text))


def typed_again(row: ConsultationRow) -> dict[str, str | bool]:
    """Return a consultation as its form shows it for changing."""
    names = (
        "title",
        "shortening_reason",
        "drafting_note",
        "how_to_comment",
        "contact_unit",
        "contact_phone",
        "contact_email",
        "contact_address",
        "adjustment_note",
        "impact_assessment_no",
        "contact_rule",
    )
    values: dict[str, str | bool] = {name: str(getattr(row, name)) for name in names}
    values["starts_on"] = row.starts_on.isoformat()
    values["ends_on"] = row.ends_on.isoformat()
    values["shortened"] = row.shortened
    values["retention_months"] = str(row.retention_months)
    return values
