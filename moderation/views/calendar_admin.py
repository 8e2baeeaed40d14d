"""The administrator's pages for the working-day calendar."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db
from consult.domain.errors import Refused
from moderation import access
from moderation.forms.accounts import FormView
from moderation.forms.calendar import read_entry, read_year
from moderation.permissions import Permission
from moderation.presenters import calendar as present
from moderation.queries import calendar_admin as read
from moderation.services import calendar_admin, deadlines

bp = Blueprint("calendar_admin", __name__)


@bp.get("/admin/calendar/")
def index() -> ResponseReturnValue:
    """The years, published or not, and how many due days wait for them."""
    return _list(FormView())


@bp.post("/admin/calendar/import")
def import_year() -> ResponseReturnValue:
    """Fetch a year from the library as a draft."""
    now, year = clock.utc_now(), read_year(request.form)
    try:
        with db.writing() as session:
            calendar_admin.import_year(session, access.by(Permission.CONFIGURE), year, now)
    except Refused as error:
        typed = {"year": request.form.get("year", "")}
        return _list(FormView(typed, {error.field or "": present.say(error)})), HTTPStatus.UNPROCESSABLE_ENTITY
    return _to(year, "imported")


@bp.get("/admin/calendar/<int:year>/")
def show(year: int) -> ResponseReturnValue:
    """One year's days."""
    return _page(year, FormView())


@bp.post("/admin/calendar/<int:year>/days")
def put_day(year: int) -> ResponseReturnValue:
    """Add or rename a day."""
    now, (day, name) = clock.utc_now(), read_entry(request.form)
    by = access.by(Permission.CONFIGURE)
    return _do(year, lambda session: calendar_admin.put_day(session, by, year, day, name, now), "saved")


@bp.post("/admin/calendar/<int:year>/remove")
def remove_day(year: int) -> ResponseReturnValue:
    """Take a day out."""
    now, (day, _name) = clock.utc_now(), read_entry(request.form)
    by = access.by(Permission.CONFIGURE)
    return _do(year, lambda session: calendar_admin.remove_day(session, by, year, day, now), "saved")


@bp.post("/admin/calendar/<int:year>/publish")
def publish(year: int) -> ResponseReturnValue:
    """Publish a year; due days that waited for it are worked out at once (R-61)."""
    now, by = clock.utc_now(), access.by(Permission.CONFIGURE)
    answer = _do(year, lambda session: calendar_admin.publish(session, by, year, now), "published")
    for step in (deadlines.recompute_pending, deadlines.recompute_others):
        deadlines.repeat(db.writing, step, now)
    return answer


def _do(year: int, work: Callable[[Any], object], done: str) -> ResponseReturnValue:
    try:
        with db.writing() as session:
            work(session)
    except Refused as error:
        typed = {name: request.form.get(name, "") for name in ("day", "name")}
        shown = FormView(typed, {error.field or "": present.say(error)})
        return _page(year, shown), HTTPStatus.UNPROCESSABLE_ENTITY
    return _to(year, done)


def _to(year: int, done: str) -> ResponseReturnValue:
    return redirect(url_for("calendar_admin.show", year=year, done=done), HTTPStatus.SEE_OTHER)


def _list(form: FormView) -> str:
    with db.reading() as session:
        rows = read.years(session)
    return render_template("staff/calendar.html", years=present.years(rows, url_for), form=form)


def _page(year: int, form: FormView) -> str:
    with db.reading() as session:
        found = read.year(session, year)
    return render_template(
        "staff/calendar_show.html", page=present.page(found, url_for), form=form, done=request.args.get("done", "")
    )
