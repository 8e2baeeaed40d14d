"""Rate limits that hold across workers, hosts and restarts, without Redis.

The `limits` library counts in memory (per process: two workers double every limit) or in Redis. These
storages count in the short-lived store instead, with one atomic statement a hit. They count fixed windows
only; a burst may straddle an edge, so limits come in pairs (ten minutes and a day).

Importing this module makes three schemes known to `limits`: `kaimen-sqlite` and `kaimen-postgresql` open a
store of their own; `kaimen-shared` counts in the open store it is given, for instance Redis with its standby.
The library's own Redis storage serves too, but knows no standby.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from limits.errors import ConfigurationError
from limits.storage import Storage

from consult.domain.errors import StoreUnavailable
from consult.gateways.short_lived_sql import PostgresShortLivedStore, SqliteShortLivedStore
from consult.gateways.short_lived_store import ShortLivedStore

_SQLITE = "kaimen-sqlite"
_POSTGRESQL = "kaimen-postgresql"
SHARED_URI = "kaimen-shared://"


def rate_limit_storage_uri(database_url: str, redis_url: str, side_file: Path) -> str:
    """Return the storage URI of `limits` for these settings; chosen as `open_short_lived_store` chooses.

    The driver in a PostgreSQL URL is dropped; psycopg 3 is used.
    """
    if redis_url:
        # `limits` knows Unix sockets by a longer name.
        return f"redis+{redis_url}" if redis_url.startswith("unix://") else redis_url
    if database_url.startswith("postgresql"):
        return _POSTGRESQL + "://" + database_url.partition("://")[2]
    return f"{_SQLITE}://{side_file.absolute()}"


class SharedCounterStorage(Storage):
    """A storage of `limits` that counts in the short-lived store.

    Storage options: `clock` returns the present moment as aware UTC; `store`, with `SHARED_URI` only, is an
    open short-lived store.

    Raises (at construction):
        ConfigurationError: no clock, no store where one is needed, or another scheme.
    """

    STORAGE_SCHEME = [_SQLITE, _POSTGRESQL, SHARED_URI.partition(":")[0]]  # noqa: RUF012 - the library's own attribute

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        clock: Callable[[], datetime] | None = None,
        store: ShortLivedStore | None = None,
        **_options: Any,
    ) -> None:
        super().__init__(uri, wrap_exceptions=wrap_exceptions)
        if clock is None:
            raise ConfigurationError("The storage option `clock` is missing.")
        self._now = clock
        self._counters = _open(uri or "") if store is None else store

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a failing store raises."""
        return StoreUnavailable

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add `amount` to the window of `key`, `expiry` seconds long, and return its hits."""
        return self._counters.count(key, amount, timedelta(seconds=expiry), self._now())

    def get(self, key: str) -> int:
        """Return the hits in the running window of `key`."""
        return self._counters.read_count(key, self._now()).hits

    def get_expiry(self, key: str) -> float:
        """Return the end of the running window in seconds since 1970; the present when none is running."""
        now = self._now()
        return (self._counters.read_count(key, now).ends_at or now).timestamp()

    def check(self) -> bool:
        """Tell whether the store can be written to."""
        try:
            self._counters.ping()
        except StoreUnavailable:
            return False
        return True

    def reset(self) -> int | None:
        """Forget every window and return how many there were."""
        return self._counters.clear_counts()

    def clear(self, key: str) -> None:
        """Forget the running window of `key`."""
        self._counters.clear_count(key)

    def close(self) -> None:
        """Give connections back."""
        self._counters.close()


def _open(uri: str) -> ShortLivedStore:
    scheme, _, place = uri.partition("://")
    if scheme == _SQLITE and place:
        return SqliteShortLivedStore(Path(place))
    if scheme == _POSTGRESQL:
        return PostgresShortLivedStore(f"postgresql+psycopg://{place}")
    raise ConfigurationError(f"The rate limit storage {scheme!r} is unknown, or needs a store.")
