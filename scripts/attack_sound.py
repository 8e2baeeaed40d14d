"""Measure how often a program that holds our clips solves the sound captcha.

    pip install numpy        (only for this script; the product does not need it)
    python scripts/attack_sound.py [CHALLENGES]

Two attackers, both given the clips in the repository, as any attacker is:
- `matching` correlates every take at 23 tempos with the sound, which is what solves the package's own sounds;
- `course` has learnt every take in front of the generator's own noise, and bends it in time to fit (1.3 s).
A challenge is solved when all six digits are right.
"""

from __future__ import annotations

import array
import io
import itertools
import random
import sys
import time
import wave
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

try:
    import numpy as np
except ImportError:
    sys.exit("This script needs numpy: pip install numpy")

from consult.domain.challenge import new_spoken_answer
from consult.gateways import captcha_sound

RATE = captcha_sound.RATE
DIGITS_SPOKEN = 6
TEMPOS = np.linspace(0.88, 1.12, 23)
FRAME = 120  # samples: 15 ms
BANDS = 18
VERSIONS = 4


def clips() -> dict[str, list[np.ndarray]]:
    """The takes of every digit."""
    return {
        digit: [np.array(take, dtype=float) for take in takes] for digit, takes in captcha_sound._clips().takes.items()
    }


def samples(wav: bytes) -> np.ndarray:
    """The sound as numbers around zero."""
    with wave.open(io.BytesIO(wav)) as opened:
        return np.frombuffer(opened.readframes(opened.getnframes()), dtype=np.uint8).astype(float) - 128


def find_digits(sound: np.ndarray) -> list[slice]:
    """Where the six digits are: six bursts that stand apart over the widest range of loudness."""
    loudness = np.sqrt(np.convolve(sound**2, np.ones(400) / 400, "same"))
    found = []
    for share in np.linspace(0.1, 0.6, 51):
        edges = np.diff(np.concatenate([[0], (loudness > share * loudness.max()).astype(int), [0]]))
        bursts: list[list[int]] = []
        for begin, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
            if bursts and begin - bursts[-1][1] < 0.2 * RATE:
                bursts[-1][1] = end
            else:
                bursts.append([begin, end])
        bursts = [burst for burst in bursts if burst[1] - burst[0] > 0.1 * RATE]
        if len(bursts) == DIGITS_SPOKEN:
            found.append([slice(begin, end) for begin, end in bursts])
    return found[len(found) // 3] if found else []


class Matching:
    """Correlates the takes themselves, at many tempos."""

    def __init__(self, takes: dict[str, list[np.ndarray]]) -> None:
        self._size = 16384
        self._templates = []
        for digit, of_digit in takes.items():
            for take in of_digit:
                for tempo in TEMPOS:
                    at = np.arange(0, len(take) - 1, tempo)
                    wave_form = np.interp(at, np.arange(len(take)), take)
                    wave_form /= np.linalg.norm(wave_form)
                    self._templates.append((digit, np.conj(np.fft.rfft(wave_form, self._size))))

    def read(self, sound: np.ndarray, where: slice) -> str:
        """The digit whose take correlates best anywhere around the burst."""
        piece = sound[max(where.start - 1200, 0) : where.stop + 1200]
        spectrum = np.fft.rfft(piece, self._size)
        best = max(self._templates, key=lambda t: np.abs(np.fft.irfft(spectrum * t[1], self._size)).max())
        return best[0]


class Course:
    """Compares the course of the spectrum over time, bent to fit (dynamic time warping)."""

    def __init__(self, takes: dict[str, list[np.ndarray]]) -> None:
        # Learnt as they will be heard: every take several times, in front of the generator's own noise.
        rng = random.Random(1)
        self._digits: list[str] = []
        known = []
        for digit, of_digit in takes.items():
            for take in of_digit:
                for _ in range(VERSIONS):
                    known.append(self._features(self._in_noise(take, rng)))
                    self._digits.append(digit)
        self._lengths = np.array([len(course) for course in known])
        self._known = np.zeros((len(known), self._lengths.max(), BANDS))
        for place, course in enumerate(known):
            self._known[place, : len(course)] = course

    @staticmethod
    def _in_noise(take: np.ndarray, rng: random.Random) -> np.ndarray:
        spoken = captcha_sound._vary(array.array("b", take.astype(int).tolist()), rng)
        captcha_sound._add_babble(spoken, captcha_sound._clips(), rng)
        captcha_sound._add_hiss(spoken, rng)
        return np.array(spoken)

    @staticmethod
    def _features(piece: np.ndarray) -> np.ndarray:
        starts = range(0, max(len(piece) - 2 * FRAME, 1), FRAME)
        frames = np.stack([np.resize(piece[s : s + 2 * FRAME], 2 * FRAME) for s in starts])
        power = np.abs(np.fft.rfft(frames * np.hanning(2 * FRAME), axis=1)) ** 2
        edges = np.geomspace(3, power.shape[1], BANDS + 1).astype(int)
        bands = [power[:, a : max(b, a + 1)].mean(axis=1) for a, b in itertools.pairwise(edges)]
        shape = np.log(np.stack(bands, axis=1) + power.mean() * 0.1)
        shape -= shape.mean()
        return shape / np.sqrt((shape**2).sum(axis=1).mean())

    def read(self, sound: np.ndarray, where: slice) -> str:
        """The digit of the take whose course costs least to bend onto the burst, ends left loose."""
        heard = self._features(sound[max(where.start - 400, 0) : where.stop + 400])
        costs = ((self._known[:, :, None, :] - heard[None, None, :, :]) ** 2).sum(axis=3)
        _, long, wide = costs.shape
        reached = np.full((len(costs), wide), np.inf)
        best = np.full(len(costs), np.inf)
        for step in range(long):
            # Before the first frame any place of the burst may begin; later, one steps on by 0, 1 or 2.
            before = np.zeros_like(reached) if step == 0 else reached
            one = np.concatenate([np.full((len(costs), 1), np.inf), before[:, :-1]], axis=1)
            two = np.concatenate([np.full((len(costs), 2), np.inf), before[:, :-2]], axis=1)
            reached = np.minimum(np.minimum(before, one), two) + costs[:, step, :]
            ends_here = self._lengths == step + 1
            best[ends_here] = reached[ends_here].min(axis=1) / (step + 1)
        return self._digits[int(best.argmin())]


def main() -> None:
    """Print the share of challenges and of digits each attacker reads."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    rng = random.Random(20230801)
    takes = clips()
    challenges = []
    for _ in range(number):
        answer = new_spoken_answer(rng)
        challenges.append((answer, samples(captcha_sound.speak(answer, rng))))
    for attacker in (Course(takes), Matching(takes)):
        began = time.perf_counter()
        solved = digits = cut = 0
        for answer, sound in challenges:
            bursts = find_digits(sound)
            cut += bool(bursts)
            read = "".join(attacker.read(sound, where) for where in bursts)
            solved += read == answer
            digits += sum(a == b for a, b in zip(read, answer, strict=False))
        each = (time.perf_counter() - began) / number
        name = type(attacker).__name__.lower()
        print(
            f"{name}: {solved} of {number} challenges solved ({solved / number:.0%}),"
            f" {digits / number / DIGITS_SPOKEN:.0%} of the digits, {cut} cut into six, {each:.1f} s each"
        )


if __name__ == "__main__":
    main()
