"""Objections in words: the list, one of them, and the form of a reissued 查询码."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.calendar import WorkCalendar
from consult.domain.personal_data import Redaction
from moderation.presenters.comment import NOT_ACCEPT, WITHHOLD, Due, due
from moderation.presenters.moments import Moment, moment
from moderation.queries.appeals import AppealPage, AppealRow

KINDS: Mapping[str, object] = {
    "withhold": _l("不予公开"),
    "not_accept": _l("不予受理"),
    "reply": _l("答复"),
}
STATES: Mapping[str, object] = {
    "open": _l("待裁定"),
    "upheld": _l("已改正"),
    "refused": _l("维持原决定"),
    "lapsed": _l("意见已撤回，不再裁定"),
}
REISSUE_REASONS = (
    ("not_kept", _l("没有保存查询码")),
    ("not_seen", _l("没有看到回执页")),
    ("leaked", _l("查询码可能被他人知道")),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    receipt_no: str
    url: str
    kind: str
    title: str
    consultation: str
    unit: str
    asked: Moment
    due: Due | None
    state: str


@dataclass(frozen=True)
class Choice:
    """One verdict with what follows from it."""

    value: str
    label: str
    hint: str


def rows(found: Iterable[AppealRow], url: Callable[..., str], today: date, calendar: WorkCalendar) -> tuple[Row, ...]:
    """Return the list."""
    return tuple(
        Row(
            receipt_no=one.receipt_no,
            url=url("appeals.show", appeal_id=one.id),
            kind=str(KINDS[one.kind]),
            title=_("（已封存，内容不显示）") if one.sealed else " ".join(one.opening.split())[:90],
            consultation=one.consultation,
            unit=one.unit,
            asked=moment(one.asked_at),
            due=due(one.due_on, today, calendar) if one.state == "open" else None,
            state=str(STATES[one.state]),
        )
        for one in found
    )


def hold_words(reason: str) -> str:
    """Return why personal data is kept, for the terminal of an operator."""
    words = {"appeal": "异议未决", "supervision": "督办未结", "litigation": "复议诉讼", "audit": "审计留存"}
    return words.get(reason, reason)


def choices(page: AppealPage) -> tuple[Choice, ...]:
    """Return the two verdicts, each with what it does."""
    upheld = {
        "withhold": _("意见改为公开；检出的个人信息先隐去。尚未受理的，公开方式由审核员受理时确定。"),
        "not_accept": _("恢复受理，退回待审核。"),
        "reply": _("重新办理，重新计时；原答复保留。"),
    }
    return (
        Choice("refuse", _("维持原决定"), _("理由会告诉提交人。")),
        Choice("uphold", _("改正"), upheld[page.kind]),
    )


def decided_words(page: AppealPage) -> str:
    """Return what the objection is about: the decision and its reason."""
    known = {"withhold": WITHHOLD, "not_accept": NOT_ACCEPT}.get(page.kind, {})
    return str(known.get(page.decision.reason, page.decision.reason))


def covers(text: str, spans: Iterable[Redaction]) -> tuple[tuple[str, str], ...]:
    """Return what publishing would newly cover as (words, kind)."""
    return tuple((text[one.start : one.end], i18n.pii_words(one.type)) for one in spans)
