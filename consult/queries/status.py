"""What the submitter sees of their own comment, found by the digest of their 查询码 (R-19 to R-21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.models.comments import Assignment, CoAssignment, Comment, CommentEvent, Reply
from consult.models.consultations import Consultation, Section, SectionVersion
from consult.models.plan import Unit
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
