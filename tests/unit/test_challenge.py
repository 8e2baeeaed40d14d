from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.domain import challenge
from consult.domain.challenge import Spent, Verdict

NOW = datetime(2023, 8, 1, tzinfo=UTC)
KEY = b"k" * 32


def spent(answer: str, heard: str | None = None, key: bytes = KEY) -> Spent:
    sound = None if heard is None else challenge.digest_answer(key, "a" * 32, heard)
    return Spent("a" * 32, challenge.digest_answer(key, "a" * 32, answer), sound, NOW)


def test_r17_code_has_five_characters_that_cannot_be_taken_for_one_another() -> None:
    rng = random.Random(1)
    codes = [challenge.new_answer(rng) for _ in range(2000)]
    assert {len(code) for code in codes} == {5}
    assert set("".join(codes)) == set("34679CEFHKMNPRTXY")
    assert not set("".join(codes)) & set("01258OILSZBDGQUVWJA")
    assert len(set(codes)) > 1990
    assert max(Counter("".join(codes)).values()) < 2 * min(Counter("".join(codes)).values())


@pytest.mark.parametrize("length", [0, 4, 7])
def test_code_of_another_length_than_five_or_six_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="5 or 6"):
        challenge.new_answer(random.Random(1), length)


def test_spoken_answer_is_six_digits_without_the_confusable_one() -> None:
    rng = random.Random(1)
    answers = {challenge.new_spoken_answer(rng) for _ in range(500)}
    assert {len(answer) for answer in answers} == {6}
    assert set("".join(answers)) == set("023456789")


def test_id_is_128_random_bits_and_nothing_else_passes_for_one() -> None:
    ids = {challenge.new_id(random.SystemRandom()) for _ in range(100)}
    assert len(ids) == 100
    assert all(challenge.is_id(one) for one in ids)
    for other in ("", "0" * 31, "0" * 33, "G" * 32, "A" * 32, "0" * 32 + "\n", "../" + "0" * 29):
        assert not challenge.is_id(other)


@pytest.mark.parametrize(
    "typed",
    ["3CEFH", "3cefh", " 3 c e f h ", "３ＣＥＦＨ", "３ｃｅｆｈ", "3CE\u3000FH", "\u200b3CEFH\ufeff", "3CEFH\r\n"],
)
def test_r17_answer_is_accepted_in_any_case_width_and_spacing(typed: str) -> None:
    assert challenge.judge(KEY, spent("3CEFH"), typed) is Verdict.BY_EYE


@pytest.mark.parametrize("typed", ["", " ", "3CEF", "3CEFHH", "3CEFK", "HFEC3", "\ud800", "\x00"])
def test_r17_wrong_blank_and_garbage_answers_are_wrong(typed: str) -> None:
    assert challenge.judge(KEY, spent("3CEFH"), typed) is Verdict.WRONG
    assert not Verdict.WRONG.accepted


def test_either_answer_is_accepted_and_told_apart() -> None:
    both = spent("3CEFH", "204589")
    assert challenge.judge(KEY, both, "3CEFH") is Verdict.BY_EYE
    assert challenge.judge(KEY, both, "２０４ 589") is Verdict.BY_EAR
    assert challenge.judge(KEY, spent("3CEFH"), "204589") is Verdict.WRONG
    assert Verdict.BY_EYE.accepted
    assert Verdict.BY_EAR.accepted


def test_digest_depends_on_key_and_challenge_so_that_none_can_be_looked_up() -> None:
    digests = {
        challenge.digest_answer(KEY, "a" * 32, "3CEFH"),
        challenge.digest_answer(KEY, "b" * 32, "3CEFH"),
        challenge.digest_answer(b"other" * 8, "a" * 32, "3CEFH"),
    }
    assert len(digests) == 3
    assert challenge.judge(b"other" * 8, spent("3CEFH"), "3CEFH") is Verdict.WRONG
    assert challenge.digest_visitor(KEY, "s") != challenge.digest_visitor(KEY, "t")


@given(st.text())
def test_folding_is_stable_and_never_fails(text: str) -> None:
    once = challenge.fold_answer(text)
    assert challenge.fold_answer(once) == once or not once.isascii()
    assert " " not in once


def test_form_sent_back_within_four_seconds_was_not_filled_in_by_hand() -> None:
    assert challenge.filled_too_fast(NOW, NOW + timedelta(seconds=3.9))
    assert not challenge.filled_too_fast(NOW, NOW + timedelta(seconds=4))
    assert not challenge.filled_too_fast(NOW, NOW + timedelta(seconds=1), minimum=timedelta(0))
    assert challenge.filled_too_fast(NOW, NOW - timedelta(seconds=1))


def test_challenge_lives_twenty_minutes() -> None:
    assert timedelta(minutes=20) == challenge.LIVES
