"""Headers, session cookies, proxy trust: what every answer of both sites carries."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import unquote, urlsplit

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.middleware.proxy_fix import ProxyFix

from consult.settings import Settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
PUBLIC_BODY_LIMIT = 256 * 1024
STAFF_BODY_LIMIT = 10 * 1024 * 1024


def derive_key(secret: str, purpose: str) -> bytes:
    """Return a key of its own for one purpose, so that no digest made for one can serve another."""
    return hmac.digest(secret.encode(), f"kaimen:{purpose}".encode(), hashlib.sha256)


def configure(app: Flask, settings: Settings) -> None:
    """Set cookies, limits on bodies, proxy trust and the headers of every answer."""
    app.secret_key = settings.secret_key
    production = settings.is_production
    app.config.update(
        SESSION_COOKIE_NAME="__Host-consult" if production else "consult",
        SESSION_COOKIE_SECURE=production,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        MAX_CONTENT_LENGTH=PUBLIC_BODY_LIMIT,
        MAX_FORM_MEMORY_SIZE=PUBLIC_BODY_LIMIT,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=production,
        PREFERRED_URL_SCHEME="https" if production else "http",
    )
    if settings.base_url:
        app.config["TRUSTED_HOSTS"] = [urlsplit(settings.base_url).hostname or "", "127.0.0.1", "localhost"]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.before_request(_refuse_nul)
    app.after_request(lambda response: _with_headers(response, production))


def _refuse_nul() -> None:
    """Answer 404 to a NUL in an address: it names nothing, and PostgreSQL takes none in a text."""
    if "\x00" in request.path or any("\x00" in value for value in request.args.values()):
        raise NotFound


def _with_headers(response: Response, production: bool) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if production:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    return response


def same_origin() -> bool:
    """Whether a form came from our own pages, as far as the browser says; used where a page sets no cookie."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def safe_next(target: str, fallback: str) -> str:
    """Return `target` when it is a plain path of this site, else `fallback` (open redirects)."""
    for text in (target, unquote(target)):
        forbidden = "\\" in text or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in text)
        if forbidden or not text.startswith("/") or text.startswith("//"):
            return fallback
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else fallback
