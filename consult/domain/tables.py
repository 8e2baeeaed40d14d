"""Tables on their way into a file: what a column holds, and how one value reads as text (exports.md)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from consult.domain.calendar import BEIJING
from consult.domain.workbook_text import csv_cell, overdue_cell

Value = str | int | date | datetime | None
"""A cell: text, whole number, day, aware moment, or nothing. Kinds tell days from moments, never the class."""

Row = Sequence[Value]


class Kind(StrEnum):
    """What a column holds. `REMAINING` is a whole number, negative when overdue, that csv writes in words."""

    TEXT = "text"
    INTEGER = "integer"
    REMAINING = "remaining"
    MOMENT = "moment"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Chinese header, its English key, what it holds, its width (a Chinese character is 2)."""

    header: str
    key: str
    kind: Kind = Kind.TEXT
    width: int = 12


@dataclass(frozen=True)
class Table:
    """One sheet: rows come one by one and are read once; `count` is how many there will be."""

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    count: int


def moment_text(value: datetime) -> str:
    """Return 2023-08-16 15:04 in Beijing time.

    Raises:
        ValueError: the moment is naive.
    """
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return value.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M")


def iso_text(value: datetime) -> str:
    """Return 2023-08-16T15:04:05+08:00.

    Raises:
        ValueError: the moment is naive.
    """
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return value.astimezone(BEIJING).isoformat(timespec="seconds")


def csv_text(kind: Kind, value: Value) -> str:
    """Return a value as a csv cell before quoting; formulas are neutralised (R-102)."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return overdue_cell(value) if kind is Kind.REMAINING else str(value)
    return csv_cell(value)


def json_value(value: Value) -> str | int | None:
    """Return a value for json: moments and days in ISO 8601, everything else as it is."""
    if isinstance(value, datetime):
        return iso_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
