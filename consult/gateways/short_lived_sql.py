"""The short-lived store on a SQLite side file and on PostgreSQL; `short_lived_store` says what it promises.

Both speak the same statements. Times are stored as whole microseconds since 1970. Each operation is one
statement that decides and changes at once, so that no two callers can both win.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from consult.domain.challenge import Challenge, Spent
from consult.domain.errors import StoreUnavailable
from consult.gateways.short_lived_kinds import Count

_Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WRITES_BETWEEN_SWEEPS = 64
_ROWS_PER_SWEEP = 200  # Bounds what one unlucky visitor waits for.
_TABLES = ("challenge", "kept", "counter")


def _schema(blob: str, *, unlogged: str) -> list[str]:
    tables = {
        "challenge": f"id TEXT PRIMARY KEY, visitor {blob} NOT NULL, form TEXT NOT NULL,"
        f" answer_digest {blob} NOT NULL, sound_digest {blob}, issued_at BIGINT NOT NULL,"
        f" expires_at BIGINT NOT NULL, drawing {blob} NOT NULL, sound {blob}",
        "kept": f"key TEXT PRIMARY KEY, visitor {blob} NOT NULL, payload {blob} NOT NULL, expires_at BIGINT NOT NULL",
        "counter": "key TEXT PRIMARY KEY, hits BIGINT NOT NULL, expires_at BIGINT NOT NULL",
    }
    statements = []
    for name, columns in tables.items():
        statements.append(f"CREATE {unlogged} TABLE IF NOT EXISTS {name} ({columns})")
        statements.append(f"CREATE INDEX IF NOT EXISTS {name}_expires_at ON {name} (expires_at)")
    return statements


class SqlShortLivedStore(ABC):
    """The statements, with `?` for parameters; a subclass says how one of them is run."""

    def __init__(self) -> None:
        self._writes = itertools.count(1)

    @abstractmethod
    def _read(self, statement: str, *values: object) -> Sequence[_Row]:
        """Run one statement that changes nothing."""

    @abstractmethod
    def _write(self, statement: str, *values: object) -> Sequence[_Row]:
        """Run one statement in a transaction of its own and return what it gives back, if anything."""

    @abstractmethod
    def close(self) -> None:
        """Give connections back; the store can be used again afterwards."""

    def create_challenge(self, challenge: Challenge) -> None:
        """Keep a new challenge until its `expires_at`."""
        self._sweep_by_and_by(challenge.issued_at)
        self._write(
            "INSERT INTO challenge (id, visitor, form, answer_digest, issued_at, expires_at, drawing)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
            challenge.id,
            challenge.visitor,
            challenge.form,
            challenge.answer_digest,
            _stamp(challenge.issued_at),
            _stamp(challenge.expires_at),
            challenge.drawing,
        )

    def drawing(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the picture of a living challenge to the visitor it was made for."""
        return _first_bytes(
            self._read(
                "SELECT drawing FROM challenge WHERE id = ? AND visitor = ? AND expires_at > ?",
                challenge_id,
                visitor,
                _stamp(now),
            )
        )

    def sound(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the sound of a living challenge, if one was attached."""
        return _first_bytes(
            self._read(
                "SELECT sound FROM challenge WHERE id = ? AND visitor = ? AND expires_at > ?",
                challenge_id,
                visitor,
                _stamp(now),
            )
        )

    def attach_sound(
        self, challenge_id: str, visitor: bytes, sound_digest: bytes, sound: bytes, now: datetime
    ) -> bytes | None:
        """Attach the one sound of a living challenge and return the sound that stands."""
        self._write(
            "UPDATE challenge SET sound_digest = ?, sound = ?"
            " WHERE id = ? AND visitor = ? AND expires_at > ? AND sound IS NULL RETURNING id",
            sound_digest,
            sound,
            challenge_id,
            visitor,
            _stamp(now),
        )
        return self.sound(challenge_id, visitor, now)

    def spend(self, challenge_id: str, visitor: bytes, form: str, now: datetime) -> Spent | None:
        """Take a living challenge out for good, if it belongs to this visitor and form."""
        rows = self._write(
            "DELETE FROM challenge WHERE id = ? AND visitor = ? AND form = ? AND expires_at > ?"
            " RETURNING answer_digest, sound_digest, issued_at",
            challenge_id,
            visitor,
            form,
            _stamp(now),
        )
        if not rows:
            return None
        answer_digest, sound_digest, issued_at = rows[0]
        heard = None if sound_digest is None else bytes(sound_digest)
        return Spent(challenge_id, bytes(answer_digest), heard, _moment(issued_at))

    def put_receipt(self, handle: str, visitor: bytes, payload: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep an encrypted receipt for one visitor; the same handle again replaces it."""
        self._keep(f"receipt:{handle}", visitor, payload, now, expires_at)

    def get_receipt(self, handle: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return a receipt to the visitor it was kept for, and to nobody else."""
        return self._kept(f"receipt:{handle}", visitor, now)

    def put(self, key: str, value: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep a small value; the same key again replaces it."""
        self._keep(f"value:{key}", b"", value, now, expires_at)

    def get(self, key: str, now: datetime) -> bytes | None:
        """Return a kept value."""
        return self._kept(f"value:{key}", b"", now)

    def pop(self, key: str, now: datetime) -> bytes | None:
        """Take a kept value out; of any number of callers at once exactly one is given it."""
        return _first_bytes(
            self._write(
                "DELETE FROM kept WHERE key = ? AND expires_at > ? RETURNING payload",
                f"value:{key}",
                _stamp(now),
            )
        )

    def used_once(self, key: str, now: datetime, expires_at: datetime) -> bool:
        """Mark `key` as used; True for the first caller until `expires_at`, False for all others."""
        self._sweep_by_and_by(now)
        rows = self._write(
            "INSERT INTO kept (key, visitor, payload, expires_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at"
            " WHERE kept.expires_at <= ? RETURNING key",
            f"once:{key}",
            b"",
            b"",
            _stamp(expires_at),
            _stamp(now),
        )
        return bool(rows)

    def count(self, key: str, amount: int, window: timedelta, now: datetime) -> int:
        """Add `amount` to the running window of `key` and return its hits, this one included."""
        self._sweep_by_and_by(now)
        # A window that ends further away than two lengths was opened before the clock was set back.
        bounds = (_stamp(now), _stamp(now + 2 * window))
        rows = self._write(
            "INSERT INTO counter (key, hits, expires_at) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET"
            " hits = CASE WHEN counter.expires_at <= ? OR counter.expires_at > ?"
            " THEN excluded.hits ELSE counter.hits + excluded.hits END,"
            " expires_at = CASE WHEN counter.expires_at <= ? OR counter.expires_at > ?"
            " THEN excluded.expires_at ELSE counter.expires_at END"
            " RETURNING hits",
            key,
            amount,
            _stamp(now + window),
            *bounds,
            *bounds,
        )
        return int(rows[0][0])

    def read_count(self, key: str, now: datetime) -> Count:
        """Return the running window of `key` without adding to it."""
        rows = self._read("SELECT hits, expires_at FROM counter WHERE key = ? AND expires_at > ?", key, _stamp(now))
        return Count(int(rows[0][0]), _moment(rows[0][1])) if rows else Count(0, None)

    def clear_count(self, key: str) -> None:
        """Forget the running window of `key`."""
        self._write("DELETE FROM counter WHERE key = ? RETURNING key", key)

    def clear_counts(self) -> int:
        """Forget every window and return how many there were."""
        return len(self._write("DELETE FROM counter RETURNING key"))

    def purge(self, now: datetime) -> int:
        """Delete what is past its end and return how many rows went."""
        gone = 0
        for table in _TABLES:
            while removed := self._sweep(table, now):
                gone += removed
        return gone

    def ping(self) -> None:
        """Return when the store can be written to."""
        self._write("DELETE FROM kept WHERE key = ? RETURNING key", "ping")

    def _keep(self, key: str, visitor: bytes, payload: bytes, now: datetime, expires_at: datetime) -> None:
        self._sweep_by_and_by(now)
        self._write(
            "INSERT INTO kept (key, visitor, payload, expires_at) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET visitor = excluded.visitor, payload = excluded.payload,"
            " expires_at = excluded.expires_at RETURNING key",
            key,
            visitor,
            payload,
            _stamp(expires_at),
        )

    def _kept(self, key: str, visitor: bytes, now: datetime) -> bytes | None:
        return _first_bytes(
            self._read(
                "SELECT payload FROM kept WHERE key = ? AND visitor = ? AND expires_at > ?",
                key,
                visitor,
                _stamp(now),
            )
        )

    def _sweep_by_and_by(self, now: datetime) -> None:
        if next(self._writes) % _WRITES_BETWEEN_SWEEPS == 0:
            for table in _TABLES:
                self._sweep(table, now)

    def _sweep(self, table: str, now: datetime) -> int:
        column = "id" if table == "challenge" else "key"
        # The outer condition is checked again on the row itself: it may have been renewed meanwhile.
        rows = self._write(
            f"DELETE FROM {table} WHERE expires_at <= ? AND {column} IN"  # noqa: S608 - own names only
            f" (SELECT {column} FROM {table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)"
            f" RETURNING {column}",
            _stamp(now),
            _stamp(now),
            _ROWS_PER_SWEEP,
        )
        return len(rows)


class SqliteShortLivedStore(SqlShortLivedStore):
    """The side file: WAL and `synchronous=NORMAL`, so that a power cut may cost the last challenges.

    A connection serves one thread at a time; idle ones are kept and handed on. Writers wait for one another
    up to `busy_after`.
    """

    def __init__(self, path: Path, *, busy_after: timedelta = timedelta(seconds=5)) -> None:
        super().__init__()
        self._path = path
        self._busy_after = busy_after
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._process = os.getpid()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _read(self, statement: str, *values: object) -> Sequence[_Row]:
        with self._connection() as connection:
            return connection.execute(statement, values).fetchall()

    def _write(self, statement: str, *values: object) -> Sequence[_Row]:
        with self._connection() as connection:
            # A transaction that begins by reading fails at once when another writes; this one waits.
            connection.execute("BEGIN IMMEDIATE")
            try:
                rows = connection.execute(statement, values).fetchall()
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return rows

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection: sqlite3.Connection | None = None
        try:
            connection = self._take() or self._connect()
            yield connection
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                connection.close()
            if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
                raise
            raise StoreUnavailable from error
        with self._lock:
            self._idle.append(connection)

    def _take(self) -> sqlite3.Connection | None:
        with self._lock:
            if self._process != os.getpid():
                # A connection must not be used on the other side of a fork; it is not even safe to close it.
                self._process = os.getpid()
                _ABANDONED.extend(self._idle)
                self._idle = []
            return self._idle.pop() if self._idle else None

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self._path,
            timeout=self._busy_after.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            _switch_to_wal(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            if not _sqlite_has_tables(connection):
                connection.execute("BEGIN IMMEDIATE")
                for statement in _schema("BLOB", unlogged=""):
                    connection.execute(statement)
                connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        return connection


_ABANDONED: list[sqlite3.Connection] = []


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch the file to WAL; while another process does the same, SQLite refuses without waiting."""
    for _ in range(40):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.05)
        else:
            return
    connection.execute("PRAGMA journal_mode = WAL")


def _sqlite_has_tables(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'counter_expires_at'")
    return bool(found.fetchone()[0])


class PostgresShortLivedStore(SqlShortLivedStore):
    """Unlogged tables in a schema `short_lived` of the comment database, made when first used.

    The server empties them after a crash, which is what short-lived things may suffer. They are no part of
    the migrations: a role without the right to create them needs `create_tables` run once by another.
    """

    def __init__(self, url: str, *, pool_size: int = 8) -> None:
        super().__init__()
        self._engine: Engine = create_engine(
            url,
            isolation_level="AUTOCOMMIT",
            pool_size=pool_size,
            max_overflow=8,
            pool_timeout=5,
            connect_args={
                "connect_timeout": 4,
                "options": "-c search_path=short_lived -c statement_timeout=5000"
                " -c lock_timeout=5000 -c synchronous_commit=off",
            },
        )
        self._ready = False
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    def create_tables(self) -> None:
        """Make the schema and the tables if they are missing; safe when several processes do it at once."""
        made = text("SELECT to_regclass('short_lived.counter_expires_at') IS NOT NULL")
        with self._guard():
            with self._engine.connect() as connection:
                if connection.execute(made).scalar():
                    return
            with self._engine.execution_options(isolation_level="READ COMMITTED").begin() as connection:
                # CREATE … IF NOT EXISTS can still collide with itself; the lock lasts until the commit.
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('short_lived'))"))
                connection.execute(text("CREATE SCHEMA IF NOT EXISTS short_lived"))
                for statement in _schema("BYTEA", unlogged="UNLOGGED"):
                    connection.execute(text(statement))

    def _read(self, statement: str, *values: object) -> Sequence[_Row]:
        return self._run(statement, values)

    def _write(self, statement: str, *values: object) -> Sequence[_Row]:
        return self._run(statement, values)

    def _run(self, statement: str, values: tuple[object, ...]) -> Sequence[_Row]:
        with self._guard():
            self._make_ready()
            try:
                return self._execute(statement, values)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            # The server was restarted under a pooled connection. Once more on a fresh one: at worst a step
            # that was done is refused to its caller, who is then asked again.
            return self._execute(statement, values)

    def _execute(self, statement: str, values: tuple[object, ...]) -> Sequence[_Row]:
        with self._engine.connect() as connection:
            rows = connection.exec_driver_sql(statement.replace("?", "%s"), values).fetchall()
            return [tuple(row) for row in rows]

    def _make_ready(self) -> None:
        if self._ready:
            return
        with self._lock:
            if not self._ready:
                self.create_tables()
                self._ready = True

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except (IntegrityError, ProgrammingError):
            raise
        except (DBAPIError, PoolTimeout) as error:
            raise StoreUnavailable from error


def _stamp(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(stamp: int) -> datetime:
    return _EPOCH + stamp * _MICROSECOND


def _first_bytes(rows: Sequence[_Row]) -> bytes | None:
    if not rows or rows[0][0] is None:
        return None
    return bytes(rows[0][0])
