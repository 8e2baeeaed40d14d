"""The administrator's pages for accounts: list, new, disable, reset a password, give and take roles."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from consult import clock, db, i18n, web
from consult.domain.errors import FieldErrors, Refused
from consult.gateways import password_hashing
from moderation import access
from moderation.forms.accounts import FormView, NewAccountForm, read_filter, read_grant, whole_number
from moderation.permissions import Grant, Permission
from moderation.presenters import accounts as present
from moderation.queries import accounts as read
from moderation.services import accounts
from moderation.services.accounts import NewAccount

bp = Blueprint("users_admin", __name__)
_SHOWN_FOR = timedelta(minutes=10)


@bp.get("/admin/users/")
def index() -> ResponseReturnValue:
    """Accounts by name, unit, role and state."""
    wanted = read_filter(request.args)
    with db.reading() as session:
        rows, after = read.listed(session, wanted, whole_number(request.args.get("after", "")) or 0)
        units = read.units(session)
    asked: dict[str, Any] = {name: request.args.get(name, "") for name in ("q", "unit", "role", "state")}
    return render_template(
        "staff/users.html",
        rows=present.lines(rows),
        filters=FormView(asked),
        units=present.options(units, _("全部单位")),
        roles=present.role_options(_("全部角色")),
        older_url=url_for("users_admin.index", **asked, after=after) if after else "",
    )


@bp.route("/admin/users/new", methods=["GET", "POST"])
def create() -> ResponseReturnValue:
    """A new account; its first password is made up here and shown once."""
    if request.method == "GET":
        return _new(FormView())
    now = clock.utc_now()
    form = NewAccountForm.read(request.form)
    password = password_hashing.new_password()
    try:
        values = form.to_values(web.runtime().index_key)
        new = NewAccount(
            values.username,
            values.display_name,
            values.person_key,
            password_hashing.hash_password(password),
            values.unit_id,
            must_change_password=True,
        )
        with db.writing() as session:
            by = access.by(Permission.CONFIGURE)
            staff_id = accounts.create(session, by, new, now)
            if values.first_role is not None:
                accounts.grant(session, by, staff_id, Grant(values.first_role), now)
    except FieldErrors as errors:
        return _new(FormView(form.values(), i18n.say_all(errors))), HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as error:
        shown = FormView(form.values(), {error.field or "": i18n.say(error)})
        return _new(shown), HTTPStatus.UNPROCESSABLE_ENTITY
    return _to_account(staff_id, once=_keep_once(staff_id, password))


@bp.get("/admin/users/<int:staff_id>/")
def show(staff_id: int) -> ResponseReturnValue:
    """One account; a password just made up is shown this once."""
    return _page(staff_id, FormView(), _take_once(staff_id, request.args.get("once", "")))


@bp.post("/admin/users/<int:staff_id>/disable")
def disable(staff_id: int) -> ResponseReturnValue:
    """Disable an account for good."""
    try:
        with db.writing() as session:
            accounts.disable(session, access.by(Permission.CONFIGURE), staff_id, clock.utc_now())
    except Refused as error:
        return _refused(staff_id, error)
    return _to_account(staff_id)


@bp.post("/admin/users/<int:staff_id>/reset")
def reset(staff_id: int) -> ResponseReturnValue:
    """Make up a new password and show it once."""
    password = password_hashing.new_password()
    fresh = password_hashing.hash_password(password)
    try:
        with db.writing() as session:
            accounts.reset_password(session, access.by(Permission.CONFIGURE), staff_id, fresh, clock.utc_now())
    except Refused as error:
        return _refused(staff_id, error)
    return _to_account(staff_id, once=_keep_once(staff_id, password))


@bp.post("/admin/users/<int:staff_id>/grant")
def grant(staff_id: int) -> ResponseReturnValue:
    """Give a role."""
    try:
        given = read_grant(request.form)
        with db.writing() as session:
            accounts.grant(session, access.by(Permission.CONFIGURE), staff_id, given, clock.utc_now())
    except Refused as error:
        return _refused(staff_id, error)
    return _to_account(staff_id)


@bp.post("/admin/users/<int:staff_id>/revoke")
def revoke(staff_id: int) -> ResponseReturnValue:
    """Take a role."""
    wanted = whole_number(request.form.get("grant", "")) or 0
    try:
        with db.writing() as session:
            accounts.revoke(session, access.by(Permission.CONFIGURE), staff_id, wanted, clock.utc_now())
    except Refused as error:
        return _refused(staff_id, error)
    return _to_account(staff_id)


def _to_account(staff_id: int, once: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("users_admin.show", staff_id=staff_id, once=once), HTTPStatus.SEE_OTHER)


def _refused(staff_id: int, error: Refused) -> ResponseReturnValue:
    typed = {name: request.form.get(name, "") for name in ("role", "consultation_id")}
    shown = FormView(typed, {error.field or "": i18n.say(error)})
    return _page(staff_id, shown, ""), HTTPStatus.UNPROCESSABLE_ENTITY


def _new(form: FormView) -> str:
    with db.reading() as session:
        units = read.units(session)
    return render_template(
        "staff/users_new.html",
        form=form,
        units=present.options(units, _("不属于单位")),
        roles=present.role_options(_("暂不授予")),
    )


def _page(staff_id: int, form: FormView, password: str) -> str:
    now = clock.utc_now()
    with db.reading() as session:
        account = read.account(session, staff_id, now)
        consultations = read.consultations(session)
    return render_template(
        "staff/users_show.html",
        account=present.page(account),
        form=form,
        password=password,
        own=staff_id == access.viewer().staff_id,
        roles=present.role_options(_("请选择")),
        consultations=present.options(consultations, _("全部征集")),
    )


def _keep_once(staff_id: int, password: str) -> str:
    """Keep a password for the next page, encrypted, for this administrator only; return its handle."""
    handle, now = secrets.token_urlsafe(12), clock.utc_now()
    token = web.runtime().cipher.encrypt(password)
    web.runtime().short_lived.put(_once_key(staff_id, handle), token, now, now + _SHOWN_FOR)
    return handle


def _take_once(staff_id: int, handle: str) -> str:
    if not re.fullmatch(r"[\w-]{1,40}", handle, re.ASCII):
        return ""
    token = web.runtime().short_lived.pop(_once_key(staff_id, handle), clock.utc_now())
    return web.runtime().cipher.decrypt(token) if token else ""


def _once_key(staff_id: int, handle: str) -> str:
    return f"password:{access.viewer().staff_id}:{staff_id}:{handle}"
