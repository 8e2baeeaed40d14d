"""Going on to the next comment without going back to the list."""

from __future__ import annotations

from datetime import datetime

from flask import url_for

from consult import clock, db
from consult.domain.calendar import WorkCalendar, local_day, start_of_day
from consult.domain.errors import CalendarPending
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.permissions import Permission, Viewer
from moderation.queries import queue as read
from moderation.queries.queue import QueueFilter, Today
from moderation.services import claims


def first_tab(viewer: Viewer) -> str:
    """Reviewers start with what is to be reviewed, others with what is to be routed."""
    return "review" if viewer.may(Permission.REVIEW) or not viewer.may(Permission.ASSIGN) else "route"


def queue_today(calendar: WorkCalendar, now: datetime) -> Today:
    """Return the day and since when routing is late: it is due one working day after acceptance."""
    day = local_day(now)
    try:
        late_before = start_of_day(calendar.nth_working_day(day, -1))
        return Today(day, late_before, start_of_day(day), now)
    except CalendarPending:
        return Today(day, None, None, now)


def go_on(asked: QueueFilter, within: str, done: str, leaving: str = "") -> str:
    """Take the next free comment of a tab and return its address; the queue's when there is none.

    `leaving` is the comment one comes from: those after it come first, and it is not offered again at once.
    """
    now, viewer = clock.utc_now(), access.viewer()
    with db.writing() as session:
        today = queue_today(work_calendar(session), now)
        after = read.position_of(session, leaving) if leaving else None
        free = read.next_free(session, viewer, asked, today, claims.is_free(viewer.staff_id, now), after)
        number = claims.claim_first(session, viewer, free, now)
    if number:
        return url_for("comment.show", receipt_no=number, done=done, within=within or None)
    return url_for("queue.index", tab=asked.tab, done="all")
