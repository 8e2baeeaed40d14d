"""The one door to password hashing: argon2id with 19 MiB, two passes, one lane (security guide, chapter 6).

One hash costs about 45 ms and 19 MiB, so at most two run at once in a process and a flood of sign-ins can
exhaust neither memory nor processors. Passwords are compared after NFKC, so that a full-width keyboard does
not lock anybody out.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from consult.domain.errors import StoreUnavailable

AT_ONCE = 2
PATIENCE = 8.0  # seconds a request waits for its turn before it is told to come back
# Without letters and digits that people mix up when they copy them from a slip of paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_turns = threading.BoundedSemaphore(AT_ONCE)
# Of a random password nobody knows: an unknown account must cost as much as a known one.
NOBODYS_HASH = "$argon2id$v=19$m=19456,t=2,p=1$HbRuIDtwnjGWoTP4KB9W4g$6bjp6Vlr35oTLPIVxqmc4pt5/CKU+jRQxp73S0q3pMY"


def hash_password(password: str) -> str:
    """Return the hash to store; two calls give two different ones.

    Raises:
        StoreUnavailable: too many sign-ins wait for their turn.
    """
    with _turn():
        return _hasher.hash(_folded(password))


def verify_password(stored: str | None, password: str) -> bool:
    """Tell whether `password` is the one behind `stored`; None (no such account) takes as long and is False.

    Raises:
        StoreUnavailable: too many sign-ins wait for their turn.
    """
    with _turn():
        try:
            _hasher.verify(stored or NOBODYS_HASH, _folded(password))
        except (VerificationError, InvalidHashError):
            return False
    return stored is not None


def needs_new_hash(stored: str) -> bool:
    """Tell whether `stored` was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def new_password() -> str:
    """Return a random password of 16 readable characters in groups of four: 79 bits."""
    drawn = [secrets.choice(_ALPHABET) for _ in range(16)]
    return "-".join("".join(drawn[start : start + 4]) for start in range(0, 16, 4))


def _folded(password: str) -> bytes:
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=PATIENCE):
        raise StoreUnavailable(reason="hashing")
    try:
        yield
    finally:
        _turns.release()
