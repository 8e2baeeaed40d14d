"""The whole product behind a test client, and a browser that signs in through the sign-in page."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from consult import clock, extensions, settings
from consult.db import Store
from consult.gateways.password_hashing import hash_password
from moderation.models import StaffMember
from tests.support.factories import NOW, World, make_world
from wsgi import build

PASSWORD = "一句自己记得住的话-2026"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@functools.cache
def password_hash() -> str:
    """The hash of PASSWORD; made once, because hashing is slow on purpose."""
    return hash_password(PASSWORD)


@contextmanager
def site_on(store: Store, **environ: str) -> Iterator[Flask]:
    """The product on a test's own store, its clock starting at the world's NOW; faults are raised, not dressed."""
    ahead = clock.utc_now() - datetime.now(UTC)
    given = {
        "CONSULT_ENV": "test",
        "CONSULT_DATABASE_URL": store.url,
        "CONSULT_NOW": NOW.isoformat(),
        "CONSULT_LIMITS": "off",
        **environ,
    }
    loaded = settings.load({name: value for name, value in given.items() if value})
    # A folder of its own: with PostgreSQL the default is the working folder's, which every test would share.
    with TemporaryDirectory(prefix="kaimen-site-") as files:
        app = build(replace(loaded, files_dir=Path(files)), store)
        app.testing = True
        app.config["KAIMEN_RAISE"] = True
        try:
            yield app
        finally:
            clock.start_at(datetime.now(UTC) + ahead)
            app.extensions["kaimen"].short_lived.close()
            if app.config["RATELIMIT_ENABLED"]:
                extensions.limiter.storage.close()  # type: ignore[attr-defined]


def fill(store: Store) -> World:
    """A small district whose every account has PASSWORD."""
    with store.writing() as session:
        world = make_world(session)
        session.execute(update(StaffMember).values(password_hash=password_hash()))
    return world


class Browser:
    """A test client that fetches form tokens the way a browser has them: from the page before."""

    def __init__(self, app: Flask, address: str = "192.0.2.7", base_url: str = "http://localhost") -> None:
        self.client = app.test_client()
        self._environ = {"REMOTE_ADDR": address}
        self._base_url = base_url

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path, environ_base=self._environ, base_url=self._base_url)

    def token(self, page: str = "/staff/sign-in") -> str:
        """The form token of a page."""
        found = _TOKEN.search(self.get(page).text)
        return unescape(found[1]) if found else ""

    def post(self, path: str, data: Mapping[str, str] | None = None, page: str = "/staff/account") -> TestResponse:
        """Send a form of `page`."""
        sent = {"csrf_token": self.token(page), **(data or {})}
        return self.send(path, sent)

    def send(self, path: str, data: Mapping[str, str]) -> TestResponse:
        """Send exactly these fields."""
        return self.client.post(
            path,
            data=data,
            environ_base=self._environ,
            base_url=self._base_url,
            headers={"Referer": self._base_url + "/"},
        )

    def sign_in(self, username: str, password: str = PASSWORD, **more: str) -> TestResponse:
        """Try to sign in."""
        data = {"username": username, "password": password, **more}
        return self.post("/staff/sign-in", data, page="/staff/sign-in")

    def cookie(self, name: str = "staff") -> str:
        """The value of a cookie, or an empty text."""
        cookie = self.client.get_cookie(name)
        return cookie.value if cookie else ""


def signed_in(app: Flask, username: str, address: str = "192.0.2.7") -> Browser:
    """A browser in which this account is signed in."""
    browser = Browser(app, address)
    answer = browser.sign_in(username)
    assert answer.status_code == 303, answer.text
    return browser
