"""The product as a test drives it: the whole application on a test's store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from flask import Flask

from consult import settings
from consult.db import Store
from consult.settings import Settings
from wsgi import build

MASTER_ANSWER = "test-answer"


def test_settings(store_url: str, files_dir: Path, **changes: object) -> Settings:
    """Settings of the test environment, with limits off unless asked for."""
    loaded = settings.load(
        {
            "CONSULT_ENV": "test",
            "CONSULT_DATABASE_URL": store_url,
            "CONSULT_CAPTCHA_ANSWER": MASTER_ANSWER,
            "CONSULT_LIMITS": "off",
        }
    )
    return replace(loaded, files_dir=files_dir, **changes)  # type: ignore[arg-type]


test_settings.__test__ = False  # type: ignore[attr-defined]


def make_app(store: Store, files_dir: Path, **changes: object) -> Flask:
    """Build the application on an open store."""
    app = build(test_settings(store.url, files_dir, **changes), store)
    app.testing = True
    app.config["KAIMEN_RAISE"] = True
    return app
