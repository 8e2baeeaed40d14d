"""The one door to encryption of names and contacts at rest (R-48).

Keys are Fernet keys (AES-128-CBC with HMAC-SHA256), newest first: the first encrypts, all decrypt. A key is
rotated by putting a new one in front, running `rotate` over every stored token, and then removing the old.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class BadFieldKeyError(ValueError):
    """The list of field keys is empty or holds something that is no Fernet key; the message shows no key."""


class FieldUnreadableError(Exception):
    """A stored value was encrypted under none of the keys, or was altered."""


class FieldCipher:
    """Encrypts and decrypts single values.

    `keys` come newest first, as one comma-separated text or one by one; each is 32 bytes in URL-safe base 64.

    Raises:
        BadFieldKeyError: no key, or a malformed one (named by its place in the list).
    """

    def __init__(self, keys: str | Sequence[str]) -> None:
        given = keys.split(",") if isinstance(keys, str) else keys
        parts = [part.strip() for part in given if part.strip()]
        if not parts:
            raise BadFieldKeyError("At least one field key is needed.")
        fernets = [_fernet(part, place) for place, part in enumerate(parts, start=1)]
        self._newest = fernets[0]
        self._all = MultiFernet(fernets)

    def encrypt(self, text: str) -> bytes:
        """Return `text` encrypted under the newest key; two calls give two different tokens."""
        return self.encrypt_bytes(text.encode())

    def decrypt(self, token: bytes) -> str:
        """Return the text of a token made by `encrypt` under any of the keys.

        Raises:
            FieldUnreadableError: no key fits, or the token was altered.
        """
        return self.decrypt_bytes(token).decode()

    def encrypt_bytes(self, value: bytes) -> bytes:
        """Return `value` (a file, or JSON) encrypted under the newest key."""
        return self._all.encrypt(value)

    def decrypt_bytes(self, token: bytes) -> bytes:
        """Return the bytes of a token made by `encrypt_bytes`.

        Raises:
            FieldUnreadableError: no key fits, or the token was altered.
        """
        try:
            return self._all.decrypt(token)
        except InvalidToken:
            raise FieldUnreadableError("The stored value fits none of the field keys.") from None

    def needs_rotation(self, token: bytes) -> bool:
        """Tell whether `token` is not encrypted under the newest key."""
        try:
            self._newest.decrypt(token)
        except InvalidToken:
            return True
        return False

    def rotate(self, token: bytes) -> bytes:
        """Return the same value encrypted under the newest key.

        Raises:
            FieldUnreadableError: no key fits, or the token was altered.
        """
        try:
            return self._all.rotate(token)
        except InvalidToken:
            raise FieldUnreadableError("The stored value fits none of the field keys.") from None


def new_field_key() -> str:
    """Return a fresh key to put in front of the list."""
    return Fernet.generate_key().decode()


def _fernet(key: str, place: int) -> Fernet:
    try:
        return Fernet(key)
    except ValueError:
        raise BadFieldKeyError(f"Field key {place} is not 32 bytes in URL-safe base 64.") from None
