"""Signing in and out; one's own account: password, sessions."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from consult import clock, db, i18n
from consult.domain.errors import FieldErrors, Refused
from consult.gateways import password_hashing
from consult.security import safe_next
from moderation import access
from moderation.forms.accounts import FormView, PasswordForm, SignInForm
from moderation.presenters import accounts as present
from moderation.queries import accounts as read
from moderation.queries.accounts import Credentials
from moderation.services import accounts

bp = Blueprint("sign_in", __name__)


@bp.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """The form; who is signed in already goes on to their work."""
    if request.method == "POST":
        return _submit()
    target = safe_next(request.args.get("next", ""), url_for("today.index"))
    if access.signed_in() is not None:
        return redirect(target, HTTPStatus.SEE_OTHER)
    return _form(FormView(), target)


def _submit() -> ResponseReturnValue:
    """Compare, and open a session; every failure looks the same."""
    now = clock.utc_now()
    form = SignInForm.read(request.form)
    target = safe_next(form.next, url_for("today.index"))
    typed = {"username": form.username}
    try:
        form.check()
    except FieldErrors as errors:
        return _form(FormView(typed, i18n.say_all(errors)), target), HTTPStatus.UNPROCESSABLE_ENTITY
    attempt = access.count_attempt(form.username, now)
    if attempt.wait:
        return _too_many(FormView(typed), target, attempt.wait)
    with db.reading() as session:
        found = read.credentials(session, form.username)
    fits = password_hashing.verify_password(found.password_hash if found else None, form.password)
    if found is None or not fits or not found.active:
        return _failed(found, typed, target, now)
    seen_hash = _renew(found, form.password)
    token = access.new_token()
    before = access.signed_in()
    try:
        with db.writing() as session:
            if before is not None:
                accounts.sign_out(session, access.by(), before.token_digest, now)
            accounts.sign_in(session, found.staff_id, seen_hash, token.digest, access.anonymous(), now)
    except Refused:
        return _failed(found, typed, target, now)
    access.forgive(attempt, now)
    response = make_response(redirect(target, HTTPStatus.SEE_OTHER))
    access.open_session(response, token, found.staff_id)
    return response


def _failed(found: Credentials | None, typed: dict[str, str], target: str, now: datetime) -> ResponseReturnValue:
    with db.writing() as session:
        accounts.record_failed_sign_in(session, access.anonymous(), found.username if found else "", now)
    form = FormView(typed, {"username": i18n.say(Refused("sign_in_failed"))})
    return _form(form, target), HTTPStatus.UNPROCESSABLE_ENTITY


@bp.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """End this session; pressing it twice is no error."""
    signed = access.signed_in()
    if signed is not None:
        with db.writing() as session:
            accounts.sign_out(session, access.by(), signed.token_digest, clock.utc_now())
    response = make_response(redirect(url_for("sign_in.sign_in"), HTTPStatus.SEE_OTHER))
    access.close_session(response)
    return response


@bp.get("/account")
def account() -> ResponseReturnValue:
    """One's own account."""
    return _account(FormView())


@bp.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Give oneself a new password; every other session ends."""
    now = clock.utc_now()
    me = access.current()
    form = PasswordForm.read(request.form)
    try:
        form.check()
    except FieldErrors as errors:
        return _account(FormView(errors=i18n.say_all(errors))), HTTPStatus.UNPROCESSABLE_ENTITY
    # Somebody at an unattended desk must not be able to guess on where sign-in would stop them.
    attempt = access.count_attempt(me.viewer.username, now)
    if attempt.wait:
        return _later(_account(FormView(errors={"old_password": _wait_words(attempt.wait)})), attempt.wait)
    with db.reading() as session:
        found = read.credentials(session, me.viewer.username)
    if found is None or not password_hashing.verify_password(found.password_hash, form.old):
        wrong = FormView(errors={"old_password": i18n.say(Refused("password_wrong"))})
        return _account(wrong), HTTPStatus.UNPROCESSABLE_ENTITY
    fresh = password_hashing.hash_password(form.new)
    with db.writing() as session:
        accounts.change_password(session, access.by(), found.password_hash, fresh, me.token_digest, now)
    access.forgive(attempt, now)
    return redirect(url_for("sign_in.account", done="password"), HTTPStatus.SEE_OTHER)


@bp.post("/account/sessions")
def revoke_session() -> ResponseReturnValue:
    """End one of one's own sessions, or all others."""
    now = clock.utc_now()
    me = access.current()
    wanted = request.form.get("session", "")
    with db.writing() as session:
        if wanted == "others":
            accounts.revoke_other_sessions(session, access.by(), me.token_digest, now)
        else:
            accounts.revoke_session(session, access.by(), wanted, now)
    if wanted == me.token_digest:
        response = make_response(redirect(url_for("sign_in.sign_in"), HTTPStatus.SEE_OTHER))
        access.close_session(response)
        return response
    return redirect(url_for("sign_in.account", done="session"), HTTPStatus.SEE_OTHER)


def _renew(found: Credentials, password: str) -> str:
    """Store the hash under today's parameters, possible only while the password is at hand; return what stands."""
    if not password_hashing.needs_new_hash(found.password_hash):
        return found.password_hash
    fresh = password_hashing.hash_password(password)
    with db.writing() as session:
        accounts.renew_hash(session, found.staff_id, found.password_hash, fresh)
    return fresh


def _form(form: FormView, target: str) -> str:
    return render_template("staff/sign_in.html", form=form, next=target)


def _too_many(form: FormView, target: str, wait: int) -> Response:
    shown = FormView(form.values, {"": _wait_words(wait)})
    return _later(_form(shown, target), wait)


def _later(body: str, wait: int) -> Response:
    response = make_response(body, HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(wait)
    return response


def _wait_words(wait: int) -> str:
    return str(_("尝试次数太多，请 %(minutes)s 分钟后再试。", minutes=-(-wait // 60)))


def _account(form: FormView) -> str:
    me = access.current()
    with db.reading() as session:
        open_sessions = read.open_sessions(session, me.viewer.staff_id, clock.utc_now())
    return render_template(
        "staff/account.html",
        form=form,
        done=request.args.get("done", ""),
        must_change=me.must_change_password,
        username=me.viewer.username,
        shortcuts=me.viewer.shortcuts,
        sessions=present.sessions(open_sessions, me.token_digest, access.read_address),
    )
