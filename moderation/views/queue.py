"""The queue of comments to be reviewed and routed: its tabs, and going on to the next that nobody else reads."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import local_day
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms import queue as forms
from moderation.forms.accounts import FormView
from moderation.permissions import Permission
from moderation.presenters import queue as present
from moderation.queries import queue as read
from moderation.queries import sealed
from moderation.services import claims
from moderation.views.onward import first_tab, go_on, queue_today

bp = Blueprint("queue", __name__)


@bp.get("/queue")
def index() -> ResponseReturnValue:
    """One tab of the queue with its filters."""
    now, viewer = clock.utc_now(), access.viewer()
    asked = forms.read_filter(request.args, first_tab(viewer))
    after = web.decode_cursor(request.args.get("after", ""))
    with db.reading() as session:
        calendar = work_calendar(session)
        found = read.page(session, viewer, asked, queue_today(calendar, now), web.runtime().queue_size, after)
        hidden = sealed.number(session, viewer) if asked.tab == "confirm" and viewer.may(Permission.WITHHOLD) else 0
    last = found.rows[-1] if found.rows and found.more else None
    older = web.encode_cursor(last.submitted_at, last.id) if last else ""
    page = present.page(found, asked, forms.carried(asked), url_for, older, after is not None, local_day(now), calendar)
    return render_template(
        "staff/queue.html",
        page=page,
        filters=FormView(forms.values_of(asked)),
        done=request.args.get("done", ""),
        sealed=hidden,
        may_take=any(viewer.may(one) for one in claims.WHO) and asked.tab in ("review", "route", "returned"),
    )


@bp.post("/queue/next")
def take_next() -> ResponseReturnValue:
    """Take the oldest comment of a tab that nobody else reads, and open it."""
    asked = forms.read_filter(request.form, first_tab(access.viewer()))
    return redirect(go_on(asked, forms.carried(asked), "none"), HTTPStatus.SEE_OTHER)


@bp.post("/comments/<receipt_no>/claim")
def claim(receipt_no: str) -> ResponseReturnValue:
    """Take this comment, and open it; one that somebody else reads is opened with a word about it."""
    with db.writing() as session:
        held = claims.claim(session, access.viewer(), receipt_no, clock.utc_now())
    within = request.form.get("within", "")[:400]
    target = url_for("comment.show", receipt_no=receipt_no, done=None if held else "held", within=within or None)
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.post("/comments/<receipt_no>/release")
def release(receipt_no: str) -> ResponseReturnValue:
    """Give this comment back, and go to the queue or on to the next one."""
    viewer, within = access.viewer(), request.form.get("within", "")[:400]
    with db.writing() as session:
        claims.release(session, viewer, receipt_no)
    onward = request.form.get("onward", "")
    asked = forms.read_carried(within, first_tab(viewer))
    if onward in read.TABS:
        asked = replace(asked, tab=onward)
        return redirect(go_on(asked, within, "none", leaving=receipt_no), HTTPStatus.SEE_OTHER)
    values: dict[str, Any] = {**forms.values_of(asked)}
    return redirect(url_for("queue.index", **values), HTTPStatus.SEE_OTHER)
