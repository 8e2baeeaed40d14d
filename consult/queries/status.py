"""What the submitter sees of their own comment, found by the digest of their 查询码 (R-19 to R-21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar
from consult.models.comments import (
    Appeal,
    Assignment,
    CoAssignment,
    Comment,
    CommentEvent,
    ContactDetails,
    Rating,
    Reply,
    Supplement,
)
from consult.models.consultations import Consultation, Section, SectionVersion
from consult.models.plan import Unit
from consult.queries.appeals import Appealable, in_force
from consult.queries.contacts import Cipher, ContactShown, decrypted
from consult.queries.published import shown


@dataclass(frozen=True)
class Step:
    """One event, for the timeline."""

    kind: str
    after: str
    at: datetime
    detail: dict[str, Any]


@dataclass(frozen=True)
class OwnReply:
    """A published version of the reply."""

    unit: str
    outcome: str
    body: str
    reason: str
    location: str
    individual_note: str
    correction_note: str
    published_at: datetime
    current: bool


@dataclass(frozen=True)
class OwnAppeal:
    """An objection raised before, and what became of it."""

    kind: str
    state: str
    text: str
    asked_at: datetime
    due_on: date | None
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True)
class Rights:
    """What the holder of the 查询码 may do besides withdrawing.

    `asked_points` are what a reviewer asked for, with its last day; empty when nothing is asked. `erased` tells that
    no contact details are left, `on_hold` that they are only kept (R-49).
    """

    asked_points: str = ""
    asked_until: date | None = None
    appeals: tuple[OwnAppeal, ...] = ()
    appealable: tuple[Appealable, ...] = ()
    rating: str = ""
    erased: bool = False
    on_hold: bool = False


@dataclass(frozen=True)
class OwnComment:
    """Everything the holder of the 查询码 may see; contact details are read one by one elsewhere."""

    id: int
    receipt_no: str
    slug: str
    consultation_title: str
    handling_state: str
    publicity: str
    closed_as: str
    withhold_reason: str
    body: str
    masked_name: str
    public_name: str
    submitted_at: datetime
    section_key: str
    section_heading: str
    block_key: str
    quote: str
    lead_unit: str
    co_units: tuple[str, ...]
    reply_due_on: date | None
    pending_year: int | None
    merged_into: str
    steps: tuple[Step, ...]
    replies: tuple[OwnReply, ...]
    version: int


def by_code(session: Session, digest: str) -> OwnComment | None:
    """Return the comment of a 查询码; one indexed query decides, whatever was typed (R-21)."""
    comment = session.scalar(select(Comment).where(Comment.query_code_digest == digest))
    return None if comment is None else _own(session, comment)


def by_receipt_no(session: Session, receipt_no: str) -> OwnComment | None:
    """Return a comment whose holder has shown the 查询码 a moment ago."""
    comment = session.scalar(select(Comment).where(Comment.receipt_no == receipt_no))
    return None if comment is None else _own(session, comment)


def rights(session: Session, comment_id: int, calendar: WorkCalendar) -> Rights:
    """Return what can be done with a comment by its 查询码 now (R-37, R-52, R-71)."""
    comment = session.get_one(Comment, comment_id)
    asked = None
    if comment.handling_state == "awaiting_supplement":
        asked = session.scalar(
            select(Supplement)
            .where(Supplement.comment_id == comment_id, Supplement.given_at.is_(None))
            .order_by(Supplement.id.desc())
            .limit(1)
        )
    contact = session.get(ContactDetails, comment_id)
    rating = session.scalar(
        select(Rating.score)
        .join(Reply, Reply.id == Rating.reply_id)
        .where(Reply.comment_id == comment_id, Reply.state == "published")
    )
    before = session.execute(
        select(
            Appeal.kind,
            Appeal.state,
            Appeal.text,
            Appeal.asked_at,
            Appeal.due_on,
            Appeal.decided_at,
            Appeal.decision_reason,
        )
        .where(Appeal.comment_id == comment_id)
        .order_by(Appeal.id)
    )
    return Rights(
        asked_points=asked.points if asked else "",
        asked_until=asked.due_on if asked else None,
        appeals=tuple(OwnAppeal(*row) for row in before),
        appealable=in_force(session, comment, calendar),
        rating=rating or "",
        erased=contact is None or contact.erased_at is not None,
        on_hold=contact is not None and contact.legal_hold != "",
    )


def held(session: Session, comment_id: int, cipher: Cipher) -> ContactShown | None:
    """Return the contact details of a comment, None when they are erased."""
    row = session.get(ContactDetails, comment_id)
    if row is None or row.erased_at is not None:
        return None
    return decrypted(row, cipher)


def query_code_digest(session: Session, receipt_no: str) -> str:
    """Return the digest of the 查询码 in force, to compare one that is shown again."""
    return session.scalar(select(Comment.query_code_digest).where(Comment.receipt_no == receipt_no)) or ""


@dataclass(frozen=True)
class ReceiptFacts:
    """What the receipt page needs besides the 查询码."""

    receipt_no: str
    submitted_at: datetime
    masked_name: str
    public_name: str
    section_key: str
    section_heading: str
    block_key: str
    review_due_on: date | None


def receipt(session: Session, submission_key: str) -> ReceiptFacts | None:
    """Return the comment stored under a submission key, for its receipt."""
    row = session.execute(
        select(Comment, Section.key, SectionVersion.heading)
        .outerjoin(Section, Section.id == Comment.section_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .where(Comment.submission_key == submission_key)
    ).first()
    if row is None:
        return None
    comment, key, heading = row
    return ReceiptFacts(
        comment.receipt_no,
        comment.submitted_at,
        comment.masked_name,
        comment.public_name,
        key or "",
        heading or "",
        comment.block_key,
        comment.review_due_on,
    )


def _own(session: Session, comment: Comment) -> OwnComment:
    place = session.execute(
        select(Consultation.slug, Consultation.title, Section.key, SectionVersion.heading, Unit.short_name)
        .select_from(Comment)
        .join(Consultation, Consultation.id == Comment.consultation_id)
        .outerjoin(Section, Section.id == Comment.section_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .outerjoin(Unit, Unit.id == Comment.lead_unit_id)
        .where(Comment.id == comment.id)
    ).one()
    assignment = session.scalar(
        select(Assignment).where(Assignment.comment_id == comment.id, Assignment.closed_at.is_(None))
    )
    co_units = (
        tuple(
            session.scalars(
                select(Unit.short_name)
                .join(CoAssignment, CoAssignment.unit_id == Unit.id)
                .where(CoAssignment.assignment_id == assignment.id)
                .order_by(CoAssignment.position)
            )
        )
        if assignment
        else ()
    )
    steps = session.execute(
        select(CommentEvent.kind, CommentEvent.after, CommentEvent.at, CommentEvent.detail)
        .where(CommentEvent.comment_id == comment.id)
        .order_by(CommentEvent.seq)
    )
    replies = session.execute(
        select(Reply, Unit.short_name)
        .outerjoin(Unit, Unit.id == Reply.lead_unit_id)
        .where(Reply.comment_id == comment.id, Reply.published_at.is_not(None))
        .order_by(Reply.revision)
    )
    primary = (
        session.scalar(select(Comment.receipt_no).where(Comment.id == comment.merged_into_id))
        if comment.merged_into_id
        else None
    )
    return OwnComment(
        id=comment.id,
        receipt_no=comment.receipt_no,
        slug=place[0],
        consultation_title=place[1],
        handling_state=comment.handling_state,
        publicity=comment.publicity,
        closed_as=comment.closed_as,
        withhold_reason=comment.withhold_reason,
        body=shown(comment.body),
        masked_name=comment.masked_name,
        public_name=comment.public_name,
        submitted_at=comment.submitted_at,
        section_key=place[2] or "",
        section_heading=place[3] or "",
        block_key=comment.block_key,
        quote=comment.quote,
        lead_unit=place[4] or "",
        co_units=co_units,
        reply_due_on=comment.reply_due_on,
        pending_year=assignment.pending_year if assignment else None,
        merged_into=primary or "",
        steps=tuple(Step(kind, after, at, detail) for kind, after, at, detail in steps),
        replies=tuple(
            OwnReply(
                unit or "",
                one.outcome or "",
                one.body,
                one.reason,
                one.draft_location,
                one.individual_note,
                one.correction_note,
                one.published_at or one.drafted_at,
                one.state == "published",
            )
            for one, unit in replies
        ),
        version=comment.version,
    )
