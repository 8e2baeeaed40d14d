"""create_app: the public site, wired in one readable order."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, make_response, request
from limits import parse
from werkzeug.exceptions import NotFound

from consult import clock, db, error_pages, extensions, i18n, logs, security, web
from consult.db import Store
from consult.gateways.assets import asset_root, newest_migration
from consult.gateways.field_cipher import FieldCipher
from consult.gateways.rate_limit_store import SHARED_URI
from consult.gateways.short_lived_store import open_short_lived_store
from consult.settings import Settings, SettingsError
from consult.web import Limits, Runtime, Site

LANGUAGES = (("zh-Hans", "中文"), ("en", "English"))
_SIZES = frozenset({"large", "xlarge"})

DEFAULT_SITE = Site(
    name="开门搞评估",
    tagline="闵行区“十四五”规划实施中期评估",
    government="上海市闵行区人民政府",
    organiser="闵行区发展和改革委员会",
    contact_phone="021-64980000",
    contact_email="kaimen@example.org",
    contact_address="上海市闵行区沪闵路6258号",
)


class LanguagePrefix:
    """WSGI middleware: /en/… is the same address in English."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Move the prefix from the path to the script's name, so that every link keeps it."""
        path = environ.get("PATH_INFO", "")
        if path == "/en" or path.startswith("/en/"):
            environ["SCRIPT_NAME"] = environ.get("SCRIPT_NAME", "") + "/en"
            environ["PATH_INFO"] = path[3:] or "/"
            environ["kaimen.language"] = "en"
        return self._application(environ, start_response)


def create_app(settings: Settings, store: Store | None = None) -> Flask:
    """Return the public site on its own; `wsgi.py` adds the staff side.

    Raises:
        SettingsError: a key or the site file cannot be used.
    """
    root = asset_root()
    app = Flask("consult", template_folder=str(root / "templates"), static_folder=str(root / "static"))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    if settings.now is not None:
        clock.start_at(settings.now, with_server=True)
    own_store = store or Store(settings.database_url, pool_size=8)
    app.extensions["kaimen.settings"] = settings
    app.extensions["kaimen.store"] = own_store
    app.before_request(lambda: db.use(own_store))

    security.configure(app, settings)
    app.extensions["kaimen"] = runtime = _runtime(settings)
    # Counters lie in the short-lived store itself: with Redis away its standby counts on.
    app.config["RATELIMIT_STORAGE_OPTIONS"] = {"clock": clock.utc_now, "store": runtime.short_lived}
    extensions.init(app, settings, SHARED_URI)
    app.extensions["kaimen.client_salt"] = runtime.client_salt
    logs.init(app, extensions.client)
    error_pages.init(app)
    _add_template_names(app)
    _add_health(app, own_store)

    from consult.public import register_public_site

    register_public_site(app)
    app.wsgi_app = LanguagePrefix(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _runtime(settings: Settings) -> Runtime:
    try:
        cipher = FieldCipher(list(settings.field_keys))
    except ValueError as error:
        raise SettingsError(f"CONSULT_FIELD_KEYS: {error}") from error
    return Runtime(
        site=_site(settings.site_file),
        short_lived=open_short_lived_store(settings.database_url, settings.redis_url, settings.side_file),
        cipher=cipher,
        index_key=security.derive_key(settings.index_key, "index"),
        client_salt=security.derive_key(settings.index_key, "client"),
        visitor_key=security.derive_key(settings.secret_key, "visitor"),
        answer_key=security.derive_key(settings.secret_key, "captcha"),
        master_answer=settings.captcha_answer,
        limits_on=settings.limits_on,
        limits=Limits(),
        files_dir=settings.files_dir,
        base_url=settings.base_url,
        secure_cookies=settings.is_production,
        admit=_admit,
        wait=_wait,
    )


def site_of(settings: Settings) -> Site:
    """Return how the site names itself, for commands that write to people.

    Raises:
        SettingsError: the site file cannot be used.
    """
    return _site(settings.site_file)


def _site(file: Path | None) -> Site:
    if file is None:
        return DEFAULT_SITE
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
        return Site(**{name: str(given[name]) for name in Site.__dataclass_fields__})
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise SettingsError(f"CONSULT_SITE_FILE cannot be read or lacks a name: {error}") from error


def _admit(purpose: str, key: str, limits: tuple[str, ...]) -> int:
    """Count one hit under every limit; return 0, or the seconds until the first full window ends."""
    strategy = extensions.limiter.limiter
    for text in limits:
        item = parse(text)
        if not strategy.hit(item, purpose, key):
            ends = strategy.get_window_stats(item, purpose, key).reset_time
            return max(1, int(ends - clock.unix_now()) + 1)
    return 0


def _wait(purpose: str, key: str, limits: tuple[str, ...]) -> int:
    strategy = extensions.limiter.limiter
    for text in limits:
        item = parse(text)
        if not strategy.test(item, purpose, key):
            ends = strategy.get_window_stats(item, purpose, key).reset_time
            return max(1, int(ends - clock.unix_now()) + 1)
    return 0


def _add_template_names(app: Flask) -> None:
    # Globals, because macros are imported without context.
    app.jinja_env.globals.update(asset=asset, zh=i18n.zh, in_zh=i18n.ChineseHere())
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        i18n.translated,
        i18n.translated_plural,
        newstyle=True,
        pgettext=i18n.translated_in_context,
        npgettext=i18n.translated_plural_in_context,
    )

    @app.context_processor
    def _names() -> dict[str, Any]:
        language = extensions.chosen_language()
        size = request.cookies.get("size", "")
        return {
            "site": g.get("site") or _SiteForTemplates(web.runtime().site),
            "prefs": {
                "size": size if size in _SIZES else "",
                "contrast": "high" if request.cookies.get("contrast") == "high" else "",
                "language": language,
            },
        }


class _SiteForTemplates:
    """The site's names plus the languages it is offered in."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self.languages = tuple({"code": code, "label": label} for code, label in LANGUAGES)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._site, name)


@cache
def asset(path: str) -> str:
    """Return the address of a static file; it changes with the content, so it may be kept for a year."""
    file = asset_root() / "static" / path
    return f"/static/{path}?v={hashlib.sha256(file.read_bytes()).hexdigest()[:10]}"


def _add_health(app: Flask, store: Store) -> None:
    @app.get("/healthz", endpoint="health.healthz")
    def healthz() -> Response:
        return _plain("ok")

    @app.get("/readyz", endpoint="health.readyz")
    def readyz() -> Response:
        if not db.is_alive(store):
            return _plain("store unavailable", 503)
        if db.revision(store) != newest_migration():
            return _plain("migrations missing: run `consult db upgrade`", 503)
        web.runtime().short_lived.ping()
        return _plain("ready")

    @app.get("/favicon.ico", endpoint="health.favicon")
    def favicon() -> Response:
        raise NotFound


def _plain(text: str, status: int = 200) -> Response:
    response = make_response(text + "\n", status)
    response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    return response
