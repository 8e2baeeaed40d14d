"""How much work waits for somebody, by what they may do and how far they reach; one count per kind of work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState, Role
from consult.models.comments import Assignment, CoAssignment, Comment, Reply
from consult.models.consultations import Consultation
from consult.models.plan import Unit
from moderation.models import AuditEvent, ExtensionRequest, RoleGrant, StaffMember, Supervision, TwoPersonDecision
from moderation.permissions import Permission, Viewer
from moderation.queries.scope import joined, reached

_BEING_ANSWERED = (CommentState.ASSIGNED.value, CommentState.IN_PROGRESS.value, CommentState.RETURN_REQUESTED.value)


@dataclass(frozen=True)
class Waiting:
    """One kind of work: how many wait, and how many of them are past their day."""

    kind: str
    n: int
    late: int = 0


def waiting(session: Session, viewer: Viewer, today: date, now: datetime) -> tuple[Waiting, ...]:
    """Return every kind of work the viewer's roles do, also where nothing waits."""
    out: list[Waiting] = []
    may = viewer.may
    if may(Permission.REVIEW):
        due = Comment.review_due_on < today
        out.append(_in_state(session, viewer, Permission.REVIEW, "review", (CommentState.PENDING_REVIEW,), due))
    if may(Permission.REVIEW) or may(Permission.WITHHOLD):
        out.append(Waiting("confirm", _proposals(session, viewer)))
    if may(Permission.ASSIGN):
        states = (CommentState.ACCEPTED, CommentState.TO_ASSIGN)
        out.append(_in_state(session, viewer, Permission.ASSIGN, "assign", states))
        out.append(_in_state(session, viewer, Permission.ASSIGN, "returns", (CommentState.RETURN_REQUESTED,)))
        out.append(Waiting("extensions", _extensions(session, viewer)))
    out += _of_unit(session, viewer, today)
    if may(Permission.SIGN_OFF):
        out.append(_in_state(session, viewer, Permission.SIGN_OFF, "sign_off", (CommentState.PENDING_SIGN_OFF,)))
    if may(Permission.DESIGNATE):
        out += _supervised(session, viewer, today)
    if may(Permission.PUBLISH):
        out.append(Waiting("publish", _drafts(session, viewer)))
    if may(Permission.CONFIGURE):
        out.append(Waiting("units_without_officer", _units_without_officer(session)))
    if may(Permission.READ_AUDIT):
        out.append(Waiting("refused_tries", _refused(session, now)))
    return tuple(out)


def _of_unit(session: Session, viewer: Viewer, today: date) -> list[Waiting]:
    out: list[Waiting] = []
    if viewer.may(Permission.DRAFT_REPLY):
        late = Comment.reply_due_on < today
        draft = Permission.DRAFT_REPLY
        out.append(_in_state(session, viewer, draft, "receipt", (CommentState.ASSIGNED,), late))
        out.append(_in_state(session, viewer, draft, "reply", (CommentState.IN_PROGRESS,), late))
    if viewer.may(Permission.SUBMIT_REPLY):
        replies = (
            select(func.count())
            .select_from(Reply)
            .join(Comment, Comment.id == Reply.comment_id)
            .where(Reply.state == "pending_leader", reached(viewer.reach(Permission.SUBMIT_REPLY)))
        )
        out.append(Waiting("approve", _number(session, replies)))
        out.append(_to_explain(session, viewer, today))
    if viewer.may(Permission.CO_FEEDBACK):
        asked = (
            select(func.count(), func.coalesce(func.sum(case((CoAssignment.due_on < today, 1), else_=0)), 0))
            .select_from(CoAssignment)
            .join(Assignment, Assignment.id == CoAssignment.assignment_id)
            .join(Comment, Comment.id == Assignment.comment_id)
            .where(
                CoAssignment.unit_id == viewer.reach(Permission.CO_FEEDBACK).co_unit,
                CoAssignment.feedback_at.is_(None),
                Assignment.closed_at.is_(None),
                Comment.handling_state.in_(_BEING_ANSWERED),
                Comment.sealed.is_(False),
            )
        )
        n, late_ones = session.execute(asked).one()
        out.append(Waiting("co_feedback", int(n), int(late_ones)))
    return out


def _supervised(session: Session, viewer: Viewer, today: date) -> list[Waiting]:
    mine = reached(viewer.reach(Permission.DESIGNATE))
    anywhere = Comment.consultation_id.in_(select(Consultation.id))
    late = select(func.count()).where(
        anywhere, Comment.handling_state.in_(_BEING_ANSWERED), Comment.reply_due_on < today, mine
    )
    twice = select(func.count()).where(
        anywhere, Comment.handling_state == CommentState.TO_ASSIGN.value, Comment.return_count >= 2, mine
    )
    n = _number(session, late)
    return [
        Waiting("overdue", n, n),
        Waiting("designate", _number(session, twice)),
        _open_cases(session, "supervised", mine, today),
    ]


def _to_explain(session: Session, viewer: Viewer, today: date) -> Waiting:
    """Cases of supervision the viewer's unit has not explained yet (R-73)."""
    own = and_(
        reached(viewer.reach(Permission.SUBMIT_REPLY)),
        Supervision.unit_id == viewer.unit_id,
        Supervision.answered_at.is_(None),
    )
    return _open_cases(session, "explain", own, today)


def _open_cases(session: Session, kind: str, condition: ColumnElement[bool], today: date) -> Waiting:
    """Count cases that are not settled; late are those whose written answer is overdue."""
    late = and_(Supervision.answered_at.is_(None), Supervision.answer_due_on < today)
    n, late_ones = session.execute(
        select(func.count(), func.coalesce(func.sum(case((late, 1), else_=0)), 0))
        .select_from(Supervision)
        .join(Comment, Comment.id == Supervision.comment_id)
        .where(Supervision.closed_at.is_(None), condition)
    ).one()
    return Waiting(kind, int(n), int(late_ones))


def _in_state(
    session: Session,
    viewer: Viewer,
    permission: Permission,
    kind: str,
    states: tuple[CommentState, ...],
    late: ColumnElement[bool] | None = None,
) -> Waiting:
    past = func.coalesce(func.sum(case((late, 1), else_=0)), 0) if late is not None else func.count() * 0
    n, late_ones = session.execute(
        select(func.count(), past)
        .select_from(Comment)
        .where(
            # Naming every consultation lets the queue's index find the few that wait among all that are done.
            Comment.consultation_id.in_(select(Consultation.id)),
            Comment.handling_state.in_([state.value for state in states]),
            reached(viewer.reach(permission)),
        )
    ).one()
    return Waiting(kind, int(n), int(late_ones))


def _proposals(session: Session, viewer: Viewer) -> int:
    """Proposals of others: nobody confirms their own, whichever account they made it with (R-95)."""
    return _number(
        session,
        select(func.count())
        .select_from(TwoPersonDecision)
        .join(Comment, Comment.id == TwoPersonDecision.comment_id)
        .join(StaffMember, StaffMember.id == TwoPersonDecision.proposed_by)
        .where(
            TwoPersonDecision.state == "proposed",
            StaffMember.person_key != viewer.person_key,
            reached(joined(viewer, (Permission.REVIEW, Permission.WITHHOLD))),
        ),
    )


def _extensions(session: Session, viewer: Viewer) -> int:
    return _number(
        session,
        select(func.count())
        .select_from(ExtensionRequest)
        .join(Assignment, Assignment.id == ExtensionRequest.assignment_id)
        .join(Comment, Comment.id == Assignment.comment_id)
        .where(ExtensionRequest.state == "asked", reached(viewer.reach(Permission.ASSIGN))),
    )


def _drafts(session: Session, viewer: Viewer) -> int:
    reach = viewer.reach(Permission.PUBLISH)
    condition: ColumnElement[bool] = Consultation.stage == "draft"
    if not reach.everything:
        condition = and_(condition, Consultation.id.in_(sorted(reach.consultations)))
    return _number(session, select(func.count()).select_from(Consultation).where(condition))


def _units_without_officer(session: Session) -> int:
    """Units nothing can be routed to (R-97)."""
    officer = (
        exists()
        .where(
            StaffMember.unit_id == Unit.id,
            StaffMember.active,
            RoleGrant.staff_id == StaffMember.id,
            RoleGrant.role == Role.UNIT_OFFICER.value,
            RoleGrant.revoked_at.is_(None),
        )
        .correlate(Unit)
    )
    return _number(session, select(func.count()).select_from(Unit).where(Unit.assignable, ~officer))


def _refused(session: Session, now: datetime) -> int:
    since = now - timedelta(days=1)
    return _number(
        session,
        select(func.count()).select_from(AuditEvent).where(AuditEvent.at >= since, AuditEvent.result == "refused"),
    )


def _number(session: Session, statement: Any) -> int:
    return int(session.scalar(statement) or 0)
