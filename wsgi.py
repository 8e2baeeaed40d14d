"""The composition root: the public site and the staff site meet here. gunicorn and `flask --app wsgi` start here."""

from __future__ import annotations

import sys

from flask import Flask

from consult import logs, settings
from consult.app import create_app
from consult.db import Store
from consult.settings import Settings
from moderation.wiring import register_staff_site


def build(given: Settings, store: Store | None = None) -> Flask:
    """Return the whole product on the given settings."""
    app = create_app(given, store)
    register_staff_site(app)
    return app


def __getattr__(name: str) -> Flask:
    """Build the application on first use, so that importing this module needs no settings."""
    if name not in {"app", "application"}:
        raise AttributeError(name)
    logs.configure()
    try:
        app = build(settings.load())
    except settings.SettingsError as error:
        sys.exit(f"{error}")
    globals()["app"] = globals()["application"] = app
    return app
