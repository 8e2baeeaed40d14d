"""One decision on several comments: it waits half a minute, can be undone until then, and is then made row by row.

Each row is decided in a transaction of its own, by the very services of the single pages, with the roles its maker
has at that moment; the row's result is kept in the same transaction. So a run that broke off goes on where it
stopped, no row is decided twice, and one refusal spoils nothing for the others. Withholding and not accepting are
only proposed; a second person decides (R-36, R-40).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState, Publicity
from consult.domain.errors import DomainError, NotAllowed, NotFound, Refused, StoreUnavailable
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Comment
from consult.queries.calendars import work_calendar
from moderation.domain import decisions
from moderation.domain.bulk import NOT_IN_BULK, BulkRequest
from moderation.models import BULK_ACTIONS, PendingBulk, StaffMember
from moderation.permissions import Permission, Viewer
from moderation.queries import staff_lookup
from moderation.queries.suggested_leads import suggested_lead
from moderation.services import claims, routing, screening
from moderation.services.routing import Routing
from moderation.services.scope import take
from moderation.services.screening import Acceptance, Proposal

UNDO_FOR = timedelta(seconds=30)
MOST = 100
"""Comments decided at once: one page of the queue."""

Opener = Callable[[], AbstractContextManager[Session]]

_NEEDS: dict[str, tuple[Permission, ...]] = {
    "accept": (Permission.REVIEW,),
    "accept_and_route": (Permission.REVIEW, Permission.ASSIGN),
    "assign_suggested": (Permission.ASSIGN,),
    "assign": (Permission.ASSIGN,),
    "withhold": (Permission.WITHHOLD,),
    "not_accept": (Permission.REVIEW,),
}


def ask(session: Session, viewer: Viewer, wanted: BulkRequest, now: datetime) -> PendingBulk:
    """Keep a decision that takes effect in half a minute.

    Raises:
        NotAllowed: the viewer lacks a role for it.
        Refused: `bulk_action_unknown`, `rows_required`, `rows_too_many`.
        WithholdReasonRequired, NotAcceptReasonRequired: no reason of the list, or one that cannot wait.
        LeadUnitRequired: no unit chosen.
    """
    if wanted.action not in BULK_ACTIONS:
        raise Refused("bulk_action_unknown", field="action")
    for permission in _NEEDS[wanted.action]:
        if not viewer.may(permission):
            raise NotAllowed(permission=permission.value)
    rows = list(dict(wanted.rows).items())
    if not rows:
        raise Refused("rows_required", field="rows")
    if len(rows) > MOST:
        raise Refused("rows_too_many", field="rows", maximum=MOST)
    _check_choice(wanted)
    bulk = PendingBulk(
        staff_id=viewer.staff_id,
        action=wanted.action,
        reason_code=wanted.reason if wanted.action in ("withhold", "not_accept") else "",
        unit_code=wanted.unit if wanted.action == "assign" else "",
        rows=[[number, seen] for number, seen in rows],
        results=[],
        asked_at=now,
        takes_effect_at=now + UNDO_FOR,
    )
    session.add(bulk)
    session.flush()
    return bulk


def undo(session: Session, viewer: Viewer, bulk_id: int, now: datetime) -> PendingBulk:
    """Take a decision back before it takes effect; nothing has happened then.

    Raises:
        NotFound: it is not the viewer's.
        Refused: `bulk_in_effect`, it is being carried out, or done.
    """
    bulk = session.scalar(
        select(PendingBulk).where(PendingBulk.id == bulk_id, PendingBulk.staff_id == viewer.staff_id).with_for_update()
    )
    if bulk is None:
        raise NotFound(object="bulk")
    if bulk.state != "waiting":
        raise Refused("bulk_in_effect")
    bulk.state, bulk.finished_at = "undone", now
    session.flush()
    return bulk


def apply_due(writing: Opener, cipher: FieldCipher, now: datetime, staff_id: int | None = None) -> int:
    """Carry out what is due, of one person or of everybody; return how many rows were decided or refused.

    Safe to run late, twice and by several at once: every row is taken under the lock of its request.
    """
    done = 0
    while (bulk_id := _due(writing, now, staff_id)) is not None:
        while _one_row(writing, bulk_id, cipher, now):
            done += 1
    return done


def _check_choice(wanted: BulkRequest) -> None:
    if wanted.action == "withhold":
        if decisions.withhold_reason(wanted.reason) in NOT_IN_BULK:
            raise Refused("reason_not_in_bulk", field="reason")
    elif wanted.action == "not_accept":
        decisions.not_accept_reason(wanted.reason)
    elif wanted.action == "assign" and not wanted.unit:
        raise Refused("lead_unit_required", field="unit")


def _due(writing: Opener, now: datetime, staff_id: int | None) -> int | None:
    """Return the oldest request that is due or was begun, marked as running."""
    with writing() as session:
        conditions = [PendingBulk.state.in_(("waiting", "running")), PendingBulk.takes_effect_at <= now]
        if staff_id is not None:
            conditions.append(PendingBulk.staff_id == staff_id)
        bulk = session.scalar(
            select(PendingBulk)
            .where(*conditions)
            .order_by(PendingBulk.takes_effect_at, PendingBulk.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if bulk is None:
            return None
        bulk.state = "running"
        return bulk.id


def _one_row(writing: Opener, bulk_id: int, cipher: FieldCipher, now: datetime) -> bool:
    """Decide the next row; False when none is left. A refusal undoes the row's transaction and is kept in another."""
    try:
        with writing() as session:
            bulk, place = _next(session, bulk_id, now)
            if bulk is None:
                return False
            number, seen = bulk.rows[place]
            _decide(session, _maker(session, bulk), bulk, number, seen, cipher, now)
            bulk.results = [*bulk.results, [number, "", {}]]
    except StoreUnavailable:
        raise
    except DomainError as error:
        with writing() as session:
            bulk, now_at = _next(session, bulk_id, now)
            if bulk is not None and now_at == place:
                bulk.results = [*bulk.results, [bulk.rows[place][0], error.code, _plain(error)]]
    return True


def _next(session: Session, bulk_id: int, now: datetime) -> tuple[PendingBulk | None, int]:
    """Return the request, locked, and the place of its next row; None when all are done, which is noted."""
    bulk = session.scalar(select(PendingBulk).where(PendingBulk.id == bulk_id).with_for_update())
    if bulk is None or bulk.state != "running":
        return None, 0
    if len(bulk.results) >= len(bulk.rows):
        bulk.state, bulk.finished_at = "done", now
        return None, 0
    return bulk, len(bulk.results)


def _maker(session: Session, bulk: PendingBulk) -> Viewer:
    """Return who asked, with the roles of this moment: what was revoked meanwhile no longer counts (R-96)."""
    username = session.scalar(select(StaffMember.username).where(StaffMember.id == bulk.staff_id)) or ""
    return staff_lookup.viewer_named(session, username)


def _decide(
    session: Session, viewer: Viewer, bulk: PendingBulk, number: str, seen: int, cipher: FieldCipher, now: datetime
) -> None:
    comment = take(session, viewer, _NEEDS[bulk.action][0], number, seen)
    if comment.claimed_by not in (None, viewer.staff_id) and comment.claimed_until and comment.claimed_until > now:
        raise Refused("claimed_by_other")
    full = Acceptance(Publicity.FULL)
    if bulk.action == "accept":
        screening.accept(session, viewer, number, seen, full, cipher, now)
    elif bulk.action == "accept_and_route":
        wanted = _suggestion(session, comment)
        calendar = work_calendar(session)
        screening.accept_and_route(session, viewer, number, seen, full, wanted, cipher, calendar, now)
    elif bulk.action in ("withhold", "not_accept"):
        screening.propose(session, viewer, number, seen, Proposal(bulk.action, bulk.reason_code), now)
    else:
        wanted = Routing(bulk.unit_code) if bulk.action == "assign" else _suggestion(session, comment)
        if comment.handling_state == CommentState.ACCEPTED:
            screening.route(session, viewer, number, seen, now)
            seen = comment.version
        routing.assign(session, viewer, number, seen, wanted, work_calendar(session), now)
    claims.release(session, viewer, number)


def _suggestion(session: Session, comment: Comment) -> Routing:
    """Return the suggested lead; a weak suggestion is not carried out for many at once.

    Raises:
        Refused: `suggestion_weak`.
    """
    lead = suggested_lead(session, comment)
    if lead is None or lead.confidence != "high":
        raise Refused("suggestion_weak")
    return Routing(lead.code)


def _plain(error: DomainError) -> dict[str, Any]:
    return {name: value for name, value in error.params.items() if isinstance(value, str | int | float)}
