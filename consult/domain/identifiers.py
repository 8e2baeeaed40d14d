"""Checks of numbers that carry a check digit: identity cards, bank cards, credit codes.

GB 11643 (identity number), ISO/IEC 7812 Luhn (bank card), GB 32100-2015 (unified social credit code).
Pure arithmetic; whether a hit is personal data is decided in `consult.domain.personal_data`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
_PROVINCES = frozenset(
    str(code)
    for first, last in (
        (11, 15),
        (21, 23),
        (31, 37),
        (41, 46),
        (50, 54),
        (61, 65),
        (71, 71),
        (81, 83),
        (91, 91),
    )
    for code in range(first, last + 1)
)
_FIRST_YEAR, _LAST_YEAR = 1850, 2099

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""31 characters: no I, O, S, V, Z."""

_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
CREDIT_LENGTH = 18


def _real_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return _FIRST_YEAR <= year <= _LAST_YEAR


def has_id_card_shape(number: str) -> bool:
    """Tell whether 18 characters have a known province and a real birth date; the check digit may be wrong.

    Only the province is looked up: county codes change, and a list would refuse the standard's own examples.
    """
    text = number.upper()
    if not _ID_SHAPE.fullmatch(text) or text[:2] not in _PROVINCES:
        return False
    return _real_date(int(text[6:10]), int(text[10:12]), int(text[12:14]))


def is_valid_id_card(number: str) -> bool:
    """Tell whether an 18-character identity number is valid; a small x counts as X (GB 11643)."""
    if not has_id_card_shape(number):
        return False
    text = number.upper()
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11] == text[17]


def has_old_id_card_shape(number: str) -> bool:
    """Tell whether 15 digits look like an identity number of before 1999 (it has no check digit)."""
    if len(number) != 15 or not number.isascii() or not number.isdigit() or number[:2] not in _PROVINCES:
        return False
    return _real_date(1900 + int(number[6:8]), int(number[8:10]), int(number[10:12]))


def passes_luhn(number: str) -> bool:
    """Tell whether a string of digits passes Luhn. All zeros pass: see `is_bank_card`."""
    if not number.isascii() or not number.isdigit():
        return False
    total = 0
    for index, char in enumerate(reversed(number)):
        digit = int(char)
        if index % 2:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return total % 10 == 0


def is_bank_card(number: str) -> bool:
    """Tell whether digits are a plausible bank card: 16 to 19, first digit 3 to 6, Luhn."""
    return 16 <= len(number) <= 19 and number[0] in "3456" and passes_luhn(number)


# -- unified social credit code --------------------------------------------------------------------


class CreditCodeStatus(StrEnum):
    """OK; CONFIRMABLE when only the check digit differs (early codes exist, R-22); MALFORMED otherwise."""

    OK = "ok"
    CONFIRMABLE = "confirmable"
    MALFORMED = "malformed"


@dataclass(frozen=True)
class CreditCodeCheck:
    """Outcome for one code. `position` is the 1-based place of what is wrong, None when nothing is.

    A code too short or too long has the place just after its end, or 19.
    """

    status: CreditCodeStatus
    code: str
    position: int | None = None


def credit_check_character(first17: str) -> str:
    """Return the 18th character for 17 valid ones (GB 32100)."""
    total = sum(CREDIT_ALPHABET.index(char) * weight for char, weight in zip(first17, _CREDIT_WEIGHTS, strict=True))
    return CREDIT_ALPHABET[(31 - total % 31) % 31]


def _wrong_position(code: str) -> int | None:
    for index, char in enumerate(code[:CREDIT_LENGTH]):
        if char not in CREDIT_ALPHABET or (2 <= index < 8 and not char.isdigit()):
            return index + 1
    return None if len(code) == CREDIT_LENGTH else min(len(code), CREDIT_LENGTH) + 1


def is_valid_credit_code(code: str) -> bool:
    """Tell whether a code is valid exactly as given: capitals, 18 characters, outer check only (R-22)."""
    return _wrong_position(code) is None and credit_check_character(code[:17]) == code[17]


def check_credit_code(text: str) -> CreditCodeCheck:
    """Check what somebody typed: full width, small letters, spaces, hyphens are forgiven (R-22)."""
    folded = unicodedata.normalize("NFKC", text).upper()
    code = "".join(char for char in folded if char != "-" and not char.isspace())
    wrong = _wrong_position(code)
    if wrong is not None:
        return CreditCodeCheck(CreditCodeStatus.MALFORMED, code, wrong)
    if credit_check_character(code[:17]) != code[17]:
        return CreditCodeCheck(CreditCodeStatus.CONFIRMABLE, code, CREDIT_LENGTH)
    return CreditCodeCheck(CreditCodeStatus.OK, code)
