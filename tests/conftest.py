"""Fixtures every test may use: `store_url` and `store` run a test on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import db
from consult.db import Store
from tests.support import stores

pytest_plugins = ["tests.support.real_servers"]

BOTH_STORES = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stores.sqlite_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    return stores.postgres_template(postgres_url, f"template_{uuid.uuid4().hex[:12]}")


@pytest.fixture(params=BOTH_STORES)
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def store_url(store_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a fresh, migrated, empty store."""
    if store_kind == "sqlite":
        yield stores.copy_sqlite(request.getfixturevalue("sqlite_template"), tmp_path)
        return
    server = request.getfixturevalue("postgres_url")
    url = stores.copy_postgres(server, request.getfixturevalue("postgres_template"))
    yield url
    stores.drop_postgres(server, url)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store in use, as a request or a command would have it."""
    opened = stores.open_store(store_url)
    db.use(opened)
    yield opened
    opened.dispose()


@pytest.fixture
def app(store: Store, tmp_path: Path) -> Iterator[Flask]:
    """The whole application on a fresh store."""
    from tests.support.application import make_app

    made = make_app(store, tmp_path / "files")
    yield made
    made.extensions["kaimen"].short_lived.close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript."""
    return app.test_client()
