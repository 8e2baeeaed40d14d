"""Automatic numbers of a Word file, computed as Word shows them. Runs in the child process."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_CN_DIGITS = "零一二三四五六七八九"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_BULLETS = frozenset({"bullet", "none"})


@dataclass(slots=True)
class _Level:
    start: int = 1
    form: str = "decimal"
    text: str = ""
    style: str = ""
    legal: bool = False


@dataclass(slots=True)
class _Definition:
    levels: dict[int, _Level] = field(default_factory=dict)
    counters: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counters of all lists of one document; `label` must be called once per paragraph, in order."""

    def __init__(self, root: Any | None, namespace: str) -> None:
        self._ns = namespace
        self._abstract: dict[str, _Definition] = {}
        self._abstract_of: dict[str, str] = {}
        self._overrides: dict[str, dict[int, int]] = {}
        if root is None:
            return
        for element in root:
            name = element.tag.rsplit("}", 1)[-1]
            if name == "abstractNum":
                self._abstract[self._value(element, "abstractNumId")] = self._definition(element)
            elif name == "num":
                self._number(element)

    def _value(self, element: Any | None, name: str = "val") -> str:
        return "" if element is None else str(element.get(f"{{{self._ns}}}{name}") or "")

    def _child(self, element: Any, name: str) -> Any | None:
        return element.find(f"{{{self._ns}}}{name}")

    def _definition(self, element: Any) -> _Definition:
        definition = _Definition()
        for level in element.findall(f"{{{self._ns}}}lvl"):
            index = _integer(self._value(level, "ilvl"), 0)
            definition.levels[index] = _Level(
                start=_integer(self._value(self._child(level, "start")), 1),
                form=self._value(self._child(level, "numFmt")) or "decimal",
                text=self._value(self._child(level, "lvlText")),
                style=self._value(self._child(level, "pStyle")),
                legal=self._child(level, "isLgl") is not None,
            )
        return definition

    def _number(self, element: Any) -> None:
        number = self._value(element, "numId")
        self._abstract_of[number] = self._value(self._child(element, "abstractNumId"))
        starts: dict[int, int] = {}
        for override in element.findall(f"{{{self._ns}}}lvlOverride"):
            start = self._child(override, "startOverride")
            if start is not None:
                starts[_integer(self._value(override, "ilvl"), 0)] = _integer(self._value(start), 1)
        self._overrides[number] = starts

    def level_of_style(self, number: str, style: str) -> int:
        """List level that a paragraph style is tied to, 0 when to none."""
        definition = self._abstract.get(self._abstract_of.get(number, ""))
        for index, level in (definition.levels if definition else {}).items():
            if level.style and level.style == style:
                return index
        return 0

    def label(self, number: str, index: int) -> tuple[str, bool]:
        """Next number of a list at a level.

        Returns:
            The label as shown ("" for a bullet or an unknown list) and whether it is a bullet.
        """
        definition = self._abstract.get(self._abstract_of.get(number, ""))
        level = definition.levels.get(index) if definition else None
        if definition is None or level is None:
            return "", False
        overrides = self._overrides.get(number, {})
        if index in overrides:
            definition.counters[index] = overrides.pop(index)
        elif index in definition.counters:
            definition.counters[index] += 1
        else:
            definition.counters[index] = level.start
        for deeper in [one for one in definition.counters if one > index]:
            del definition.counters[deeper]
        if level.form in _BULLETS:
            return "", True
        return self._text(definition, level), False

    def _text(self, definition: _Definition, level: _Level) -> str:
        def shown(found: re.Match[str]) -> str:
            place = int(found.group(1)) - 1
            above = definition.levels.get(place, _Level())
            value = definition.counters.get(place, above.start)
            return number_text(value, "decimal" if level.legal else above.form)

        return re.sub(r"%([1-9])", shown, level.text)


def number_text(value: int, form: str) -> str:
    """A number in one of Word's formats; formats nobody uses in drafts fall back to decimal.

    >>> number_text(12, "chineseCounting")
    '十二'
    """
    if form.startswith(("chinese", "japaneseCounting", "taiwaneseCounting", "ideographTraditional")):
        return chinese_number(value)
    if form.startswith("decimalEnclosedCircle") and 1 <= value <= len(_CIRCLED):
        return _CIRCLED[value - 1]
    if form == "ideographDigital":
        return "".join("〇一二三四五六七八九"[int(digit)] for digit in str(value))
    if form in ("upperLetter", "lowerLetter") and value >= 1:
        letter = chr(ord("A") + (value - 1) % 26) * ((value - 1) // 26 + 1)
        return letter if form == "upperLetter" else letter.lower()
    if form in ("upperRoman", "lowerRoman") and 0 < value < 4000:
        return _roman(value) if form == "upperRoman" else _roman(value).lower()
    if form == "decimalZero":
        return f"{value:02d}"
    if form.startswith("decimalFullWidth"):
        return "".join(chr(ord("０") + int(digit)) for digit in str(value))
    return str(value)


def chinese_number(value: int) -> str:
    """1 to 999 in Chinese (十二, 二十, 一百零三); larger ones in digits."""
    if not 0 < value < 1000:
        return str(value)
    hundreds, rest = divmod(value, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_CN_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += "十" if tens == 1 and not hundreds else f"{_CN_DIGITS[tens]}十"
    elif hundreds and ones:
        text += "零"
    return text + (_CN_DIGITS[ones] if ones else "")


def _roman(value: int) -> str:
    steps = (
        (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"),
        (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
    )  # fmt: skip
    text = ""
    for step, letters in steps:
        count, value = divmod(value, step)
        text += letters * count
    return text


def _integer(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else default
