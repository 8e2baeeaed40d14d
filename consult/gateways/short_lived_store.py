"""What is kept for minutes: challenges, receipts, held values, counters.

It is a store of its own, apart from the comments, so that a page view takes no write lock there and a flood
of visits cannot delay a comment. It is shared by all workers and hosts: Redis when set, else tables without a
log on PostgreSQL, else a side file. All three behave alike; losing everything in it costs visitors a new
challenge and nothing more.

Every operation takes `now` (aware UTC) from its caller; a value past its end is never returned, whether or
not it was swept already. Every operation raises `StoreUnavailable` when the store is busy or away.
"""

from __future__ import annotations

from pathlib import Path

from consult.gateways.short_lived_kinds import Count, ShortLivedStore

__all__ = ["Count", "ShortLivedStore", "open_short_lived_store"]


def open_short_lived_store(database_url: str, redis_url: str, side_file: Path) -> ShortLivedStore:
    """Return the store these settings call for, without touching it yet.

    Tables on PostgreSQL when `database_url` names one, else `side_file`, which is made with its folder when it
    is first used. When `redis_url` is not empty: Redis, with the other as its standby.
    """
    tables = _open_tables(database_url, side_file)
    if not redis_url:
        return tables
    from consult.gateways.short_lived_fallback import FallbackShortLivedStore
    from consult.gateways.short_lived_redis import RedisShortLivedStore

    return FallbackShortLivedStore(RedisShortLivedStore(redis_url), tables)


# The implementations are imported late: they import this module, and a district without Redis lacks its driver.
def _open_tables(database_url: str, side_file: Path) -> ShortLivedStore:
    from consult.gateways.short_lived_sql import PostgresShortLivedStore, SqliteShortLivedStore

    if database_url.startswith("postgresql"):
        return PostgresShortLivedStore(database_url)
    return SqliteShortLivedStore(side_file)
