"""Exports: asking for one, following it, downloading it for 24 hours."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.errors import FieldErrors, NotFound, Refused
from moderation import access
from moderation.forms.accounts import FormView
from moderation.forms.exports import ExportForm
from moderation.permissions import Permission
from moderation.presenters import exports as present
from moderation.queries import export_records as read
from moderation.services import exports

bp = Blueprint("exports", __name__)
_TYPES = {
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}


@bp.get("/exports")
def index() -> ResponseReturnValue:
    """The form, one click for the usual one, and the viewer's own exports."""
    return _page(FormView({"format": "xlsx", "part": "both"}))


@bp.post("/exports")
def create() -> ResponseReturnValue:
    """Record an export and queue it for the worker."""
    now, viewer = clock.utc_now(), access.viewer()
    form = ExportForm.read(request.form)
    try:
        criteria = form.to_criteria()
        with db.writing() as session:
            by = access.by(_permission())
            number = exports.open_export(session, viewer, by, criteria, confirmed=form.confirmed, as_of=now, now=now)
    except FieldErrors as errors:
        return _page(FormView(form.values(), i18n.say_all(errors))), HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as error:
        shown = FormView(form.values(), {error.field or "": i18n.say(error)})
        return _page(shown), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("exports.show", export_id=number), HTTPStatus.SEE_OTHER)


@bp.get("/exports/<int:export_id>/")
def show(export_id: int) -> ResponseReturnValue:
    """One of the viewer's exports: how far it is, or where to take it."""
    return _one(export_id, "")


@bp.get("/exports/<int:export_id>/file")
def download(export_id: int) -> ResponseReturnValue:
    """The file, only for the person who asked for it and for 24 hours (R-100)."""
    now = clock.utc_now()
    try:
        with db.writing() as session:
            path, name = exports.download(
                session, access.viewer(), access.by(_permission()), export_id, web.runtime().files_dir, now
            )
    except Refused as error:
        return _one(export_id, i18n.say(error)), HTTPStatus.GONE
    return send_file(
        path, mimetype=_TYPES[path.suffix], as_attachment=True, download_name=name, max_age=0, conditional=False
    )


@bp.post("/exports/<int:export_id>/cancel")
def cancel(export_id: int) -> ResponseReturnValue:
    """Stop an export that has not ended."""
    try:
        with db.writing() as session:
            exports.cancel(session, access.viewer(), access.by(_permission()), export_id, clock.utc_now())
    except Refused as error:
        return _one(export_id, i18n.say(error)), HTTPStatus.CONFLICT
    return redirect(url_for("exports.show", export_id=export_id), HTTPStatus.SEE_OTHER)


def _permission() -> Permission:
    return Permission.EXPORT if access.viewer().may(Permission.EXPORT) else Permission.EXPORT_PUBLIC


def _one(export_id: int, refused: str) -> str:
    with db.reading() as session:
        found = read.of_requester(session, access.viewer().staff_id, clock.utc_now(), export_id=export_id)
    if not found:
        raise NotFound(object="export")
    return render_template("staff/exports_show.html", export=present.line(found[0]), refused=refused)


def _page(form: FormView) -> str:
    viewer = access.viewer()
    reach = viewer.reach(Permission.EXPORT)
    with db.reading() as session:
        own = read.of_requester(session, viewer.staff_id, clock.utc_now())
        found = read.consultations(session, reach)
    return render_template(
        "staff/exports.html",
        form=form,
        rows=present.lines(own),
        unit=viewer.unit_name if reach.lead_unit is not None else "",
        tables=present.tables(own=not reach.nothing, unit=reach.lead_unit is not None),
        formats=present.formats(),
        parts=present.parts() if reach.co_unit is not None else (),
        states=present.states() if not reach.nothing else (),
        consultations=present.consultations(found),
        purposes=present.purposes() if viewer.may(Permission.EXPORT_WITH_CONTACT) else (),
    )
