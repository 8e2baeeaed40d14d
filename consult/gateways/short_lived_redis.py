"""The short-lived store on Redis; see `short_lived_store` for what it promises.

Redis forgets keys by its own clock; the end of every value is stored beside it as well and compared with the
caller's `now`, so that the store behaves like its SQL twins whatever clock the caller uses. What must decide
and change at once is a script inside Redis.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from consult.domain.challenge import Challenge, Spent
from consult.domain.errors import StoreUnavailable
from consult.gateways.short_lived_kinds import Count

_PREFIX = "kaimen:"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_MICROSECOND = timedelta(microseconds=1)

# Every script takes the caller's time as its first argument, in microseconds: 16 digits, exact in a double.

_SPEND = """
local c = redis.call('HMGET', KEYS[1], 'visitor', 'form', 'expires_at')
if c[1] ~= ARGV[2] or c[2] ~= ARGV[3] or tonumber(c[3]) <= tonumber(ARGV[1]) then return false end
local spent = redis.call('HMGET', KEYS[1], 'answer_digest', 'sound_digest', 'issued_at')
redis.call('DEL', KEYS[1])
return spent
"""

_ATTACH = """
local c = redis.call('HMGET', KEYS[1], 'visitor', 'expires_at', 'sound')
if c[1] ~= ARGV[2] or tonumber(c[2]) <= tonumber(ARGV[1]) then return false end
if c[3] then return c[3] end
redis.call('HSET', KEYS[1], 'sound_digest', ARGV[3], 'sound', ARGV[4])
return ARGV[4]
"""

_POP = """
local c = redis.call('HMGET', KEYS[1], 'payload', 'expires_at')
if not c[1] or tonumber(c[2]) <= tonumber(ARGV[1]) then return false end
redis.call('DEL', KEYS[1])
return c[1]
"""

_USED_ONCE = """
local ends = redis.call('GET', KEYS[1])
if ends and tonumber(ends) > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""

# ARGV: now, amount, end of a window opened now, end beyond which the clock must have been set back, its life.
_COUNT = """
local ends = tonumber(redis.call('HGET', KEYS[1], 'expires_at') or '0')
if ends <= tonumber(ARGV[1]) or ends > tonumber(ARGV[4]) then
  redis.call('HSET', KEYS[1], 'hits', ARGV[2], 'expires_at', ARGV[3])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  return tonumber(ARGV[2])
end
return redis.call('HINCRBY', KEYS[1], 'hits', ARGV[2])
"""


class RedisShortLivedStore:
    """Challenges, receipts, values and counters under `kaimen:` keys of one Redis database.

    `patience` bounds connecting and each answer, so that a dead Redis costs a visitor seconds at most.
    """

    def __init__(self, url: str, *, patience: timedelta = timedelta(seconds=2)) -> None:
        seconds = patience.total_seconds()
        self._client: redis.Redis = redis.Redis.from_url(
            url,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            # One more try covers a connection the server closed while it lay idle.
            retry=Retry(NoBackoff(), 1),
        )
        self._spend = self._client.register_script(_SPEND)
        self._attach = self._client.register_script(_ATTACH)
        self._pop = self._client.register_script(_POP)
        self._used_once = self._client.register_script(_USED_ONCE)
        self._count = self._client.register_script(_COUNT)

    def create_challenge(self, challenge: Challenge) -> None:
        """Keep a new challenge until its `expires_at`."""
        fields = {
            "visitor": challenge.visitor,
            "form": challenge.form.encode(),
            "answer_digest": challenge.answer_digest,
            "issued_at": str(_stamp(challenge.issued_at)).encode(),
            "expires_at": str(_stamp(challenge.expires_at)).encode(),
            "drawing": challenge.drawing,
        }
        self._keep_hash(f"challenge:{challenge.id}", fields, challenge.issued_at, challenge.expires_at)

    def drawing(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the picture of a living challenge to the visitor it was made for."""
        return self._field_for(f"challenge:{challenge_id}", "drawing", visitor, now)

    def sound(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the sound of a living challenge, if one was attached."""
        return self._field_for(f"challenge:{challenge_id}", "sound", visitor, now)

    def attach_sound(
        self, challenge_id: str, visitor: bytes, sound_digest: bytes, sound: bytes, now: datetime
    ) -> bytes | None:
        """Attach the one sound of a living challenge and return the sound that stands."""
        with _guard():
            stands: bytes | None = self._attach(
                keys=[f"{_PREFIX}challenge:{challenge_id}"], args=[_stamp(now), visitor, sound_digest, sound]
            )
        return stands

    def spend(self, challenge_id: str, visitor: bytes, form: str, now: datetime) -> Spent | None:
        """Take a living challenge out for good, if it belongs to this visitor and form."""
        with _guard():
            row: list[Any] | None = self._spend(
                keys=[f"{_PREFIX}challenge:{challenge_id}"], args=[_stamp(now), visitor, form]
            )
        if row is None:
            return None
        answer_digest, sound_digest, issued_at = row
        return Spent(challenge_id, answer_digest, sound_digest, _moment(int(issued_at)))

    def put_receipt(self, handle: str, visitor: bytes, payload: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep an encrypted receipt for one visitor; the same handle again replaces it."""
        self._keep(f"receipt:{handle}", visitor, payload, now, expires_at)

    def get_receipt(self, handle: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return a receipt to the visitor it was kept for, and to nobody else."""
        return self._field_for(f"receipt:{handle}", "payload", visitor, now)

    def put(self, key: str, value: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep a small value; the same key again replaces it."""
        self._keep(f"value:{key}", b"", value, now, expires_at)

    def get(self, key: str, now: datetime) -> bytes | None:
        """Return a kept value."""
        return self._field_for(f"value:{key}", "payload", b"", now)

    def pop(self, key: str, now: datetime) -> bytes | None:
        """Take a kept value out; of any number of callers at once exactly one is given it."""
        with _guard():
            payload: bytes | None = self._pop(keys=[f"{_PREFIX}value:{key}"], args=[_stamp(now)])
        return payload

    def used_once(self, key: str, now: datetime, expires_at: datetime) -> bool:
        """Mark `key` as used; True for the first caller until `expires_at`, False for all others."""
        with _guard():
            first = self._used_once(
                keys=[f"{_PREFIX}once:{key}"], args=[_stamp(now), _stamp(expires_at), _life(now, expires_at)]
            )
        return bool(first)

    def count(self, key: str, amount: int, window: timedelta, now: datetime) -> int:
        """Add `amount` to the running window of `key` and return its hits, this one included."""
        ends, impossible = now + window, now + 2 * window
        with _guard():
            hits = self._count(
                keys=[f"{_PREFIX}count:{key}"],
                args=[_stamp(now), amount, _stamp(ends), _stamp(impossible), _life(now, ends)],
            )
        return int(hits)

    def read_count(self, key: str, now: datetime) -> Count:
        """Return the running window of `key` without adding to it."""
        with _guard():
            hits, ends = self._client.hmget(f"{_PREFIX}count:{key}", ["hits", "expires_at"])
        if hits is None or ends is None or int(ends) <= _stamp(now):
            return Count(0, None)
        return Count(int(hits), _moment(int(ends)))

    def clear_count(self, key: str) -> None:
        """Forget the running window of `key`."""
        with _guard():
            self._client.delete(f"{_PREFIX}count:{key}")

    def clear_counts(self) -> int:
        """Forget every window and return how many there were."""
        with _guard():
            keys = list(self._client.scan_iter(f"{_PREFIX}count:*"))
            return sum(int(self._client.delete(key)) for key in keys)

    def purge(self, now: datetime) -> int:  # noqa: ARG002 - the same signature for every store
        """Return 0: Redis forgets keys by itself."""
        return 0

    def ping(self) -> None:
        """Return when the store can be written to."""
        with _guard():
            self._client.set(f"{_PREFIX}ping", b"1", px=1000)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.connection_pool.disconnect()

    def _keep(self, key: str, visitor: bytes, payload: bytes, now: datetime, expires_at: datetime) -> None:
        fields = {"visitor": visitor, "payload": payload, "expires_at": str(_stamp(expires_at)).encode()}
        self._keep_hash(key, fields, now, expires_at)

    def _keep_hash(self, key: str, fields: dict[str, bytes], now: datetime, expires_at: datetime) -> None:
        with _guard(), self._client.pipeline(transaction=True) as steps:
            steps.delete(_PREFIX + key)
            steps.hset(_PREFIX + key, items=[part for pair in fields.items() for part in pair])
            steps.pexpire(_PREFIX + key, _life(now, expires_at))
            steps.execute()

    def _field_for(self, key: str, field: str, visitor: bytes, now: datetime) -> bytes | None:
        with _guard():
            kept_for, ends, value = self._client.hmget(_PREFIX + key, ["visitor", "expires_at", field])
        if kept_for != visitor or ends is None or int(ends) <= _stamp(now):
            return None
        return value if isinstance(value, bytes) else None


@contextmanager
def _guard() -> Iterator[None]:
    """Turn a Redis that is away, loading, full or read-only into `StoreUnavailable`."""
    try:
        yield
    except redis.RedisError as error:
        raise StoreUnavailable from error


def _stamp(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(stamp: int) -> datetime:
    return _EPOCH + stamp * _MICROSECOND


def _life(now: datetime, expires_at: datetime) -> int:
    """Whole milliseconds until the end, at least one: Redis refuses a key without a life."""
    return max((expires_at - now) // _MILLISECOND, 1)
