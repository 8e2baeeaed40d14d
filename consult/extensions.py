"""The Flask extensions, made once and bound to the application in `init`."""

from __future__ import annotations

from flask import Flask, request
from flask_babel import Babel
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFProtect

from consult.settings import Settings

csrf = CSRFProtect()
babel = Babel()
limiter = Limiter(
    key_func=lambda: request.remote_addr or "unknown",  # replaced by web.client in init
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
