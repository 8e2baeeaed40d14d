"""A unit's inbox and its reply page in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.calendar import WorkCalendar
from consult.domain.personal_data import Level, find
from consult.domain.replies import SUBSTANCE_MINIMUM, residual
from moderation.permissions import Permission, Viewer
from moderation.presenters.comment import OUTCOMES, Due, Option, due
from moderation.presenters.moments import Moment, moment
from moderation.presenters.queue import Tab, split_opening
from moderation.queries.comment_page import CommentPage, ReplyShown
from moderation.queries.unit_inbox import TABS, Inbox, InboxRow, SectionChoice

LABELS = {
    "receipt": _l("待签收"),
    "progress": _l("办理中"),
    "sign_off": _l("待审签"),
    "replied": _l("已答复"),
    "co": _l("协办"),
}
REPLY_STATES = {
    "drafting": _l("起草中"),
    "pending_leader": _l("待负责人确认"),
    "pending_sign_off": _l("待审签"),
    "rejected": _l("已退改"),
    "published": _l("已发布"),
    "superseded": _l("旧稿"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One comment of the unit."""

    receipt_no: str
    version: int
    url: str
    title: str
    sub: str
    place: str
    lead: str
    due: Due
    receipt_due: Due | None
    marks: tuple[str, ...]
    to_sign: bool


@dataclass(frozen=True)
class InboxPage:
    """The inbox."""

    title: str
    tab: str
    tabs: tuple[Tab, ...]
    rows: tuple[Row, ...]
    older_url: str


@dataclass(frozen=True)
class Preview:
    """The reply as the public will see it."""

    receipt_no: str
    place: str
    text: str
    outcome: str
    unit: str
    paragraphs: tuple[str, ...]
    reason: str
    location: str


@dataclass(frozen=True)
class Version:
    """One version of the reply in the trail."""

    title: str
    lines: tuple[tuple[str, Moment | None], ...]
    note: str


def inbox(
    found: Inbox,
    tab: str,
    url: Callable[..., str],
    older: str,
    today: date,
    calendar: WorkCalendar,
    may_answer: bool,
) -> InboxPage:
    """Return the inbox; comments the unit leads open on the reply page, others on the comment's."""
    target = "unit.reply" if may_answer and tab != "co" else "comment.show"
    return InboxPage(
        title=str(LABELS[tab]),
        tab=tab,
        tabs=tuple(
            Tab(str(LABELS[name]), url("unit.index", tab=name), str(found.counts.get(name, 0)), name == tab)
            for name in TABS
        ),
        rows=tuple(_row(one, tab, url(target, receipt_no=one.receipt_no), today, calendar) for one in found.rows),
        older_url=url("unit.index", tab=tab, after=older) if older else "",
    )


def _row(one: InboxRow, tab: str, url: str, today: date, calendar: WorkCalendar) -> Row:
    title, sub = split_opening(one.opening, 90)
    marks = []
    if one.extended:
        marks.append(_("已延期"))
    if one.designated:
        marks.append(_("指定主办"))
    if one.state == "return_requested":
        marks.append(_("已申请退回"))
    if one.reply_state and tab == "progress":
        marks.append(str(REPLY_STATES.get(one.reply_state, one.reply_state)))
    if tab == "co":
        marks.append(_("已反馈") if one.fed_back else _("待反馈"))
    return Row(
        receipt_no=one.receipt_no,
        version=one.version,
        url=url,
        title=title,
        sub=sub,
        place=one.heading or _("整体"),
        lead=one.lead,
        due=due(one.due_on, today, calendar),
        receipt_due=due(one.receipt_due_on, today, calendar) if tab == "receipt" else None,
        marks=tuple(marks),
        to_sign=tab == "receipt",
    )


def outcome_options() -> tuple[tuple[str, str, str], ...]:
    """Return the five outcomes with what each asks for (R-75, R-76)."""
    hints = {
        "adopted": _("须写明写在草案的哪里"),
        "partly_adopted": _("须写明位置，并说明其余未采纳的理由"),
        "not_adopted": _("须说明理由"),
        "explained": _("须说明有关规定或事实"),
        "reference": _("须说明理由和今后打算"),
    }
    return tuple((code, str(label), str(hints[code])) for code, label in OUTCOMES.items())


def places(choices: tuple[SectionChoice, ...]) -> tuple[Option, ...]:
    """Return the places in the draft a reply can name (R-77)."""
    return (
        Option("", _("不选")),
        *(Option(f"{one.key}@{one.version}", one.label) for one in choices),
    )


def preview(page: CommentPage, outcome: str, body: str, reason: str, location: str) -> Preview:
    """Return the reply as the public will see it."""
    place = page.place.heading or _("整体")
    return Preview(
        receipt_no=page.receipt_no,
        place=place,
        text=page.body,
        outcome=str(OUTCOMES.get(outcome, _("未选采纳情况"))),
        unit=page.assignment.lead if page.assignment else "",
        paragraphs=tuple(line for line in body.split("\n") if line.strip()),
        reason=reason,
        location=location,
    )


def warnings(page: CommentPage, body: str, reason: str, location: str) -> tuple[str, ...]:
    """Return what the writer should know before sending: personal data, lack of substance, missing co-units."""
    out = []
    for one in find("\n".join((body, reason, location))):
        label = i18n.pii_words(one.type)
        if one.level is Level.STRONG:
            out.append(_("答复中有%(type)s，请删去后再送审签。", type=label))
        elif one.level is Level.SUSPECT:
            out.append(_("答复中可能有%(type)s，请核对。", type=label))
    left = residual(body)
    if body.strip() and left < SUBSTANCE_MINIMUM:
        out.append(_("去除套话后仅 %(n)s 字，请写明是否采纳、写在哪里、为什么。", n=left))
    if page.assignment is not None:
        waiting = [one.name for one in page.assignment.co_units if one.feedback_at is None]
        if waiting:
            out.append(_("协办单位尚未反馈：%(units)s。不影响送审签。", units=_("、").join(waiting)))
    return tuple(dict.fromkeys(out))


def versions(replies: tuple[ReplyShown, ...]) -> tuple[Version, ...]:
    """Return the trail of a reply, newest version first; people appear by name to colleagues only (R-83)."""
    return tuple(_version(one) for one in replies)


def _version(one: ReplyShown) -> Version:
    lines: list[tuple[str, Moment | None]] = [(_("起草：%(who)s", who=one.drafted_by), moment(one.drafted_at))]
    if one.approved_at is not None:
        lines.append((_("负责人确认：%(who)s", who=one.approved_by), moment(one.approved_at)))
    if one.signed_off_at is not None:
        what = _("退改：%(who)s") if one.state == "rejected" else _("审签：%(who)s")
        lines.append((what % {"who": one.signed_off_by}, moment(one.signed_off_at)))
    title = _("第%(n)s稿 · %(state)s", n=one.revision, state=str(REPLY_STATES.get(one.state, one.state)))
    return Version(title, tuple(lines), one.rejection or one.correction_note or one.approval_note)


@dataclass(frozen=True)
class Abilities:
    """What the viewer can do on the reply page now."""

    sign: bool
    draft: bool
    approve: bool
    hand_back: bool
    extend: bool
    reveal: bool


def abilities(page: CommentPage, viewer: Viewer) -> Abilities:
    """Return what state and role allow; services check again."""
    officer, leader = viewer.may(Permission.DRAFT_REPLY), viewer.may(Permission.SUBMIT_REPLY)
    handling = page.state == "in_progress"
    latest = page.replies[0] if page.replies else None
    waits = latest is not None and latest.state in ("drafting", "pending_leader")
    assignment = page.assignment
    free = assignment is not None and not assignment.extended and assignment.extension_request is None
    return Abilities(
        sign=officer and page.state == "assigned",
        draft=officer and handling,
        approve=leader and handling and waits,
        hand_back=leader
        and page.state in ("assigned", "in_progress")
        and assignment is not None
        and not assignment.designated,
        extend=officer and handling and free,
        reveal=page.may_reveal and page.contact is None and not page.contact_erased,
    )


def stored_values(reply: ReplyShown | None) -> dict[str, str | bool]:
    """Return a stored reply as the form's values."""
    if reply is None:
        return {}
    location = f"{reply.section_key}@{reply.version}" if reply.section_key and reply.version else ""
    return {
        "outcome": reply.outcome,
        "body": reply.body,
        "reason": reply.reason,
        "draft_location": location,
        "place_detail": reply.place_detail,
    }
