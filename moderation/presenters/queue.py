"""The queue in words: tabs with counts, two-line rows, how each due day stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.domain.calendar import WorkCalendar, due_date_or_none, local_day
from moderation.permissions import Permission, Viewer
from moderation.presenters.comment import FLAGS, PUBLICITIES, STATES, Due, Option, due
from moderation.queries.queue import COUNT_CAP, TABS, Queue, QueueFilter, QueueRow

LABELS = {
    "review": _l("待审核"),
    "confirm": _l("待他人确认"),
    "supplement": _l("待补充"),
    "route": _l("待转办"),
    "returned": _l("退回待核"),
    "extension": _l("延期待批"),
    "handling": _l("承办中"),
    "done": _l("已办结"),
}
_TITLE = 24
_SHORTEST = 8
_ENDS = "。！？!?\n"


@dataclass(frozen=True)
class Tab:
    """One tab; `count` is a number, or 500+ where counting stops."""

    label: str
    url: str
    count: str
    current: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One comment in two lines."""

    receipt_no: str
    version: int
    url: str
    held: str
    title: str
    sub: str
    place: str
    unit: str
    unit_note: str
    state: str
    due: Due | None
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Page:
    """The queue's page."""

    title: str
    tab: str
    tabs: tuple[Tab, ...]
    rows: tuple[Row, ...]
    consultations: tuple[Option, ...]
    sections: tuple[Option, ...]
    units: tuple[Option, ...]
    ages: tuple[Option, ...]
    filtered: bool
    older_url: str
    first_url: str
    within: str


def page(
    queue: Queue,
    asked: QueueFilter,
    within: str,
    url: Callable[..., str],
    older: str,
    paged: bool,
    today: date,
    calendar: WorkCalendar,
) -> Page:
    """Return the page; `within` is the filter to be carried along, `older` the cursor of the next page or empty."""
    kept = {name: value for name, value in asked.as_values().items() if value and name != "tab"}
    known: dict[date | None, Due] = {}
    return Page(
        title=str(LABELS[asked.tab]),
        tab=asked.tab,
        tabs=tuple(
            Tab(
                str(label),
                url("queue.index", **{**kept, "tab": tab}),
                count(queue.counts.get(tab, 0)),
                tab == asked.tab,
            )
            for tab, label in LABELS.items()
            if tab in TABS
        ),
        rows=_rows(queue, url, within, today, calendar, known),
        consultations=_options(_("全部征集"), queue.consultations),
        sections=_options(_("全部章节"), queue.sections),
        units=_options(_("全部单位"), queue.units),
        ages=(Option("", _("全部")), Option("late", _("已超期")), Option("today", _("今天到期"))),
        filtered=bool(kept),
        older_url=url("queue.index", **{**kept, "tab": asked.tab, "after": older}) if older else "",
        first_url=url("queue.index", **{**kept, "tab": asked.tab}) if paged else "",
        within=within,
    )


def bulk_choices(tab: str, viewer: Viewer) -> tuple[str, ...]:
    """Return what the viewer can decide for several comments of a tab at once."""
    review, assign = viewer.may(Permission.REVIEW), viewer.may(Permission.ASSIGN)
    choices = {
        "review": (
            ("accept_and_route", review and assign),
            ("accept", review),
            ("withhold", viewer.may(Permission.WITHHOLD)),
            ("not_accept", review),
        ),
        "route": (("assign_suggested", assign), ("assign", assign), ("withhold", viewer.may(Permission.WITHHOLD))),
    }
    return tuple(name for name, allowed in choices.get(tab, ()) if allowed)


def split_opening(opening: str, cut: int) -> tuple[str, str]:
    """Return the first clause and the rest of an opening; `cut` is how much of the body was read."""
    flat = " ".join(opening.split())
    end = next((at for at, char in enumerate(flat[:_TITLE]) if char in _ENDS), 0)
    if not end and len(flat) > _TITLE:
        comma = flat.rfind("，", _SHORTEST, _TITLE)
        end = comma if comma > 0 else _TITLE
    elif not end:
        end = len(flat)
    rest = flat[end:].lstrip(_ENDS + "，")
    return flat[:end], rest + ("……" if len(opening) >= cut else "")


def count(n: int, cap: int = COUNT_CAP) -> str:
    """Return a number, or 500+ where counting stops."""
    return f"{n}+" if n >= cap else str(n)


def _options(everything: str, choices: tuple[object, ...]) -> tuple[Option, ...]:
    return (Option("", everything), *(Option(one.value, one.label) for one in choices))  # type: ignore[attr-defined]


def _rows(
    queue: Queue,
    url: Callable[..., str],
    within: str,
    today: date,
    calendar: WorkCalendar,
    known: dict[date | None, Due],
) -> tuple[Row, ...]:
    # Building an address is slow; all rows share one.
    base = url("comment.show", receipt_no="0")[:-1]
    more = "?" + urlencode({"within": within}) if within else ""
    states = {name: str(label) for name, label in STATES.items()}
    return tuple(_row(one, base, more, states, today, calendar, known) for one in queue.rows)


def _row(
    one: QueueRow,
    base: str,
    more: str,
    states: Mapping[str, str],
    today: date,
    calendar: WorkCalendar,
    known: dict[date | None, Due],
) -> Row:
    title, sub = split_opening(one.opening, 90)
    place = one.heading or _("整体")
    if one.paragraph:
        place = _("%(heading)s第%(n)s段", heading=place, n=one.paragraph)
    return Row(
        receipt_no=one.receipt_no,
        url=base + one.receipt_no + more,
        version=one.version,
        held=_held(one),
        title=title,
        sub=sub,
        place=place,
        unit=one.unit,
        unit_note="" if one.has_lead or not one.unit else _("建议"),
        state=states.get(one.state, one.state),
        due=_due(one, today, calendar, known),
        marks=_marks(one),
    )


def _due(one: QueueRow, today: date, calendar: WorkCalendar, known: dict[date | None, Due]) -> Due | None:
    if one.state == "pending_review":
        day = one.review_due_on
    elif one.state in ("accepted", "to_assign"):
        day = due_date_or_none(calendar, local_day(one.accepted_at), 1) if one.accepted_at else None
    elif one.state in ("assigned", "in_progress", "return_requested", "pending_sign_off"):
        day = one.reply_due_on
    else:
        return None
    if day not in known:
        known[day] = due(day, today, calendar)
    return known[day]


def _held(one: QueueRow) -> str:
    if not one.held_by:
        return ""
    return str(_("您已领取") if one.held_by_me else _("%(who)s正在看", who=one.held_by))


def _marks(one: QueueRow) -> tuple[str, ...]:
    marks = [str(FLAGS.get(flag, flag)) for flag in one.flags]
    if one.publicity == "withheld":
        marks.append(str(PUBLICITIES["withheld"]))
    if one.return_count:
        marks.append(_("退回%(n)s次", n=one.return_count))
    return tuple(marks)
