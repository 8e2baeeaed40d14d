"""Challenges: a new one, its picture, its sound."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, web
from consult.domain.errors import NotFound
from consult.extensions import limiter
from consult.i18n import MESSAGES
from consult.public import challenges

bp = Blueprint("captcha", __name__)


def _file(data: bytes, kind: str) -> Response:
    response = make_response(data)
    response.headers["Content-Type"] = kind
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/captcha/<id>.png")
def image(id: str) -> ResponseReturnValue:  # noqa: A002 - the name is the address's
    """Send the one drawing of a challenge to the visitor it was made for."""
    picture = challenges.picture(id, clock.utc_now())
    if picture is None:
        raise NotFound(object="captcha")
    return _file(picture, "image/png")


@bp.get("/captcha/<id>.wav")
def sound(id: str) -> ResponseReturnValue:  # noqa: A002
    """Send the sound of a challenge, drawn on request."""
    wait, data = challenges.sound(id, clock.utc_now())
    if wait:
        response = make_response(str(MESSAGES["too_many"]) % {"minutes": max(1, wait // 60)}, 429)
        response.headers["Retry-After"] = str(wait)
        return response
    if data is None:
        raise NotFound(object="captcha")
    response = _file(data, "audio/wav")
    response.headers["Accept-Ranges"] = "none"
    return response


@bp.post("/captcha/")
@limiter.limit("60 per 10 minutes")
def renew() -> ResponseReturnValue:
    """Answer with a new challenge for scripts; the old one is left to expire."""
    form = request.form.get("form", "")[:80].replace("\x00", "")
    wait, challenge_id = challenges.issue(form, clock.utc_now())
    if wait:
        response = jsonify(error="too_many", retry_after=wait)
        response.status_code = 429
        response.headers["Retry-After"] = str(wait)
        return response
    response = jsonify(
        id=challenge_id,
        image=url_for("captcha.image", id=challenge_id),
        sound=url_for("captcha.sound", id=challenge_id),
    )
    response.headers["Cache-Control"] = "no-store"
    web.visitor()
    return response
