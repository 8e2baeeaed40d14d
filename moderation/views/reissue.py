"""Issuing a lost 查询码 anew: staff type what the caller says, nothing stored is shown."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.errors import FieldErrors, Refused
from consult.domain.public_codes import parse_receipt_no, show_query_code
from consult.i18n import MESSAGES
from moderation import access
from moderation.forms.accounts import FormView
from moderation.forms.appeals import read_reissue
from moderation.forms.screening import values
from moderation.permissions import Permission
from moderation.presenters.appeals import REISSUE_REASONS
from moderation.services import reissue as service

bp = Blueprint("reissue", __name__)
_OF_ONE_PERSON = ("20 per hour",)
_OF_ONE_NUMBER = ("5 per hour",)


@bp.get("/reissue")
def form() -> ResponseReturnValue:
    """The form."""
    return _page(FormView(), HTTPStatus.OK)


@bp.post("/reissue")
def issue() -> ResponseReturnValue:
    """Compare and issue; the new code is on this answer and nowhere else."""
    viewer, now, typed = access.viewer(), clock.utc_now(), read_reissue(request.form)
    wait = web.admit("reissue", str(viewer.staff_id), _OF_ONE_PERSON)
    # Only what can be a number counts by itself: anything may be typed, a telephone number too.
    number = parse_receipt_no(typed.number)
    wait = wait or (web.admit("reissue-number", str(number), _OF_ONE_NUMBER) if number else 0)
    if wait:
        minutes = {"minutes": max(1, -(-wait // 60))}
        again = FormView(values(request.form), {"": str(MESSAGES["too_many"]) % minutes})
        answer = _page(again, HTTPStatus.TOO_MANY_REQUESTS)
        answer.headers["Retry-After"] = str(wait)
        return answer
    try:
        with db.writing() as session:
            code = service.reissue(
                session,
                viewer,
                typed.number,
                typed.contact,
                typed.reason,
                web.runtime().index_key,
                secrets.token_bytes,
                now,
            )
    except FieldErrors as error:
        return _page(FormView(values(request.form), i18n.say_all(error)), HTTPStatus.UNPROCESSABLE_ENTITY)
    except Refused as error:
        with db.writing() as session:
            service.note_refused(session, access.by(Permission.REVIEW), typed.number, now)
        return _page(FormView(values(request.form), {"": i18n.say(error)}), HTTPStatus.UNPROCESSABLE_ENTITY)
    return _page(FormView(), HTTPStatus.OK, show_query_code(code), str(number))


def _page(form: FormView, status: HTTPStatus, code: str = "", number: str = "") -> Response:
    reasons = [(value, str(label), "") for value, label in REISSUE_REASONS]
    page = render_template("staff/reissue.html", form=form, code=code, number=number, reasons=reasons)
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response
