"""Counting durable commits of the comment store, from the store's own books: nothing in the product is changed."""

from __future__ import annotations

import sqlite3
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from bench.stores import Postgres
from consult.db import make_engine

_CHANGES_AT = 8  # bytes into the index of the write-ahead log: "incremented with each transaction" (walformat.html)


def sqlite_commits(store: Path) -> int:
    """Return how many transactions were committed to the write-ahead log so far.

    The counter stands in the log's index, which every process maps; each commit is synced because the product opens
    the store with `synchronous=FULL`.
    """
    with Path(f"{store}-shm").open("rb") as index:
        index.seek(_CHANGES_AT)
        return int(struct.unpack("=I", index.read(4))[0])


class PostgresCommits:
    """Counts transactions that wrote rows of a database's logged tables between two moments.

    `pg_stat_database` counts readers too, and every commit record would count those of the unlogged tables of limits
    and challenges, which nobody waits for.
    """

    def __init__(self, server: Postgres, database: str) -> None:
        self._connection = psycopg.connect(server.plain(database), autocommit=True)
        self._connection.execute("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
        self._from = self._position()

    def count(self) -> int:
        """Return how many such transactions there were since the start."""
        row = self._connection.execute(
            "SELECT count(DISTINCT xid::text) FROM pg_get_wal_records_info(%s, %s) "
            "WHERE resource_manager IN ('Heap', 'Heap2', 'Btree') AND xid::text <> '0'",
            (self._from, self._position()),
        ).fetchone()
        assert row is not None
        return int(row[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _position(self) -> str:
        row = self._connection.execute("SELECT pg_current_wal_flush_lsn()").fetchone()
        assert row is not None
        return str(row[0])


@contextmanager
def nothing_else_writes(server: Postgres) -> Iterator[None]:
    """Keep autovacuum away while commits are counted: its own commits are not a visitor's."""
    with psycopg.connect(server.plain(), autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET autovacuum = off")
        admin.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            admin.execute("ALTER SYSTEM RESET autovacuum")
            admin.execute("SELECT pg_reload_conf()")


def raw_sqlite(folder: Path, seconds: float) -> float:
    """Return durable commits of one row each per second, one connection, with the product's own settings."""
    engine = make_engine(f"sqlite:///{folder / 'raw.db'}", 1)
    raw = engine.raw_connection()
    try:
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, words TEXT)")
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO raw (words) VALUES ('x')")
            connection.execute("COMMIT")
            done += 1
        return done / (time.perf_counter() - began)
    finally:
        raw.close()
        engine.dispose()


def raw_postgres(server: Postgres, database: str, seconds: float) -> float:
    """Return durable commits of one row each per second, one connection."""
    with closing(psycopg.connect(server.plain(database), autocommit=True)) as connection:
        connection.execute("CREATE TABLE raw_commits (id bigserial PRIMARY KEY, words text)")
        done, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            connection.execute("INSERT INTO raw_commits (words) VALUES ('x')")
            done += 1
        rate = done / (time.perf_counter() - began)
        connection.execute("DROP TABLE raw_commits")
        return rate
