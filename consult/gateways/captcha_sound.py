"""Speaks a challenge: Mandarin digits joined from our own clips, with noise, by the standard library alone.

The package's `AudioCaptcha` is not used: it costs half a second of CPU and is solved twenty times in twenty by
whoever matches it with the package's own voice files. Our clips are public as well, so a program that holds
them can match them too (`scripts/attack_sound.py` prints how often); many voices and takes, other tempos and
voices talking backwards behind them make it work for it. What stops floods are the limits on sound, one sound
per challenge, and a moderator's eye on what was let in by ear.
"""

from __future__ import annotations

import array
import io
import json
import math
import random
import wave
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

RATE = 8000  # samples per second, of the clips and of what is spoken

_SILENCE_BETWEEN = (0.45, 0.95)  # seconds
_SILENCE_AROUND = (0.7, 1.1)  # before the first digit and after the last
_TEMPO = (0.9, 1.1)  # of the take's own; pitch goes with it
_GLIDE = 0.05  # how much the tempo drifts within one digit, either way
_WOBBLES = (4.0, 7.0)  # times a second
_WOBBLE = 0.05  # of the tempo: a singer's vibrato; against it a stored take no longer lines up
_LEVEL = (0.6, 0.8)  # of full scale
_BABBLE_LEVEL = (0.09, 0.14)
_HISS_LEVEL = 0.035


@dataclass(frozen=True)
class _Clips:
    takes: dict[str, list[array.array[int]]]  # signed bytes

    def any_take(self, rng: random.Random) -> array.array[int]:
        return rng.choice(self.takes[rng.choice(sorted(self.takes))])


def speak(digits: str, rng: random.Random) -> bytes:
    """Return a WAV file (8 kHz, 8 bit, mono) in which `digits` are spoken; two calls give two files.

    `rng` is a `random.SystemRandom` outside tests: a guessable one would tell which takes were chosen.

    Raises:
        ValueError: `digits` is empty or holds anything but ASCII digits.
    """
    clips = _clips()
    if not digits or not set(digits) <= set(clips.takes):
        raise ValueError("Only the digits 0 to 9 can be spoken.")
    sound = _quiet(rng, _SILENCE_AROUND)
    for place, digit in enumerate(digits):
        if place:
            sound.extend(_quiet(rng, _SILENCE_BETWEEN))
        sound.extend(_vary(rng.choice(clips.takes[digit]), rng))
    sound.extend(_quiet(rng, _SILENCE_AROUND))
    _add_babble(sound, clips, rng)
    _add_hiss(sound, rng)
    return _as_wav(sound)


def _quiet(rng: random.Random, seconds: tuple[float, float]) -> array.array[float]:
    return array.array("d", bytes(8 * int(rng.uniform(*seconds) * RATE)))


def _vary(take: array.array[int], rng: random.Random) -> array.array[float]:
    """Return a take at a tempo and level of its own; the tempo drifts and wobbles a little."""
    level = rng.uniform(*_LEVEL) / 128
    tempo = rng.uniform(*_TEMPO)
    drift = rng.uniform(-_GLIDE, _GLIDE)
    turn = math.tau * rng.uniform(*_WOBBLES) / RATE
    phase = rng.uniform(0, math.tau)
    swing = _WOBBLE / turn
    length = int((len(take) - 1) / tempo)
    spoken = array.array("d")
    last = len(take) - 2
    for step in range(length):
        # Tempo runs from tempo·(1 + drift) to tempo·(1 − drift); its sum is the place in the take.
        place = tempo * step * (1 + drift * (1 - step / length)) + swing * math.sin(turn * step + phase)
        whole = min(max(int(place), 0), last)
        part = place - whole
        spoken.append(level * (take[whole] + part * (take[whole + 1] - take[whole])))
    return spoken


def _add_babble(sound: array.array[float], clips: _Clips, rng: random.Random) -> None:
    """Lay voices that speak backwards under the whole, overlapping, without a gap to cut at."""
    for _ in range(2):
        place = -rng.randrange(RATE // 4)
        while place < len(sound):
            take = clips.any_take(rng)
            level = rng.uniform(*_BABBLE_LEVEL) / 128
            first = max(-place, 0)
            for offset in range(first, min(len(take), len(sound) - place)):
                sound[place + offset] += level * take[-1 - offset]
            place += int(len(take) * rng.uniform(0.7, 0.95))


def _add_hiss(sound: array.array[float], rng: random.Random) -> None:
    """Add noise that falls with frequency, as rooms and roads have it."""
    slow = slower = 0.0
    scale = _HISS_LEVEL / 128
    for place, byte in enumerate(rng.randbytes(len(sound))):
        white = byte - 127.5
        slow += 0.25 * (white - slow)
        slower += 0.04 * (white - slower)
        sound[place] += scale * (0.3 * white + slow + 2.0 * slower)


def _as_wav(sound: array.array[float]) -> bytes:
    loudest = max(max(sound), -min(sound))
    scale = min(127.0, 125.0 / loudest)
    out = io.BytesIO()
    with wave.open(out, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(RATE)
        written.writeframes(bytes(int(value * scale + 128.5) for value in sound))
    return out.getvalue()


@cache
def _clips() -> _Clips:
    """Read the clips once a process: about a megabyte."""
    folder = files("consult.gateways") / "sound_clips"
    bounds: dict[str, list[list[int]]] = json.loads((folder / "takes.json").read_text("utf-8"))
    takes: dict[str, list[array.array[int]]] = {}
    for digit, places in bounds.items():
        with wave.open(io.BytesIO((folder / f"{digit}.wav").read_bytes())) as opened:
            unsigned = opened.readframes(opened.getnframes())
        track = array.array("b", bytes(value ^ 128 for value in unsigned))
        takes[digit] = [track[start:end] for start, end in places]
    return _Clips(takes)
