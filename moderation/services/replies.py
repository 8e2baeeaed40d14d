"""Answering: drafts, the leader's approval, sign-off and publication, rejection, correction, closing.

R-71, R-75 to R-83, T20 to T23, T29.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.calendar import (
    OBJECTION_DAYS,
    WorkCalendar,
    due_date_or_none,
    is_overdue,
    local_day,
    sign_off_due,
)
from consult.domain.comment_states import Action, CommentState, NonStateAction
from consult.domain.comments import normalise_text, text_problems
from consult.domain.errors import (
    CalendarPending,
    DomainError,
    DraftLocationUnknown,
    FieldErrors,
    IllegalTransition,
    NotFound,
    ReplyRequired,
)
from consult.domain.replies import ReplyValues, check_reply
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Appeal, Assignment, Comment, ContactDetails, Reply
from consult.models.consultations import DraftVersion, Section, SectionVersion
from consult.services import events, moves
from moderation.domain.decisions import check_correction_note, check_signer, check_two_persons, check_written
from moderation.permissions import Permission, Viewer
from moderation.queries.comment_page import PLACE_SEPARATOR
from moderation.services import notices, reply_clock
from moderation.services.routing import in_force
from moderation.services.scope import acting, expect, person_of, take

BODY_MAXIMUM = 5000
_SIGN_OFF = "sign_off"


@dataclass(frozen=True)
class ReplyDraft:
    """What a unit writes. A place in the draft is a section's key, a version's number and a detail such as 第27段."""

    outcome: str = ""
    body: str = ""
    reason: str = ""
    section_key: str = ""
    version: int | None = None
    place_detail: str = ""


# -- drafting --------------------------------------------------------------------------------------


def save_draft(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, draft: ReplyDraft, now: datetime
) -> Reply:
    """Keep a draft, finished or not; another officer's draft is kept and a new version begun (R-81).

    Raises:
        IllegalTransition: the comment is not being handled.
        FieldErrors: characters that may not be stored, or a text far too long.
    """
    return _save(session, viewer, receipt_no, seen_version, draft, "drafting", now)


def send_to_leader(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, draft: ReplyDraft, now: datetime
) -> Reply:
    """Keep the draft and put it before the unit's leader; what the leader would be refused is refused here.

    Raises:
        FieldErrors: R-75 to R-79, all at once.
        And what `save_draft` raises.
    """
    reply = _save(session, viewer, receipt_no, seen_version, draft, "pending_leader", now)
    comment = session.get_one(Comment, reply.comment_id)
    _check(session, comment, reply, ())
    return reply


def _save(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    draft: ReplyDraft,
    state: str,
    now: datetime,
) -> Reply:
    comment = take(session, viewer, Permission.DRAFT_REPLY, receipt_no, seen_version)
    expect(comment, Action.SUBMIT_REPLY)
    cleaned = _cleaned(draft)
    assignment = in_force(session, comment)
    reply = latest(session, comment)
    mine = reply is not None and reply.drafted_by == viewer.staff_id and reply.assignment_id == assignment.id
    if reply is None or not mine or reply.state not in ("drafting", "pending_leader"):
        if reply is not None and reply.state in ("drafting", "pending_leader"):
            reply.state = "superseded"
        reply = Reply(
            comment_id=comment.id,
            assignment_id=assignment.id,
            revision=_next_revision(session, comment),
            lead_unit_id=assignment.lead_unit_id,
            drafted_by=viewer.staff_id,
            drafted_at=now,
        )
        session.add(reply)
    reply.state, reply.drafted_at = state, now
    _fill(session, comment, reply, cleaned)
    if state == "pending_leader":
        events.append(
            session,
            comment,
            "send_to_leader",
            acting(viewer, Permission.DRAFT_REPLY),
            now,
            detail={"revision": reply.revision, "outcome": cleaned.outcome},
        )
    # Touched even when only the reply changed, so that a colleague's stale page is noticed.
    comment.updated_at = now
    session.flush()
    return reply


def _cleaned(draft: ReplyDraft) -> ReplyDraft:
    errors: dict[str, list[DomainError]] = {}
    texts = {}
    for field, text in (("body", draft.body), ("reason", draft.reason), ("place_detail", draft.place_detail)):
        text = normalise_text(text)
        texts[field] = text.strip()
        if not texts[field]:
            continue
        errors[field] = [DomainError(code, field=field) for code in text_problems(text) if code != "text_invisible"]
        if len(text) > BODY_MAXIMUM:
            errors[field].append(DomainError("text_too_long", field=field, maximum=BODY_MAXIMUM))
    if any(errors.values()):
        raise FieldErrors(errors)
    return ReplyDraft(
        draft.outcome, texts["body"], texts["reason"], draft.section_key, draft.version, texts["place_detail"]
    )


def _fill(session: Session, comment: Comment, reply: Reply, draft: ReplyDraft) -> None:
    reply.outcome = draft.outcome or None
    reply.body, reply.reason = draft.body, draft.reason
    reply.location_section_key, reply.location_version = draft.section_key, draft.version
    place = _place(session, comment, draft.section_key, draft.version)
    reply.draft_location = PLACE_SEPARATOR.join(part for part in (place, draft.place_detail) if part) if place else ""


def _place(session: Session, comment: Comment, section_key: str, version: int | None) -> str:
    """Return the words for a place in the draft.

    Raises:
        DraftLocationUnknown: there is no such section in that version (R-77).
    """
    if not section_key:
        return ""
    found = session.execute(
        select(SectionVersion.path)
        .join(Section, Section.id == SectionVersion.section_id)
        .join(DraftVersion, DraftVersion.id == SectionVersion.draft_version_id)
        .where(
            Section.consultation_id == comment.consultation_id,
            Section.key == section_key,
            DraftVersion.number == (version or 0),
        )
    ).scalar()
    if found is None:
        raise DraftLocationUnknown(field="draft_location")
    return str(found)


def latest(session: Session, comment: Comment) -> Reply | None:
    """Return the newest version of a comment's reply."""
    return session.scalar(select(Reply).where(Reply.comment_id == comment.id).order_by(Reply.revision.desc()).limit(1))


def _next_revision(session: Session, comment: Comment) -> int:
    return 1 + (session.scalar(select(func.max(Reply.revision)).where(Reply.comment_id == comment.id)) or 0)


# -- approving and signing off ---------------------------------------------------------------------


def approve(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    note: str,
    cipher: FieldCipher,
    calendar: WorkCalendar,
    now: datetime,
) -> Reply:
    """The unit's leader confirms the newest draft and submits it to sign-off (T20); the unit's clock stops (R-71).

    Co-units that have not answered do not hold it up (R-74).

    Raises:
        ReplyRequired: there is no draft.
        FieldErrors: outcome, place, reason, substance or personal data (R-75 to R-79).
        DraftLocationUnknown: the place is gone (R-77).
        TwoPersonRule: the leader drafted it (R-95).
    """
    comment = take(session, viewer, Permission.SUBMIT_REPLY, receipt_no, seen_version)
    expect(comment, Action.SUBMIT_REPLY)
    assignment = in_force(session, comment)
    reply = latest(session, comment)
    if reply is None or reply.state not in ("drafting", "pending_leader"):
        raise ReplyRequired
    _check(session, comment, reply, _never_say(session, comment, cipher))
    check_two_persons(person_of(session, reply.drafted_by), viewer.person_key)
    reply.state, reply.approved_by, reply.approved_at = "pending_sign_off", viewer.staff_id, now
    reply.approval_note = note.strip()
    reply.sign_off_due_on = _sign_off_due(calendar, now)
    reply_clock.pause(session, assignment, _SIGN_OFF, now)
    moves.move(
        session,
        comment,
        Action.SUBMIT_REPLY,
        acting(viewer, Permission.SUBMIT_REPLY),
        now,
        detail={"revision": reply.revision, "outcome": reply.outcome, "drafted_by": reply.drafted_by},
    )
    return reply


def sign_off(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, cipher: FieldCipher, now: datetime
) -> Reply:
    """Sign the reply off and publish it (T22).

    Raises:
        SamePerson: the signer drafted or confirmed it, by natural person (R-80).
        FieldErrors: personal data found at the last look (R-79).
    """
    comment, reply = _take_waiting(session, viewer, receipt_no, seen_version, Action.SIGN_OFF)
    assignment = in_force(session, comment)
    check_signer(viewer.person_key, _drafters(session, comment, reply), person_of(session, reply.approved_by))
    _check(session, comment, reply, _never_say(session, comment, cipher))
    _publish(session, comment, reply, viewer, now)
    _stop_pauses(session, assignment, now)
    comment.replied_at = now
    moves.move(
        session,
        comment,
        Action.SIGN_OFF,
        acting(viewer, Permission.SIGN_OFF),
        now,
        detail={"revision": reply.revision, "outcome": reply.outcome},
    )
    notices.to_submitter(session, comment, "reply", str(reply.revision), now, {"revision": reply.revision})
    _answer_members(session, comment, reply, now)
    return reply


def reject(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    why: str,
    calendar: WorkCalendar,
    now: datetime,
) -> Reply:
    """Send a reply back for change (T21); the version is kept and the unit's clock runs on (R-71, R-81).

    Raises:
        ReasonRequired: no opinion written.
    """
    comment, reply = _take_waiting(session, viewer, receipt_no, seen_version, Action.REJECT_SIGN_OFF)
    reply.rejection = check_written(why)
    reply.state, reply.signed_off_by, reply.signed_off_at = "rejected", viewer.staff_id, now
    comment.rejection_count += 1
    assignment = in_force(session, comment)
    reply_clock.resume(session, comment, assignment, _SIGN_OFF, calendar, now)
    moves.move(
        session,
        comment,
        Action.REJECT_SIGN_OFF,
        acting(viewer, Permission.SIGN_OFF),
        now,
        detail={"revision": reply.revision, "rejections": comment.rejection_count},
    )
    notices.to_unit(
        session, comment, assignment.lead_unit_id, "sign_off_rejected", str(reply.revision), now,
        {"revision": reply.revision, "due": notices.day(comment.reply_due_on)},
    )  # fmt: skip
    return reply


def correct(
    session: Session,
    viewer: Viewer,
    receipt_no: str,
    seen_version: int,
    draft: ReplyDraft,
    note: str,
    cipher: FieldCipher,
    now: datetime,
) -> Reply:
    """Correct a published reply (R-82): a new version with a public note; the old one is kept.

    Raises:
        IllegalTransition: nothing is published.
        CorrectionNoteRequired: no note.
        SamePerson: the signer drafted or confirmed the reply (R-80).
        FieldErrors: R-75 to R-79.
    """
    comment = take(session, viewer, Permission.SIGN_OFF, receipt_no, seen_version)
    before = session.scalar(select(Reply).where(Reply.comment_id == comment.id, Reply.state == "published"))
    if before is None or comment.handling_state not in (CommentState.REPLIED, CommentState.CLOSED):
        raise IllegalTransition(comment.handling_state, NonStateAction.CORRECT_REPLY, ())
    check_signer(viewer.person_key, _drafters(session, comment, before), person_of(session, before.approved_by))
    written = check_correction_note(note)
    reply = Reply(
        comment_id=comment.id,
        assignment_id=before.assignment_id,
        revision=_next_revision(session, comment),
        state="pending_sign_off",
        lead_unit_id=before.lead_unit_id,
        drafted_by=before.drafted_by,
        drafted_at=now,
        approved_by=before.approved_by,
        approved_at=before.approved_at,
        correction_note=written,
    )
    session.add(reply)
    _fill(session, comment, reply, _cleaned(draft))
    _check(session, comment, reply, _never_say(session, comment, cipher))
    _publish(session, comment, reply, viewer, now)
    events.append(
        session,
        comment,
        NonStateAction.CORRECT_REPLY,
        acting(viewer, Permission.SIGN_OFF),
        now,
        detail={"revision": reply.revision, "outcome": reply.outcome, "corrects": before.revision},
    )
    comment.updated_at = now
    session.flush()
    _correct_members(session, viewer, comment, reply, now)
    return reply


def _correct_members(session: Session, viewer: Viewer, comment: Comment, reply: Reply, now: datetime) -> None:
    """Correct the copies too: whoever was answered together is corrected together (R-82, R-85)."""
    members = session.scalars(
        select(Comment.receipt_no)
        .join(Reply, Reply.comment_id == Comment.id)
        .where(Comment.merged_into_id == comment.id, Reply.state == "published", Reply.assignment_id.is_(None))
        .order_by(Comment.receipt_no)
    ).all()
    for receipt_no in members:
        member = moves.lock(session, receipt_no)
        copy = _copy_of(session, reply, member)
        copy.correction_note = reply.correction_note
        session.add(copy)
        _publish(session, member, copy, viewer, now)
        events.append(
            session,
            member,
            NonStateAction.CORRECT_REPLY,
            acting(viewer, Permission.SIGN_OFF),
            now,
            detail={"revision": copy.revision, "outcome": copy.outcome, "primary": comment.receipt_no},
        )
        member.updated_at = now
        session.flush()


def _take_waiting(
    session: Session, viewer: Viewer, receipt_no: str, seen_version: int, action: Action
) -> tuple[Comment, Reply]:
    comment = take(session, viewer, Permission.SIGN_OFF, receipt_no, seen_version)
    expect(comment, action)
    reply = latest(session, comment)
    if reply is None or reply.state != "pending_sign_off":
        raise NotFound(object="reply")
    return comment, reply


def _check(session: Session, comment: Comment, reply: Reply, never_say: tuple[str, ...]) -> None:
    _place(session, comment, reply.location_section_key, reply.location_version)
    check_reply(ReplyValues(reply.outcome or "", reply.body, reply.draft_location, reply.reason, never_say))


def _publish(session: Session, comment: Comment, reply: Reply, viewer: Viewer, now: datetime) -> None:
    standing = session.scalar(
        select(Reply).where(Reply.comment_id == comment.id, Reply.state == "published", Reply.id != (reply.id or 0))
    )
    if standing is not None:
        standing.state = "superseded"
        session.flush()  # before the new one: the store keeps at most one published
    reply.state, reply.published_at = "published", now
    reply.signed_off_by, reply.signed_off_at = viewer.staff_id, now
    comment.outcome = reply.outcome
    session.flush()


def _stop_pauses(session: Session, assignment: Assignment, now: datetime) -> None:
    for one in reply_clock.running_pauses(session, assignment):
        one.resumed_at = now


def _drafters(session: Session, comment: Comment, reply: Reply) -> set[str]:
    """Return everybody who drafted a version under this routing: their words may live on in the newest (R-80)."""
    accounts = session.scalars(
        select(Reply.drafted_by).where(Reply.comment_id == comment.id, Reply.assignment_id == reply.assignment_id)
    )
    return {person_of(session, account) for account in accounts if account is not None}


def _never_say(session: Session, comment: Comment, cipher: FieldCipher) -> tuple[str, ...]:
    """Return what a reply must not repeat of the submitter (R-79); nothing once it is erased."""
    row = session.get(ContactDetails, comment.id)
    if row is None or row.erased_at is not None:
        return ()
    return tuple(cipher.decrypt(value) for value in (row.name, row.phone, row.email) if value)


def _sign_off_due(calendar: WorkCalendar, now: datetime) -> date | None:
    try:
        return sign_off_due(calendar, local_day(now))
    except CalendarPending:
        return None


# -- what follows ----------------------------------------------------------------------------------


def _answer_members(session: Session, comment: Comment, reply: Reply, now: datetime) -> None:
    """Answer every comment merged into this one under its own number (T29, R-85)."""
    members = session.scalars(
        select(Comment.receipt_no)
        .where(Comment.merged_into_id == comment.id, Comment.handling_state == CommentState.MERGED.value)
        .order_by(Comment.id)
    ).all()
    for receipt_no in members:
        member = moves.lock(session, receipt_no)
        copy = _copy_of(session, reply, member)
        copy.state, copy.signed_off_by, copy.signed_off_at, copy.published_at = (
            "published",
            reply.signed_off_by,
            now,
            now,
        )
        session.add(copy)
        member.outcome, member.replied_at = reply.outcome, now
        moves.move(
            session,
            member,
            Action.MERGED_REPLY,
            events.SYSTEM,
            now,
            detail={"primary": comment.receipt_no, "revision": copy.revision},
        )
        notices.to_submitter(session, member, "reply", str(copy.revision), now, {"revision": copy.revision})


def _copy_of(session: Session, reply: Reply, member: Comment) -> Reply:
    """Return a reply's words for a merged comment; it belongs to no routing."""
    return Reply(
        comment_id=member.id,
        revision=_next_revision(session, member),
        state="pending_sign_off",
        outcome=reply.outcome,
        body=reply.body,
        reason=reply.reason,
        draft_location=reply.draft_location,
        location_section_key=reply.location_section_key,
        location_version=reply.location_version,
        lead_unit_id=reply.lead_unit_id,
        drafted_by=reply.drafted_by,
        drafted_at=reply.drafted_at,
        approved_by=reply.approved_by,
        approved_at=reply.approved_at,
    )


def close_answered(session: Session, calendar: WorkCalendar, now: datetime, limit: int = 100) -> int:
    """Close what was answered five working days ago without an objection (T23); return how many.

    Safe to run twice or late. While a year's notice is missing nothing is closed (R-61).
    """
    old_enough = now - timedelta(days=OBJECTION_DAYS)
    objected = select(Appeal.comment_id).where(Appeal.state == "open", Appeal.kind == "reply")
    waiting = session.execute(
        select(Comment.receipt_no, Comment.replied_at)
        .where(
            Comment.handling_state == CommentState.REPLIED.value,
            Comment.replied_at <= old_enough,
            Comment.id.not_in(objected),
        )
        .order_by(Comment.replied_at, Comment.id)
        .limit(limit)
    ).all()
    done = 0
    for receipt_no, replied_at in waiting:
        last_day = due_date_or_none(calendar, local_day(replied_at), OBJECTION_DAYS) if replied_at else None
        if last_day is None or not is_overdue(last_day, now):
            continue
        comment = moves.lock(session, receipt_no)
        if comment.handling_state != CommentState.REPLIED:
            continue
        moves.move(session, comment, Action.CLOSE, events.SYSTEM, now)
        done += 1
    return done
