"""The two codes a submitter gets: the public 编号 and the secret 查询码.

编号 `ZP-0318`: short code of the consultation and a serial number. It says and opens nothing by itself.
查询码: 12 characters of Crockford base 32, 60 random bits, shown 4-4-4 (settled in the contract; R-20).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

QUERY_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford base 32: no I, L, O, U."""

QUERY_LENGTH = 12
MINIMUM_BITS = 50
_GROUP = 4
_BYTES_NEEDED = 8
_LOOK_ALIKES = str.maketrans("OIL", "011")
_SERIAL_DIGITS = 4
_SERIAL_LIMIT = 10**9
_SHORT_CODE = re.compile(r"[A-Z][A-Z0-9]{0,11}")
_RECEIPT = re.compile(r"(?:([A-Z][A-Z0-9]{0,11})-|([A-Z]{1,12}))([0-9]{4,9})")


def _folded(text: str) -> str:
    """Full-width to plain, capitals, no spaces, no hyphens of any script, no format characters."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(
        "-" if unicodedata.category(char) == "Pd" or char == "\u2212" else char
        for char in plain
        if not char.isspace() and char not in "\u200b\u200c\u200d\u2060\ufeff\u00ad"
    )


@dataclass(frozen=True)
class ReceiptNo:
    """A parsed 编号."""

    short_code: str
    serial: int

    def __str__(self) -> str:
        """As it is shown: ZP-0318."""
        return format_receipt_no(self.short_code, self.serial)


def is_short_code(text: str) -> bool:
    """Tell whether a consultation may use this short code: a capital, then capitals or digits, to 12."""
    return _SHORT_CODE.fullmatch(text) is not None


def format_receipt_no(short_code: str, serial: int) -> str:
    """Return the 编号: at least four digits, more when needed.

    Raises:
        ValueError: not a short code, or a serial outside 1 to 999,999,999.
    """
    if not is_short_code(short_code):
        raise ValueError("short code: a capital letter, then capitals or digits, at most 12")
    if not 1 <= serial < _SERIAL_LIMIT:
        raise ValueError("serial out of range")
    return f"{short_code}-{serial:0{_SERIAL_DIGITS}d}"


def parse_receipt_no(text: str) -> ReceiptNo | None:
    """Read a 编号 as people type it (small letters, full width, spaces, other dashes); None if it is none.

    The hyphen is needed when the short code ends in a digit; only a four-digit serial has leading zeros.
    """
    found = _RECEIPT.fullmatch(_folded(text))
    if not found:
        return None
    short_code, digits = found[1] or found[2], found[3]
    if int(digits) == 0 or (len(digits) > _SERIAL_DIGITS and digits.startswith("0")):
        return None
    return ReceiptNo(short_code, int(digits))


def new_query_code(random_bytes: Callable[[int], bytes]) -> str:
    """Draw a 查询码 of 12 characters; give `secrets.token_bytes`, or a fixed source in a test.

    Raises:
        ValueError: the source returned too few bytes.
    """
    raw = random_bytes(_BYTES_NEEDED)
    if len(raw) < _BYTES_NEEDED:
        raise ValueError("eight random bytes are needed")
    number = int.from_bytes(raw[:_BYTES_NEEDED], "big")
    return "".join(QUERY_ALPHABET[(number >> (5 * place)) & 31] for place in range(QUERY_LENGTH - 1, -1, -1))


def parse_query_code(text: str) -> str | None:
    """Read a 查询码 as people type it; None when it cannot be one.

    Case, spaces, hyphens and full width are ignored; O reads as 0, I and L as 1; there is no U.
    """
    code = _folded(text).replace("-", "").translate(_LOOK_ALIKES)
    if len(code) != QUERY_LENGTH or any(char not in QUERY_ALPHABET for char in code):
        return None
    return code


def show_query_code(code: str) -> str:
    """Return the code in groups of four: 4-4-4."""
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


def entropy_bits(alphabet_size: int, length: int) -> float:
    """Return the bits of a uniformly drawn code; R-20 asks for at least 50."""
    return length * math.log2(alphabet_size)


def is_strong_enough(alphabet_size: int, length: int) -> bool:
    """Tell whether such codes meet R-20."""
    return entropy_bits(alphabet_size, length) >= MINIMUM_BITS
