"""Everything about one comment that its pages show: the words, their place, what happened, what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import CommentState, NonStateAction
from consult.domain.errors import NotFound
from consult.domain.personal_data import Finding, find
from consult.models.comments import (
    Comment,
    CommentEvent,
    CommentOriginal,
    ContactDetails,
    Redaction,
    Reply,
)
from consult.models.consultations import Block, Consultation, DraftVersion, Section, SectionVersion
from consult.models.plan import PlanItem, Unit
from consult.queries.contacts import Cipher, ContactShown, decrypted
from moderation.models import FindingDecision, StaffMember, TwoPersonDecision
from moderation.permissions import Permission, Viewer
from moderation.queries.accused import accused_units
from moderation.queries.comment_assignment import AssignmentShown, assignment_of
from moderation.queries.comment_links import Links, SupplementShown, links_of, supplements_of
from moderation.queries.scope import reached
from moderation.queries.suggested_leads import SuggestedUnit, suggest

SHOWN_FOR = timedelta(minutes=10)
"""How long a contact stays on the page of the one who looked, after it was written down (R-51)."""


PLACE_SEPARATOR = " · "
"""Between a section's path and the detail a unit adds, such as 第27段."""


@dataclass(frozen=True)
class Place:
    """Where a comment points: consultation, section of the version that was read, plan item."""

    consultation_id: int
    slug: str
    consultation: str
    section_key: str = ""
    heading: str = ""
    path: str = ""
    version: int | None = None
    item: str = ""


@dataclass(frozen=True)
class ContextBlock:
    """A paragraph around the quote; `number` as readers count, from 1. `quote_start` is None outside the quote."""

    number: int
    text: str
    is_target: bool
    quote_start: int | None = None
    quote_end: int | None = None


@dataclass(frozen=True)
class HistoryEntry:
    """One entry of the event log with the name of who acted."""

    seq: int
    kind: str
    before: str
    after: str
    actor_kind: str
    actor_name: str
    actor_role: str
    reason: str
    detail: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class OpenDecision:
    """A proposal that waits for its second person; `mine` tells that the viewer proposed it."""

    kind: str
    reason: str
    note: str
    proposed_by: str
    proposed_at: datetime
    mine: bool


@dataclass(frozen=True)
class SpanShown:
    """A covered stretch or a dismissed finding, in code points of the original text."""

    start: int
    end: int
    kind: str
    reason: str


@dataclass(frozen=True)
class ReplyShown:
    """One version of the reply."""

    revision: int
    state: str
    outcome: str
    body: str
    reason: str
    draft_location: str
    section_key: str
    version: int | None
    unit: str
    drafted_by: str
    drafted_at: datetime
    approved_by: str
    approved_at: datetime | None
    approval_note: str
    signed_off_by: str
    signed_off_at: datetime | None
    sign_off_due_on: date | None
    rejection: str
    published_at: datetime | None
    correction_note: str

    @property
    def place_detail(self) -> str:
        """What the unit added to the section's path."""
        return self.draft_location.partition(PLACE_SEPARATOR)[2]


@dataclass(frozen=True)
class CommentPage:
    """One comment for its page. `text` is what positions refer to: the original, for those who may redact."""

    id: int
    receipt_no: str
    version: int
    state: str
    publicity: str
    standing: str
    withhold_reason: str
    closed_as: str
    body: str
    text: str
    quote: str
    submitter_kind: str
    source: str
    channel: str
    masked_name: str
    age_statement: str
    consent_publish_name: bool
    has_third_party: bool
    flags: tuple[str, ...]
    submitted_at: datetime
    review_due_on: date | None
    accepted_at: datetime | None
    assigned_at: datetime | None
    reply_due_on: date | None
    return_count: int
    rejection_count: int
    outcome: str
    place: Place
    context: tuple[ContextBlock, ...]
    findings: tuple[Finding, ...]
    redactions: tuple[SpanShown, ...]
    dismissed: tuple[SpanShown, ...]
    suggestions: tuple[SuggestedUnit, ...]
    decision: OpenDecision | None
    assignment: AssignmentShown | None
    replies: tuple[ReplyShown, ...]
    history: tuple[HistoryEntry, ...]
    may_reveal: bool
    contact: ContactShown | None
    contact_erased: bool
    is_lead: bool
    previous: str
    next: str
    has_email: bool
    supplements_asked: int
    supplement_due_on: date | None
    supplements: tuple[SupplementShown, ...]
    links: Links
    accused: frozenset[int]
    held_by: str
    held_by_me: bool
    held_until: datetime | None


def load(session: Session, viewer: Viewer, receipt_no: str, cipher: Cipher, now: datetime) -> CommentPage:
    """Return one comment with everything around it, in a fixed number of queries.

    Raises:
        NotFound: it does not exist or lies outside the viewer's reach (R-93).
    """
    comment = session.scalar(
        select(Comment).where(Comment.receipt_no == receipt_no, reached(viewer.reach(Permission.VIEW_UNPUBLISHED)))
    )
    if comment is None:
        raise NotFound(object="comment")
    place = _place(session, comment)
    text = _text(session, viewer, comment, cipher)
    assignment = assignment_of(session, comment)
    may_reveal = _reaches(session, viewer, Permission.REVEAL_CONTACT, comment)
    contact, erased = _contact(session, viewer, comment, cipher, now) if may_reveal else (None, False)
    before, after = _neighbours(session, viewer, comment)
    holder = _holder(session, comment, now)
    return CommentPage(
        id=comment.id,
        receipt_no=comment.receipt_no,
        version=comment.version,
        state=comment.handling_state,
        publicity=comment.publicity,
        standing=comment.standing,
        withhold_reason=comment.withhold_reason,
        closed_as=comment.closed_as,
        body=comment.body,
        text=text,
        quote=comment.quote,
        submitter_kind=comment.submitter_kind,
        source=comment.source,
        channel=comment.channel,
        masked_name=comment.masked_name,
        age_statement=comment.age_statement,
        consent_publish_name=comment.consent_publish_name,
        has_third_party=comment.has_third_party,
        flags=tuple(str(flag) for flag in comment.flags),
        submitted_at=comment.submitted_at,
        review_due_on=comment.review_due_on,
        accepted_at=comment.accepted_at,
        assigned_at=comment.assigned_at,
        reply_due_on=comment.reply_due_on,
        return_count=comment.return_count,
        rejection_count=comment.rejection_count,
        outcome=comment.outcome or "",
        place=place,
        context=_context(session, comment),
        findings=tuple(find(text)),
        redactions=_redactions(session, comment),
        dismissed=_dismissed(session, comment),
        suggestions=suggest(session, comment),
        decision=_decision(session, viewer, comment),
        assignment=assignment,
        replies=_replies(session, comment),
        history=_history(session, comment),
        may_reveal=may_reveal,
        contact=contact,
        contact_erased=erased,
        is_lead=assignment is not None and viewer.unit_id == assignment.lead_unit_id,
        previous=before,
        next=after,
        has_email=_has_email(session, comment),
        supplements_asked=comment.supplements_asked,
        supplement_due_on=comment.supplement_due_on,
        supplements=supplements_of(session, comment),
        links=links_of(session, comment),
        accused=accused_units(session, comment),
        held_by=holder,
        held_by_me=bool(holder) and comment.claimed_by == viewer.staff_id,
        held_until=comment.claimed_until if holder else None,
    )


def current_version(session: Session, viewer: Viewer, receipt_no: str) -> tuple[int, str]:
    """Return version and state as they stand now, for the page of a conflict.

    Raises:
        NotFound: out of reach by now, for example handed back.
    """
    row = session.execute(
        select(Comment.version, Comment.handling_state).where(
            Comment.receipt_no == receipt_no, reached(viewer.reach(Permission.VIEW_UNPUBLISHED))
        )
    ).first()
    if row is None:
        raise NotFound(object="comment")
    return row.version, row.handling_state


def _place(session: Session, comment: Comment) -> Place:
    row = session.execute(
        select(
            Consultation.id,
            Consultation.slug,
            Consultation.title,
            Section.key,
            SectionVersion.heading,
            SectionVersion.path,
            DraftVersion.number,
            PlanItem.title,
        )
        .select_from(Consultation)
        .outerjoin(SectionVersion, SectionVersion.id == comment.section_version_id)
        .outerjoin(Section, Section.id == SectionVersion.section_id)
        .outerjoin(DraftVersion, DraftVersion.id == SectionVersion.draft_version_id)
        .outerjoin(PlanItem, PlanItem.id == comment.item_id)
        .where(Consultation.id == comment.consultation_id)
    ).one()
    identity, slug, title, key, heading, path, number, item = row
    return Place(identity, slug, title, key or "", heading or "", path or "", number, item or "")


def _text(session: Session, viewer: Viewer, comment: Comment, cipher: Cipher) -> str:
    """Return the original to those who decide on redactions, to everybody else the text as it stands (R-30)."""
    if comment.handling_state != CommentState.PENDING_REVIEW:
        return comment.body
    if not _reaches(session, viewer, Permission.REVIEW, comment):
        return comment.body
    original = session.get(CommentOriginal, comment.id)
    if original is None or original.body is None:
        return comment.body
    return cipher.decrypt(original.body)


def _context(session: Session, comment: Comment) -> tuple[ContextBlock, ...]:
    if comment.section_version_id is None or not comment.block_key:
        return ()
    at = (
        select(Block.position)
        .where(Block.section_version_id == comment.section_version_id, Block.key == comment.block_key)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Block.key, Block.position, Block.text)
        .where(
            Block.section_version_id == comment.section_version_id,
            Block.position.between(at - 1, at + 1),
        )
        .order_by(Block.position)
    ).all()
    shown = []
    for key, position, text in rows:
        is_target = key == comment.block_key
        start = _quote_start(comment, text) if is_target else None
        end = None if start is None else start + len(comment.quote)
        shown.append(ContextBlock(position + 1, text, is_target, start, end))
    return tuple(shown)


def _quote_start(comment: Comment, text: str) -> int | None:
    if not comment.quote:
        return None
    start = comment.quote_start
    if start is not None and text[start : start + len(comment.quote)] == comment.quote:
        return start
    found = text.find(comment.quote)
    return None if found < 0 else found


def _redactions(session: Session, comment: Comment) -> tuple[SpanShown, ...]:
    rows = session.execute(
        select(Redaction.starts, Redaction.ends, Redaction.kind, Redaction.reason)
        .where(Redaction.comment_id == comment.id)
        .order_by(Redaction.starts)
    )
    return tuple(SpanShown(*row) for row in rows)


def _dismissed(session: Session, comment: Comment) -> tuple[SpanShown, ...]:
    rows = session.execute(
        select(FindingDecision.starts, FindingDecision.ends, FindingDecision.kind, FindingDecision.reason)
        .where(FindingDecision.comment_id == comment.id)
        .order_by(FindingDecision.starts)
    )
    return tuple(SpanShown(*row) for row in rows)


def _decision(session: Session, viewer: Viewer, comment: Comment) -> OpenDecision | None:
    row = session.execute(
        select(TwoPersonDecision, StaffMember.display_name, StaffMember.person_key)
        .outerjoin(StaffMember, StaffMember.id == TwoPersonDecision.proposed_by)
        .where(TwoPersonDecision.comment_id == comment.id, TwoPersonDecision.state == "proposed")
        .limit(1)
    ).first()
    if row is None:
        return None
    decision, name, person = row
    return OpenDecision(
        decision.kind,
        decision.reason_code,
        decision.note,
        name or "",
        decision.proposed_at,
        person == viewer.person_key,
    )


def _replies(session: Session, comment: Comment) -> tuple[ReplyShown, ...]:
    """Return every version, newest first."""
    drafter, approver, signer = (StaffMember.__table__.alias(name) for name in ("drafter", "approver", "signer"))
    rows = session.execute(
        select(Reply, Unit.short_name, drafter.c.display_name, approver.c.display_name, signer.c.display_name)
        .outerjoin(Unit, Unit.id == Reply.lead_unit_id)
        .outerjoin(drafter, drafter.c.id == Reply.drafted_by)
        .outerjoin(approver, approver.c.id == Reply.approved_by)
        .outerjoin(signer, signer.c.id == Reply.signed_off_by)
        .where(Reply.comment_id == comment.id)
        .order_by(Reply.revision.desc())
    ).all()
    return tuple(
        ReplyShown(
            revision=reply.revision,
            state=reply.state,
            outcome=reply.outcome or "",
            body=reply.body,
            reason=reply.reason,
            draft_location=reply.draft_location,
            section_key=reply.location_section_key,
            version=reply.location_version,
            unit=unit or "",
            drafted_by=drafted or "",
            drafted_at=reply.drafted_at,
            approved_by=approved or "",
            approved_at=reply.approved_at,
            approval_note=reply.approval_note,
            signed_off_by=signed or "",
            signed_off_at=reply.signed_off_at,
            sign_off_due_on=reply.sign_off_due_on,
            rejection=reply.rejection,
            published_at=reply.published_at,
            correction_note=reply.correction_note,
        )
        for reply, unit, drafted, approved, signed in rows
    )


def _history(session: Session, comment: Comment) -> tuple[HistoryEntry, ...]:
    """Return the event log, newest first."""
    rows = session.execute(
        select(CommentEvent, StaffMember.display_name)
        .outerjoin(StaffMember, StaffMember.id == CommentEvent.actor_id)
        .where(CommentEvent.comment_id == comment.id)
        .order_by(CommentEvent.seq.desc())
        .limit(200)
    ).all()
    return tuple(
        HistoryEntry(
            event.seq,
            event.kind,
            event.before,
            event.after,
            event.actor_kind,
            name or "",
            event.actor_role,
            event.reason,
            event.detail,
            event.at,
        )
        for event, name in rows
    )


def _reaches(session: Session, viewer: Viewer, permission: Permission, comment: Comment) -> bool:
    reach = viewer.reach(permission)
    return not reach.nothing and (session.scalar(select(1).where(Comment.id == comment.id, reached(reach))) is not None)


def _contact(
    session: Session, viewer: Viewer, comment: Comment, cipher: Cipher, now: datetime
) -> tuple[ContactShown | None, bool]:
    row = session.get(ContactDetails, comment.id)
    if row is None or row.erased_at is not None:
        return None, True
    looked = session.scalar(
        select(CommentEvent.id)
        .where(
            CommentEvent.comment_id == comment.id,
            CommentEvent.kind == NonStateAction.REVEAL_CONTACT.value,
            CommentEvent.actor_id == viewer.staff_id,
            CommentEvent.at > now - SHOWN_FOR,
        )
        .limit(1)
    )
    if looked is None or row.legal_hold:
        return None, False
    return decrypted(row, cipher), False


def _holder(session: Session, comment: Comment, now: datetime) -> str:
    """Return who has taken the comment to read it, while that lasts."""
    if comment.claimed_by is None or comment.claimed_until is None or comment.claimed_until <= now:
        return ""
    return session.scalar(select(StaffMember.display_name).where(StaffMember.id == comment.claimed_by)) or ""


def _has_email(session: Session, comment: Comment) -> bool:
    return session.scalar(select(ContactDetails.email).where(ContactDetails.comment_id == comment.id)) is not None


def _neighbours(session: Session, viewer: Viewer, comment: Comment) -> tuple[str, str]:
    """Return the 编号 before and after in the same state of the same consultation, oldest first."""
    same = (
        Comment.consultation_id == comment.consultation_id,
        Comment.handling_state == comment.handling_state,
        reached(viewer.reach(Permission.VIEW_UNPUBLISHED)),
    )
    at, key = Comment.submitted_at, Comment.id
    before = session.scalar(
        select(Comment.receipt_no)
        .where(
            *same,
            or_(at < comment.submitted_at, and_(at == comment.submitted_at, key < comment.id)),
        )
        .order_by(at.desc(), key.desc())
        .limit(1)
    )
    after = session.scalar(
        select(Comment.receipt_no)
        .where(
            *same,
            or_(at > comment.submitted_at, and_(at == comment.submitted_at, key > comment.id)),
        )
        .order_by(at, key)
        .limit(1)
    )
    return before or "", after or ""
