"""What an account may be called, how long a password is, and which accounts belong to one natural person."""

from __future__ import annotations

import hmac
import re
import unicodedata

from consult.domain.errors import Refused

PASSWORD_MINIMUM = 12
PASSWORD_MAXIMUM = 200
NAME_MAXIMUM = 50
_USERNAME = re.compile(r"[\w][\w.@-]{1,31}")


def fold_username(text: str) -> str:
    """Return a username as it is stored and compared: half-width, trimmed, without case.

    NUL is dropped: PostgreSQL refuses it even in a question.
    """
    return unicodedata.normalize("NFKC", text).replace("\0", "").strip().casefold()


def check_username(text: str) -> str:
    """Return the folded username.

    Raises:
        Refused: `username_invalid`, fewer than 2 or more than 32 characters, or others than letters, digits and `.@_-`.
    """
    folded = fold_username(text)
    if not _USERNAME.fullmatch(folded):
        raise Refused("username_invalid", field="username")
    return folded


def check_display_name(text: str) -> str:
    """Return the trimmed name of a person.

    Raises:
        Refused: `display_name_required`, or `display_name_malformed` (over 50 characters, or control characters).
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not name:
        raise Refused("display_name_required", field="display_name")
    if len(name) > NAME_MAXIMUM or any(unicodedata.category(char).startswith("C") for char in name):
        raise Refused("display_name_malformed", field="display_name", maximum=NAME_MAXIMUM)
    return name


def check_password(password: str, field: str = "password") -> None:
    """Check a new password by its length only; composition rules make people choose worse ones.

    Raises:
        Refused: `password_too_short` or `password_too_long`, with `minimum` or `maximum` and `n`, in characters.
    """
    length = len(unicodedata.normalize("NFKC", password))
    if length < PASSWORD_MINIMUM:
        raise Refused("password_too_short", field=field, minimum=PASSWORD_MINIMUM, n=length)
    if length > PASSWORD_MAXIMUM:
        raise Refused("password_too_long", field=field, maximum=PASSWORD_MAXIMUM, n=length)


def person_key(index_key: bytes, person_no: str) -> str:
    """Return the keyed digest of a staff number: equal for all accounts of one natural person (R-95).

    The number itself is not stored. Spaces, width and case do not count.

    Raises:
        Refused: `person_no_required`, nothing is left of the number.
    """
    plain = "".join(unicodedata.normalize("NFKC", person_no).casefold().split())
    if not plain:
        raise Refused("person_no_required", field="person_no")
    return hmac.digest(index_key, f"person:{plain}".encode("utf-8", "surrogatepass"), "sha256").hex()
