"""Keyed digests that let a value be found without being stored.

An unkeyed digest of a mobile number is undone in three hours by trying them all (security guide, chapter 6),
so every digest here needs the index key. Each purpose has a prefix of its own: equal texts kept for two
purposes cannot be matched with each other.
"""

from __future__ import annotations

import hmac
import re
import unicodedata

_NOT_A_DIGIT = re.compile(r"[^0-9]")


def normalise_email(text: str) -> str:
    """Return an e-mail address as it is compared: half-width, trimmed, without case."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def normalise_phone(text: str) -> str:
    """Return the digits of a telephone number, without the mainland's country code (`+86`, `0086`, `86`).

    `(021) 6412-3456 转 8` and `021-64123456-8` give the same digits. Empty when there is no digit.
    """
    digits = _NOT_A_DIGIT.sub("", unicodedata.normalize("NFKC", text))
    if digits.startswith("0086"):
        return _as_dialled_at_home(digits[4:])
    # A shorter number may begin with 86 itself: 8641 2345 is a landline of eight digits.
    if digits.startswith("86") and len(digits) > 11:
        return _as_dialled_at_home(digits[2:])
    return digits


def _as_dialled_at_home(number: str) -> str:
    """Give an area code back the 0 that callers from abroad leave out; mobile numbers have none."""
    mobile = len(number) == 11 and number.startswith("1")
    return number if mobile or number.startswith("0") else "0" + number


def index_contact(key: bytes, contact: str) -> bytes:
    """Return the digest under which a telephone number or an e-mail address is looked up: 32 bytes.

    Text with an @ is an e-mail address; other text is a telephone number if it has seven digits or more, and
    otherwise (a street, a WeChat name) is compared as written, without case and spaces.
    """
    if "@" in unicodedata.normalize("NFKC", contact):
        return _digest(key, "email", normalise_email(contact))
    phone = normalise_phone(contact)
    if len(phone) >= 7:
        return _digest(key, "phone", phone)
    plain = "".join(unicodedata.normalize("NFKC", contact).casefold().split())
    return _digest(key, "contact", plain)


def digest_query_code(key: bytes, code: str) -> bytes:
    """Return the digest under which a 查询码 is stored and found (R-20): 32 bytes.

    `code` is the parsed code, twelve characters without hyphens: who takes it from a visitor parses it first.
    """
    return _digest(key, "query-code", code)


def _digest(key: bytes, purpose: str, text: str) -> bytes:
    return hmac.digest(key, f"{purpose}:{text}".encode("utf-8", "surrogatepass"), "sha256")
