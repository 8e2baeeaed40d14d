"""Staff pages, and what several of them share: the page of a conflict, going on to the next comment."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import render_template, request, url_for

from consult import clock, db, web
from consult.domain.calendar import WorkCalendar, local_day, start_of_day
from consult.domain.errors import CalendarPending, ChangedMeanwhile, IllegalTransition
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.permissions import Permission, Viewer
from moderation.presenters import comment as present
from moderation.queries import comment_page
from moderation.queries import queue as queue_read
from moderation.queries.queue import QueueFilter, Today
from moderation.services import claims


def conflict_page(
    receipt_no: str, error: ChangedMeanwhile | IllegalTransition, back_url: str = ""
) -> tuple[str, HTTPStatus]:
    """Return the page and 409; `back_url` leads to the newest state, the comment's page when empty.

    Raises:
        NotFound: the comment is out of the viewer's reach by now.
    """
    with db.reading() as session:
        page = comment_page.load(session, access.viewer(), receipt_no, web.runtime().cipher, clock.utc_now())
    shown = present.conflict(page, request.form, error)
    back = back_url or url_for("comment.show", receipt_no=receipt_no)
    return render_template("staff/conflict.html", page=shown, back_url=back), HTTPStatus.CONFLICT


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


def queue_address(asked: QueueFilter) -> str:
    """Return the address of the queue with a filter."""
    values: dict[str, Any] = {name: value for name, value in asked.as_values().items() if value}
    return url_for("queue.index", **values)


def go_on(asked: QueueFilter, within: str, done: str, leaving: str = "") -> str:
    """Take the next free comment of a tab and return its address; the queue's when there is none.

    `leaving` is the comment one comes from: those after it come first, and it is not offered again at once.
    """
    now, viewer = clock.utc_now(), access.viewer()
    with db.writing() as session:
        today = queue_today(work_calendar(session), now)
        after = queue_read.position_of(session, leaving) if leaving else None
        free = queue_read.next_free(session, viewer, asked, today, claims.is_free(viewer.staff_id, now), after)
        number = claims.claim_first(session, viewer, free, now)
    if number:
        return url_for("comment.show", receipt_no=number, done=done, within=within or None)
    return url_for("queue.index", tab=asked.tab, done="all")
