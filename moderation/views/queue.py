"""The queue of comments to be reviewed and routed."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import WorkCalendar, local_day, start_of_day
from consult.domain.errors import CalendarPending
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms.accounts import FormView
from moderation.permissions import Permission
from moderation.presenters import queue as present
from moderation.queries import queue as read
from moderation.queries import sealed
from moderation.queries.queue import TABS, QueueFilter, Today

bp = Blueprint("queue", __name__)


@bp.get("/queue")
def index() -> ResponseReturnValue:
    """One tab of the queue with its filters."""
    now = clock.utc_now()
    given = {
        name: request.args.get(name, "").strip() for name in ("tab", "consultation", "section", "unit", "q", "age")
    }
    asked = QueueFilter(
        tab=given["tab"] if given["tab"] in TABS else _first_tab(),
        consultation=given["consultation"][:80],
        section=given["section"][:40],
        unit=given["unit"][:40],
        q=given["q"].replace("\0", "")[:60],
        age=given["age"] if given["age"] in ("late", "today") else "",
        findings=request.args.get("findings") == "yes",
        after=web.decode_cursor(request.args.get("after", "")),
    )
    with db.reading() as session:
        calendar = work_calendar(session)
        viewer = access.viewer()
        found = read.page(session, viewer, asked, _today(calendar, now), web.runtime().queue_size)
        hidden = sealed.number(session, viewer) if asked.tab == "confirm" and viewer.may(Permission.WITHHOLD) else 0
    last = found.rows[-1] if found.rows and found.more else None
    older = web.encode_cursor(last.submitted_at, last.id) if last else ""
    values = {**given, "tab": asked.tab, "findings": "yes" if asked.findings else ""}
    page = present.page(found, asked, values, url_for, older, local_day(now), calendar)
    return render_template(
        "staff/queue.html", page=page, filters=FormView(values), done=request.args.get("done", ""), sealed=hidden
    )


def _first_tab() -> str:
    """Reviewers start with what is to be reviewed, others with what is to be routed."""
    viewer = access.viewer()
    return "review" if viewer.may(Permission.REVIEW) or not viewer.may(Permission.ASSIGN) else "route"


def _today(calendar: WorkCalendar, now: datetime) -> Today:
    """Return the day and since when routing is late: it is due one working day after acceptance."""
    day = local_day(now)
    try:
        late_before = start_of_day(calendar.nth_working_day(day, -1))
        return Today(day, late_before, start_of_day(day))
    except CalendarPending:
        return Today(day, None, None)
