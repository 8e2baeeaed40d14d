"""Make the clips of the sound captcha with Debian's espeak-ng; run by hand, never at run time or install.

    apt-get install espeak-ng
    python scripts/make_sound_clips.py

writes `consult/gateways/sound_clips/<digit>.wav` (all takes of one digit, one after another, so that a person
can check them by ear in one go) and `takes.json` (where each take begins and ends, in samples). The same
espeak-ng gives the same files. Standard library only.
"""

from __future__ import annotations

import array
import io
import json
import math
import shutil
import subprocess
import sys
import wave
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "consult" / "gateways" / "sound_clips"
RATE = 8000  # samples per second of the clips
PAUSE = RATE // 20  # silence between two takes in a file

# Variants of espeak-ng that speak clearly: no whisper, no robot, no creak.
VOICES = ["", "+m1", "+m2", "+m3", "+m4", "+m7", "+f1", "+f2", "+f3", "+f4", "+Annie", "+Michael"]
# Pitch (0-99, 50 is usual) and speed (words a minute, 175 is usual) of each take of a voice.
MANNERS = [(38, 128), (52, 142), (64, 158)]

# What `espeak-ng -v cmn -x` must say for each digit: initial, final and tone of standard Mandarin.
PHONEMES = {
    "0": "l'i35N_|",
    "1": "j'i55_|",
    "2": "'@r51_|",
    "3": "s'a55n_|",
    "4": "s'i[51_|",
    "5": "w'u214_|",
    "6": "l'iou51_|",
    "7": "tS;h'i55_|",
    "8": "p'A55_|",
    "9": "tS;'iou214_|",
}
SHORTEST, LONGEST = 0.16, 0.75  # seconds of a take, silence cut off
QUIETEST = 0.04  # share of its samples' full scale that a take's mean level must reach


def espeak(*arguments: str) -> bytes:
    """Run espeak-ng and return what it writes."""
    return subprocess.run(["espeak-ng", *arguments], check=True, capture_output=True).stdout


def check_pronunciation() -> None:
    """Stop when this espeak-ng pronounces a digit in another way than the checked one."""
    for digit, expected in PHONEMES.items():
        said = espeak("-q", "-x", "-v", "cmn", digit).decode().strip()
        if said != expected:
            sys.exit(f"espeak-ng says {said} for {digit}, not {expected}: listen before you accept it.")


def say(digit: str, voice: str, pitch: int, speed: int) -> array.array[int]:
    """Return one spoken digit at `RATE`, silence cut off, levelled to nine tenths of full scale."""
    sound = espeak("-v", f"cmn{voice}", "-p", str(pitch), "-s", str(speed), "--stdout", digit)
    # espeak-ng cannot know the length when it writes to a pipe: the header's is wrong, the samples are not.
    with wave.open(io.BytesIO(sound)) as opened:
        if (opened.getnchannels(), opened.getsampwidth()) != (1, 2):
            sys.exit("espeak-ng no longer writes 16-bit mono.")
        rate = opened.getframerate()
    samples = array.array("h", sound[44 : len(sound) - len(sound) % 2])
    return level(cut_silence(resample(samples, rate)))


def resample(samples: array.array[int], rate: int) -> list[float]:
    """Return `samples` at `RATE`, low-passed by a windowed sinc so that nothing folds back."""
    ratio = rate / RATE
    reach = int(8 * ratio)
    taps = {}
    result = []
    for place in range(int(len(samples) / ratio)):
        centre = place * ratio
        first = int(centre) - reach
        phase = round((centre - int(centre)) * 64) / 64
        if phase not in taps:
            taps[phase] = sinc_taps(reach, phase, 0.92 / ratio)
        window = samples[max(first, 0) : first + 2 * reach + 1]
        weights = taps[phase][max(-first, 0) :]
        result.append(sum(w * s for w, s in zip(weights, window, strict=False)))
    return result


def sinc_taps(reach: int, phase: float, cutoff: float) -> list[float]:
    """Return the weights of a Hann-windowed sinc around `reach + phase`; `cutoff` in shares of the band."""
    taps = []
    for place in range(2 * reach + 1):
        x = place - reach - phase
        sinc = 1.0 if x == 0 else math.sin(math.pi * cutoff * x) / (math.pi * cutoff * x)
        taps.append(cutoff * sinc * (0.5 + 0.5 * math.cos(math.pi * x / (reach + 1))))
    return taps


def cut_silence(samples: list[float]) -> list[float]:
    """Return `samples` from shortly before the first to shortly after the last that can be heard."""
    loudest = max(map(abs, samples))
    heard = [place for place, value in enumerate(samples) if abs(value) > loudest * 0.03]
    margin = RATE // 100
    return samples[max(heard[0] - margin, 0) : heard[-1] + margin]


def level(samples: list[float]) -> array.array[int]:
    """Return `samples` as signed bytes with the loudest at 114 of 127."""
    scale = 114 / max(map(abs, samples))
    return array.array("b", (round(value * scale) for value in samples))


def check_take(name: str, take: array.array[int]) -> None:
    """Stop when a take is too short, too long or nearly silent to be a spoken digit."""
    seconds = len(take) / RATE
    mean = sum(map(abs, take)) / len(take) / 127
    if not SHORTEST <= seconds <= LONGEST or mean < QUIETEST:
        sys.exit(f"{name}: {seconds:.2f} s at level {mean:.3f} is no spoken digit.")


def main() -> None:
    """Make every clip anew."""
    if shutil.which("espeak-ng") is None:
        sys.exit("espeak-ng is not installed: apt-get install espeak-ng")
    check_pronunciation()
    FOLDER.mkdir(parents=True, exist_ok=True)
    takes: dict[str, list[list[int]]] = {}
    total = 0
    for digit in PHONEMES:
        track = array.array("b")
        takes[digit] = []
        for voice in VOICES:
            for pitch, speed in MANNERS:
                take = say(digit, voice, pitch, speed)
                check_take(f"{digit}{voice} pitch {pitch} speed {speed}", take)
                takes[digit].append([len(track), len(track) + len(take)])
                track.extend(take)
                track.extend(array.array("b", bytes(PAUSE)))
        path = FOLDER / f"{digit}.wav"
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(1)
            out.setframerate(RATE)
            out.writeframes(bytes(value + 128 for value in track))  # 8-bit WAV is unsigned
        total += path.stat().st_size
        lengths = [(end - start) / RATE for start, end in takes[digit]]
        print(f"{digit}: {len(lengths)} takes, {min(lengths):.2f} to {max(lengths):.2f} s")
    (FOLDER / "takes.json").write_text(json.dumps(takes, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{total / 1000:.0f} kB in {FOLDER.name}/")


if __name__ == "__main__":
    main()
