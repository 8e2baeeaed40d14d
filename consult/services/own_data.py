"""What is held about a submitter: correcting it and erasing it (R-46 to R-52, R-88).

Erasing takes everything that tells who somebody is: the contact details, the words before a redaction, the public
name, waiting notices, and what the detectors or the contact details themselves find in the words that stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consult.domain.comment_states import NonStateAction, Standing
from consult.domain.comments import SubmitterKind, clean_line, parse_email, parse_foreign_phone, parse_phone
from consult.domain.errors import DomainError, FieldErrors, Refused
from consult.domain.names import ANONYMOUS
from consult.domain.personal_data import Level, PiiType, Redaction, apply_redactions, find
from consult.gateways.field_cipher import FieldCipher, FieldUnreadableError
from consult.models.comments import Appeal, Comment, CommentOriginal, ContactDetails, Outbox, Rating, Supplement
from consult.services import comments, events, moves
from consult.services.contacts import Vault
from consult.services.events import Actor

ON_REQUEST = "on_request"
RETENTION_ENDED = "retention_ended"
WITHDRAWN = "withdrawn"
_LOCKED = ("name", "phone", "email", "organisation", "credit_code")
_SHORTEST_NAME = 2


@dataclass(frozen=True)
class Correction:
    """New contact details as typed; an empty one leaves what is there."""

    contact: str = ""
    email: str = ""


def correct(session: Session, receipt_no: str, typed: Correction, vault: Vault, now: datetime) -> tuple[str, ...]:
    """Store other contact details (R-52) and return which changed; the event names the fields, never a value.

    Raises:
        FieldErrors: nothing typed, or a number or address that cannot be one.
        Refused: `contact_erased`; `contact_on_hold`, they are only kept now (R-49).
    """
    comment = moves.lock(session, receipt_no)
    row = _usable(session, comment)
    phone, email = _checked(typed, has_email=row.email is not None)
    changed: list[str] = []
    if phone is not None:
        row.phone, row.phone_index = vault.lock(phone), vault.index(phone)
        changed.append("phone")
    if email is not None:
        row.email, row.email_index, row.email_declined = vault.lock(email), vault.index(email), False
        changed.append("email")
    comment.updated_at = now
    events.append(session, comment, "correct_contact", events.PUBLIC, now, detail={"fields": changed})
    session.flush()
    return tuple(changed)


def note_shown(session: Session, receipt_no: str, now: datetime) -> None:
    """Write down that the holder of the 查询码 looked at what is held (R-52)."""
    comment = moves.lock(session, receipt_no)
    comment.updated_at = now
    events.append(session, comment, "own_data_shown", events.PUBLIC, now)
    session.flush()


def erase_on_request(session: Session, receipt_no: str, cipher: FieldCipher, now: datetime) -> None:
    """Erase what tells who the submitter is, because they ask for it; the words are handled on (R-52, R-88).

    Raises:
        Refused: `contact_erased`, nothing is left; `erasure_on_hold`, the law keeps it for now (R-49);
            `erasure_appeal_open`, the submitter's own objection is being decided.
    """
    comment = moves.lock(session, receipt_no)
    refuse_on_hold(session, comment)
    if not erase(session, comment, events.PUBLIC, now, ON_REQUEST, cipher):
        raise Refused("contact_erased")


def refuse_on_hold(session: Session, comment: Comment) -> None:
    """Refuse an erasure the law puts off (R-49).

    Raises:
        Refused: `erasure_on_hold`, `erasure_appeal_open`.
    """
    hold = session.scalar(select(ContactDetails.legal_hold).where(ContactDetails.comment_id == comment.id))
    if hold:
        raise Refused("erasure_on_hold")
    if session.scalar(select(Appeal.id).where(Appeal.comment_id == comment.id, Appeal.state == "open")) is not None:
        raise Refused("erasure_appeal_open")


def erase(
    session: Session, comment: Comment, actor: Actor, now: datetime, why: str, cipher: FieldCipher | None = None
) -> bool:
    """Erase a locked comment's personal data and leave the evidence; return whether there was any.

    With a `cipher` the person's own name, number and address are also covered wherever they stand in words that
    stay. Counts do not change: neither state nor publicity is touched (R-48).
    """
    contact = session.get(ContactDetails, comment.id, populate_existing=True)
    original = session.get(CommentOriginal, comment.id, populate_existing=True)
    left = [row for row in (contact, original) if row is not None and row.erased_at is None]
    if not left:
        return False
    known = _known(contact, cipher)
    taken: list[str] = []
    if contact is not None and contact.erased_at is None:
        for name in _LOCKED:
            setattr(contact, name, None)
        contact.phone_index = contact.email_index = None
        contact.erased_at = now
        taken.append("contact")
    if original is not None and original.erased_at is None:
        original.body, original.erased_at = None, now
        taken.append("original")
    comment.public_name = ""
    comment.consent_publish_name = comment.consent_publish_org_name = False
    if comment.submitter_kind != SubmitterKind.ORGANISATION.value:
        comment.masked_name = ANONYMOUS
    covered = _cover_words(session, comment, known)
    # A digest of words with a number in them gives the number away; the words are shorter now.
    comment.body_key = comments.body_key(comment.body)
    _drop_notices(session, comment)
    comment.updated_at = now
    events.append(
        session,
        comment,
        NonStateAction.ERASE_PERSONAL_INFO,
        actor,
        now,
        reason=why,
        detail={"what": taken, "covered": covered},
    )
    session.flush()
    return True


def _usable(session: Session, comment: Comment) -> ContactDetails:
    row = session.get(ContactDetails, comment.id)
    if row is None or row.erased_at is not None:
        raise Refused("contact_erased")
    if row.legal_hold:
        raise Refused("contact_on_hold")
    return row


def _checked(typed: Correction, *, has_email: bool) -> tuple[str | None, str | None]:
    errors: dict[str, list[DomainError]] = {}
    contact, address = clean_line(typed.contact), clean_line(typed.email)
    if not contact and not address:
        errors["contact"] = [DomainError("correction_empty", field="contact")]
    email = parse_email(typed.email) if address else None
    if address and email is None:
        errors["email"] = [DomainError("email_malformed", field="email")]
    phone = parse_phone(typed.contact) if contact else None
    if contact and phone is None:
        phone = parse_foreign_phone(typed.contact)
        if phone is None:
            errors["contact"] = [DomainError("contact_malformed", field="contact")]
        elif not has_email and not address:
            errors["contact"] = [DomainError("contact_foreign_needs_email", field="contact")]
    if errors:
        raise FieldErrors(errors)
    return phone, email


# -- covering words that stay ----------------------------------------------------------------------

_Known = tuple[tuple[str, PiiType], ...]


def _known(contact: ContactDetails | None, cipher: FieldCipher | None) -> _Known:
    """Return the person's own data in the clear, longest first, to find it in what they wrote."""
    if contact is None or cipher is None or contact.erased_at is not None:
        return ()
    found: list[tuple[str, PiiType]] = []
    for token, kind in (
        (contact.name, PiiType.NAME),
        (contact.phone, PiiType.MOBILE),
        (contact.email, PiiType.EMAIL),
    ):
        try:
            text = cipher.decrypt(token) if token else ""
        except FieldUnreadableError:
            continue
        if len(text) >= _SHORTEST_NAME:
            found.append((text, kind))
    return tuple(sorted(found, key=lambda one: -len(one[0])))


def _cover_words(session: Session, comment: Comment, known: _Known) -> int:
    """Cover personal data in the words that stay; return how many stretches.

    What is public was looked at by a person, who may have dismissed a finding: there only the submitter's own data
    is covered. What nobody published may hold anything.
    """
    n = 0
    comment.body, found = _covered(comment.body, known, detect=comment.standing != Standing.PUBLIC)
    n += found
    for one in session.scalars(select(Supplement).where(Supplement.comment_id == comment.id)):
        one.text, found = _covered(one.text, known)
        n += found
    for appeal in session.scalars(select(Appeal).where(Appeal.comment_id == comment.id)):
        appeal.text, found = _covered(appeal.text, known)
        n += found
    for rating in session.scalars(select(Rating).where(Rating.comment_id == comment.id)):
        rating.words, found = _covered(rating.words, known)
        n += found
    return n


def _covered(text: str, known: _Known, *, detect: bool = True) -> tuple[str, int]:
    spans: list[Redaction] = []
    if detect:
        spans = [Redaction(one.start, one.end, one.type) for one in find(text) if one.level is not Level.INFO]
    for words, kind in known:
        at = text.find(words)
        while at >= 0:
            end = at + len(words)
            if not any(one.start < end and at < one.end for one in spans):
                spans.append(Redaction(at, end, kind))
            at = text.find(words, end)
    return apply_redactions(text, spans), len(spans)


def _drop_notices(session: Session, comment: Comment) -> None:
    """Nothing more can be sent to somebody whose address is gone."""
    session.execute(
        update(Outbox)
        .where(
            Outbox.comment_id == comment.id,
            Outbox.unit_id.is_(None),
            Outbox.state.in_(("waiting", "phone", "parked")),
        )
        .values(state="dropped", last_error="comment_gone", leased_until=None)
        .execution_options(synchronize_session=False)
    )
