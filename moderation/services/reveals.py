"""Looking at one submitter's contact details: with a purpose, and written down each time (R-51)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from consult.domain.comment_states import NonStateAction
from consult.domain.errors import ReasonRequired, Refused
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import ContactDetails
from consult.queries.contacts import ContactShown, decrypted
from consult.services import events
from moderation.domain.decisions import RevealPurpose
from moderation.permissions import Permission, Viewer
from moderation.services.scope import acting, take


def reveal(
    session: Session, viewer: Viewer, receipt_no: str, purpose: str, cipher: FieldCipher, now: datetime
) -> ContactShown:
    """Return the contact details of one comment and record who looked, when and why.

    Raises:
        ReasonRequired: no purpose of the list.
        Refused: `contact_erased`, or `contact_on_hold` while they are only kept (R-49).
        And what `take` raises.
    """
    if purpose not in set(RevealPurpose):
        raise ReasonRequired(field="purpose")
    comment = take(session, viewer, Permission.REVEAL_CONTACT, receipt_no)
    row = session.get(ContactDetails, comment.id)
    if row is None or row.erased_at is not None:
        raise Refused("contact_erased")
    if row.legal_hold:
        raise Refused("contact_on_hold")
    shown = decrypted(row, cipher)
    events.append(
        session,
        comment,
        NonStateAction.REVEAL_CONTACT,
        acting(viewer, Permission.REVEAL_CONTACT),
        now,
        reason=purpose,
    )
    session.flush()
    return shown
