"""Deciding objections: a third person keeps the decision or sets it right (R-37, T24, T35)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar, local_day, review_due
from consult.domain.comment_states import Action, CommentState, NonStateAction, Publicity
from consult.domain.errors import CalendarPending, DomainError, FieldErrors, NotAllowed, NotFound, Refused
from consult.domain.personal_data import PiiType, Redaction, apply_redactions, find
from consult.gateways.field_cipher import FieldCipher
from consult.models import comments as tables
from consult.models.comments import Appeal, Comment, CommentEvent, CommentOriginal, Reply
from consult.queries.appeals import NOT_ACCEPT, REPLY, WITHHOLD
from consult.services import events, moves
from moderation.domain import appeals as rules
from moderation.domain.decisions import FalsePositive, check_accept, check_third_person, check_written, open_findings
from moderation.models import FindingDecision
from moderation.permissions import Permission, Viewer
from moderation.services import notices, screening, supervision
from moderation.services.scope import acting, person_of, take

APPEAL_UPHELD = "appeal_upheld"


@dataclass(frozen=True)
class Verdict:
    """What the third person decides: `choice` uphold (set right) or refuse (keep), why, and words to cover by hand.

    The reason is shown to the submitter.
    """

    choice: str
    reason: str
    cover: tuple[str, ...] = ()


def decide(
    session: Session,
    viewer: Viewer,
    appeal_id: int,
    seen_version: int,
    verdict: Verdict,
    cipher: FieldCipher,
    calendar: WorkCalendar,
    now: datetime,
) -> Appeal:
    """Decide an open objection and carry the decision out.

    Set right, a withheld comment becomes public with its personal data covered, a comment that was not accepted goes
    back to review (T35), and an answered one is handled again (T24, by a supervisor).

    Raises:
        NotFound: no such objection in reach.
        NotAllowed: the role may not decide.
        ThirdPersonRequired: the viewer took part in the decision, by natural person (R-37, R-95).
        Refused: `appeal_decided`; `appeal_sealed`, its words may not be looked at (R-38);
            `appeal_reply_supervisor`, objections to replies belong to a supervisor.
        FieldErrors: no verdict chosen.
        ReasonRequired: no reason written.
        FindingsUnresolved: third-person data was marked and nothing is covered (R-34).
        And what `take` and `supervision.reopen` raise.
    """
    comment, appeal = _taken(session, viewer, appeal_id, seen_version)
    if appeal.state != "open":
        raise Refused("appeal_decided")
    _check_person(session, viewer, appeal)
    if verdict.choice not in rules.VERDICTS:
        raise FieldErrors({"verdict": [Refused("appeal_verdict_required", field="verdict")]})
    reason = check_written(verdict.reason)
    upheld = verdict.choice == rules.UPHOLD
    if upheld and comment.sealed:
        raise Refused("appeal_sealed", field="verdict")
    appeal.state = "upheld" if upheld else "refused"
    appeal.decided_by, appeal.decided_at, appeal.decision_reason = viewer.staff_id, now, reason
    comment.updated_at = now
    events.append(
        session,
        comment,
        NonStateAction.DECIDE_APPEAL,
        acting(viewer, Permission.DECIDE_APPEAL),
        now,
        detail={"against": appeal.kind, "decision": appeal.decision_seq, "result": appeal.state},
    )
    if upheld:
        _set_right(session, viewer, comment, appeal, verdict, cipher, calendar, now)
    session.flush()
    notices.to_submitter(
        session,
        comment,
        "appeal_decided",
        str(appeal.id),
        now,
        {"against": appeal.kind, "result": appeal.state, "appeal": appeal.id},
    )
    session.flush()
    return appeal


def took_part(session: Session, appeal: Appeal) -> frozenset[str]:
    """Return the natural persons behind the decision: who proposed and confirmed it, who wrote and signed the reply."""
    accounts: set[int] = set()
    if appeal.kind == REPLY:
        for row in session.execute(
            select(Reply.drafted_by, Reply.approved_by, Reply.signed_off_by).where(
                Reply.comment_id == appeal.comment_id
            )
        ):
            accounts |= {one for one in row if one is not None}
    else:
        decided = session.execute(
            select(CommentEvent.actor_id, CommentEvent.detail).where(
                CommentEvent.comment_id == appeal.comment_id, CommentEvent.seq == appeal.decision_seq
            )
        ).one()
        accounts |= {one for one in (decided[0], decided[1].get("proposed_by")) if isinstance(one, int)}
    return frozenset(person_of(session, account) for account in accounts) - {""}


def may_not_decide(session: Session, viewer: Viewer, appeal_id: int) -> DomainError | None:
    """Return why this viewer may not decide, None when they may; `decide` asks again.

    Raises:
        NotFound: no such objection.
    """
    appeal = session.get(Appeal, appeal_id)
    if appeal is None:
        raise NotFound(object="appeal")
    try:
        _check_person(session, viewer, appeal)
    except Refused as error:
        return error
    return None


def _check_person(session: Session, viewer: Viewer, appeal: Appeal) -> None:
    check_third_person(viewer.person_key, took_part(session, appeal))
    if appeal.kind == REPLY and not viewer.may(Permission.DESIGNATE):
        raise Refused("appeal_reply_supervisor")


def to_cover(session: Session, receipt_no: str, cipher: FieldCipher) -> tuple[str, tuple[Redaction, ...]]:
    """Return the words as submitted and what publishing them now would newly cover."""
    comment = session.scalars(select(Comment).where(Comment.receipt_no == receipt_no)).one()
    text, before, dismissed = _judged(session, comment, cipher)
    return text, rules.still_open(find(text), before, dismissed)


def _taken(session: Session, viewer: Viewer, appeal_id: int, seen_version: int) -> tuple[Comment, Appeal]:
    if not viewer.may(Permission.DECIDE_APPEAL):
        raise NotAllowed(permission=Permission.DECIDE_APPEAL.value)
    receipt_no = session.scalar(
        select(Comment.receipt_no).join(Appeal, Appeal.comment_id == Comment.id).where(Appeal.id == appeal_id)
    )
    if receipt_no is None:
        raise NotFound(object="appeal")
    comment = take(session, viewer, Permission.DECIDE_APPEAL, receipt_no, seen_version, sealed_too=True)
    # Read only now: whoever holds the comment's row sees every decision before this one.
    return comment, session.get_one(Appeal, appeal_id, populate_existing=True)


def _set_right(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    appeal: Appeal,
    verdict: Verdict,
    cipher: FieldCipher,
    calendar: WorkCalendar,
    now: datetime,
) -> None:
    if appeal.kind == WITHHOLD:
        _publish(session, viewer, comment, verdict, cipher, now)
    elif appeal.kind == NOT_ACCEPT:
        moves.move(
            session,
            comment,
            Action.APPEAL_UPHELD,
            acting(viewer, Permission.DECIDE_APPEAL),
            now,
            detail={"appeal": appeal.id},
        )
        try:
            comment.review_due_on = review_due(calendar, local_day(now))
        except CalendarPending:
            comment.review_due_on = None
    else:
        session.flush()
        supervision.reopen(session, viewer, comment.receipt_no, comment.version, verdict.reason, calendar, now)


# -- publishing what was withheld ------------------------------------------------------------------


def _publish(
    session: Session, viewer: Viewer, comment: Comment, verdict: Verdict, cipher: FieldCipher, now: datetime
) -> None:
    comment.withhold_reason = ""
    if comment.handling_state in (CommentState.PENDING_REVIEW, CommentState.AWAITING_SUPPLEMENT):
        # Nothing unreviewed is public: the reviewer settles it when accepting.
        comment.publicity = Publicity.PENDING.value
        moves.refresh_standing(session, comment, now)
        return
    text, before, dismissed = _judged(session, comment, cipher)
    findings = find(text)
    wanted = rules.by_hand(text, verdict.cover)
    spans = rules.united((*before, *rules.still_open(findings, before, dismissed), *wanted))
    publicity = Publicity.REDACTED if spans else Publicity.FULL
    check_accept(
        publicity,
        open_findings(findings, spans, dismissed),
        third_party_marked=comment.has_third_party,
        redaction_count=len(spans),
    )
    _cover(session, viewer, comment, text, spans, before, cipher, now)
    comment.publicity = publicity.value
    moves.refresh_standing(session, comment, now)


def _judged(
    session: Session, comment: Comment, cipher: FieldCipher
) -> tuple[str, tuple[Redaction, ...], tuple[FalsePositive, ...]]:
    """Return the words, what is covered in them and which findings were dismissed."""
    text = screening.text_under_review(session, comment, cipher)
    original = session.get(CommentOriginal, comment.id)
    if original is not None and original.body is None:
        # The original is erased: what was covered is covered in the words themselves.
        return text, (), ()
    before = tuple(
        Redaction(one.starts, one.ends, PiiType(one.kind))
        for one in session.scalars(select(tables.Redaction).where(tables.Redaction.comment_id == comment.id))
    )
    dismissed = tuple(
        FalsePositive(one.starts, one.ends, one.kind, one.reason)
        for one in session.scalars(select(FindingDecision).where(FindingDecision.comment_id == comment.id))
    )
    return text, before, dismissed


def _cover(
    session: Session,
    viewer: Viewer,
    comment: Comment,
    text: str,
    spans: tuple[Redaction, ...],
    before: tuple[Redaction, ...],
    cipher: FieldCipher,
    now: datetime,
) -> None:
    added = rules.new_ones(spans, before)
    if not added:
        return
    if session.get(CommentOriginal, comment.id) is None:
        session.add(CommentOriginal(comment_id=comment.id, body=cipher.encrypt(text)))
    kept = {(one.start, one.end) for one in spans}
    for gone in before:
        if (gone.start, gone.end) not in kept:  # swallowed by a wider one
            session.execute(
                delete(tables.Redaction).where(
                    tables.Redaction.comment_id == comment.id,
                    tables.Redaction.starts == gone.start,
                    tables.Redaction.ends == gone.end,
                )
            )
    for span in added:
        session.add(
            tables.Redaction(
                comment_id=comment.id,
                starts=span.start,
                ends=span.end,
                kind=span.type.value,
                reason=APPEAL_UPHELD,
                made_by=viewer.staff_id,
                made_at=now,
            )
        )
        events.append(
            session,
            comment,
            NonStateAction.REDACT,
            acting(viewer, Permission.DECIDE_APPEAL),
            now,
            detail={"start": span.start, "end": span.end, "type": span.type.value},
        )
    comment.body = apply_redactions(text, spans)
