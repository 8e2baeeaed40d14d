"""Tables only staff know: accounts, roles, sessions, two-person decisions, exports, the audit log."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from consult.models.base import Base, Word, words

ROLES = (
    "reviewer",
    "assigner",
    "sign_off_officer",
    "supervisor",
    "unit_officer",
    "unit_leader",
    "sysadmin",
    "security_auditor",
)
URGE_KINDS = (
    "soon",
    "today",
    "overdue",
    "co_soon",
    "co_today",
    "co_overdue",
    "review",
    "route",
    "sign_off",
    "manual",
)
BULK_ACTIONS = ("accept", "accept_and_route", "assign_suggested", "assign", "withhold", "not_accept")
SUPERVISION_CAUSES = ("overdue", "returned_twice", "rejected_twice", "cumulative", "appeal_upheld", "by_hand")


class StaffMember(Base):
    """An account. Two accounts of one natural person share `person_key` (R-95). Disabled, never deleted (R-96)."""

    __tablename__ = "staff_member"
    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    display_name: Mapped[str]
    person_key: Mapped[str] = mapped_column(String(64), index=True)
    password_hash: Mapped[str]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    email: Mapped[bytes | None] = mapped_column(LargeBinary)
    active: Mapped[bool] = mapped_column(default=True)
    must_change_password: Mapped[bool] = mapped_column(default=False)
    shortcuts: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class RoleGrant(Base):
    """A role of an account; `consultation_id` None means every consultation."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(words("role", ROLES), name="role"),
        Index(
            "uq_role_grant_everywhere",
            "staff_id",
            "role",
            unique=True,
            sqlite_where=text("revoked_at IS NULL AND consultation_id IS NULL"),
            postgresql_where=text("revoked_at IS NULL AND consultation_id IS NULL"),
        ),
        Index(
            "uq_role_grant_in_one",
            "staff_id",
            "role",
            "consultation_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL AND consultation_id IS NOT NULL"),
            postgresql_where=text("revoked_at IS NULL AND consultation_id IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    role: Mapped[str] = mapped_column(Word)
    consultation_id: Mapped[int | None] = mapped_column(ForeignKey("consultation.id"))
    granted_by: Mapped[int | None]
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class StaffSession(Base):
    """A signed-in browser; only the digest of its token is kept, and it can be revoked."""

    __tablename__ = "staff_session"
    token_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    address: Mapped[bytes | None] = mapped_column(LargeBinary)


class TwoPersonDecision(Base):
    """A decision one person proposes and another confirms: withholding, not accepting, hiding (R-36, R-39, R-40)."""

    __tablename__ = "two_person_decision"
    __table_args__ = (
        CheckConstraint(words("kind", ("withhold", "not_accept", "emergency_hide")), name="kind"),
        CheckConstraint(words("state", ("proposed", "confirmed", "refused")), name="state"),
        CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> proposed_by OR reason_code = 'submitter_request'",
            name="two_persons",
        ),
        Index(
            "uq_two_person_decision_open",
            "comment_id",
            "kind",
            unique=True,
            sqlite_where=text("state = 'proposed'"),
            postgresql_where=text("state = 'proposed'"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    kind: Mapped[str] = mapped_column(Word)
    reason_code: Mapped[str] = mapped_column(Word)
    note: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(Word, default="proposed")
    proposed_by: Mapped[int]
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[int | None]
    confirmed_at: Mapped[datetime | None]


class FindingDecision(Base):
    """What a reviewer made of one detector finding: false positive with a reason (R-31)."""

    __tablename__ = "finding_decision"
    __table_args__ = (UniqueConstraint("comment_id", "starts", "ends", "kind"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    starts: Mapped[int]
    ends: Mapped[int]
    kind: Mapped[str] = mapped_column(Word)
    reason: Mapped[str]
    made_by: Mapped[int]
    made_at: Mapped[datetime]


class ReturnRequest(Base):
    """A unit asks to hand a comment back; effective only once the assigner approves (R-67, R-68)."""

    __tablename__ = "return_request"
    __table_args__ = (
        CheckConstraint(words("state", ("asked", "approved", "refused")), name="state"),
        Index(
            "uq_return_request_open",
            "assignment_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    reason_code: Mapped[str] = mapped_column(Word)
    explanation: Mapped[str]
    suggested_unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    state: Mapped[str] = mapped_column(Word, default="asked")
    asked_by: Mapped[int]
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(default="")


class ExtensionRequest(Base):
    """A unit asks for the one extension to the 15th working day (R-65, R-66)."""

    __tablename__ = "extension_request"
    __table_args__ = (
        CheckConstraint(words("state", ("asked", "approved", "refused")), name="state"),
        Index(
            "uq_extension_request_open",
            "assignment_id",
            unique=True,
            sqlite_where=text("state = 'asked'"),
            postgresql_where=text("state = 'asked'"),
        ),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    assignment_id: Mapped[int] = mapped_column(ForeignKey("assignment.id"))
    reason: Mapped[str]
    until_working_day: Mapped[int] = mapped_column(default=15)
    state: Mapped[str] = mapped_column(Word, default="asked")
    asked_by: Mapped[int]
    asked_at: Mapped[datetime]
    decided_by: Mapped[int | None]
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str] = mapped_column(default="")


class Urge(Base):
    """One reminder (R-72): at most one a day for a comment, a recipient and a kind, whoever runs the clock and when.

    `recipient` is `unit:<id>`, or the role that is reminded of its own part: reviewer, assigner, sign_off_officer.
    """

    __tablename__ = "urge"
    __table_args__ = (
        CheckConstraint(words("kind", URGE_KINDS), name="kind"),
        UniqueConstraint("comment_id", "recipient", "kind", "on_day"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    recipient: Mapped[str] = mapped_column(Word)
    kind: Mapped[str] = mapped_column(Word)
    on_day: Mapped[date]
    made_by: Mapped[int | None]
    made_at: Mapped[datetime]


class Supervision(Base):
    """A comment put under supervision: why, what the unit's leader answers, until when (R-73).

    `occasion` tells two cases of one cause apart (the number of the routing, a count), so that none opens twice.
    `unit_id` is None while no unit leads the comment; then nobody owes an answer.
    """

    __tablename__ = "supervision"
    __table_args__ = (
        CheckConstraint(words("cause", SUPERVISION_CAUSES), name="cause"),
        UniqueConstraint("comment_id", "cause", "occasion"),
        Index("ix_supervision_closed_at", "closed_at", "opened_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"))
    assignment_id: Mapped[int | None] = mapped_column(ForeignKey("assignment.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)
    cause: Mapped[str] = mapped_column(Word)
    occasion: Mapped[str] = mapped_column(Word, default="")
    reason: Mapped[str] = mapped_column(default="")
    opened_by: Mapped[int | None]
    opened_at: Mapped[datetime]
    answer_due_on: Mapped[date | None]
    answer: Mapped[str] = mapped_column(default="")
    promised_on: Mapped[date | None]
    answered_by: Mapped[int | None]
    answered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class RefusedReply(Base):
    """A reply refused as boilerplate before it went to sign-off (R-78); counted per unit, its text is not kept."""

    __tablename__ = "refused_reply"
    id: Mapped[int] = mapped_column(primary_key=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comment.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    staff_id: Mapped[int]
    at: Mapped[datetime]


class PendingBulk(Base):
    """One decision on several comments that waits to take effect, so that it can still be undone.

    `rows` holds the 编号 and the version each was seen at; `results`, in the same order and as far as it has come,
    the code of the refusal of each, or an empty text. Neither holds personal data.
    """

    __tablename__ = "pending_bulk"
    __table_args__ = (
        CheckConstraint(words("action", BULK_ACTIONS), name="action"),
        CheckConstraint(words("state", ("waiting", "running", "done", "undone")), name="state"),
        Index("ix_pending_bulk_state_takes_effect_at", "state", "takes_effect_at"),
        Index("ix_pending_bulk_staff_id_asked_at", "staff_id", "asked_at"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    action: Mapped[str] = mapped_column(Word)
    reason_code: Mapped[str] = mapped_column(Word, default="")
    unit_code: Mapped[str] = mapped_column(Word, default="")
    rows: Mapped[list[Any]] = mapped_column(default=list)
    results: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[str] = mapped_column(Word, default="waiting")
    asked_at: Mapped[datetime]
    takes_effect_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class SavedFilter(Base):
    """A filter of the queue somebody keeps under a name of their own."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("staff_id", "name"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_member.id"))
    name: Mapped[str] = mapped_column(Word)
    criteria: Mapped[dict[str, Any]] = mapped_column(default=dict)
    saved_at: Mapped[datetime]


class ExportRecord(Base):
    """One export: who, why, what, when, how many rows, which file; kept three years (R-99)."""

    __tablename__ = "export_record"
    __table_args__ = (CheckConstraint(words("format", ("xlsx", "csv", "json", "docx")), name="format"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_member.id"), index=True)
    table_name: Mapped[str] = mapped_column(Word)
    format: Mapped[str] = mapped_column(Word)
    criteria: Mapped[dict[str, Any]] = mapped_column(default=dict)
    with_contact: Mapped[bool] = mapped_column(default=False)
    purpose: Mapped[str] = mapped_column(default="")
    as_of: Mapped[datetime]
    asked_at: Mapped[datetime]
    rows: Mapped[int | None]
    sha256: Mapped[str] = mapped_column(String(64), default="")
    file_name: Mapped[str] = mapped_column(default="")
    stored_as: Mapped[str] = mapped_column(String(80), default="")
    finished_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class AuditChain(Base):
    """The head of one actor's chain; chain 0 is everybody who is not signed in."""

    __tablename__ = "audit_chain"
    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(default=0)
    head: Mapped[str] = mapped_column(String(64), default="")


class AuditEvent(Base):
    """What staff did outside a comment's own log: sign-ins, grants, exports, refused tries (R-98).

    Chained per actor; the address is encrypted. Append-only like `comment_event`.
    """

    __tablename__ = "audit_event"
    __table_args__ = (UniqueConstraint("chain", "seq"), Index("ix_audit_event_at", "at"))
    id: Mapped[int] = mapped_column(primary_key=True)
    chain: Mapped[int]
    seq: Mapped[int]
    at: Mapped[datetime]
    actor_id: Mapped[int | None]
    actor_role: Mapped[str] = mapped_column(Word, default="")
    action: Mapped[str] = mapped_column(Word)
    object_kind: Mapped[str] = mapped_column(Word, default="")
    object_ref: Mapped[str] = mapped_column(Word, default="")
    result: Mapped[str] = mapped_column(Word, default="done")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_digest: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
