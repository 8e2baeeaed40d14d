"""Text as it may stand in files: csv cells, workbook cells, sheet names, file names (exports.md, R-102)."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from consult.domain.calendar import BEIJING

CELL_LIMIT = 32767
CUT_NOTE = "（全文见系统）"
SHEET_NAME_LIMIT = 31
DEFAULT_SHEET_NAME = "表1"
FILE_STEM_LIMIT = 120

_FORMULA_FIRST = frozenset("=+-@\t\r\n＝＋－＠")
_FORMULA_AFTER_SPACE = frozenset("=+-@＝＋－＠")
_SKIPPED_BEFORE_FORMULA = frozenset("\u200b\u200c\u200d\u2060\ufeff")
# What XML 1.0 cannot carry, and lone surrogates, which no encoder takes.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_SHEET_NAME = re.compile(r"[:\\/?*\[\]]")
_NOT_IN_FILE_NAME = re.compile(r'[\\/:*?"<>|]')


def starts_formula(text: str) -> bool:
    """Tell whether a spreadsheet might run a cell: by its first character, or the first after white space.

    Judged on the text as it is, nothing folded. Zero-width characters and the byte order mark are looked
    through as white space is: programs drop them on opening.
    """
    if text and text[0] in _FORMULA_FIRST:
        return True
    for char in text:
        if not char.isspace() and char not in _SKIPPED_BEFORE_FORMULA:
            return char in _FORMULA_AFTER_SPACE
    return False


def csv_cell(text: str) -> str:
    """Return a csv cell: an apostrophe in front of what might be a formula, all else untouched (R-102)."""
    return "'" + text if starts_formula(text) else text


def strip_controls(text: str) -> str:
    """Remove characters XML cannot carry; tab, line feed and carriage return stay (exports.md)."""
    return _NOT_XML.sub("", text)


def workbook_cell(text: str) -> str:
    """Return the text of a workbook cell: no controls, at most 32,767 characters, the cut said aloud.

    The limit counts UTF-16 units, as spreadsheet programs do. Formulas need nothing here: the cell is typed.
    """
    clean = strip_controls(text)
    if _utf16_length(clean) <= CELL_LIMIT:
        return clean
    room = CELL_LIMIT - _utf16_length(CUT_NOTE)
    kept = clean[:room]
    while _utf16_length(kept) > room:
        kept = kept[: len(kept) - max(1, (_utf16_length(kept) - room) // 2)]
    return kept + CUT_NOTE


def _utf16_length(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


def sheet_name(title: str) -> str:
    """Return a sheet's name: at most 31 characters, without : \\ / ? * [ ], 表1 when nothing is left."""
    clean = _NOT_IN_SHEET_NAME.sub("", strip_controls(title))
    clean = " ".join(clean.split()).strip("' ")[:SHEET_NAME_LIMIT].strip("' ")
    return clean or DEFAULT_SHEET_NAME


def _file_part(text: str) -> str:
    clean = _NOT_IN_FILE_NAME.sub("", strip_controls(text))
    visible = "".join(char for char in clean if unicodedata.category(char) not in ("Cc", "Cf"))
    return "".join(visible.split()).strip(".")


def file_name(short_name: str, table: str, at: datetime, extension: str) -> str:
    """Return {征集短名}_{表名}_{yyyymmdd-HHMM}.{ext} in Beijing time.

    Only the consultation and the table are named: never a person, a number or a 编号 (R-53).

    Raises:
        ValueError: the moment is naive, or nothing is left of a name.
    """
    if at.tzinfo is None:
        raise ValueError("a moment needs a zone")
    parts = [_file_part(short_name), _file_part(table)]
    if not all(parts):
        raise ValueError("a file name needs the consultation and the table")
    stem = "_".join(parts)[:FILE_STEM_LIMIT]
    return f"{stem}_{at.astimezone(BEIJING):%Y%m%d-%H%M}.{_file_part(extension)}"


def overdue_cell(remaining: int) -> str:
    """Return 剩余/逾期工作日 for csv: 逾期1 instead of -1, which would get an apostrophe (exports.md 2)."""
    return f"逾期{-remaining}" if remaining < 0 else str(remaining)
