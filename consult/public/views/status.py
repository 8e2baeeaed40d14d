"""Looking up one's own comment by 查询码, and what can be done with it."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import local_day
from consult.domain.errors import DomainError
from consult.domain.public_codes import parse_query_code
from consult.gateways.blind_index import digest_query_code
from consult.i18n import MESSAGES, say
from consult.public.forms import CodeForm, FormView
from consult.public.presenters import own_comment as presenter
from consult.queries import calendars, status
from consult.queries.status import OwnComment
from consult.services import own_comment

bp = Blueprint("status", __name__)
_OPEN_FOR = timedelta(minutes=30)
_ACTIONS = {"withdraw": own_comment.withdraw, "revoke_name": own_comment.revoke_name}
# Looked up when the code is malformed, so that both failures take the same way.
_NOBODY = "0" * 64


@bp.route("/status/", methods=["GET", "POST"])
def lookup() -> ResponseReturnValue:
    """Show the look-up form, one's own comment, or carry out an action on it."""
    now = clock.utc_now()
    if request.method == "GET":
        return _form_page({}, HTTPStatus.OK)
    if request.form.get("action"):
        return _act(request.form["action"], now)
    wait = web.admit("lookup", web.client(), web.runtime().limits.lookups)
    if wait:
        minutes = max(1, -(-wait // 60))
        response = _form_page({"code": str(MESSAGES["too_many"]) % {"minutes": minutes}}, HTTPStatus.TOO_MANY_REQUESTS)
        response.headers["Retry-After"] = str(wait)
        return response
    code = parse_query_code(CodeForm().code.data or "")
    digest = digest_query_code(web.runtime().index_key, code or "")
    with db.reading() as session:
        own = status.by_code(session, digest.hex() if code else _NOBODY)
    if own is None:
        return _form_page({"code": str(MESSAGES["code_unknown"])}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _status_page(own, _open(own.receipt_no, now), now, {})


def _form_page(errors: dict[str, str], status_code: int) -> Response:
    # What was typed is not shown again: the answer must not differ between one wrong code and another.
    page = {"hidden": ()}
    response = make_response(
        render_template("public/status_lookup.html", page=page, form=FormView({}, errors)), status_code
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _open(receipt_no: str, now: datetime) -> str:
    """Remember for half an hour, for this visitor, which comment was looked up; return the token for it."""
    token = secrets.token_hex(16)
    web.runtime().short_lived.put_receipt(f"status:{token}", web.visitor(), receipt_no.encode(), now, now + _OPEN_FOR)
    return token


def _act(action: str, now: datetime) -> ResponseReturnValue:
    visitor, token = web.known_visitor(), request.form.get("token", "")[:64].replace("\x00", "")
    kept = web.runtime().short_lived.get_receipt(f"status:{token}", visitor, now) if visitor else None
    service = _ACTIONS.get(action)
    if kept is None or service is None:
        return _form_page({"code": str(MESSAGES["look_up_again"])}, HTTPStatus.UNPROCESSABLE_ENTITY)
    receipt_no, errors = kept.decode(), {}
    try:
        with db.writing() as session:
            service(session, receipt_no, now)
    except DomainError as error:
        errors = {"": say(error)}
    with db.reading() as session:
        own = status.by_receipt_no(session, receipt_no)
    if own is None:
        return _form_page({"code": str(MESSAGES["look_up_again"])}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _status_page(own, token, now, errors)


def _status_page(own: OwnComment, token: str, now: datetime, errors: dict[str, str]) -> Response:
    with db.reading() as session:
        calendar = calendars.work_calendar(session)
    page = presenter.status_page(own, calendar, local_day(now), token, url_for("sections.draft", slug=own.slug))
    code = HTTPStatus.CONFLICT if errors else HTTPStatus.OK
    response = make_response(render_template("public/status.html", page=page, form=FormView({}, errors)), code)
    response.headers["Cache-Control"] = "no-store"
    return response
