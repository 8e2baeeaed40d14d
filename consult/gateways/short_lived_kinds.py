"""The operations every short-lived store has; `short_lived_store.py` chooses the one that carries them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from consult.domain.challenge import Challenge, Spent


@dataclass(frozen=True, slots=True)
class Count:
    """Hits in the running window, and when it ends; None when no window is running."""

    hits: int
    ends_at: datetime | None


class ShortLivedStore(Protocol):
    """The operations of every short-lived store; see the module for what they have in common."""

    def create_challenge(self, challenge: Challenge) -> None:
        """Keep a new challenge until its `expires_at`."""

    def drawing(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the picture of a living challenge to the visitor it was made for."""

    def sound(self, challenge_id: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return the sound of a living challenge, if one was attached."""

    def attach_sound(
        self, challenge_id: str, visitor: bytes, sound_digest: bytes, sound: bytes, now: datetime
    ) -> bytes | None:
        """Attach the one sound of a living challenge and return the sound that stands.

        When two requests attach at once the first stays, and both are given it. None: no such challenge.
        """

    def spend(self, challenge_id: str, visitor: bytes, form: str, now: datetime) -> Spent | None:
        """Take a living challenge out for good, if it belongs to this visitor and form.

        One atomic step: of any number of callers at once exactly one is given it. None: unknown, expired,
        spent before, or another's (which is then left alone).
        """

    def put_receipt(self, handle: str, visitor: bytes, payload: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep an encrypted receipt for one visitor; the same handle again replaces it."""

    def get_receipt(self, handle: str, visitor: bytes, now: datetime) -> bytes | None:
        """Return a receipt to the visitor it was kept for, and to nobody else."""

    def put(self, key: str, value: bytes, now: datetime, expires_at: datetime) -> None:
        """Keep a small value; the same key again replaces it."""

    def get(self, key: str, now: datetime) -> bytes | None:
        """Return a kept value."""

    def pop(self, key: str, now: datetime) -> bytes | None:
        """Take a kept value out; of any number of callers at once exactly one is given it."""

    def used_once(self, key: str, now: datetime, expires_at: datetime) -> bool:
        """Mark `key` as used; True for the first caller until `expires_at`, False for all others."""

    def count(self, key: str, amount: int, window: timedelta, now: datetime) -> int:
        """Add `amount` to the running window of `key` and return its hits, this one included.

        The first hit opens a window of the given length; a key is always counted with one length.
        """

    def read_count(self, key: str, now: datetime) -> Count:
        """Return the running window of `key` without adding to it."""

    def clear_count(self, key: str) -> None:
        """Forget the running window of `key`."""

    def clear_counts(self) -> int:
        """Forget every window and return how many there were."""

    def purge(self, now: datetime) -> int:
        """Delete what is past its end and return how many rows went; writing does this by and by, too."""

    def ping(self) -> None:
        """Return when the store can be written to."""

    def close(self) -> None:
        """Give connections back; the store can be used again afterwards."""
