"""Reading the audit log and the logs of comments, newest first, in pages that begin where the last one ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from consult.models.comments import Comment, CommentEvent
from moderation.domain.accounts import fold_username
from moderation.models import AuditEvent, StaffMember

PAGE = 50
Position = tuple[datetime, int]


@dataclass(frozen=True)
class AuditFilter:
    """Which entries to list; empty means any. Times are half open, aware UTC."""

    username: str = ""
    action: str = ""
    result: str = ""
    object_ref: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class AuditRow:
    """One entry of the audit log; `address` is still encrypted."""

    id: int
    at: datetime
    username: str
    display_name: str
    role: str
    action: str
    object_kind: str
    object_ref: str
    result: str
    detail: Mapping[str, Any]
    address: bytes | None
    number: str


@dataclass(frozen=True)
class AuditPage:
    """Entries, and the position after the last of them; None at the end."""

    rows: tuple[AuditRow, ...]
    after: Position | None


def entries(session: Session, wanted: AuditFilter, after: Position | None = None, size: int = PAGE) -> AuditPage:
    """Return a page of the audit log: what staff did outside a comment's own log."""
    conditions: list[ColumnElement[bool]] = _span(AuditEvent.at, AuditEvent.id, wanted, after)
    if wanted.action:
        conditions.append(AuditEvent.action == wanted.action)
    if wanted.result:
        conditions.append(AuditEvent.result == wanted.result)
    if wanted.object_ref:
        conditions.append(AuditEvent.object_ref == wanted.object_ref)
    if wanted.username:
        conditions.append(StaffMember.username == fold_username(wanted.username))
    found = session.execute(
        select(AuditEvent, StaffMember.username, StaffMember.display_name)
        .outerjoin(StaffMember, StaffMember.id == AuditEvent.actor_id)
        .where(*conditions)
        .order_by(AuditEvent.at.desc(), AuditEvent.id.desc())
        .limit(size + 1)
    ).all()
    rows = tuple(
        AuditRow(
            id=event.id,
            at=event.at,
            username=username or "",
            display_name=display_name or "",
            role=event.actor_role,
            action=event.action,
            object_kind=event.object_kind,
            object_ref=event.object_ref,
            result=event.result,
            detail=event.detail,
            address=event.address,
            number=f"{event.chain}-{event.seq}",
        )
        for event, username, display_name in found
    )
    return _page(rows, size)


def comment_entries(
    session: Session, wanted: AuditFilter, after: Position | None = None, size: int = PAGE
) -> AuditPage:
    """Return a page of the logs of all comments: steps, actors and reasons, never a word of a comment (R-94)."""
    conditions: list[ColumnElement[bool]] = _span(CommentEvent.at, CommentEvent.id, wanted, after)
    if wanted.action:
        conditions.append(CommentEvent.kind == wanted.action)
    if wanted.object_ref:
        conditions.append(Comment.receipt_no == wanted.object_ref)
    if wanted.username:
        conditions.append(StaffMember.username == fold_username(wanted.username))
    found = session.execute(
        select(
            CommentEvent.id,
            CommentEvent.at,
            CommentEvent.seq,
            CommentEvent.kind,
            CommentEvent.before,
            CommentEvent.after,
            CommentEvent.actor_role,
            Comment.receipt_no,
            StaffMember.username,
            StaffMember.display_name,
        )
        .join(Comment, Comment.id == CommentEvent.comment_id)
        .outerjoin(StaffMember, StaffMember.id == CommentEvent.actor_id)
        .where(*conditions)
        .order_by(CommentEvent.at.desc(), CommentEvent.id.desc())
        .limit(size + 1)
    ).all()
    rows = tuple(
        AuditRow(
            id=row.id,
            at=row.at,
            username=row.username or "",
            display_name=row.display_name or "",
            role=row.actor_role,
            action=row.kind,
            object_kind="comment",
            object_ref=row.receipt_no,
            result="done",
            detail={"before": row.before, "after": row.after} if row.before != row.after else {},
            address=None,
            number=str(row.seq),
        )
        for row in found
    )
    return _page(rows, size)


def actions(session: Session) -> tuple[str, ...]:
    """Return every kind of action the audit log holds."""
    return tuple(session.scalars(select(AuditEvent.action).distinct().order_by(AuditEvent.action)))


def _span(at: Any, key: Any, wanted: AuditFilter, after: Position | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(at >= wanted.since)
    if wanted.until is not None:
        conditions.append(at < wanted.until)
    if after is not None:
        moment, identity = after
        # The bound value needs the column's own type, or SQLite compares differently written times.
        conditions.append(at <= moment)
        conditions.append((at < moment) | (key < identity))
    return conditions


def _page(rows: tuple[AuditRow, ...], size: int) -> AuditPage:
    last = rows[size - 1] if len(rows) > size else None
    return AuditPage(rows[:size], (last.at, last.id) if last is not None else None)
