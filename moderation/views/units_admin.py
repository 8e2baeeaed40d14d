"""The administrator's pages for units: list, names, settings, members of groups."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db
from consult.domain.errors import FieldErrors, Refused
from moderation import access
from moderation.forms.accounts import FormView
from moderation.permissions import Permission
from moderation.presenters import units as present
from moderation.queries import units_admin as read
from moderation.queries.units_admin import UnitFilter
from moderation.services import units_admin as service

bp = Blueprint("units_admin", __name__)


@bp.get("/admin/units/")
def index() -> ResponseReturnValue:
    """Units by name, kind, and whether anybody works for them."""
    given = {name: request.args.get(name, "").replace("\0", "").strip()[:60] for name in ("q", "kind", "officer")}
    with db.reading() as session:
        rows = read.units(session, UnitFilter(**given))
    return render_template("staff/units.html", rows=present.lines(rows), filters=FormView(given), kinds=present.kinds())


@bp.get("/admin/units/<code>/")
def show(code: str) -> ResponseReturnValue:
    """One unit."""
    return _page(code, FormView())


@bp.post("/admin/units/<code>/rename")
def rename(code: str) -> ResponseReturnValue:
    """Give new names; the old ones keep leading here (R-97)."""
    now, by = clock.utc_now(), access.by(Permission.CONFIGURE)
    name, short_name = (request.form.get(field, "")[:200] for field in ("name", "short_name"))
    return _do(code, lambda session: service.rename(session, by, code, name, short_name, now))


@bp.post("/admin/units/<code>/settings")
def settings(code: str) -> ResponseReturnValue:
    """Say whether it is routed to, and whether it takes a daily digest."""
    now, by = clock.utc_now(), access.by(Permission.CONFIGURE)
    assignable, digest = (request.form.get(field) == "yes" for field in ("assignable", "daily_digest"))
    return _do(
        code,
        lambda session: service.set_flags(session, by, code, now, assignable=assignable, daily_digest=digest),
    )


@bp.post("/admin/units/<code>/members")
def add_member(code: str) -> ResponseReturnValue:
    """Put a unit into a group."""
    now, by, member = clock.utc_now(), access.by(Permission.CONFIGURE), request.form.get("member", "")[:40]
    return _do(code, lambda session: service.add_member(session, by, code, member, now))


@bp.post("/admin/units/<code>/members/remove")
def remove_member(code: str) -> ResponseReturnValue:
    """Take a unit out of a group."""
    now, by, member = clock.utc_now(), access.by(Permission.CONFIGURE), request.form.get("member", "")[:40]
    return _do(code, lambda session: service.remove_member(session, by, code, member, now))


def _do(code: str, work: Callable[[Any], object]) -> ResponseReturnValue:
    try:
        with db.writing() as session:
            work(session)
    except FieldErrors as error:
        return _again(code, present.say_all(error))
    except Refused as error:
        return _again(code, {error.field or "": present.say(error)})
    return redirect(url_for("units_admin.show", code=code, done="saved"), HTTPStatus.SEE_OTHER)


def _again(code: str, errors: dict[str, str]) -> ResponseReturnValue:
    typed = {name: request.form[name] for name in ("name", "short_name", "member") if name in request.form}
    return _page(code, FormView(typed, errors)), HTTPStatus.UNPROCESSABLE_ENTITY


def _page(code: str, form: FormView) -> str:
    with db.reading() as session:
        found = read.unit(session, code)
    page = present.page(found)
    stored: dict[str, str | bool] = {
        "name": page.line.name,
        "short_name": page.line.short_name,
        "assignable": page.line.assignable,
        "daily_digest": page.line.digest,
    }
    shown = FormView({**stored, **form.values}, form.errors)
    return render_template("staff/units_show.html", page=page, form=shown, done=request.args.get("done", ""))
