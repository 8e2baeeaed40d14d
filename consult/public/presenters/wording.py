"""Dates, tags and options that several page families print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from consult import i18n
from consult.domain.calendar import WorkCalendar, local_day
from consult.domain.errors import CalendarPending
from consult.domain.ledger import PublicCounts
from consult.domain.periods import ConsultationState
from consult.i18n import _, plural
from consult.queries.drafts import VersionRow
from consult.queries.reading import ConsultationHead

BEIJING = ZoneInfo("Asia/Shanghai")
_ORDINALS = "一二三四五六七八九十"
SOON_DAYS = 3


@dataclass(frozen=True)
class Moment:
    """A time as people read it and as machines do."""

    text: str
    iso: str


@dataclass(frozen=True)
class Tag:
    """A word on a coloured ground; the colour never says anything the word does not."""

    label: str
    tone: str


@dataclass(frozen=True)
class Option:
    """One choice of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class Count:
    """A number with its name."""

    label: str
    value: str
    unit: str = ""
    of_which: bool = False


@dataclass(frozen=True)
class Stage:
    """A step of a timetable or of what happens next."""

    label: str
    note: str
    state: str


@dataclass(frozen=True)
class Figure:
    """The big number of a consultation."""

    caption: str
    value: str
    unit: str
    tone: str


@dataclass(frozen=True)
class Version:
    """A draft version as pages name it."""

    number: int
    label: str
    published: Moment
    note: str
    is_current: bool


@dataclass(frozen=True)
class ConsultationView:
    """A consultation as every page of it shows it."""

    slug: str
    title: str
    title_parts: tuple[str, ...]
    short_title: str
    unit: str
    state: Tag
    is_open: bool
    deadline: str
    deadline_tone: str
    has_draft: bool
    has_results: bool


def moment(at: datetime) -> Moment:
    """Return 2026年11月22日 09:00 for an aware moment."""
    return Moment(i18n.day_and_hour(at), at.astimezone(BEIJING).isoformat(timespec="seconds"))


def day_moment(at: datetime) -> Moment:
    """Return 2026-11-22 for an aware moment, as tables print it."""
    local = at.astimezone(BEIJING)
    return Moment(f"{local:%Y-%m-%d %H:%M}", local.isoformat(timespec="seconds"))


def day(value: date) -> str:
    """Return 11月22日, or 22 November."""
    return i18n.day(value)


def full_day(value: date) -> str:
    """Return 2026年11月22日, or 22 November 2026."""
    return i18n.full_day(value)


def due(value: date) -> str:
    """Return 7月26日（周三）24:00, or 24:00 on Wednesday 26 July."""
    return i18n.due(value)


def ordinal(number: int) -> str:
    """Return 第二稿 for 2, or Draft 2."""
    spelt = i18n.is_chinese() and 1 <= number <= len(_ORDINALS)
    word = _ORDINALS[number - 1] if spelt else str(number)
    return _("第%(number)s稿", number=word)


def version(row: VersionRow, *, current: bool) -> Version:
    """Return a published draft version for printing."""
    published = moment(row.published_at or row.imported_at)
    return Version(row.number, ordinal(row.number), published, row.correction_note, current)


def days_left(head: ConsultationHead, now: datetime) -> int:
    """Return whole days until the last day; 0 on the last day itself."""
    return (head.ends_on - local_day(now)).days


def state_tag(head: ConsultationHead, now: datetime) -> Tag:
    """Return the state of a consultation in words (texts.md §8)."""
    if head.terminated_at is not None:
        return Tag(_("已终止"), "plain")
    if head.state is ConsultationState.OPEN:
        return Tag(_("即将截止"), "soon") if days_left(head, now) <= SOON_DAYS else Tag(_("征集中"), "open")
    return {
        ConsultationState.NOT_STARTED: Tag(_("未开始"), "navy"),
        ConsultationState.ENDED: Tag(_("已截止"), "plain"),
        ConsultationState.COLLATING: Tag(_("意见整理中"), "plain"),
        ConsultationState.FEEDBACK_PUBLISHED: Tag(_("已反馈"), "navy"),
        ConsultationState.ARCHIVED: Tag(_("已归档"), "plain"),
    }[head.state]


def deadline(head: ConsultationHead, now: datetime) -> tuple[str, str]:
    """Return the deadline in words and its tone."""
    if head.state is ConsultationState.NOT_STARTED:
        return _("%(day)s 00:00 开始", day=full_day(head.starts_on)), "navy"
    if head.state is not ConsultationState.OPEN:
        return _("%(day)s 24:00 已截止", day=full_day(head.ends_on)), "plain"
    left = days_left(head, now)
    if left == 0:
        return _("今天 24:00 截止"), "red"
    words = _("还有%(n)s天，%(day)s 24:00 截止", n=left, day=day(head.ends_on))
    return words, "soon" if left <= SOON_DAYS else "open"


def figure(head: ConsultationHead, now: datetime) -> Figure:
    """Return the big number: days left, or the day it opens or closed."""
    if head.state is ConsultationState.NOT_STARTED:
        return Figure(_("开始"), day(head.starts_on), "", "navy")
    if head.state is ConsultationState.OPEN:
        left = days_left(head, now)
        if left == 0:
            return Figure(_("今天"), "24:00", _("截止"), "red")
        return Figure(_("还剩"), str(left), plural("天", "天", left), "red" if left <= SOON_DAYS else "navy")
    return Figure(_("截止"), day(head.ends_on), "", "navy")


def title_parts(title: str) -> tuple[str, ...]:
    """Return a title cut where a line may break: before 《 and after 》, ” and 的."""
    parts: list[str] = []
    word = ""
    for char in title:
        if char in "《（“" and word:
            parts.append(word)
            word = ""
        word += char
        if char in "》”）":
            parts.append(word)
            word = ""
    if word:
        parts.append(word)
    return tuple(parts)


def short_title(title: str) -> str:
    """Return a title short enough for a breadcrumb: without the district and the bracket at its end."""
    plain = title.split("（")[0]
    return plain if len(plain) <= 24 else plain[:23] + "…"


def consultation(
    head: ConsultationHead, now: datetime, *, has_draft: bool = True, has_results: bool | None = None
) -> ConsultationView:
    """Return a consultation for printing."""
    words, tone = deadline(head, now)
    results = head.state in {ConsultationState.FEEDBACK_PUBLISHED, ConsultationState.ARCHIVED}
    return ConsultationView(
        slug=head.slug,
        title=head.title,
        title_parts=title_parts(head.title),
        short_title=short_title(head.title),
        unit=head.owner_unit,
        state=state_tag(head, now),
        is_open=head.is_open,
        deadline=words,
        deadline_tone=tone,
        has_draft=has_draft,
        has_results=results if has_results is None else has_results,
    )


def pieces(label: str, n: int, *, of_which: bool = False) -> Count:
    """Return a number of comments with its name."""
    return Count(label, str(n), _("条"), of_which)


def counts(value: PublicCounts) -> tuple[Count, ...]:
    """Return the settled formula for printing; these add up to what was received."""
    return (
        pieces(_("已公开"), value.public),
        pieces(_("待审核"), value.waiting),
        pieces(_("不公开但照常办理"), value.withheld),
        pieces(_("告知其他渠道"), value.channel_notice),
        pieces(_("不予受理"), value.not_accepted),
        pieces(_("提交人撤回"), value.withdrawn),
    )


_OUTCOMES = {
    "adopted": ("采纳", "open"),
    "partly_adopted": ("部分采纳", "navy"),
    "not_adopted": ("不采纳", "plain"),
    "explained": ("解释说明", "plain"),
    "reference": ("留作参考", "plain"),
}


def outcome_words(outcome: str) -> str:
    """Return 采纳, 部分采纳, 不采纳, 解释说明 or 留作参考; empty when there is none."""
    return {
        "adopted": _("采纳"),
        "partly_adopted": _("部分采纳"),
        "not_adopted": _("不采纳"),
        "explained": _("解释说明"),
        "reference": _("留作参考"),
    }.get(outcome, "")


def outcome_tag(outcome: str) -> Tag:
    """Return the outcome of a reply, or 办理中."""
    if not outcome:
        return Tag(_("办理中"), "soon")
    return Tag(outcome_words(outcome), _OUTCOMES[outcome][1])


def working_days_left(calendar: WorkCalendar, due_on: date, today: date) -> int | None:
    """Return working days from today to a due day, negative when late; None when the calendar ends before (R-61)."""
    try:
        if due_on >= today:
            return calendar.working_days_between(today, due_on)
        return -calendar.working_days_between(due_on, today)
    except CalendarPending:
        return None


def in_working_days(calendar: WorkCalendar, start: date, n: int) -> str:
    """Return the day n working days on, in words; or how many days when the calendar does not reach."""
    try:
        return day(calendar.nth_working_day(start, n))
    except CalendarPending:
        return _("%(n)s 个工作日内", n=n)


def yesterday(closes_at: datetime) -> date:
    """Return the last day of a half-open period."""
    return (closes_at.astimezone(BEIJING) - timedelta(days=1)).date()
