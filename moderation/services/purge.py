"""Erasing names, contacts and originals when the retention time is over (R-48 to R-50).

The time runs from the publication of the results: N months, the day itself to its end. What the law or an open
matter keeps is put on hold instead, which ends its use at once; it is erased by the run after the hold is lifted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from consult.domain.calendar import end_of_day, local_day, purge_last_day
from consult.domain.errors import NotFound, Refused
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Appeal, Comment, CommentOriginal, ContactDetails
from consult.models.consultations import Consultation
from consult.services import events, moves, own_data
from consult.services.events import Actor
from moderation.models import ExportRecord, Supervision
from moderation.services import exports

Opener = Callable[[], AbstractContextManager[Session]]

BATCH = 100
APPEAL, SUPERVISED = "appeal", "supervision"
BY_ITSELF = frozenset({APPEAL, SUPERVISED})
"""Holds that a run sets and lifts by itself; the others are set and lifted by a person."""
HOLD_REASONS = ("litigation", "audit")


@dataclass
class Report:
    """What a run did, or with `dry_run` would do; `held` counts comments by the reason they are kept for."""

    dry_run: bool
    consultations: int = 0
    due: int = 0
    erased: int = 0
    files: int = 0
    held: Mapping[str, int] = field(default_factory=dict)


def run(
    opener: Opener,
    cipher: FieldCipher,
    files: Path,
    now: datetime,
    *,
    dry_run: bool = False,
    batch: int = BATCH,
    progress: Callable[[int], None] = lambda _done: None,
) -> Report:
    """Erase what is due, in batches of one transaction each; safe to interrupt and to run twice.

    `opener` opens writing sessions; with `dry_run` reading ones, and nothing is changed.
    """
    report, held = Report(dry_run), Counter[str]()
    with opener() as session:
        over = _over(session, now)
    report.consultations = len(over)
    after = 0
    while over:
        with opener() as session:
            numbers = _due(session, over, after, batch)
            for comment_id, receipt_no in numbers:
                kept = _one(session, receipt_no, cipher, now, dry_run=dry_run)
                report.due += 1
                if kept:
                    held[kept] += 1
                else:
                    report.erased += 1
                after = comment_id
        if not numbers:
            break
        progress(report.due)
    report.held = dict(sorted(held.items()))
    if report.erased and not dry_run:
        report.files = _drop_files(opener, files, now)
    return report


def hold(session: Session, receipt_no: str, reason: str, actor: Actor, now: datetime) -> None:
    """Keep a comment's personal data beyond its time, for a reason of the list; from now on it is not used (R-49).

    Raises:
        NotFound: no such comment.
        Refused: `hold_reason_unknown`; `contact_erased`, there is nothing to keep.
    """
    if reason not in HOLD_REASONS:
        raise Refused("hold_reason_unknown", field="reason")
    comment = moves.lock(session, receipt_no)
    row = session.get(ContactDetails, comment.id)
    if row is None or row.erased_at is not None:
        raise Refused("contact_erased")
    _set_hold(session, comment, row, reason, actor, now)


def release(session: Session, receipt_no: str, actor: Actor, now: datetime) -> None:
    """Lift a hold; the next run erases what is due by then.

    Raises:
        NotFound: no such comment, or it is not on hold.
    """
    comment = moves.lock(session, receipt_no)
    row = session.get(ContactDetails, comment.id)
    if row is None or not row.legal_hold:
        raise NotFound(object="hold")
    _set_hold(session, comment, row, "", actor, now)


def _over(session: Session, now: datetime) -> tuple[int, ...]:
    """Return the consultations whose retention time is over."""
    rows = session.execute(
        select(Consultation.id, Consultation.feedback_published_at, Consultation.retention_months).where(
            Consultation.feedback_published_at.is_not(None)
        )
    )
    return tuple(
        key
        for key, published_at, months in rows
        if published_at is not None and now >= end_of_day(purge_last_day(local_day(published_at), months))
    )


def _due(session: Session, over: Sequence[int], after: int, batch: int) -> Sequence[tuple[int, str]]:
    left = or_(
        and_(ContactDetails.comment_id.is_not(None), ContactDetails.erased_at.is_(None)),
        and_(CommentOriginal.comment_id.is_not(None), CommentOriginal.erased_at.is_(None)),
    )
    rows = session.execute(
        select(Comment.id, Comment.receipt_no)
        .outerjoin(ContactDetails, ContactDetails.comment_id == Comment.id)
        .outerjoin(CommentOriginal, CommentOriginal.comment_id == Comment.id)
        .where(Comment.consultation_id.in_(over), Comment.id > after, left)
        .order_by(Comment.id)
        .limit(batch)
    )
    return [(row.id, row.receipt_no) for row in rows]


def _one(session: Session, receipt_no: str, cipher: FieldCipher, now: datetime, *, dry_run: bool) -> str:
    """Erase one comment's data; return the reason when it is kept."""
    if dry_run:
        comment = session.scalars(select(Comment).where(Comment.receipt_no == receipt_no)).one()
    else:
        comment = moves.lock(session, receipt_no)
    row = session.get(ContactDetails, comment.id)
    reason = _kept_for(session, comment, row)
    if dry_run:
        return reason
    if row is not None and row.erased_at is None and row.legal_hold != reason:
        _set_hold(session, comment, row, reason, events.SYSTEM, now)
    if not reason:
        own_data.erase(session, comment, events.SYSTEM, now, own_data.RETENTION_ENDED, cipher)
    return reason


def _kept_for(session: Session, comment: Comment, row: ContactDetails | None) -> str:
    if row is not None and row.legal_hold and row.legal_hold not in BY_ITSELF:
        return row.legal_hold
    if session.scalar(select(Appeal.id).where(Appeal.comment_id == comment.id, Appeal.state == "open").limit(1)):
        return APPEAL
    supervised = select(Supervision.id).where(Supervision.comment_id == comment.id, Supervision.closed_at.is_(None))
    return SUPERVISED if session.scalar(supervised.limit(1)) else ""


def _set_hold(
    session: Session, comment: Comment, row: ContactDetails, reason: str, actor: Actor, now: datetime
) -> None:
    before, row.legal_hold = row.legal_hold, reason
    comment.updated_at = now
    kind = "hold_personal_info" if reason else "release_personal_info"
    events.append(session, comment, kind, actor, now, reason=reason or before)
    session.flush()


def _drop_files(opener: Opener, files: Path, now: datetime) -> int:
    """Delete exported files with contact details before their 24 hours are over; their records stay (R-99)."""
    with opener() as session:
        session.execute(
            update(ExportRecord)
            .where(ExportRecord.with_contact, ExportRecord.expires_at > now)
            .values(expires_at=now)
            .execution_options(synchronize_session=False)
        )
    with opener() as session:
        return exports.delete_expired(session, files, now)
