"""Writing and changing contact details: always encrypted, in a table of their own (R-48)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from consult.domain import comments as domain
from consult.gateways.blind_index import index_contact
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import ContactDetails


@dataclass(frozen=True)
class Vault:
    """What contact details are locked with: the field cipher and the key of the blind index."""

    cipher: FieldCipher
    index_key: bytes

    def lock(self, text: str | None) -> bytes | None:
        """Encrypt one value; nothing stays nothing."""
        return self.cipher.encrypt(text) if text else None

    def index(self, text: str | None) -> str | None:
        """Return the digest under which a telephone number or an address is found again."""
        return index_contact(self.index_key, text).hex() if text else None


def store(session: Session, comment_id: int, contact: domain.ContactDetails, vault: Vault) -> None:
    """Store the contact details of a new comment."""
    session.add(
        ContactDetails(
            comment_id=comment_id,
            name=vault.lock(contact.name),
            phone=vault.lock(contact.phone),
            email=vault.lock(contact.email),
            organisation=vault.lock(contact.organisation),
            credit_code=vault.lock(contact.credit_code),
            phone_index=vault.index(contact.phone),
            email_index=vault.index(contact.email),
            email_declined=contact.email is None,
        )
    )
