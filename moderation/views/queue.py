"""The queue of comments to be reviewed and routed: its tabs, and going on to the next that nobody else reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import local_day
from consult.domain.errors import Refused
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms import queue as forms
from moderation.forms.accounts import FormView
from moderation.forms.bulk import read_bulk
from moderation.permissions import Permission
from moderation.presenters import bulk as bulk_present
from moderation.presenters import queue as present
from moderation.presenters.comment import NOT_ACCEPT, options
from moderation.presenters.refusals import say
from moderation.queries import bulk as bulk_read
from moderation.queries import queue as read
from moderation.queries import saved_filters, sealed
from moderation.queries.queue import QueueFilter
from moderation.services import bulk, claims
from moderation.services import saved_filters as saving
from moderation.views import first_tab, go_on, queue_address, queue_today

bp = Blueprint("queue", __name__)


@bp.get("/queue")
def index() -> ResponseReturnValue:
    """One tab of the queue with its filters."""
    asked = forms.read_filter(request.args, first_tab(access.viewer()))
    return _page(asked, web.decode_cursor(request.args.get("after", "")), {})


def _page(
    asked: QueueFilter,
    after: tuple[datetime, int] | None,
    errors: Mapping[str, str],
    ticked: frozenset[str] = frozenset(),
) -> str:
    """Return the queue's page; what the viewer decided on several comments and is due takes effect first."""
    now, viewer = clock.utc_now(), access.viewer()
    with db.reading() as session:
        due = bulk_read.due(session, now, viewer.staff_id)
    if due:
        bulk.apply_due(db.writing, web.runtime().cipher, now, viewer.staff_id)
    with db.reading() as session:
        calendar = work_calendar(session)
        today = queue_today(calendar, now)
        found = read.page(session, viewer, asked, today, web.runtime().queue_size, after)
        hidden = sealed.number(session, viewer) if asked.tab == "confirm" and viewer.may(Permission.WITHHOLD) else 0
        decided = bulk_read.recent(session, viewer, now)
        kept = [
            (one, own := forms.read_filter(one.criteria, asked.tab), read.count(session, viewer, own, today))
            for one in saved_filters.mine(session, viewer)
        ]
        names = read.unit_names(session) if decided else {}
    last = found.rows[-1] if found.rows and found.more else None
    older = web.encode_cursor(last.submitted_at, last.id) if last else ""
    page = present.page(found, asked, forms.carried(asked), url_for, older, after is not None, local_day(now), calendar)
    return render_template(
        "staff/queue.html",
        page=page,
        filters=FormView(asked.as_values(), errors),
        done=request.args.get("done", ""),
        sealed=hidden,
        may_take=any(viewer.may(one) for one in claims.WHO) and asked.tab in ("review", "route", "returned"),
        decided=bulk_present.shown(decided, names),
        can=present.bulk_choices(asked.tab, viewer),
        withhold=bulk_present.withhold_options(),
        not_accept=options(NOT_ACCEPT),
        ticked=ticked,
        kept=[(one.id, one.name, queue_address(own), present.count(n, 100)) for one, own, n in kept],
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
    return redirect(queue_address(asked), HTTPStatus.SEE_OTHER)


@bp.post("/queue/bulk")
def decide_many() -> ResponseReturnValue:
    """Keep the decision; it takes effect in half a minute."""
    viewer, within = access.viewer(), request.form.get("within", "")[:400]
    asked = forms.read_carried(within, first_tab(viewer))
    try:
        with db.writing() as session:
            bulk.ask(session, viewer, read_bulk(request.form), clock.utc_now())
    except Refused as error:
        ticked = frozenset(request.form.getlist("rows"))
        return _page(asked, None, {f"bulk_{error.field}" if error.field else "": say(error)}, ticked), (
            HTTPStatus.UNPROCESSABLE_ENTITY
        )
    return redirect(queue_address(asked), HTTPStatus.SEE_OTHER)


@bp.get("/queue/bulk/<int:bulk_id>")
def results(bulk_id: int) -> ResponseReturnValue:
    """How each comment fared."""
    viewer, now = access.viewer(), clock.utc_now()
    bulk.apply_due(db.writing, web.runtime().cipher, now, viewer.staff_id)
    with db.reading() as session:
        found = bulk_read.one(session, viewer, bulk_id)
        names = read.unit_names(session)
    return render_template("staff/queue_bulk.html", page=bulk_present.shown([found], names)[0])


@bp.post("/queue/bulk/<int:bulk_id>/undo")
def undo(bulk_id: int) -> ResponseReturnValue:
    """Take the decision back before it takes effect."""
    viewer = access.viewer()
    asked = forms.read_carried(request.form.get("within", "")[:400], first_tab(viewer))
    try:
        with db.writing() as session:
            bulk.undo(session, viewer, bulk_id, clock.utc_now())
    except Refused as error:
        return _page(asked, None, {"": say(error)}), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(queue_address(asked), HTTPStatus.SEE_OTHER)


@bp.post("/queue/filters")
def save_filter() -> ResponseReturnValue:
    """Keep the filter that is set, under a name."""
    viewer, within = access.viewer(), request.form.get("within", "")[:400]
    asked = forms.read_carried(within, first_tab(viewer))
    try:
        with db.writing() as session:
            saving.save(session, viewer, request.form.get("name", "")[:100], asked.as_values(), clock.utc_now())
    except Refused as error:
        return _page(asked, None, {"name": say(error)}), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(queue_address(asked), HTTPStatus.SEE_OTHER)


@bp.post("/queue/filters/<int:filter_id>/forget")
def forget_filter(filter_id: int) -> ResponseReturnValue:
    """Forget a filter one kept."""
    with db.writing() as session:
        saving.forget(session, access.viewer(), filter_id)
    return redirect(url_for("queue.index"), HTTPStatus.SEE_OTHER)
