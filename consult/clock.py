"""The only place that reads the time.

Everything else is handed `now`. In the test environment the clock can be
started at a given instant (`CONSULT_NOW`) and then runs on from there.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)
_server_started: datetime | None = None


def utc_now() -> datetime:
    """Return the present moment as aware UTC."""
    return datetime.now(UTC) + _offset


def unix_now() -> float:
    """Return the present moment as seconds since 1970, for libraries that count in seconds."""
    return time.time() + _offset.total_seconds()


def server_starts() -> None:
    """Note when the server started, before it forks its workers: theirs is one clock, also after a restart of one."""
    global _server_started
    _server_started = datetime.now(UTC)


def start_at(moment: datetime, *, with_server: bool = False) -> None:
    """Let the clock start at `moment` and run on from there; only start-up code of the test environment calls this.

    `with_server`: the clock stood at `moment` when the server started, where there is a server.

    Raises:
        ValueError: `moment` is naive.
    """
    global _offset
    if moment.tzinfo is None:
        raise ValueError("the clock needs a moment with a time zone")
    since = _server_started if with_server and _server_started is not None else datetime.now(UTC)
    _offset = moment.astimezone(UTC) - since
