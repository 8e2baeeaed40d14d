"""Issuing and answering captcha challenges for a visitor's form.

The answer exists only in the drawing and as a keyed digest in the short-lived store: never in a page, a
cookie or an address (R-17).
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeVar

from consult import web
from consult.domain import challenge as domain
from consult.domain.challenge import Challenge, Verdict
from consult.gateways.captcha_image import draw
from consult.gateways.captcha_sound import speak

Found = TypeVar("Found")
_UNDER_WAY_FOR = timedelta(seconds=30)
_PATIENCE_STEPS, _PATIENCE = 80, 0.05  # seconds; how long a double click waits for the first to be stored


class Answered(Enum):
    """How an answer fared."""

    BY_EYE = "by_eye"
    BY_EAR = "by_ear"
    WRONG = "wrong"
    GONE = "gone"
    TOO_FAST = "too_fast"
    TOO_MANY = "too_many"

    @property
    def accepted(self) -> bool:
        """Whether the comment may be stored."""
        return self in {Answered.BY_EYE, Answered.BY_EAR}


@dataclass(frozen=True)
class Outcome:
    """What came of an answer; `wait` in seconds when there were too many wrong ones."""

    answered: Answered
    wait: int = 0


def issue(form: str, now: datetime) -> tuple[int, str]:
    """Draw a new challenge for this visitor and form; return (0, its id) or (seconds to wait, "")."""
    runtime = web.runtime()
    wait = web.admit("captcha-picture", web.client(), runtime.limits.pictures)
    if wait:
        return wait, ""
    rng = web.rng()
    challenge_id, answer = domain.new_id(rng), domain.new_answer(rng)
    runtime.short_lived.create_challenge(
        Challenge(
            id=challenge_id,
            visitor=web.visitor(),
            form=form,
            answer_digest=domain.digest_answer(runtime.answer_key, challenge_id, answer),
            issued_at=now,
            expires_at=now + domain.LIVES,
            drawing=draw(answer),
        )
    )
    return 0, challenge_id


def alive(challenge_id: str, now: datetime) -> bool:
    """Whether this visitor's challenge can still be answered."""
    return picture(challenge_id, now) is not None


def picture(challenge_id: str, now: datetime) -> bytes | None:
    """Return the one drawing of a living challenge of this visitor."""
    visitor = web.known_visitor()
    if visitor is None or not domain.is_id(challenge_id):
        return None
    return web.runtime().short_lived.drawing(challenge_id, visitor, now)


def sound(challenge_id: str, now: datetime) -> tuple[int, bytes | None]:
    """Return (0, the sound), spoken on the first request; (seconds to wait, None) over the limit."""
    runtime, visitor = web.runtime(), web.known_visitor()
    if visitor is None or not domain.is_id(challenge_id):
        return 0, None
    kept = runtime.short_lived.sound(challenge_id, visitor, now)
    if kept is not None:
        return 0, kept
    if runtime.short_lived.drawing(challenge_id, visitor, now) is None:
        return 0, None
    wait = web.admit("captcha-sound", web.client(), runtime.limits.sounds)
    if wait:
        return wait, None
    rng = web.rng()
    digits = domain.new_spoken_answer(rng)
    digest = domain.digest_answer(runtime.answer_key, challenge_id, digits)
    return 0, runtime.short_lived.attach_sound(challenge_id, visitor, digest, speak(digits, rng), now)


def answer(challenge_id: str, form: str, typed: str, now: datetime) -> Outcome:
    """Spend a challenge with an answer; a wrong one spends it too."""
    runtime, visitor = web.runtime(), web.known_visitor()
    wait = _too_many_wrong(visitor)
    if wait:
        return Outcome(Answered.TOO_MANY, wait)
    if visitor is None or not alive(challenge_id, now):
        return Outcome(Answered.GONE)
    # Before the challenge is spent: whoever finds it spent knows that somebody is at work.
    key = submission_key(challenge_id)
    runtime.short_lived.put(f"under-way:{key}", visitor, now, now + _UNDER_WAY_FOR)
    spent = runtime.short_lived.spend(challenge_id, visitor, form, now)
    if spent is None:
        if alive(challenge_id, now):  # made for another form: nobody is at work on it
            give_up(key, now)
        return Outcome(Answered.GONE)
    verdict = domain.judge(runtime.answer_key, spent, typed)
    if verdict is Verdict.WRONG and _is_master_answer(typed):
        verdict = Verdict.BY_EYE
    if verdict is Verdict.WRONG:
        give_up(key, now)
        web.admit("captcha-wrong", web.client(), runtime.limits.wrong_answers)
        web.admit("captcha-wrong-session", visitor.hex(), runtime.limits.wrong_answers_of_session)
        return Outcome(Answered.WRONG)
    if runtime.limits_on and domain.filled_too_fast(spent.issued_at, now):
        give_up(key, now)
        return Outcome(Answered.TOO_FAST)
    return Outcome(Answered.BY_EAR if verdict is Verdict.BY_EAR else Answered.BY_EYE)


def _too_many_wrong(visitor: bytes | None) -> int:
    limits = web.runtime().limits
    wait = web.wait("captcha-wrong", web.client(), limits.wrong_answers)
    if not wait and visitor is not None:
        wait = web.wait("captcha-wrong-session", visitor.hex(), limits.wrong_answers_of_session)
    return wait


def _is_master_answer(typed: str) -> bool:
    master = web.runtime().master_answer
    if not master:
        return False
    return hmac.compare_digest(domain.fold_answer(typed).encode(), domain.fold_answer(master).encode())


def submission_key(challenge_id: str) -> str:
    """Return the key that makes the submission idempotent and names its receipt; it tells nothing (R-18)."""
    digest = hmac.digest(web.runtime().answer_key, f"submission:{challenge_id}".encode(), "sha256")
    return digest[:16].hex()


def give_up(key: str, now: datetime) -> None:
    """Note that a submission came to nothing, so that its double need not wait for it."""
    web.runtime().short_lived.pop(f"under-way:{key}", now)


def wait_for(key: str, find: Callable[[], Found | None], now: datetime) -> Found | None:
    """Return what `find` gives, waiting for this visitor's first of two parallel submissions to be stored."""
    visitor = web.known_visitor()
    if visitor is None:
        return None
    for _ in range(_PATIENCE_STEPS):
        # Asked first: a submission ends by being stored, and its mark may go between the two questions.
        at_work = web.runtime().short_lived.get(f"under-way:{key}", now) == visitor
        found = find()
        if found is not None or not at_work:
            return found
        time.sleep(_PATIENCE)
    return None
