"""Storing a comment: one durable transaction for the comment, its contact details, its event and its receipt mail."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consult.domain.anchors import Quote, place_quote
from consult.domain.calendar import WorkCalendar, local_day, review_due
from consult.domain.comment_states import CommentState, Publicity, Standing
from consult.domain.comments import NewComment, SubmitterKind
from consult.domain.errors import CalendarPending, DomainError, FieldErrors, NotFound
from consult.domain.names import mask_name, organisation_label
from consult.domain.periods import ConsultationState, ensure_open, opening_window
from consult.domain.public_codes import format_receipt_no
from consult.models.comments import Comment, Outbox
from consult.models.consultations import Block, Consultation, DraftVersion, Section, SectionVersion
from consult.services import contacts, events, tallies
from consult.services.contacts import Vault


@dataclass(frozen=True)
class Place:
    """What a comment is about, as the form names it; all empty means the whole report.

    `version` is the draft version the visitor read, None for the current one (R-11).
    """

    slug: str
    section: str = ""
    block: str = ""
    quote: str = ""
    version: int | None = None


@dataclass(frozen=True)
class Codes:
    """What identifies a submission: the key that makes it idempotent (R-18) and the digest of its 查询码 (R-20)."""

    submission_key: str
    query_code_digest: str


@dataclass(frozen=True)
class Stored:
    """A stored comment; `again` tells that it had been stored before under the same submission key."""

    receipt_no: str
    submission_key: str
    again: bool = False


@dataclass(frozen=True)
class _Located:
    section_id: int | None = None
    section_version_id: int | None = None
    block_key: str = ""
    quote: Quote | None = None


def find_submission(session: Session, submission_key: str, *, body: str | None = None) -> Stored | None:
    """Return the comment already stored under a submission key, with the same words when `body` is given."""
    asked = select(Comment.receipt_no).where(Comment.submission_key == submission_key)
    receipt_no = session.scalar(asked if body is None else asked.where(Comment.body == body))
    return None if receipt_no is None else Stored(receipt_no, submission_key, again=True)


def submit(
    session: Session,
    place: Place,
    new: NewComment,
    codes: Codes,
    vault: Vault,
    calendar: WorkCalendar,
    now: datetime,
    *,
    flags: tuple[str, ...] = (),
    language: str = "zh-Hans",
) -> Stored:
    """Store a comment that passed the form and its challenge.

    The same submission key a second time returns the first receipt (R-18).

    Raises:
        NotFound: there is no published consultation of that slug.
        PeriodClosed: comments are not taken now (R-04, R-05).
        FieldErrors: the section is unknown, or the quoted words do not stand in it.
    """
    consultation = session.scalar(
        select(Consultation).where(Consultation.slug == place.slug, Consultation.stage != "draft")
    )
    if consultation is None:
        raise NotFound(object="consultation")
    if consultation.terminated_at is not None:
        raise NotFound(object="consultation")
    ensure_open(
        ConsultationState(consultation.stage), opening_window(consultation.starts_on, consultation.ends_on), now
    )
    located = locate(session, consultation.id, place)
    serial = _take_serial(session, consultation.id)
    # Asked only now: whoever holds the consultation's row sees every submission before this one.
    before = find_submission(session, codes.submission_key)
    if before is not None:
        return before
    comment = _new_comment(consultation, serial, located, new, codes, calendar, now, flags)
    event = events.start_chain(
        comment,
        events.PUBLIC,
        now,
        {
            "transition": "T01",
            "section": place.section,
            "block": located.block_key,
            "section_version": located.section_version_id,
            "notice_version": consultation.notice_version,
            "consent_processing": True,
            "consent_publish_name": new.consent_publish_name,
            "consent_publish_org_name": new.consent_publish_org_name,
            "channel": "web",
        },
    )
    session.add(comment)
    session.flush()
    event.comment_id = comment.id
    session.add(event)
    contacts.store(session, comment.id, new.contact, vault)
    tallies.shift(session, comment, None, Standing.WAITING)
    session.add(
        Outbox(
            message_key=f"receipt:{comment.receipt_no}",
            kind="receipt",
            comment_id=comment.id,
            params={"language": language},
            state="waiting" if new.contact.email else "phone",
            created_at=now,
            due_at=now,
        )
    )
    session.flush()
    return Stored(comment.receipt_no, codes.submission_key)


def body_key(body: str) -> str:
    """Return a digest that is equal for texts that differ only in width, case, space and punctuation."""
    folded = unicodedata.normalize("NFKC", body).casefold()
    kept = "".join(char for char in folded if char.isalnum())
    return hashlib.sha256(kept.encode("utf-8", "surrogatepass")).hexdigest()


def _new_comment(
    consultation: Consultation,
    serial: int,
    located: _Located,
    new: NewComment,
    codes: Codes,
    calendar: WorkCalendar,
    now: datetime,
    flags: tuple[str, ...],
) -> Comment:
    quote = located.quote or Quote("")
    masked, public = _names(new)
    organisation = new.submitter_kind is SubmitterKind.ORGANISATION
    return Comment(
        consultation_id=consultation.id,
        received_in_id=consultation.id,
        serial=serial,
        receipt_no=format_receipt_no(consultation.short_code, serial),
        query_code_digest=codes.query_code_digest,
        submission_key=codes.submission_key,
        handling_state=CommentState.PENDING_REVIEW,
        publicity=Publicity.PENDING,
        standing=Standing.WAITING,
        closed_as="",
        section_id=located.section_id,
        section_version_id=located.section_version_id,
        block_key=located.block_key,
        quote=quote.exact,
        quote_prefix=quote.prefix,
        quote_suffix=quote.suffix,
        quote_start=quote.start,
        body=new.body,
        body_key=body_key(new.body),
        submitter_kind=new.submitter_kind,
        source="enterprise" if organisation else "resident",
        channel="web",
        masked_name=masked,
        public_name=public,
        age_statement=new.age_statement,
        notice_version=consultation.notice_version,
        consent_processing=True,
        consent_publish_name=new.consent_publish_name,
        consent_publish_org_name=new.consent_publish_org_name,
        consented_at=now,
        flags=list(flags),
        submitted_at=now,
        updated_at=now,
        review_due_on=_review_due(calendar, now),
    )


def _names(new: NewComment) -> tuple[str, str]:
    """Return the masked name and, with the submitter's consent, the full one (R-23, R-45, R-46)."""
    if new.submitter_kind is SubmitterKind.ORGANISATION:
        label = organisation_label(new.contact.organisation, new.contact.credit_code)
        return label, (new.contact.organisation or "") if new.consent_publish_org_name else ""
    return mask_name(new.contact.name), new.contact.name if new.consent_publish_name else ""


def _take_serial(session: Session, consultation_id: int) -> int:
    """Take the next serial in the comment's own transaction; gaps are allowed, repetition is not."""
    return (
        session.execute(
            update(Consultation)
            .where(Consultation.id == consultation_id)
            .values(next_serial=Consultation.next_serial + 1)
            .returning(Consultation.next_serial)
            .execution_options(synchronize_session=False)
        ).scalar_one()
        - 1
    )


def _review_due(calendar: WorkCalendar, now: datetime) -> date | None:
    try:
        return review_due(calendar, local_day(now))
    except CalendarPending:
        return None


def locate(session: Session, consultation_id: int, place: Place) -> _Located:
    """Find the section version, the block and the quoted words a comment names (R-11).

    Raises:
        FieldErrors: an unknown section, or words that do not stand there.
    """
    if not place.section:
        return _Located()
    if "\x00" in place.section + place.block:  # PostgreSQL takes no NUL in a text
        raise FieldErrors({"section": [DomainError("section_unknown", field="section")]})
    row = session.execute(
        select(SectionVersion.id, SectionVersion.section_id)
        .join(Section, Section.id == SectionVersion.section_id)
        .join(DraftVersion, DraftVersion.id == SectionVersion.draft_version_id)
        .where(
            Section.consultation_id == consultation_id,
            Section.key == place.section,
            DraftVersion.state == "published",
            *([DraftVersion.number == place.version] if place.version is not None else []),
        )
        .order_by(DraftVersion.number.desc())
        .limit(1)
    ).first()
    if row is None:
        raise FieldErrors({"section": [DomainError("section_unknown", field="section")]})
    blocks = session.execute(
        select(Block.key, Block.text)
        .where(Block.section_version_id == row.id, *([Block.key == place.block] if place.block else []))
        .order_by(Block.position)
    ).all()
    if place.block and not blocks:
        raise FieldErrors({"section": [DomainError("block_unknown", field="section")]})
    if not place.quote:
        return _Located(row.section_id, row.id, place.block)
    for key, text in blocks:
        placed = place_quote(text, Quote(place.quote))
        if placed is not None:
            return _Located(row.section_id, row.id, key, placed.quote)
    raise FieldErrors({"quote": [DomainError("quote_not_found", field="quote")]})
