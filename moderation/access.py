"""Who is signed in, and whether they may open what they ask for: every staff request passes `check` (R-93).

A session is a random token in a cookie; the store keeps its digest, so that a copy of the store opens
nothing, and every session can be ended from the server.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import cast

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from consult import clock, db, web
from consult.domain.comment_states import Role
from consult.domain.errors import NotAllowed, StoreUnavailable
from consult.extensions import csrf
from consult.gateways.field_cipher import FieldUnreadableError
from consult.security import STAFF_BODY_LIMIT
from moderation.domain.accounts import fold_username
from moderation.permissions import ENDPOINTS, STAFF_ROLES, Permission, Viewer, opens
from moderation.queries import accounts as accounts_read
from moderation.queries.accounts import SignedIn
from moderation.services import accounts, audit
from moderation.services.audit import By

PREFIX = "/staff"
_TOUCH_EVERY = timedelta(minutes=1)
# Where somebody whose password was made up by another may go before choosing their own.
_BEFORE_OWN_PASSWORD = frozenset(
    {"sign_in.account", "sign_in.change_password", "sign_in.revoke_session", "sign_in.sign_out", "sign_in.sign_in"}
)
_REFUSALS_KEPT = 20
_REFUSALS_WINDOW = timedelta(minutes=10)
_DEVICE_KNOWN_FOR = timedelta(days=90)


def check() -> ResponseReturnValue | None:
    """Load the viewer and compare the request with the table; called before every request.

    Order: who, whether, size of the body, then the form's token. A body is read only for those who may send it.

    Raises:
        NotAllowed: the role lacks it, or the endpoint is missing from the table.
    """
    if not is_staff_request() or request.endpoint is None:
        return None
    now = clock.utc_now()
    signed = g.signed_in = _signed_in(now)
    endpoint = request.endpoint
    if not opens(signed.viewer if signed else None, endpoint):
        if signed is None and endpoint in ENDPOINTS:
            return _to_sign_in()
        _record_refusal(signed, endpoint, now)
        raise NotAllowed
    if signed is not None:
        request.max_content_length = STAFF_BODY_LIMIT
        if signed.must_change_password and endpoint not in _BEFORE_OWN_PASSWORD:
            return redirect(url_for("sign_in.account"), HTTPStatus.SEE_OTHER)
    if current_app.config.get("WTF_CSRF_ENABLED", True):
        # The general check is off for these pages only because it runs before this one.
        csrf.protect()
    return None


def is_staff_request() -> bool:
    """Tell whether this request is for the staff side."""
    return request.path == PREFIX or request.path.startswith(PREFIX + "/")


def viewer() -> Viewer:
    """Return who is signed in.

    Raises:
        NotAllowed: nobody is; only pages for NOBODY_YET are reached without a viewer.
    """
    return current().viewer


def current() -> SignedIn:
    """Return the session of this request.

    Raises:
        NotAllowed: nobody is signed in.
    """
    signed = signed_in()
    if signed is None:
        raise NotAllowed
    return signed


def signed_in() -> SignedIn | None:
    """Return the session of this request, or None."""
    return cast("SignedIn | None", g.get("signed_in"))


def by(permission: Permission | None = None) -> By:
    """Return the signed-in person for the audit log, in the role in which they use `permission`.

    Without a permission it is the first of their roles.
    """
    who = viewer()
    if permission is not None:
        return By(who.staff_id, who.role_for(permission).value, client_address())
    return By(who.staff_id, main_role(who), client_address())


def anonymous() -> By:
    """Return somebody who is not signed in, for the audit log."""
    return By(None, Role.PUBLIC.value, client_address())


def main_role(who: Viewer) -> str:
    """Return the first role of a viewer in the order of the matrix, or an empty text."""
    return next((role.value for role in STAFF_ROLES if role in who.roles), "")


def client_address() -> bytes:
    """Return the client's address encrypted, as the audit log and the sessions keep it (R-98)."""
    return web.runtime().cipher.encrypt(request.remote_addr or "")


def read_address(token: bytes | None) -> str:
    """Return an address kept by `client_address`; empty when there is none or its key is gone."""
    try:
        return web.runtime().cipher.decrypt(token) if token is not None else ""
    except FieldUnreadableError:
        return ""


# -- sessions --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Token:
    """A new session's secret, for the cookie, and its digest, for the store."""

    secret: str
    digest: str


def new_token() -> Token:
    """Return a fresh token; each sign-in gets its own, so that one planted before it is worth nothing."""
    secret = secrets.token_urlsafe(32)
    return Token(secret, digest_token(secret))


def digest_token(secret: str) -> str:
    """Return the SHA-256 of a token; 256 random bits need no key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def open_session(response: Response, token: Token, staff_id: int) -> None:
    """Give the browser its session and mark it as known to the account; forms get a new token of their own."""
    session.pop("csrf_token", None)
    _set_cookie(response, _cookie("staff"), token.secret, None)
    known = _devices().dumps([staff_id, secrets.token_urlsafe(9)])
    _set_cookie(response, _cookie("staff-device"), str(known), _DEVICE_KNOWN_FOR)


def close_session(response: Response) -> None:
    """Take the session cookie from the browser."""
    session.pop("csrf_token", None)
    response.delete_cookie(
        _cookie("staff"), path="/", secure=web.runtime().secure_cookies, httponly=True, samesite="Lax"
    )


def _cookie(name: str) -> str:
    return f"__Host-{name}" if web.runtime().secure_cookies else name


def _set_cookie(response: Response, name: str, value: str, age: timedelta | None) -> None:
    response.set_cookie(
        name,
        value,
        max_age=age,
        path="/",
        secure=web.runtime().secure_cookies,
        httponly=True,
        samesite="Lax",
    )


def _signed_in(now: datetime) -> SignedIn | None:
    secret = request.cookies.get(_cookie("staff"), "")
    if not secret:
        return None
    with db.reading() as reading:
        signed = accounts_read.signed_in(reading, digest_token(secret), now)
    if signed is not None and now - signed.seen_at >= _TOUCH_EVERY:
        try:
            with db.writing() as writing:
                accounts.touch(writing, signed.token_digest, now)
        except StoreUnavailable:
            # A busy store must not stop somebody from reading; the next request tries again.
            return signed
    return signed


def _to_sign_in() -> ResponseReturnValue:
    if request.method not in {"GET", "HEAD"}:
        return redirect(url_for("sign_in.sign_in"), HTTPStatus.SEE_OTHER)
    asked = request.script_root + (request.full_path if request.query_string else request.path)
    return redirect(url_for("sign_in.sign_in", next=asked), HTTPStatus.SEE_OTHER)


def _record_refusal(signed: SignedIn | None, endpoint: str, now: datetime) -> None:
    """Record a refused try, at most 20 a person in ten minutes: the log must not be a way to fill the disk."""
    if signed is None:
        return
    key = f"refused:{signed.viewer.staff_id}"
    if web.runtime().short_lived.count(key, 1, _REFUSALS_WINDOW, now) > _REFUSALS_KEPT:
        return
    who = By(signed.viewer.staff_id, main_role(signed.viewer), client_address())
    with db.writing() as writing:
        audit.record(writing, who, "refused", now, object_kind="page", object_ref=endpoint, result=audit.REFUSED)


# -- throttling sign-in ----------------------------------------------------------------------------

_PAIR = (5, timedelta(minutes=15))
_ADDRESS = (20, timedelta(hours=1))
_ACCOUNT = (50, timedelta(hours=1))


@dataclass(frozen=True)
class Attempt:
    """One try to sign in, counted before the password is looked at.

    `wait` is 0 when it may go on, else the seconds until the next try. Counting first makes N parallel tries
    count as N; a try that succeeds gives back what it took.
    """

    wait: int
    pair_key: str
    shared: tuple[tuple[str, timedelta], ...] = ()


def count_attempt(username: str, now: datetime) -> Attempt:
    """Count one try: 5 an account and address in 15 minutes, 20 an address and 50 an account in an hour.

    A browser in which somebody signed in to this account before is counted by itself and needs neither of
    the last two, so that guessing from elsewhere, or from the same office, cannot lock its owner out.
    """
    account = _keyed(f"account:{fold_username(username)}")
    device = _known_device(username)
    pair = f"sign-in:{account}:{device or web.client()}"
    if not web.runtime().limits_on:
        return Attempt(0, pair)
    shared = () if device else ((f"sign-in:{web.client()}", *_ADDRESS), (f"sign-in:{account}", *_ACCOUNT))
    taken: list[tuple[str, timedelta]] = []
    for key, limit, window in (*shared[:1], (pair, *_PAIR), *shared[1:]):
        if web.runtime().short_lived.count(key, 1, window, now) > limit:
            ends = web.runtime().short_lived.read_count(key, now).ends_at or now
            return Attempt(max(1, int((ends - now).total_seconds()) + 1), pair, tuple(taken))
        if key != pair:
            taken.append((key, window))
    return Attempt(0, pair, tuple(taken))


def forgive(attempt: Attempt, now: datetime) -> None:
    """Give back what a successful try took, and forget the failures before it."""
    if not web.runtime().limits_on:
        return
    web.runtime().short_lived.clear_count(attempt.pair_key)
    for key, window in attempt.shared:
        web.runtime().short_lived.count(key, -1, window, now)


def _known_device(username: str) -> str:
    """Return a name for this browser when it signed in to the account before, else an empty text."""
    raw = request.cookies.get(_cookie("staff-device"), "")
    if not raw:
        return ""
    try:
        staff_id, nonce = _devices().loads(raw, max_age=int(_DEVICE_KNOWN_FOR.total_seconds()))
    except (BadSignature, TypeError, ValueError):
        return ""
    with db.reading() as reading:
        found = accounts_read.credentials(reading, username)
    return _keyed(f"device:{nonce}") if found is not None and found.staff_id == staff_id else ""


def _devices() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="staff-device")


def _keyed(text: str) -> str:
    key = web.runtime().client_salt
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256")[:16].hex()


# -- the menu --------------------------------------------------------------------------------------


def show_counts(counts: Mapping[str, int]) -> None:
    """Put counts beside the menu's entries, by endpoint; the page of today's work knows them already."""
    g.menu_counts = dict(counts)


def menu_counts() -> Mapping[str, int]:
    """Return what `show_counts` was given for this request."""
    return cast("Mapping[str, int]", g.get("menu_counts", {}))


def init(app: Flask) -> None:
    """Check every staff request of the application, and keep its pages out of every cache."""
    app.before_request(check)

    @app.after_request
    def _never_cached(response: Response) -> Response:
        if is_staff_request():
            response.headers["Cache-Control"] = "no-store"
        return response
