"""What pages of both sites share: the running parts, the client's key, cursors, the visitor's session."""

from __future__ import annotations

import base64
import binascii
import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flask import current_app, request, session

from consult import extensions
from consult.domain import client_address
from consult.domain.challenge import digest_visitor
from consult.gateways.field_cipher import FieldCipher
from consult.gateways.short_lived_store import ShortLivedStore

_RNG = random.SystemRandom()
_LONGEST_CURSOR = 200


@dataclass(frozen=True)
class Site:
    """How the site names itself on every page."""

    name: str
    tagline: str
    government: str
    organiser: str
    contact_phone: str
    contact_email: str
    contact_address: str


@dataclass(frozen=True)
class Limits:
    """How much one client may do; each text is in the notation of the limits library."""

    accepted: tuple[str, ...] = ("6 per hour", "30 per day")
    accepted_neighbourhood: tuple[str, ...] = ("60 per hour",)
    accepted_by_sound: tuple[str, ...] = ("3 per hour",)
    wrong_answers: tuple[str, ...] = ("20 per hour",)
    wrong_answers_of_session: tuple[str, ...] = ("5 per 10 minutes",)
    pictures: tuple[str, ...] = ("30 per 10 minutes",)
    sounds: tuple[str, ...] = ("5 per 10 minutes",)
    lookups: tuple[str, ...] = ("10 per 10 minutes",)
    sign_in_address: tuple[str, ...] = ("20 per hour",)


@dataclass(frozen=True)
class Runtime:
    """The running parts a page needs besides the store; made once at start-up and never changed."""

    site: Site
    short_lived: ShortLivedStore
    cipher: FieldCipher
    index_key: bytes
    client_salt: bytes
    visitor_key: bytes
    answer_key: bytes
    master_answer: str
    limits_on: bool
    limits: Limits
    files_dir: Path
    base_url: str
    secure_cookies: bool
    admit: Callable[[str, str, tuple[str, ...]], int]
    wait: Callable[[str, str, tuple[str, ...]], int]
    cache: dict[Any, Any] = field(default_factory=dict)
    page_size: int = 50
    queue_size: int = 100


def runtime() -> Runtime:
    """Return the running parts of the application that serves this request."""
    return cast(Runtime, current_app.extensions["kaimen"])


def rng() -> random.Random:
    """Return the operating system's random source."""
    return _RNG


def client() -> str:
    """Return the keyed digest of the client's address, IPv6 by /64; safe to log and to count by."""
    return extensions.client()


def neighbourhood() -> str:
    """Return the keyed digest of the client's wider network."""
    return client_address.neighbourhood_key(runtime().client_salt, request.remote_addr or "")


def admit(purpose: str, key: str, limits: tuple[str, ...]) -> int:
    """Count one more of `purpose` for `key`; return 0 when admitted, else the seconds to wait.

    Counting is one atomic step of the shared storage, so a limit of N admits N over all workers.
    """
    if not runtime().limits_on:
        return 0
    return runtime().admit(purpose, key, limits)


def wait(purpose: str, key: str, limits: tuple[str, ...]) -> int:
    """Return the seconds to wait before `key` may do `purpose` again, 0 when it may now; counts nothing."""
    return runtime().wait(purpose, key, limits) if runtime().limits_on else 0


def visitor() -> bytes:
    """Return the digest of this visitor's session, starting one when there is none (a cookie is then set)."""
    if "v" not in session:
        session["v"] = secrets.token_urlsafe(18)
    return digest_visitor(runtime().visitor_key, str(session["v"]))


def known_visitor() -> bytes | None:
    """Return the digest of this visitor's session without starting one."""
    return digest_visitor(runtime().visitor_key, str(session["v"])) if "v" in session else None


def encode_cursor(*parts: Any) -> str:
    """Return a keyset position as URL-safe text."""
    plain = [part.isoformat() if isinstance(part, datetime) else part for part in parts]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(text: str) -> tuple[datetime, int] | None:
    """Return the (moment, id) of a keyset position, or None when the text is no position of ours."""
    if len(text) > _LONGEST_CURSOR:
        return None
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        moment, key = json.loads(raw)
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None:
            return None
        parsed = parsed.astimezone(UTC)  # OverflowError: a moment of year 1 or 9999 that has no UTC
    except (ValueError, TypeError, OverflowError, binascii.Error):
        return None
    if not isinstance(key, int) or isinstance(key, bool) or abs(key) >= 2**63:
        return None
    return parsed, key
