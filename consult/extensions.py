"""The Flask extensions, made once and bound to the application in `init`."""

from __future__ import annotations

from flask import Flask, current_app, request
from flask_babel import Babel
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect

from consult.domain import client_address
from consult.settings import Settings


def client() -> str:
    """Return the keyed digest of the client's address, IPv6 by /64; safe to log and to count by."""
    return client_address.client_key(current_app.extensions["kaimen.client_salt"], request.remote_addr or "")


csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(
    key_func=client,
    default_limits=[],
    headers_enabled=False,
    strategy="fixed-window",
    swallow_errors=False,
)

LOCALES = {"zh-Hans": "zh_Hans", "en": "en"}


def chosen_language() -> str:
    """Return `en` for addresses under /en/, else `zh-Hans`."""
    return str(request.environ.get("kaimen.language", "zh-Hans"))


def init(app: Flask, settings: Settings, limits_uri: str) -> None:
    """Bind the extensions to the application.

    `limits_uri` names the storage shared by all workers; `memory://` is never used, because every worker
    would then count for itself.
    """
    app.config.update(
        RATELIMIT_STORAGE_URI=limits_uri,
        RATELIMIT_ENABLED=settings.limits_on,
        BABEL_DEFAULT_LOCALE="zh_Hans",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
    )
    csrf.init_app(app)
    limiter.init_app(app)
    babel.init_app(app, locale_selector=lambda: LOCALES[chosen_language()])
