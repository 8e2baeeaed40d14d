"""What a captcha challenge is: its alphabet, its life, and when an answer counts.

A challenge is drawn once, lives 20 minutes (settled; R-17 says five), belongs to one visitor and one form,
and is spent by the first answer, right or wrong. The answer itself is never kept: only its keyed digest is.
Sound is a second way to the same challenge, with an answer of its own.
"""

from __future__ import annotations

import hmac
import random
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

ALPHABET = "34679CEFHKMNPRTXY"
"""Characters that stay apart when they are warped (security guide, chapter 1)."""

SPOKEN_DIGITS = "023456789"
"""No 1: yī and qī differ in their first sound only, which lies above what 8,000 samples a second carry."""

PICTURE_LENGTH = 5
SPOKEN_LENGTH = 6
LIVES = timedelta(minutes=20)
MINIMUM_FILL_TIME = timedelta(seconds=4)
"""A form sent back sooner than this after its challenge was issued was not filled in by hand."""

_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One drawing, issued to one visitor for one form.

    `visitor` is a digest of the visitor's session id, `form` names the form the challenge was issued for (for
    instance the consultation's slug), `drawing` is a PNG file. Times are aware UTC.
    """

    id: str
    visitor: bytes
    form: str
    answer_digest: bytes
    issued_at: datetime
    expires_at: datetime
    drawing: bytes


@dataclass(frozen=True, slots=True)
class Spent:
    """A challenge taken out of the store, for good: what is needed to judge the answer that came with it."""

    id: str
    answer_digest: bytes
    sound_digest: bytes | None
    issued_at: datetime


class Verdict(Enum):
    """How an answer fared. A comment let in by ear is marked for the moderator."""

    BY_EYE = "by_eye"
    BY_EAR = "by_ear"
    WRONG = "wrong"

    @property
    def accepted(self) -> bool:
        """Tell whether the answer was right, in either form."""
        return self is not Verdict.WRONG


def new_id(rng: random.Random) -> str:
    """Return a fresh 128-bit challenge id in hexadecimal. `rng` is a `random.SystemRandom` outside tests."""
    return f"{rng.getrandbits(128):032x}"


def is_id(text: str) -> bool:
    """Tell whether `text` has the form of a challenge id; anything else is not worth asking the store for."""
    return _ID.fullmatch(text) is not None


def new_answer(rng: random.Random, length: int = PICTURE_LENGTH) -> str:
    """Return the code to be drawn: `length` (5, or 6 where so set) characters of `ALPHABET`.

    Raises:
        ValueError: any other length; four characters are read by programs four times in five.
    """
    if length not in (5, 6):
        raise ValueError("A picture code has 5 or 6 characters.")
    return "".join(rng.choice(ALPHABET) for _ in range(length))


def new_spoken_answer(rng: random.Random) -> str:
    """Return the six digits to be spoken, of `SPOKEN_DIGITS`; independent of the drawn code."""
    return "".join(rng.choice(SPOKEN_DIGITS) for _ in range(SPOKEN_LENGTH))


def fold_answer(text: str) -> str:
    """Return `text` as it is compared: half-width, upper case, without spaces or invisible characters."""
    half_width = unicodedata.normalize("NFKC", text)
    # Cc, Cf, Zs, Zl and Zp: what a phone keyboard or a paste adds without anybody seeing it.
    seen = (char for char in half_width if unicodedata.category(char) not in {"Cc", "Cf", "Zs", "Zl", "Zp"})
    return "".join(seen).upper()


def digest_answer(key: bytes, challenge_id: str, answer: str) -> bytes:
    """Return the keyed digest under which an answer is kept; differs per challenge even for equal answers."""
    message = f"captcha:{challenge_id}:{fold_answer(answer)}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256")


def digest_visitor(key: bytes, session_id: str) -> bytes:
    """Return the keyed digest of a visitor's session id; the short-lived store holds no session id."""
    return hmac.digest(key, f"visitor:{session_id}".encode("utf-8", "surrogatepass"), "sha256")


def judge(key: bytes, spent: Spent, typed: str) -> Verdict:
    """Say whether `typed` answers the spent challenge, by eye or by ear. Compares in constant time."""
    digest = digest_answer(key, spent.id, typed)
    by_eye = hmac.compare_digest(digest, spent.answer_digest)
    by_ear = spent.sound_digest is not None and hmac.compare_digest(digest, spent.sound_digest)
    if by_eye:
        return Verdict.BY_EYE
    return Verdict.BY_EAR if by_ear else Verdict.WRONG


def filled_too_fast(issued_at: datetime, now: datetime, minimum: timedelta = MINIMUM_FILL_TIME) -> bool:
    """Tell whether a form came back sooner than a person can fill it in; both times are the server's."""
    return now - issued_at < minimum
