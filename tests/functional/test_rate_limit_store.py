"""Rate limits across processes: side file, PostgreSQL, Redis."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from limits import RateLimitItemPerMinute
from limits.errors import ConfigurationError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

from consult.domain.errors import StoreUnavailable
from consult.gateways.rate_limit_store import SHARED_URI, SharedCounterStorage, rate_limit_storage_uri
from consult.gateways.short_lived_store import open_short_lived_store
from tests.support.racing import RACERS, meet

PLACES = [
    "side file",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("redis", marks=pytest.mark.redis),
]
TEN = RateLimitItemPerMinute(10)


def real_clock() -> datetime:
    return datetime.now(UTC)


class Watch:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2023, 8, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(params=PLACES)
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    database, redis = "sqlite:///unused.db", ""
    if request.param == "postgresql":
        database = request.getfixturevalue("empty_postgres_url")
    if request.param == "redis":
        redis = request.getfixturevalue("empty_redis_url")
    return rate_limit_storage_uri(database, redis, tmp_path / "short-lived.db")


@contextmanager
def open_storage(uri: str, clock: object = real_clock) -> Iterator[Storage]:
    options = {"clock": clock} if uri.startswith("kaimen") else {}
    storage: Storage = storage_from_string(uri, **options)  # type: ignore[arg-type, assignment]
    try:
        yield storage
    finally:
        if isinstance(storage, SharedCounterStorage):
            storage.close()


def hit_ten_times(uri: str, start: Path | None = None) -> int:
    with open_storage(uri) as storage:
        storage.check()
        if start:
            meet(start)
        limiter = FixedWindowRateLimiter(storage)
        return sum(limiter.hit(TEN, "submit", "client") for _ in range(10))


def test_four_processes_with_ten_hits_each_are_admitted_exactly_ten_times(
    uri: str, processes: Executor, tmp_path: Path
) -> None:
    admitted = list(processes.map(hit_ten_times, [uri] * RACERS, [tmp_path / "start"] * RACERS))
    assert sum(admitted) == 10


def test_limit_survives_a_restart_and_counts_each_client_alone(uri: str) -> None:
    assert hit_ten_times(uri) == 10
    with open_storage(uri) as storage:
        after_restart = FixedWindowRateLimiter(storage)
        assert not after_restart.hit(TEN, "submit", "client")
        assert after_restart.hit(TEN, "submit", "another client")
        after_restart.clear(TEN, "submit", "client")
        assert after_restart.hit(TEN, "submit", "client")


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def storage(uri: str, watch: Watch) -> Iterator[SharedCounterStorage]:
    with open_storage(uri, watch) as opened:
        assert isinstance(opened, SharedCounterStorage)
        yield opened


@pytest.mark.parametrize("uri", PLACES[:2], indirect=True)
def test_window_is_that_of_the_given_clock_and_opens_again_at_its_end(
    storage: SharedCounterStorage, watch: Watch
) -> None:
    limiter = FixedWindowRateLimiter(storage)
    opened = watch.now
    assert [limiter.hit(TEN, "who") for _ in range(11)] == [True] * 10 + [False]
    window = limiter.get_window_stats(TEN, "who")
    assert (window.remaining, window.reset_time) == (0, (opened + timedelta(minutes=1)).timestamp())
    watch.now = opened + timedelta(seconds=59)
    assert not limiter.test(TEN, "who")
    watch.now = opened + timedelta(seconds=60)
    assert limiter.test(TEN, "who")
    assert limiter.get_window_stats(TEN, "who").reset_time == watch.now.timestamp()
    assert limiter.hit(TEN, "who", cost=3)
    assert limiter.get_window_stats(TEN, "who").remaining == 7
    assert storage.reset() == 1
    assert storage.check()


def test_storage_away_is_told_apart_and_never_admits(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    storage = SharedCounterStorage(f"kaimen-sqlite://{tmp_path}/in-the-way/side.db", clock=real_clock)
    assert not storage.check()
    with pytest.raises(StoreUnavailable):
        FixedWindowRateLimiter(storage).hit(TEN, "who")


def test_storage_without_a_clock_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="clock"):
        storage_from_string(f"kaimen-sqlite://{tmp_path}/side.db")


@pytest.mark.redis
def test_limit_holds_on_the_standby_while_redis_is_away(tmp_path: Path, watch: Watch) -> None:
    with closing(open_short_lived_store("", "redis://127.0.0.1:1/0", tmp_path / "side.db")) as store:
        for _ in range(2):
            storage = storage_from_string(SHARED_URI, clock=watch, store=store)  # type: ignore[arg-type]
            limiter = FixedWindowRateLimiter(storage)  # type: ignore[arg-type]
            admitted = [limiter.hit(TEN, "who") for _ in range(6)]
        assert admitted == [True] * 4 + [False] * 2


def test_shared_storage_without_a_store_is_refused_at_start() -> None:
    with pytest.raises(ConfigurationError, match="store"):
        storage_from_string(SHARED_URI, clock=real_clock)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("database", "redis", "uri"),
    [
        ("sqlite:///var/consult.db", "", "kaimen-sqlite:///srv/short-lived.db"),
        ("postgresql+psycopg://u:p@h/d?x=y", "", "kaimen-postgresql://u:p@h/d?x=y"),
        ("postgresql://u@/d", "redis://h:1/0", "redis://h:1/0"),
        ("sqlite://", "rediss://h:1/0", "rediss://h:1/0"),
        ("sqlite://", "unix:///run/redis.sock?db=1", "redis+unix:///run/redis.sock?db=1"),
    ],
)
def test_storage_follows_the_settings(database: str, redis: str, uri: str) -> None:
    assert rate_limit_storage_uri(database, redis, Path("/srv/short-lived.db")) == uri
