"""Comments, their contact details, their log, their assignments and replies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from consult.models.base import Base, UtcDateTime, Word, words

HANDLING_STATES = (
    "pending_review",
    "awaiting_supplement",
    "accepted",
    "to_assign",
    "assigned",
    "in_progress",
    "return_requested",
    "pending_sign_off",
    "replied",
    "closed",
    "merged",
    "withdrawn",
)
PUBLICITIES = ("pending", "full", "redacted", "withheld")
STANDINGS = ("withdrawn", "not_accepted", "channel_notice", "withheld", "public", "waiting")
CLOSED_AS = ("", "answered", "not_accepted", "channel_notice")
SUBMITTER_KINDS = ("individual", "organisation")
SOURCES = ("resident", "enterprise", "delegate", "expert", "department")
CHANNELS = ("web", "paper", "phone", "meeting")
OUTCOMES = ("adopted", "partly_adopted", "not_adopted", "explained", "reference")
REPLY_STATES = ("drafting", "pending_leader", "pending_sign_off", "rejected", "published", "superseded")
ACTOR_KINDS = ("public", "staff", "system")
APPEAL_KINDS = ("withhold", "not_accept", "reply")
APPEAL_STATES = ("open", "upheld", "refused", "lapsed")
SATISFACTIONS = ("satisfied", "basically", "dissatisfied")


class Comment(Base):
    """One comment as it stands now; how it came here is in `comment_event`.

    `body` is what staff read and, once accepted, what the public may see: after a redaction it is the
    redacted text, and the original lies encrypted in `comment_original` (R-30). `standing` is the
    settled counting bucket, kept by the services through `domain.comment_states.standing`.
    """

    __tablename__ = "comment"
    __table_args__ = (
        CheckConstraint(words("handling_state", HANDLING_STATES), name="handling_state"),
        CheckConstraint(words("publicity", PUBLICITIES), name="publicity"),
        CheckConstraint(words("standing", STANDINGS), name="standing"),
        CheckConstraint(words("closed_as", CLOSED_AS), name="closed_as"),
        CheckConstraint(words("submitter_kind", SUBMITTER_KINDS), name="submitter_kind"),
        CheckConstraint(words("source", SOURCES), name="source"),
        CheckConstraint(words("channel", CHANNELS), name="channel"),
        CheckConstraint("outcome IS NULL OR " + words("outcome", OUTCOMES), name="outcome"),
        # Nothing unreviewed is ever public, whatever the code above believes.
        CheckConstraint(
            "standing <> 'public' OR (handling_state NOT IN ('pending_review','awaiting_supplement','withdrawn')"
            " AND publicity IN ('full','redacted') AND hidden_at IS NULL)",
            name="public_is_reviewed",
        ),
        CheckConstraint("merged_into_id IS NULL OR merged_into_id <> id", name="not_into_itself"),
        UniqueConstraint("consultation_id", "serial"),
        Index(
            "ix_comment_public_table",
            "consultation_id",
            "standing",
            "submitted_at",
            "id",
        ),
        Index("ix_comment_by_section", "section_id", "standing", "submitted_at", "id"),
        Index("ix_comment_queue", "consultation_id", "handling_state", "submitted_at", "id"),
        Index("ix_comment_lead_state", "lead_unit_id", "handling_state", "reply_due_on", "id"),
        Index("ix_comment_public_unit", "consultation_id", "standing", "lead_unit_id", "submitted_at", "id"),
        Index("ix_comment_replied_at_id", "replied_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"))
    received_in_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"), index=True)
    serial: Mapped[int]
    receipt_no: Mapped[str] = mapped_column(String(24), unique=True)
    query_code_digest: Mapped[str] = mapped_column(String(64), unique=True)
    submission_key: Mapped[str] = mapped_column(String(64), unique=True)

    handling_state: Mapped[str] = mapped_column(Word, default="pending_review")
    publicity: Mapped[str] = mapped_column(Word, default="pending")
    standing: Mapped[str] = mapped_column(Word, default="waiting")
    closed_as: Mapped[str] = mapped_column(Word, default="")
    hidden_at: Mapped[datetime | None]
    withhold_reason: Mapped[str] = mapped_column(Word, default="")
    sealed: Mapped[bool] = mapped_column(default=False)

    section_id: Mapped[int | None] = mapped_column(ForeignKey("section.id"))
    section_version_id: Mapped[int | None] = mapped_column(ForeignKey("section_version.id"), index=True)
    block_key: Mapped[str] = mapped_column(Word, default="")
    quote: Mapped[str] = mapped_column(default="")
    quote_prefix: Mapped[str] = mapped_column(default="")
    quote_suffix: Mapped[str] = mapped_column(default="")
    quote_start: Mapped[int | None]
    item_id: Mapped[int | None] = mapped_column(ForeignKey("plan_item.id"), index=True)

    body: Mapped[str]
    body_key: Mapped[str] = mapped_column(String(64), index=True)
    submitter_kind: Mapped[str] = mapped_column(Word)
    source: Mapped[str] = mapped_column(Word, default="resident")
    channel: Mapped[str] = mapped_column(Word, default="web")
    masked_name: Mapped[str]
    public_name: Mapped[str] = mapped_column(default="")
    age_statement: Mapped[str] = mapped_column(Word)
    notice_version: Mapped[str] = mapped_column(Word)
    consent_processing: Mapped[bool]
    consent_publish_name: Mapped[bool] = mapped_column(default=False)
    consent_publish_org_name: Mapped[bool] = mapped_column(default=False)
    consented_at: Mapped[datetime]
    flags: Mapped[list[Any]] = mapped_column(default=list)
    has_third_party: Mapped[bool] = mapped_column(default=False)

    submitted_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[int | None]
    review_due_on: Mapped[date | None]
    supplement_due_on: Mapped[date | None]
    supplements_asked: Mapped[int] = mapped_column(default=0)
    claimed_by: Mapped[int | None]
    claimed_until: Mapped[datetime | None]

    suggested_lead_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    assigned_at: Mapped[datetime | None]
    reply_due_on: Mapped[date | None]
    return_count: Mapped[int] = mapped_column(default=0)
    rejection_count: Mapped[int] = mapped_column(default=0)
    outcome: Mapped[str | None] = mapped_column(Word)
    replied_at: Mapped[datetime | None]
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    split_from_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    event_seq: Mapped[int] = mapped_column(default=0)
    event_head: Mapped[str] = mapped_column(String(64), default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime())
    __mapper_args__ = {"version_id_col": version}


class ContactDetails(Base):
    """Name and contact, encrypted, in a table of their own so that they can be forgotten (R-48).

    The index columns are keyed digests for look-up; they say nothing without the key.
    """

    __tablename__ = "contact_details"
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), primary_key=True, autoincrement=False)
    name: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    organisation: Mapped[bytes | None] = mapped_column(LargeBinary)
    credit_code: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[str | None] = mapped_column(String(64), index=True)
    email_index: Mapped[str | None] = mapped_column(String(64), index=True)
    email_declined: Mapped[bool] = mapped_column(default=False)
    legal_hold: Mapped[str] = mapped_column(default="")
    erased_at: Mapped[datetime | None]


class CommentOriginal(Base):
    """The words before a redaction, encrypted; purged with the contact details (R-30, R-48)."""

    __tablename__ = "comment_original"
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), primary_key=True, autoincrement=False)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    erased_at: Mapped[datetime | None]


class Supplement(Base):
    """What a submitter adds: asked for by a reviewer (T03, T04) or unasked; appended, never overwriting."""

    __tablename__ = "supplement"
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    points: Mapped[str] = mapped_column(default="")
    asked_by: Mapped[int | None]
    asked_at: Mapped[datetime | None]
    due_on: Mapped[date | None]
    text: Mapped[str] = mapped_column(default="")
    given_at: Mapped[datetime | None]


class Redaction(Base):
    """One covered stretch of the original, in code points, half open (R-30)."""

    __tablename__ = "redaction"
    __table_args__ = (CheckConstraint("ends > starts", name="span"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    starts: Mapped[int]
    ends: Mapped[int]
    kind: Mapped[str] = mapped_column(Word)
    reason: Mapped[str] = mapped_column(default="")
    made_by: Mapped[int]
    made_at: Mapped[datetime]


class CommentEvent(Base):
    """One step in a comment's life; append-only, chained per comment.

    Triggers refuse UPDATE, DELETE, TRUNCATE and replacement on both stores. No personal data, no comment text.
    """

    __tablename__ = "comment_event"
    __table_args__ = (
        CheckConstraint(words("actor_kind", ACTOR_KINDS), name="actor_kind"),
        UniqueConstraint("comment_id", "seq"),
        Index("ix_comment_event_at", "at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(Word)
    before: Mapped[str] = mapped_column(Word, default="")
    after: Mapped[str] = mapped_column(Word, default="")
    actor_kind: Mapped[str] = mapped_column(Word)
    actor_id: Mapped[int | None]
    actor_role: Mapped[str] = mapped_column(Word, default="")
    reason: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class LegalTransition(Base):
    """The moves of the state table (T01 to T35); a trigger refuses any other change of `handling_state` (R-90)."""

    __tablename__ = "legal_transition"
    before: Mapped[str] = mapped_column(Word, primary_key=True)
    after: Mapped[str] = mapped_column(Word, primary_key=True)


class EventSeal(Base):
    """A digest over the heads of all chains at one moment, made by the sealer at intervals."""

    __tablename__ = "event_seal"
    id: Mapped[int] = mapped_column(primary_key=True)
    sealed_at: Mapped[datetime]
    last_event_id: Mapped[int]
    chains: Mapped[int]
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))


class Assignment(Base):
    """One routing of a comment to its lead unit; at most one is in force (R-55)."""

    __tablename__ = "assignment"
    __table_args__ = (
        Index(
            "uq_assignment_in_force",
            "comment_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        UniqueConstraint("comment_id", "number"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    number: Mapped[int]
    lead_unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    designated: Mapped[bool] = mapped_column(default=False)
    basis: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    assigned_by: Mapped[int | None]
    assigned_at: Mapped[datetime]
    receipt_due_on: Mapped[date | None]
    return_due_on: Mapped[date | None]
    reply_due_on: Mapped[date | None]
    pending_year: Mapped[int | None]
    extended_due_on: Mapped[date | None]
    receipted_at: Mapped[datetime | None]
    receipted_by: Mapped[int | None]
    auto_receipt: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None]
    closed_why: Mapped[str] = mapped_column(Word, default="")


class CoAssignment(Base):
    """A co-unit of an assignment and its feedback (R-55, R-74)."""

    __tablename__ = "co_assignment"
    __table_args__ = (UniqueConstraint("assignment_id", "unit_id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    due_on: Mapped[date | None]
    feedback: Mapped[str] = mapped_column(default="")
    feedback_by: Mapped[int | None]
    feedback_at: Mapped[datetime | None]


class ClockPause(Base):
    """A stretch during which the lead unit's clock stands still (R-71)."""

    __tablename__ = "clock_pause"
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"), index=True)
    kind: Mapped[str] = mapped_column(Word)
    paused_at: Mapped[datetime]
    resumed_at: Mapped[datetime | None]


class Reply(Base):
    """One version of a reply, from the first draft to the correction after publication (R-75 to R-83)."""

    __tablename__ = "reply"
    __table_args__ = (
        CheckConstraint(words("state", REPLY_STATES), name="state"),
        CheckConstraint("outcome IS NULL OR " + words("outcome", OUTCOMES), name="outcome"),
        CheckConstraint("state <> 'published' OR (outcome IS NOT NULL AND published_at IS NOT NULL)", name="complete"),
        UniqueConstraint("comment_id", "revision"),
        Index(
            "uq_reply_published",
            "comment_id",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"), index=True)
    revision: Mapped[int]
    state: Mapped[str] = mapped_column(Word, default="drafting")
    outcome: Mapped[str | None] = mapped_column(Word)
    body: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    draft_location: Mapped[str] = mapped_column(default="")
    location_section_key: Mapped[str] = mapped_column(Word, default="")
    location_version: Mapped[int | None]
    lead_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    drafted_by: Mapped[int | None]
    drafted_at: Mapped[datetime]
    approved_by: Mapped[int | None]
    approved_at: Mapped[datetime | None]
    approval_note: Mapped[str] = mapped_column(default="")
    sign_off_due_on: Mapped[date | None]
    signed_off_by: Mapped[int | None]
    signed_off_at: Mapped[datetime | None]
    rejection: Mapped[str] = mapped_column(default="")
    published_at: Mapped[datetime | None]
    correction_note: Mapped[str] = mapped_column(default="")
    individual_note: Mapped[str] = mapped_column(default="")


class Appeal(Base):
    """The one objection a submitter may raise to a decision (R-37), or to a reply (T23); never published.

    `decision_seq` is the number of the event that decided; it tells two decisions of one kind apart.
    """

    __tablename__ = "appeal"
    __table_args__ = (
        CheckConstraint(words("kind", APPEAL_KINDS), name="kind"),
        CheckConstraint(words("state", APPEAL_STATES), name="state"),
        UniqueConstraint("comment_id", "kind", "decision_seq"),
        Index("ix_appeal_state_due_on", "state", "due_on", "id"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    kind: Mapped[str] = mapped_column(Word)
    decision_seq: Mapped[int]
    text: Mapped[str]
    state: Mapped[str] = mapped_column(Word, default="open")
    asked_at: Mapped[datetime]
    due_on: Mapped[date | None]
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(default="")


class Rating(Base):
    """What a submitter thinks of a reply: once for each published version, never published itself.

    `unit_id` is the unit that answered, so that satisfaction is counted where the reply was written.
    """

    __tablename__ = "rating"
    __table_args__ = (CheckConstraint(words("score", SATISFACTIONS), name="score"), UniqueConstraint("reply_id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    reply_id: Mapped[int] = mapped_column(ForeignKey("reply.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    score: Mapped[str] = mapped_column(Word)
    words: Mapped[str] = mapped_column(default="")
    rated_at: Mapped[datetime]


class CommentTally(Base):
    """How many comments stand where, per section and block: the one source of every public count."""

    __tablename__ = "comment_tally"
    __table_args__ = (CheckConstraint("n >= 0", name="never_negative"), {"sqlite_with_rowid": False})
    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultation.id"), primary_key=True, autoincrement=False)
    section_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # 0: the whole report
    block_key: Mapped[str] = mapped_column(Word, primary_key=True)
    standing: Mapped[str] = mapped_column(Word, primary_key=True)
    n: Mapped[int] = mapped_column(default=0)


class Outbox(Base):
    """A notice to be sent, written in the transaction that causes it; it holds no address and no comment text."""

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint(words("state", ("waiting", "sent", "parked", "phone", "dropped")), name="state"),
        Index("ix_outbox_state_due_at", "state", "due_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    message_key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[str] = mapped_column(Word)
    comment_id: Mapped[int | None] = mapped_column(ForeignKey("comment.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(Word, default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(Word, default="")


class Job(Base):
    """Work done by the background worker: claimed by lease, with progress, taken over when a worker dies."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint(words("state", ("waiting", "running", "done", "failed", "cancelled")), name="state"),
        Index("ix_job_state_created_at", "state", "created_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Word)
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(Word, default="waiting")
    asked_by: Mapped[int | None]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    leased_until: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(Word, default="")
