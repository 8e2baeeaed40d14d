"""Redis first, database tables while Redis is away; never memory, which other workers cannot see.

What was in Redis when it went is gone for as long as it is away: open challenges are renewed, receipts are
looked up by 查询码. What was kept on the standby meanwhile is still found there after Redis came back. Windows
of limits start again at either change, so that a limit of N admits at most twice N around it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from consult.domain.challenge import Challenge, Spent
from consult.domain.errors import StoreUnavailable
from consult.gateways.short_lived_kinds import Count, ShortLivedStore

_T = TypeVar("_T")


class FallbackShortLivedStore:
    """Two short-lived stores that look like one; `StoreUnavailable` only when both are away.

    After a failure the first store is left alone for `rest`, so that not every visitor waits for it to fail.
    """

    def __init__(
        self, first: ShortLivedStore, standby: ShortLivedStore, *, rest: timedelta = timedelta(seconds=10)
    ) -> None:
        self._first = first
        self._standby = standby
        self._rest = rest
        self._failed_at: datetime | None = None

    def on_standby(self, now: datetime) -> bool:
        """Tell whether the first store failed this process lately; for health pages and metrics."""
        failed_at = self._failed_at
        # A clock that was set back must not keep the first store away for longer.
        return failed_at is not None and abs(now - failed_at) < self._rest

    def create_challenge(self, challenge: Challenge) -> None:
        """Keep a new challenge until its `expires_at`."""
        self._on_one(lambda store: store.create_challenge(challenge), challenge.issued_at)

    def drawing(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the picture of a living challenge to the visitor it was made for."""
        return self._from_either(lambda store: store.drawing(challenge_id, visitor, now), now)

    def sound(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the sound of a living challenge, if one was attached."""
        return self._from_either(lambda store: store.sound(challenge_id, visitor, now), now)

    def attach_sound(
        self, challenge_id: str, visitor: bytes, sound_digest: bytes, sound: bytes, now: datetime
    ) -> bytes | None:
        """Attach the one sound of a living challenge and return the sound that stands."""
        return self._from_either(lambda store: store.attach_sound(challenge_id, visitor, sound_digest, sound, now), now)

    def spend(self, challenge_id: str, visitor: bytes, form: str, now: datetime) -> Spent | None:
        """Take a living challenge out for good; it lies in one of the two stores, so that one caller wins."""
        return self._from_either(lambda store: store.spend(challenge_id, visitor, form, now), now)

    def put_receipt(self, handle: str, visitor: bytes, payload: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep an encrypted receipt for one visitor; the same handle again replaces it."""
        self._on_one(lambda store: store.put_receipt(handle, visitor, payload, now, expires_at), now)

    def get_receipt(self, handle: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return a receipt to the visitor it was kept for, and to nobody else."""
        return self._from_either(lambda store: store.get_receipt(handle, visitor, now), now)

    def put(self, key: str, value: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep a small value; the same key again replaces it."""
        self._on_one(lambda store: store.put(key, value, now, expires_at), now)

    def get(self, key: str, now: datetime) -> bytes | None:
        """Return a kept value."""
        return self._from_either(lambda store: store.get(key, now), now)

    def pop(self, key: str, now: datetime) -> bytes | None:
        """Take a kept value out; of any number of callers at once exactly one is given it."""
        return self._from_either(lambda store: store.pop(key, now), now)

    def used_once(self, key: str, now: datetime, expires_at: datetime) -> bool:
        """Mark `key` as used in both stores, so that it stays used whichever of them is away later."""
        first = self._try_first(lambda store: store.used_once(key, now, expires_at), now)
        if first is False:
            return False
        return self._standby.used_once(key, now, expires_at)

    def count(self, key: str, amount: int, window: timedelta, now: datetime) -> int:
        """Add `amount` to the running window of `key` and return its hits, this one included."""
        return self._on_one(lambda store: store.count(key, amount, window, now), now)

    def read_count(self, key: str, now: datetime) -> Count:
        """Return the running window of `key` without adding to it."""
        return self._on_one(lambda store: store.read_count(key, now), now)

    def clear_count(self, key: str) -> None:
        """Forget the running window of `key` in both stores."""
        self._on_both(lambda store: store.clear_count(key))

    def clear_counts(self) -> int:
        """Forget every window in both stores and return how many there were."""
        return sum(self._on_both(lambda store: store.clear_counts()))

    def purge(self, now: datetime) -> int:
        """Delete what is past its end in both stores and return how many rows went."""
        return sum(self._on_both(lambda store: store.purge(now)))

    def ping(self) -> None:
        """Return when one of the two can be written to."""
        self._on_both(lambda store: store.ping())

    def close(self) -> None:
        """Give the connections of both back."""
        self._first.close()
        self._standby.close()

    def _try_first(self, action: Callable[[ShortLivedStore], _T], now: datetime) -> _T | None:
        """Act on the first store; None when it is away or rests."""
        if self.on_standby(now):
            return None
        try:
            return action(self._first)
        except StoreUnavailable:
            self._failed_at = now
            return None

    def _on_one(self, action: Callable[[ShortLivedStore], _T], now: datetime) -> _T:
        if not self.on_standby(now):
            try:
                return action(self._first)
            except StoreUnavailable:
                self._failed_at = now
        return action(self._standby)

    def _from_either(self, action: Callable[[ShortLivedStore], _T | None], now: datetime) -> _T | None:
        """Return what the first store has, or else what was kept on the standby while it was away."""
        found = self._try_first(action, now)
        return action(self._standby) if found is None else found

    def _on_both(self, action: Callable[[ShortLivedStore], _T]) -> list[_T]:
        """Act on each store that answers.

        Raises:
            StoreUnavailable: neither did.
        """
        results: list[_T] = []
        for store in (self._first, self._standby):
            try:
                results.append(action(store))
            except StoreUnavailable:
                continue
        if not results:
            raise StoreUnavailable
        return results
