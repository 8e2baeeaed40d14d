"""Draws a challenge. The one door to the `captcha` package and, with it, to Pillow's drawing.

A picture is a hurdle, not a wall: whatever people can read, a free reading program reads half the time
(measured in the security guide). It is therefore drawn to be legible, and spending, limits and moderation do
the rest.
"""

from __future__ import annotations

import math
import secrets
from io import BytesIO

from captcha.image import ColorTuple, ImageCaptcha
from PIL.Image import Image, Resampling, Transform
from PIL.Image import new as new_image
from PIL.ImageDraw import Draw
from PIL.ImageFilter import SMOOTH

WIDTH = 200  # pixels
HEIGHT = 80

_WAVE_HEIGHT = 3.0  # pixels
_WAVE_LENGTHS = (55.0, 90.0)  # pixels: shorter breaks letters, longer bends nothing
_STROKE_WIDTH = 3
_DOTS = 30
_STEP = 4  # pixels between the points of a curve
_SHADES = 16  # of a palette; the difference cannot be seen and the file is a third as big
_PAPER = (238, 255)
_INK = (10, 110)  # the package goes to 200, which is too pale to read on its paper
_OVERLAP = 0.2  # of a letter, at most; the package goes to a quarter, which joins N to M

_random = secrets.SystemRandom()


class _Drawing(ImageCaptcha):
    """The package's letters, rotated and warped by it; the spacing, wave and stroke are ours."""

    def generate_image(
        self, chars: str, bg_color: ColorTuple | None = None, fg_color: ColorTuple | None = None
    ) -> Image:
        """Return the letters in one dark ink on pale paper, with dots, one stroke and a wave through all."""
        paper = bg_color or _colour(*_PAPER)
        ink = fg_color or _colour(*_INK)
        image = self.create_captcha_image(chars, ink, paper)
        self.create_noise_dots(image, ink, number=_DOTS)
        self._add_stroke(image, ink)
        return self._bend(image, paper).filter(SMOOTH)

    def create_captcha_image(self, chars: str, color: ColorTuple, background: ColorTuple) -> Image:
        """Return the letters side by side, without blanks, somewhere in the middle of the paper.

        The package pastes letters through their own brightness, which makes dark ink pale and leaves the
        stroke the only dark thing in the picture: hard for people, and easy to take away for a program.
        """
        image = new_image("RGB", (self._width, self._height), background)
        pen = Draw(image)
        letters = [self._draw_character(char, pen, color) for char in chars]
        steps = [letter.width * (1 - _random.uniform(0, _OVERLAP)) for letter in letters]
        spare = self._width - sum(steps)
        left = spare * _random.uniform(0.3, 0.7)
        for letter, step in zip(letters, steps, strict=True):
            top = (self._height - letter.height) / 2 + _random.uniform(-4, 4)
            image.paste(letter, (round(left), round(top)), letter.getchannel("A"))
            left += step
        return image

    @staticmethod
    def _add_stroke(image: Image, ink: ColorTuple) -> None:
        """Draw one wavy stroke across the letters, as wide and as dark as theirs."""
        width, height = image.size
        middle = _random.uniform(0.4, 0.6) * height
        swing = _random.uniform(0.08, 0.16) * height
        slope = _random.uniform(-0.08, 0.08)
        length = _random.uniform(0.5, 1.0) * width
        phase = _random.uniform(0, math.tau)
        points = [
            (x, middle + slope * (x - width / 2) + swing * math.sin(math.tau * x / length + phase))
            for x in range(-_STEP, width + 2 * _STEP, _STEP)
        ]
        Draw(image).line(points, fill=ink, width=_STROKE_WIDTH, joint="curve")

    @staticmethod
    def _bend(image: Image, paper: ColorTuple) -> Image:
        """Shift every column up or down, and every row sideways, along a sine wave."""
        width, height = image.size
        down = _Wave()
        across = _Wave()
        mesh = []
        for x in range(0, width, _STEP):
            for y in range(0, height, _STEP * 2):
                box = (x, y, min(x + _STEP, width), min(y + _STEP * 2, height))
                left, top, right, bottom = box
                corners = ((left, top), (left, bottom), (right, bottom), (right, top))
                quad = tuple(c for px, py in corners for c in (px + across.at(py), py + down.at(px)))
                mesh.append((box, quad))
        return image.transform(image.size, Transform.MESH, mesh, resample=Resampling.BILINEAR, fill=1, fillcolor=paper)


class _Wave:
    def __init__(self) -> None:
        self._length = _random.uniform(*_WAVE_LENGTHS)
        self._phase = _random.uniform(0, math.tau)

    def at(self, place: float) -> float:
        return _WAVE_HEIGHT * math.sin(math.tau * place / self._length + self._phase)


def draw(answer: str) -> bytes:
    """Return a PNG of 200 × 80 pixels showing `answer`; two calls give two different drawings."""
    image = _DRAWING.generate_image(answer).quantize(_SHADES)
    out = BytesIO()
    image.save(out, format="png", optimize=True)
    return out.getvalue()


def _colour(lowest: int, highest: int) -> tuple[int, int, int]:
    return (
        _random.randint(lowest, highest),
        _random.randint(lowest, highest),
        _random.randint(lowest, highest),
    )


_DRAWING = _Drawing(WIDTH, HEIGHT)
