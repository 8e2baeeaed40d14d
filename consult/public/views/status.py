"""Looking up one's own comment by 查询码, and what can be done with it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import local_day
from consult.domain.errors import DomainError, FieldErrors, Refused, StoreUnavailable
from consult.domain.public_codes import parse_query_code
from consult.gateways.blind_index import digest_query_code
from consult.i18n import MESSAGES, say, say_all
from consult.public.forms import CodeForm, FormView
from consult.public.presenters import own_comment as presenter
from consult.queries import calendars, status
from consult.queries.appeals import KINDS
from consult.queries.status import OwnComment
from consult.services import appeals, own_comment, own_data, ratings
from consult.services.contacts import Vault
from consult.services.own_data import Correction

bp = Blueprint("status", __name__)
_OPEN_FOR = timedelta(minutes=30)
# Looked up when the code is malformed, so that both failures take the same way.
_NOBODY = "0" * 64
_TO_CONFIRM = frozenset({"withdraw", "erase"})
# Shown again when something has to be mended. The 查询码 is not among them, like a password.
_TYPED = (
    "contact",
    "email",
    "rating",
    "rating_words",
    "text_supplement",
    *(f"text_appeal_{kind}" for kind in KINDS),
)


@bp.route("/status/", methods=["GET", "POST"])
def lookup() -> ResponseReturnValue:
    """Show the look-up form, one's own comment, or carry out an action on it."""
    now = clock.utc_now()
    if request.method == "GET":
        return _form_page({}, HTTPStatus.OK)
    if request.form.get("action"):
        return _act(request.form["action"], now)
    limited = _too_many()
    if limited is not None:
        return limited
    code = parse_query_code(CodeForm().code.data or "")
    digest = digest_query_code(web.runtime().index_key, code or "")
    with db.reading() as session:
        own = status.by_code(session, digest.hex() if code else _NOBODY)
    if own is None:
        return _form_page({"code": str(MESSAGES["code_unknown"])}, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _status_page(own, _open(own.receipt_no, now), now)


def _too_many() -> Response | None:
    """Count one more try of a 查询码; return the answer when there were too many."""
    wait = web.admit("lookup", web.client(), web.runtime().limits.lookups)
    if not wait:
        return None
    minutes = max(1, -(-wait // 60))
    response = _form_page({"code": str(MESSAGES["too_many"]) % {"minutes": minutes}}, HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(wait)
    return response


def _form_page(errors: dict[str, str], status_code: int) -> Response:
    # What was typed is not shown again: the answer must not differ between one wrong code and another.
    page = {"hidden": ()}
    return _unstored("public/status_lookup.html", page, FormView({}, errors), status_code)


def _unstored(template: str, page: dict[str, Any], form: FormView, status_code: int) -> Response:
    response = make_response(render_template(template, page=page, form=form), status_code)
    response.headers["Cache-Control"] = "no-store"
    return response


def _open(receipt_no: str, now: datetime) -> str:
    """Remember for half an hour, for this visitor, which comment was looked up; return the token for it."""
    token = secrets.token_hex(16)
    web.runtime().short_lived.put_receipt(f"status:{token}", web.visitor(), receipt_no.encode(), now, now + _OPEN_FOR)
    return token


# -- actions ---------------------------------------------------------------------------------------

_Done = str
_Work = Callable[[Any, str, datetime], _Done]


def _supplement(session: Any, receipt_no: str, now: datetime) -> _Done:
    own_comment.supplement(session, receipt_no, request.form.get("text_supplement", ""), now)
    return "supplement"


def _withdraw(session: Any, receipt_no: str, now: datetime) -> _Done:
    return own_comment.leave(session, receipt_no, request.form.get("expected", ""), web.runtime().cipher, now)


def _erase(session: Any, receipt_no: str, now: datetime) -> _Done:
    own_comment.anonymise(session, receipt_no, web.runtime().cipher, now)
    return "erase"


def _revoke_name(session: Any, receipt_no: str, now: datetime) -> _Done:
    own_comment.revoke_name(session, receipt_no, now)
    return "revoke_name"


def _correct(session: Any, receipt_no: str, now: datetime) -> _Done:
    vault = Vault(web.runtime().cipher, web.runtime().index_key)
    typed = Correction(request.form.get("contact", ""), request.form.get("email", ""))
    own_data.correct(session, receipt_no, typed, vault, now)
    return "correct"


def _rate(session: Any, receipt_no: str, now: datetime) -> _Done:
    score, words = request.form.get("rating", ""), request.form.get("rating_words", "")
    ratings.rate(session, receipt_no, score, words, now)
    return "rate"


def _appeal(session: Any, receipt_no: str, now: datetime) -> _Done:
    kind = request.form.get("kind", "")
    words = request.form.get(f"text_appeal_{kind}", "")
    appeals.raise_appeal(session, receipt_no, kind, words, calendars.work_calendar(session), now)
    return "appeal"


_ACTIONS: dict[str, _Work] = {
    "supplement": _supplement,
    "withdraw": _withdraw,
    "erase": _erase,
    "revoke_name": _revoke_name,
    "correct": _correct,
    "rate": _rate,
    "appeal": _appeal,
}


def _act(action: str, now: datetime) -> ResponseReturnValue:
    visitor, token = web.known_visitor(), request.form.get("token", "")[:64].replace("\x00", "")
    kept = web.runtime().short_lived.get_receipt(f"status:{token}", visitor, now) if visitor else None
    if kept is None or action not in {*_ACTIONS, "show", "reveal"}:
        return _form_page({"code": str(MESSAGES["look_up_again"])}, HTTPStatus.UNPROCESSABLE_ENTITY)
    receipt_no = kept.decode()
    if action == "reveal":
        return _reveal(receipt_no, token, now)
    if action in _TO_CONFIRM and request.form.get("confirmed") != "yes":
        return _confirm_page(receipt_no, action, token)
    done, errors, code = "", dict[str, str](), HTTPStatus.OK
    try:
        if action in _ACTIONS:
            with db.writing() as session:
                done = _ACTIONS[action](session, receipt_no, now)
    except StoreUnavailable:
        raise
    except FieldErrors as error:
        errors, code = say_all(error), HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as error:
        errors, code = {error.field or "": say(error)}, HTTPStatus.UNPROCESSABLE_ENTITY
    except DomainError as error:
        errors, code = {"": say(error)}, HTTPStatus.CONFLICT
    own = _own(receipt_no)
    return _status_page(own, token, now, errors=errors, code=code, done=done)


def _own(receipt_no: str) -> OwnComment:
    with db.reading() as session:
        own = status.by_receipt_no(session, receipt_no)
    if own is None:  # a comment is never deleted
        raise LookupError(receipt_no)
    return own


def _confirm_page(receipt_no: str, action: str, token: str) -> Response:
    own = _own(receipt_no)
    page = presenter.confirm_page(own, action, own_comment.leaving(own.handling_state), token)
    return _unstored("public/status_confirm.html", page, FormView(), HTTPStatus.OK)


def _reveal(receipt_no: str, token: str, now: datetime) -> ResponseReturnValue:
    """Show what is held in the clear to somebody who types the 查询码 once more (R-52)."""
    limited = _too_many()
    if limited is not None:
        return limited
    code = parse_query_code(request.form.get("code", ""))
    digest = digest_query_code(web.runtime().index_key, code or "").hex()
    with db.reading() as session:
        right = hmac.compare_digest(digest if code else _NOBODY, status.query_code_digest(session, receipt_no))
    if not right:
        errors = {"code": str(MESSAGES["code_unknown"])}
        return _status_page(_own(receipt_no), token, now, errors=errors, code=HTTPStatus.UNPROCESSABLE_ENTITY)
    with db.writing() as session:
        own_data.note_shown(session, receipt_no, now)
    return _status_page(_own(receipt_no), token, now, full=True)


def _status_page(
    own: OwnComment,
    token: str,
    now: datetime,
    *,
    errors: dict[str, str] | None = None,
    code: HTTPStatus = HTTPStatus.OK,
    done: str = "",
    full: bool = False,
) -> Response:
    with db.reading() as session:
        calendar = calendars.work_calendar(session)
        rights = status.rights(session, own.id, calendar)
        held = status.held(session, own.id, web.runtime().cipher)
    shown = presenter.Shown(rights, held, full and not rights.on_hold, done)
    draft_url = url_for("sections.draft", slug=own.slug)
    page = presenter.status_page(own, shown, calendar, now, local_day(now), token, draft_url)
    # What failed is given back to be mended; what succeeded is not offered a second time.
    typed = {name: request.form.get(name, "") for name in _TYPED} if errors else {}
    return _unstored("public/status.html", page, FormView(typed, errors or {}), code)
