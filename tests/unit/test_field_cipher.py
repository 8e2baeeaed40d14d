from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from consult.gateways.field_cipher import BadFieldKeyError, FieldCipher, FieldUnreadableError, new_field_key

OLD, NEW, OTHER = (new_field_key() for _ in range(3))


def test_r48_contact_is_unreadable_at_rest_and_comes_back_as_typed() -> None:
    cipher = FieldCipher(NEW)
    token = cipher.encrypt("张三 13800138000 𠮷")
    assert b"138" not in token
    assert "张".encode() not in token
    assert cipher.decrypt(token) == "张三 13800138000 𠮷"
    assert cipher.encrypt("同") != cipher.encrypt("同")


def test_bytes_of_any_value_come_back() -> None:
    cipher = FieldCipher(NEW)
    assert cipher.decrypt_bytes(cipher.encrypt_bytes(bytes(range(256)))) == bytes(range(256))
    assert cipher.decrypt(cipher.encrypt("")) == ""


def test_r48_keys_rotate_without_a_moment_in_which_something_is_unreadable() -> None:
    before = FieldCipher(OLD).encrypt("contact")
    during = FieldCipher(f"{NEW}, {OLD}")
    assert during.decrypt(before) == "contact"
    assert during.needs_rotation(before)
    rotated = during.rotate(before)
    assert not during.needs_rotation(rotated)
    assert not during.needs_rotation(during.encrypt("later"))
    assert during.rotate(rotated) != b""
    assert FieldCipher((NEW,)).decrypt(rotated) == "contact"
    with pytest.raises(FieldUnreadableError):
        FieldCipher(NEW).decrypt(before)
    with pytest.raises(FieldUnreadableError):
        FieldCipher(NEW).rotate(before)


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t[:20] + b"A" + t[21:], lambda _: b"", lambda _: b"x"])
def test_altered_value_is_refused_and_not_half_read(spoil: object) -> None:
    cipher = FieldCipher([NEW, OLD])
    token = cipher.encrypt("13800138000")
    spoilt = spoil(token)  # type: ignore[operator]
    if spoilt == token:  # the replaced character happened to be the same
        spoilt = token[:20] + b"B" + token[21:]
    with pytest.raises(FieldUnreadableError):
        cipher.decrypt(spoilt)


def test_keys_come_as_one_text_or_one_by_one_with_blanks_ignored() -> None:
    token = Fernet(NEW).encrypt(b"x")
    assert FieldCipher((NEW, "")).decrypt(token) == FieldCipher(f" {OTHER} , {NEW},").decrypt(token) == "x"


@pytest.mark.parametrize(
    "keys", ["", " , ", "short", f"{NEW},not-a-key", ()], ids=["empty", "blanks", "short", "second_bad", "none"]
)
def test_bad_key_list_is_refused_without_showing_a_key(keys: str | tuple[str, ...]) -> None:
    with pytest.raises(BadFieldKeyError) as refusal:
        FieldCipher(keys)
    assert NEW not in str(refusal.value)
    assert "not-a-key" not in str(refusal.value)


def test_message_names_the_place_of_the_bad_key() -> None:
    with pytest.raises(BadFieldKeyError, match="key 2"):
        FieldCipher(f"{NEW},not-a-key,{OTHER}")
