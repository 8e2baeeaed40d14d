"""Reviewing: accepting with or without redaction, withholding, not accepting, naming another channel, sending on.

R-27 to R-43, T02, T06 to T08. Every function is one transaction of its caller and appends its events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, appeal_last_day, local_day
from consult.domain.comment_states import Action, ClosedAs, CommentState, NonStateAction, Publicity, Standing
from consult.domain.errors import (
    IllegalTransition,
    NotAcceptReasonRequired,
    NotAllowed,
    ReasonRequired,
    Refused,
    UnitUnknown,
)
from consult.domain.personal_data import Finding, PiiType, Redaction, apply_redactions, find
from consult.gateways.field_cipher import FieldCipher
from consult.models import comments as tables
from consult.models.comments import Comment, CommentOriginal
from consult.models.plan import Unit
from consult.services import events, moves
from moderation.domain import decisions
from moderation.domain.decisions import ChannelKind, FalsePositive, WithholdReason
from moderation.models import FindingDecision, TwoPersonDecision
from moderation.permissions import Permission, Viewer
from moderation.queries.suggested_leads import suggested_lead
from moderation.services import notices, routing
from moderation.services.routing import Routing
from moderation.services.scope import acting, expect, person_of, take

DETECTED = "detected"
"""The reason of a redaction that covers what the detector found."""


@dataclass(frozen=True)
class Covered:
    """A stretch to cover, in code points of the original text, half open, and why (R-30)."""

    start: int
    end: int
    type: PiiType
    reason: str = DETECTED


@dataclass(frozen=True)
class Acceptance:
    """How a comment is accepted. `publicity` is full or redacted; a withheld comment stays withheld."""

    publicity: Publicity
    redactions: tuple[Covered, ...] = ()
    dismissed: tuple[FalsePositive, ...] = ()
    has_third_party: bool = False


@dataclass(frozen=True)
class Proposal:
    """What one person proposes and another decides: `kind` is withhold or not_accept, `reason` a code of its list."""

    kind: str
    reason: str
    note: str = ""
    accused_units: tuple[str, ...] = ()


# -- accepting and sending on ----------------------------------------------------------------------


def accept(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    acceptance: Acceptance,
    cipher: FieldCipher,
    now: datetime,
) -> Comment:
    """Accept a comment and settle how it is published (T02).

    Raises:
        FindingsUnresolved: a strong or suspect finding is neither covered nor dismissed with a reason (R-31, R-34).
        PublicityRequired: full or redacted was not chosen, or does not fit the redactions.
        RedactionRangeInvalid: a span lies outside the text or overlaps another (R-30).
        ReasonRequired: something is covered by hand without saying why.
        Refused: `decision_open`, a proposal waits for its second person.
        And what `take` raises.
    """
    comment = take(session, viewer, Permission.REVIEW, receipt_no, seen_version)
    _accept(session, viewer, comment, acceptance, cipher, now)
    return comment


def accept_and_route(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    acceptance: Acceptance,
    wanted: Routing,
    cipher: FieldCipher,
    calendar: WorkCalendar,
    now: datetime,
) -> Comment:
    """Accept, send to routing and route in one step, with the three events of T02, T08 and T09.

    Raises:
        NotAllowed: the viewer does not hold both roles here.
        And what `accept` and `routing.assign` raise; then nothing of it has happened.
    """
    take(session, viewer, Permission.ASSIGN, receipt_no, seen_version)
    comment = take(session, viewer, Permission.REVIEW, receipt_no, seen_version)
    _accept(session, viewer, comment, acceptance, cipher, now)
    _route(session, viewer, comment, now)
    routing.assign_taken(session, viewer, comment, wanted, calendar, now)
    return comment


def route(session: Session, viewer: Viewer, receipt_no: str, seen_version: int, now: datetime) -> Comment:
    """Send an accepted comment to be routed, with the suggested lead (T08)."""
    comment = take(session, viewer, Permission.REVIEW, receipt_no, seen_version)
    _route(session, viewer, comment, now)
    return comment


def text_under_review(session: Session, comment: Comment, cipher: FieldCipher) -> str:
    """Return the words as submitted, to which every position of a redaction refers (R-30)."""
    original = session.get(CommentOriginal, comment.id)
    if original is None or original.body is None:
        return comment.body
    return cipher.decrypt(original.body)


def _accept(
    session: Session, viewer: Viewer, comment: Comment, acceptance: Acceptance, cipher: FieldCipher, now: datetime
) -> None:
    expect(comment, Action.ACCEPT)
    _refuse_open_decision(session, comment)
    text = text_under_review(session, comment, cipher)
    withheld = comment.publicity == Publicity.WITHHELD
    publicity = Publicity.WITHHELD if withheld else acceptance.publicity
    spans = [Redaction(one.start, one.end, one.type) for one in acceptance.redactions]
    findings = find(text)
    masked = apply_redactions(text, spans)
    decisions.check_accept(
        publicity,
        decisions.open_findings(findings, spans, acceptance.dismissed),
        third_party_marked=acceptance.has_third_party,
        redaction_count=len(spans),
    )
    _check_reasons(findings, acceptance)
    actor = acting(viewer, Permission.REVIEW)
    _store_redactions(session, viewer, comment, text, masked, acceptance, cipher, now)
    for span in acceptance.redactions:
        events.append(
            session,
            comment,
            NonStateAction.REDACT,
            actor,
            now,
            detail={"start": span.start, "end": span.end, "type": span.type.value},
        )
    _store_dismissals(session, viewer, comment, acceptance, now)
    comment.has_third_party = acceptance.has_third_party
    comment.accepted_at, comment.accepted_by = now, viewer.staff_id
    moves.move(
        session,
        comment,
        Action.ACCEPT,
        actor,
        now,
        publicity=publicity,
        detail={"publicity": publicity.value, "redactions": len(spans), "dismissed": len(acceptance.dismissed)},
    )
    notices.to_submitter(session, comment, "accepted", str(comment.event_seq), now, {"publicity": publicity.value})


def _route(session: Session, viewer: Viewer, comment: Comment, now: datetime) -> None:
    expect(comment, Action.ROUTE)
    lead = suggested_lead(session, comment)
    comment.suggested_lead_id = lead.unit_id if lead else None
    moves.move(
        session,
        comment,
        Action.ROUTE,
        acting(viewer, Permission.REVIEW),
        now,
        detail={"suggested_lead": lead.code, "suggested_by": lead.reason} if lead else {},
    )


def _check_reasons(findings: list[Finding], acceptance: Acceptance) -> None:
    found = {(one.start, one.end) for one in findings}
    for span in acceptance.redactions:
        by_hand = (span.start, span.end) not in found
        if not span.reason.strip() or (by_hand and span.reason == DETECTED):
            raise ReasonRequired(field="redactions")


def _store_redactions(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    text: str,
    masked: str,
    acceptance: Acceptance,
    cipher: FieldCipher,
    now: datetime,
) -> None:
    """Keep the original encrypted and let the masked text stand; a second review replaces the first one's spans."""
    session.execute(delete(tables.Redaction).where(tables.Redaction.comment_id == comment.id))
    original = session.get(CommentOriginal, comment.id)
    if acceptance.redactions and original is None:
        session.add(CommentOriginal(comment_id=comment.id, body=cipher.encrypt(text)))
    if not acceptance.redactions and original is not None:
        session.delete(original)
    comment.body = masked
    session.add_all(
        tables.Redaction(
            comment_id=comment.id,
            starts=span.start,
            ends=span.end,
            kind=span.type.value,
            reason=span.reason.strip(),
            made_by=viewer.staff_id,
            made_at=now,
        )
        for span in acceptance.redactions
    )


def _store_dismissals(
    session: Session, viewer: Viewer, comment: Comment, acceptance: Acceptance, now: datetime
) -> None:
    session.execute(delete(FindingDecision).where(FindingDecision.comment_id == comment.id))
    session.add_all(
        FindingDecision(
            comment_id=comment.id,
            starts=one.start,
            ends=one.end,
            kind=one.type,
            reason=one.reason.strip(),
            made_by=viewer.staff_id,
            made_at=now,
        )
        for one in acceptance.dismissed
    )


# -- decisions of two persons ----------------------------------------------------------------------


def propose(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, proposal: Proposal, now: datetime
) -> TwoPersonDecision:
    """Propose to withhold (R-35, R-36) or not to accept (R-40).

    The submitter's own wish ⑨ takes effect at once. A suspected state secret is sealed and taken off the public
    pages at once, whatever the second person will say (R-38).

    Raises:
        WithholdReasonRequired, NotAcceptReasonRequired: the reason is not of the closed list.
        IllegalTransition: the comment is past the point, or withheld already.
        Refused: `decision_open`, another proposal waits.
        UnitUnknown: an accused unit does not exist.
    """
    if proposal.kind == "not_accept":
        return _propose_not_accept(session, viewer, receipt_no, seen_version, proposal, now)
    comment = take(session, viewer, Permission.WITHHOLD, receipt_no, seen_version)
    reason = decisions.withhold_reason(proposal.reason)
    _refuse_not_withholdable(comment)
    _refuse_open_decision(session, comment)
    decision = _new_decision(comment, viewer, proposal, now)
    session.add(decision)
    events.append(
        session,
        comment,
        NonStateAction.PROPOSE_WITHHOLD,
        acting(viewer, Permission.WITHHOLD),
        now,
        reason=reason.value,
        detail=_accused_detail(session, proposal),
    )
    if reason in decisions.SEALED_BY:
        comment.sealed = True
        comment.hidden_at = comment.hidden_at or now
        moves.refresh_standing(session, comment, now)
    session.flush()
    if not decisions.needs_second_person(reason):
        _withhold(session, viewer, comment, decision, reason, now)
    return decision


def confirm(session: Session, viewer: Viewer, receipt_no: str, seen_version: int, now: datetime) -> Comment:
    """Confirm the open proposal; it takes effect now (R-36, R-40).

    Raises:
        NotAllowed: the viewer's role may not decide this kind.
        TwoPersonRule: the proposer and the viewer are one natural person.
        Refused: `no_open_decision`.
    """
    comment, decision = _take_decision(session, viewer, receipt_no, seen_version)
    proposer = person_of(session, decision.proposed_by)
    if decision.kind == "not_accept":
        reason = decisions.check_not_accept(decision.reason_code, proposer, viewer.person_key)
        _close_decision(decision, viewer, "confirmed", now)
        moves.move(
            session,
            comment,
            Action.NOT_ACCEPT,
            acting(viewer, Permission.REVIEW),
            now,
            reason=reason.value,
            closed_as=ClosedAs.NOT_ACCEPTED,
            detail={"proposed_by": decision.proposed_by},
        )
        last_day = appeal_last_day(local_day(now))
        notices.to_submitter(
            session,
            comment,
            "not_accepted",
            str(decision.id),
            now,
            {"reason": reason.value, "appeal_until": last_day.isoformat()},
        )
        return comment
    _withhold(
        session,
        viewer,
        comment,
        decision,
        decisions.check_withhold(decision.reason_code, proposer, viewer.person_key),
        now,
    )
    return comment


def refuse(session: Session, viewer: Viewer, receipt_no: str, seen_version: int, why: str, now: datetime) -> Comment:
    """Refuse the open proposal, or take back one's own; nothing changes but the record.

    Raises:
        ReasonRequired: no reason written.
        Refused: `no_open_decision`.
    """
    comment, decision = _take_decision(session, viewer, receipt_no, seen_version)
    decision.note = "\n".join(part for part in (decision.note, decisions.check_written(why)) if part)
    _close_decision(decision, viewer, "refused", now)
    if comment.sealed and decision.kind == "withhold":
        comment.sealed, comment.hidden_at = False, None
        moves.refresh_standing(session, comment, now)
    permission = Permission.REVIEW if decision.kind == "not_accept" else Permission.WITHHOLD
    events.append(
        session,
        comment,
        f"refuse_{decision.kind}",
        acting(viewer, permission),
        now,
        detail={"proposed_by": decision.proposed_by},
    )
    comment.updated_at = now
    session.flush()
    return comment


def _propose_not_accept(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, proposal: Proposal, now: datetime
) -> TwoPersonDecision:
    comment = take(session, viewer, Permission.REVIEW, receipt_no, seen_version)
    if proposal.reason == "":
        raise NotAcceptReasonRequired(field="reason")
    reason = decisions.not_accept_reason(proposal.reason)
    expect(comment, Action.NOT_ACCEPT)
    _refuse_open_decision(session, comment)
    decision = _new_decision(comment, viewer, proposal, now)
    session.add(decision)
    events.append(session, comment, "propose_not_accept", acting(viewer, Permission.REVIEW), now, reason=reason.value)
    comment.updated_at = now
    session.flush()
    return decision


def _withhold(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    decision: TwoPersonDecision,
    reason: WithholdReason,
    now: datetime,
) -> None:
    _close_decision(decision, viewer, "confirmed", now)
    comment.publicity = Publicity.WITHHELD.value
    comment.withhold_reason = reason.value
    moves.refresh_standing(session, comment, now)
    events.append(
        session,
        comment,
        NonStateAction.CONFIRM_WITHHOLD,
        acting(viewer, Permission.WITHHOLD),
        now,
        reason=reason.value,
        detail={"proposed_by": decision.proposed_by},
    )
    last_day = appeal_last_day(local_day(now))
    notices.to_submitter(
        session,
        comment,
        "withheld",
        str(decision.id),
        now,
        {"reason": reason.value, "appeal_until": last_day.isoformat()},
    )
    session.flush()


def _take_decision(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int
) -> tuple[Comment, TwoPersonDecision]:
    if not (viewer.may(Permission.REVIEW) or viewer.may(Permission.WITHHOLD)):
        raise NotAllowed(permission=Permission.WITHHOLD.value)
    permission = Permission.WITHHOLD if viewer.may(Permission.WITHHOLD) else Permission.REVIEW
    comment = take(session, viewer, permission, receipt_no, seen_version, sealed_too=True)
    decision = _open_decision(session, comment)
    if decision is None:
        raise Refused("no_open_decision")
    if decision.kind == "not_accept" and not viewer.may(Permission.REVIEW):
        raise NotAllowed(permission=Permission.REVIEW.value)
    return comment, decision


def _new_decision(comment: Comment, viewer: Viewer, proposal: Proposal, now: datetime) -> TwoPersonDecision:
    return TwoPersonDecision(
        comment_id=comment.id,
        kind=proposal.kind,
        reason_code=proposal.reason,
        note=proposal.note.strip(),
        state="proposed",
        proposed_by=viewer.staff_id,
        proposed_at=now,
    )


def _close_decision(decision: TwoPersonDecision, viewer: Viewer, state: str, now: datetime) -> None:
    decision.state = state
    # Nobody is their own second person: taking back a proposal, and the submitter's own wish, name none.
    decision.confirmed_by = viewer.staff_id if viewer.staff_id != decision.proposed_by else None
    decision.confirmed_at = now


def _open_decision(session: Session, comment: Comment) -> TwoPersonDecision | None:
    return session.scalar(
        select(TwoPersonDecision)
        .where(
            TwoPersonDecision.comment_id == comment.id,
            TwoPersonDecision.state == "proposed",
            TwoPersonDecision.kind.in_(("withhold", "not_accept")),
        )
        .order_by(TwoPersonDecision.id)
    )


def _refuse_open_decision(session: Session, comment: Comment) -> None:
    if _open_decision(session, comment) is not None:
        raise Refused("decision_open")


def _refuse_not_withholdable(comment: Comment) -> None:
    gone = comment.handling_state == CommentState.WITHDRAWN or comment.standing in (
        Standing.NOT_ACCEPTED,
        Standing.CHANNEL_NOTICE,
    )
    if gone or comment.publicity == Publicity.WITHHELD:
        raise IllegalTransition(comment.handling_state, NonStateAction.PROPOSE_WITHHOLD, ())


def _accused_detail(session: Session, proposal: Proposal) -> dict[str, object]:
    """Return the ids of units the comment accuses, which it must never be routed to (R-42)."""
    if not proposal.accused_units:
        return {}
    wanted = sorted(set(proposal.accused_units))
    known = session.scalars(select(Unit.id).where(Unit.code.in_(wanted)).order_by(Unit.id)).all()
    if len(known) != len(wanted):
        raise UnitUnknown(field="accused_units")
    return {"accused_units": list(known)}


# -- another channel -------------------------------------------------------------------------------


def channel_notice(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, kind: str, now: datetime
) -> Comment:
    """Tell the submitter the right channel and close (T07, R-41, R-42). Nothing is forwarded.

    Raises:
        Refused: `channel_required`, no kind of the list; `decision_open`.
    """
    comment = take(session, viewer, Permission.REVIEW, receipt_no, seen_version)
    if kind not in set(ChannelKind):
        raise Refused("channel_required", field="channel")
    expect(comment, Action.CHANNEL_NOTICE)
    _refuse_open_decision(session, comment)
    moves.move(
        session,
        comment,
        Action.CHANNEL_NOTICE,
        acting(viewer, Permission.REVIEW),
        now,
        reason=kind,
        closed_as=ClosedAs.CHANNEL_NOTICE,
    )
    notices.to_submitter(session, comment, "channel_notice", str(comment.event_seq), now, {"channel": kind})
    return comment
