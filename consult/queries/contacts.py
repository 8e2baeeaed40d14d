"""Contact details in the clear: one way of reading them, for their holder and for staff whose look is recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from consult.models.comments import ContactDetails


class Cipher(Protocol):
    """What reads an encrypted field; the readers are shared with code that must not know the gateway."""

    def decrypt(self, token: bytes) -> str:
        """Return the text of an encrypted value."""


@dataclass(frozen=True)
class ContactShown:
    """One submitter's details, in the clear; only for the holder of the 查询码 or after the look was recorded."""

    name: str = ""
    phone: str = ""
    email: str = ""
    organisation: str = ""
    credit_code: str = ""


def decrypted(row: ContactDetails, cipher: Cipher) -> ContactShown:
    """Return contact details in the clear; a caller who is not their holder records it."""

    def plain(value: bytes | None) -> str:
        return cipher.decrypt(value) if value else ""

    return ContactShown(
        plain(row.name), plain(row.phone), plain(row.email), plain(row.organisation), plain(row.credit_code)
    )
