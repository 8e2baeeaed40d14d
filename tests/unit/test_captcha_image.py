from __future__ import annotations

import struct
from io import BytesIO

from PIL import Image

from consult.gateways import captcha_image


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance of WCAG 2.2."""
    red, green, blue = ((c / 255 / 12.92) if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_drawing_is_a_small_png_of_the_announced_size() -> None:
    png = captcha_image.draw("3CEFH")
    with Image.open(BytesIO(png)) as image:
        assert (image.format, image.size) == ("PNG", (captcha_image.WIDTH, captcha_image.HEIGHT))
    assert len(png) < 5_000


def test_r17_drawing_carries_the_answer_in_no_text_chunk() -> None:
    png = captcha_image.draw("3CEFH")
    assert b"3CEFH" not in png
    kinds, place = [], 8
    while place < len(png):
        (length,) = struct.unpack_from(">I", png, place)
        kinds.append(png[place + 4 : place + 8])
        place += length + 12
    assert set(kinds) <= {b"IHDR", b"PLTE", b"IDAT", b"IEND"}


def test_two_drawings_of_one_answer_differ() -> None:
    assert len({captcha_image.draw("3CEFH") for _ in range(5)}) == 5


def test_letters_stand_out_from_the_paper_by_four_and_a_half_to_one() -> None:
    for _ in range(10):
        with Image.open(BytesIO(captcha_image.draw("MMMMM"))) as image:
            pixels = image.convert("RGB").getcolors(image.width * image.height)
        assert pixels is not None
        shades = [(count, luminance(colour)) for count, colour in pixels if isinstance(colour, tuple)]
        paper = max(shades)[1]
        darkest = min(light for count, light in shades if count > 100)
        assert (paper + 0.05) / (darkest + 0.05) >= 4.5


def test_letters_fill_the_middle_of_the_picture_and_are_not_cut_off() -> None:
    for _ in range(20):
        with Image.open(BytesIO(captcha_image.draw("NNNNNN"))) as image:
            grey = image.convert("L")
        inked = [
            sum(grey.getpixel((x, y)) < 150 for y in range(0, grey.height, 2))
            for x in range(grey.width)  # type: ignore[operator]
        ]
        # More than the stroke and a dot or two: a letter stands in this column.
        columns = [x for x, dark in enumerate(inked) if dark >= 8]
        assert columns[0] >= 2
        assert columns[-1] <= grey.width - 3
        assert columns[-1] - columns[0] >= 80
