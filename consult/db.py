"""Engine and transactions: the only place that commits.

`reading()` gives a session that cannot write; leaving `writing()` commits, an exception rolls
back. On SQLite `writing()` starts BEGIN IMMEDIATE, because a deferred transaction that reads and
then writes fails at once with "database is locked", whatever the busy timeout says.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from consult.domain.errors import StoreUnavailable

BUSY_TIMEOUT_MS = 5_000


class Store:
    """One comment store: an engine and the two ways to open a session on it."""

    def __init__(self, url: str, pool_size: int = 8) -> None:
        self.url = url
        self.engine = make_engine(url, pool_size)
        self._writer = self.engine.execution_options(writes=True)
        self._reader = self.engine
        if self.engine.dialect.name == "postgresql":
            # One snapshot for a whole page, so that its counts agree with its rows.
            self._reader = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._queue = Lock() if self.engine.dialect.name == "sqlite" else None
        self._watcher = _Watcher(self.engine)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a session that sees one moment and cannot write.

        Raises:
            StoreUnavailable: the store is busy or unreachable.
        """
        with _translated(), Session(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a session whose changes are committed when the block ends without an exception.

        Raises:
            StoreUnavailable: the store is busy or unreachable; nothing was written.
        """
        with _translated(), self._turn(), Session(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Let one writer of this process at a time ask SQLite for its one write lock.

        SQLite makes waiting writers sleep and try again, without any order: sixteen threads that do so finish half
        as many comments in a second as sixteen that queue here.
        """
        if self._queue is None:
            yield
            return
        if not self._queue.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
            raise StoreUnavailable(reason="busy")
        try:
            yield
        finally:
            self._queue.release()

    def stamp(self) -> Hashable | None:
        """Return a value that comes twice only if nothing was committed to the store in between, or None.

        A page drawn from a reading that began after the stamp was taken is up to date for as long as the stamp
        stays. None means that the store cannot tell; the page's own reading will say why.
        """
        return self._watcher.stamp()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self._watcher.close()
        self.engine.dispose()


class _Watcher:
    """Tells whether anything was committed.

    SQLite counts, for each connection, the commits of all others (`data_version`); one connection that never writes
    serves the process. PostgreSQL has the snapshot: two equal ones see the same rows.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = Lock()
        self._file: sqlite3.Connection | None = None
        self._opened = 0

    def stamp(self) -> Hashable | None:
        try:
            if self._engine.dialect.name == "sqlite":
                return self._sqlite()
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                return str(connection.exec_driver_sql("SELECT pg_current_snapshot()").scalar_one())
        except (DBAPIError, PoolTimeout, sqlite3.Error):
            return None

    def _sqlite(self) -> Hashable | None:
        path = self._engine.url.database
        if not path or path == ":memory:":
            return None
        with self._lock:
            if self._file is None:
                self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
                self._opened += 1
            # The count of one connection says nothing about that of the next.
            return self._opened, self._file.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None


_in_use: ContextVar[Store] = ContextVar("store_in_use")


def use(store: Store) -> None:
    """Make `store` the one that `reading()` and `writing()` open; called per request and per command."""
    _in_use.set(store)


def current() -> Store:
    """Return the store in use.

    Raises:
        LookupError: nobody called `use`.
    """
    return _in_use.get()


def reading() -> AbstractContextManager[Session]:
    """Open a reading session on the store in use."""
    return current().reading()


def writing() -> AbstractContextManager[Session]:
    """Open a writing session on the store in use; it commits when the block ends well."""
    return current().writing()


def stamp() -> Hashable | None:
    """Return the stamp of the store in use; see `Store.stamp`."""
    return current().stamp()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable(reason="pool") from error
    except OperationalError as error:
        raise StoreUnavailable(reason="operational") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(reason="disconnected") from error
        raise


def make_engine(url: str, pool_size: int = 8) -> Engine:
    """Return an engine for SQLite or PostgreSQL with the durability this product promises."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed,
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        parsed,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=10,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": 5,
            "options": "-c timezone=UTC -c lock_timeout=8s -c statement_timeout=30s",
        },
    )


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "temp_store=MEMORY",
        "cache_size=-8000",
        # An append-only log would otherwise be emptied by INSERT OR REPLACE, whose implicit
        # DELETE fires no trigger unless this is on.
        "recursive_triggers=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def is_alive(store: Store) -> bool:
    """Whether the store answers a query now."""
    try:
        with store.reading() as session:
            session.execute(text("SELECT 1"))
    except StoreUnavailable:
        return False
    return True


def revision(store: Store) -> str | None:
    """Return the migration the store stands at, or None when it has none."""
    with store.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def migration_config(url: str, assets: Path) -> Any:
    """Return Alembic's configuration for this product's migrations folder."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(assets / "migrations"))
    config.attributes["url"] = url
    return config
