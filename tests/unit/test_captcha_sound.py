from __future__ import annotations

import io
import itertools
import random
import wave
from importlib.resources import files

import pytest

from consult.domain.challenge import SPOKEN_DIGITS, new_spoken_answer
from consult.gateways import captcha_sound

FRAME = 80  # samples: 10 ms


def samples(wav: bytes) -> list[int]:
    with wave.open(io.BytesIO(wav)) as opened:
        assert (opened.getnchannels(), opened.getsampwidth(), opened.getframerate()) == (1, 1, 8000)
        return [value - 128 for value in opened.readframes(opened.getnframes())]


def bursts(sound: list[int]) -> list[tuple[int, int]]:
    """Stretches clearly louder than the noise, in frames; a dip of less than a fifth of a second is none."""
    energy = [sum(v * v for v in sound[at : at + FRAME]) / FRAME for at in range(0, len(sound), FRAME)]
    smooth = [sum(energy[max(at - 4, 0) : at + 5]) / 9 for at in range(len(energy))]
    loud = [at for at, value in enumerate(smooth) if value > max(smooth) * 0.1]
    found: list[tuple[int, int]] = []
    for at in loud:
        if found and at - found[-1][1] < 20:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return [(begin, end) for begin, end in found if end - begin >= 8]


@pytest.mark.parametrize("seed", range(6))
def test_six_digits_are_heard_as_six_bursts_apart_from_each_other(seed: int) -> None:
    rng = random.Random(seed)
    found = bursts(samples(captcha_sound.speak(new_spoken_answer(rng), rng)))
    assert len(found) == 6
    assert all(8 <= end - begin <= 90 for begin, end in found)


def test_number_of_bursts_is_the_number_of_digits() -> None:
    rng = random.Random(3)
    assert [len(bursts(samples(captcha_sound.speak("8" * n, rng)))) for n in (1, 2, 3)] == [1, 2, 3]


def test_two_sounds_of_one_answer_differ_in_length_and_everywhere() -> None:
    rng = random.Random(1)
    first, second = (samples(captcha_sound.speak("204589", rng)) for _ in range(2))
    assert len(first) != len(second)
    same = sum(a == b for a, b in zip(first, second, strict=False))
    assert same < len(first) / 8


def test_there_is_no_silence_to_cut_at() -> None:
    sound = samples(captcha_sound.speak("204589", random.Random(2)))
    for at in range(0, len(sound) - 800, 800):
        assert len(set(sound[at : at + 800])) > 3


def test_sound_is_short_small_and_not_clipped() -> None:
    rng = random.Random(4)
    for _ in range(5):
        wav = captcha_sound.speak(new_spoken_answer(rng), rng)
        sound = samples(wav)
        assert 4 <= len(sound) / 8000 <= 11
        assert len(wav) < 90_000
        assert sum(abs(value) >= 127 for value in sound) < 5


def test_spoken_digits_are_at_least_nine_decibels_above_the_noise() -> None:
    rng = random.Random(5)
    for _ in range(5):
        sound = samples(captcha_sound.speak("888888", rng))
        found = bursts(sound)
        inside = [v for begin, end in found for v in sound[begin * FRAME : end * FRAME]]
        between = [
            v
            for (_, end), (begin, _) in itertools.pairwise(found)
            for v in sound[(end + 8) * FRAME : (begin - 8) * FRAME]
        ]
        speech = sum(v * v for v in inside) / len(inside)
        noise = sum(v * v for v in between) / len(between)
        assert speech / noise > 8


@pytest.mark.parametrize("text", ["", "12345x", "１２３４５６", "一二三"])
def test_anything_but_digits_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="digits"):
        captcha_sound.speak(text, random.Random(1))


def test_every_digit_has_thirty_takes_or_more_no_two_alike() -> None:
    takes = captcha_sound._clips().takes
    assert sorted(takes) == list("0123456789")
    assert set(SPOKEN_DIGITS) < set(takes)
    everything = [bytes(v & 255 for v in take) for of_digit in takes.values() for take in of_digit]
    assert all(len(of_digit) >= 30 for of_digit in takes.values())
    assert len(set(everything)) == len(everything)
    assert all(0.15 * 8000 < len(take) < 0.8 * 8000 for take in everything)


def test_clips_stay_below_a_megabyte_and_a_half() -> None:
    folder = files("consult.gateways") / "sound_clips"
    assert sum(len(entry.read_bytes()) for entry in folder.iterdir()) < 1_500_000
