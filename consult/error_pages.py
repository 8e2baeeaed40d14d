"""From a refusal or a fault to a page: one status each, in house style, with what to do next."""

from __future__ import annotations

import json
import logging
import secrets
from dataclasses import dataclass
from http import HTTPStatus

from flask import Flask, Response, make_response, render_template, request
from flask_babel import lazy_gettext as _l
from flask_limiter.errors import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from consult import logs
from consult.domain.errors import (
    ChangedMeanwhile,
    DomainError,
    IllegalTransition,
    NotAllowed,
    NotFound,
    PeriodClosed,
    StoreUnavailable,
)
from consult.i18n import MESSAGES, say

_PAGES = frozenset({403, 404, 409, 413, 422, 429, 500, 503})
_RETRY_AFTER = {429: "600", 503: "10"}
# What people type and would hate to lose, in the order it is given back; the labels are those of the forms.
_KEPT_FIELDS = {
    "body": _l("您的意见或建议"),
    "quote": _l("引用的原文"),
    "name": _l("姓名"),
    "organisation": _l("单位名称"),
    "credit_code": _l("统一社会信用代码"),
    "contact": _l("联系方式"),
    "email": _l("电子邮箱"),
    "reply_body": _l("回复内容"),
    "reason": _l("理由"),
    "explanation": _l("说明"),
    "note": _l("备注"),
    "feedback": _l("反馈意见"),
    "text": _l("填写的内容"),
    "text_supplement": _l("补充的内容"),
    "text_appeal_withhold": _l("异议的理由"),
    "text_appeal_not_accept": _l("异议的理由"),
    "text_appeal_reply": _l("异议的理由"),
    "rating_words": _l("想说的话"),
}
# Above the limit of a form what was typed is still given back, up to here.
_KEPT_AT_MOST = 1024 * 1024


@dataclass(frozen=True)
class ErrorPage:
    """What an error template is given."""

    error_id: str
    minutes: int
    message: str
    kept: tuple[tuple[str, str], ...]
    back_url: str


@dataclass(frozen=True)
class _Kept:
    label: str
    text: str


def status_of(error: DomainError) -> int:
    """Return the HTTP status of a refusal."""
    pairs: tuple[tuple[type[DomainError], HTTPStatus], ...] = (
        (NotFound, HTTPStatus.NOT_FOUND),
        (NotAllowed, HTTPStatus.FORBIDDEN),
        (PeriodClosed, HTTPStatus.FORBIDDEN),
        (ChangedMeanwhile, HTTPStatus.CONFLICT),
        (IllegalTransition, HTTPStatus.CONFLICT),
        (StoreUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    )
    return next((int(status) for kind, status in pairs if isinstance(error, kind)), 422)


def page(status: int, message: str = "", *, minutes: int = 0, error_id: str = "") -> Response:
    """Return the error page of a status; what was typed is given back to copy."""
    if _for_machines():
        return _problem(status, message, error_id)
    shown = status if status in _PAGES else (404 if status in {405, 410} else 422 if status < 500 else 500)
    context = {
        "error_id": error_id,
        "minutes": minutes,
        "message": message,
        "kept": tuple(_kept()),
        "back_url": "",
    }
    response = make_response(render_template(f"errors/{shown}.html", page=context), status)
    response.headers["Cache-Control"] = "no-store"
    if status in _RETRY_AFTER:
        response.headers["Retry-After"] = str(minutes * 60) if minutes else _RETRY_AFTER[status]
    return response


def _for_machines() -> bool:
    return request.path.startswith("/api/")


def _problem(status: int, detail: str, error_id: str) -> Response:
    """Return a problem detail (RFC 9457), for addresses that no person reads."""
    title = HTTPStatus(status).phrase
    found = {"type": "about:blank", "title": title, "status": status, "detail": detail or error_id or title}
    response = make_response(json.dumps(found, ensure_ascii=False), status)
    response.headers["Content-Type"] = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    if status in _RETRY_AFTER:
        response.headers["Retry-After"] = _RETRY_AFTER[status]
    return response


def _kept() -> list[_Kept]:
    if request.method != "POST" or request.content_length is None or request.content_length > _KEPT_AT_MOST:
        return []
    request.max_content_length = request.max_form_memory_size = _KEPT_AT_MOST
    try:
        form = request.form
    except HTTPException:
        return []
    return [_Kept(str(label), form[name]) for name, label in _KEPT_FIELDS.items() if form.get(name)]


def init(app: Flask) -> None:
    """Register the handlers."""

    @app.errorhandler(DomainError)
    def _refused(error: DomainError) -> Response:
        status = status_of(error)
        if status >= 500:
            logs.event("store_unavailable", logging.ERROR, error=error.code, detail=str(error.params.get("reason", "")))
        return page(status, say(error))

    @app.errorhandler(RateLimitExceeded)
    def _too_many(error: RateLimitExceeded) -> Response:
        minutes = max(1, round(error.limit.limit.get_expiry() / 60))
        return page(429, str(MESSAGES["too_many"]) % {"minutes": minutes}, minutes=minutes)

    @app.errorhandler(CSRFError)
    def _session_lost(_error: CSRFError) -> Response:
        return page(422, str(MESSAGES["session_lost"]))

    @app.errorhandler(RequestEntityTooLarge)
    def _too_large(_error: RequestEntityTooLarge) -> Response:
        return page(413)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> Response:
        code = error.code or 500
        if 300 <= code < 400:
            return make_response(error.get_response())
        answer = page(code, (error.description or "") if _for_machines() else "")
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return answer

    @app.errorhandler(Exception)
    def _fault(error: Exception) -> Response:
        error_id = secrets.token_hex(4)
        logs.event("fault", logging.ERROR, error_id=error_id, error=type(error).__name__, where=logs.places(error))
        if app.testing and app.config.get("KAIMEN_RAISE"):
            raise error
        return page(500, error_id=error_id)
