"""The demonstration's comments on their way: submitted, screened, routed, answered, each step at its own time."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.calendar import WorkCalendar
from consult.domain.comment_states import Publicity
from consult.domain.comments import AgeStatement, ContactDetails, NewComment, SubmitterKind
from consult.domain.errors import DomainError, FieldErrors
from consult.domain.personal_data import Level, find
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Comment
from consult.models.consultations import Consultation, Section, SectionVersion
from consult.services import comments, own_comment
from consult.services.comments import Codes, Place
from consult.services.contacts import Vault
from consult.services.events import Actor
from moderation.domain.routing import ReturnRequest
from moderation.permissions import Viewer
from moderation.services import merging, replies, returns, routing, screening, supplements
from moderation.services.demonstration_replies import reply_for
from moderation.services.replies import ReplyDraft
from moderation.services.routing import Routing
from moderation.services.screening import Acceptance, Covered, Proposal

Record = Mapping[str, Any]


@dataclass
class Cast:
    """Who acts, with what, and when the demonstration is loaded."""

    staff: Mapping[str, tuple[Viewer, Actor]]
    units: Mapping[str, tuple[Viewer, Viewer]]
    vault: Vault
    cipher: FieldCipher
    digest_code: Callable[[str], str]
    calendar: WorkCalendar
    now: datetime
    dice: random.Random = field(default_factory=lambda: random.Random(20230701))  # noqa: S311 - not a secret

    def viewer(self, username: str) -> Viewer:
        """Return a named member of staff."""
        return self.staff[username][0]


@dataclass
class Case:
    """One comment on its way: `at` is the time of its next step."""

    number: str
    at: datetime
    record: Record

    def later(self, cast: Cast, least: float, most: float) -> datetime:
        """Move on by some hours and return the new time."""
        self.at += timedelta(hours=cast.dice.uniform(least, most))
        return self.at


def states(session: Session) -> tuple[tuple[str, int], ...]:
    """Count the comments by state."""
    rows = session.execute(
        select(Comment.handling_state, func.count()).group_by(Comment.handling_state).order_by(Comment.handling_state)
    )
    return tuple((state, int(n)) for state, n in rows)


def main_cases(session: Session, cast: Cast, slug: str, records: Sequence[Record], opened: datetime) -> int:
    """Submit the 300 comments in their order, their times compressed into the days gone, and work on them."""
    ordered = sorted(records, key=lambda one: str(one["submitted_at"]))
    first, last = (datetime.fromisoformat(str(ordered[place]["submitted_at"])) for place in (0, -1))
    room = (cast.now - timedelta(hours=1)) - opened
    headings = _headings(session, slug)
    groups: dict[str, str] = {}
    for position, record in enumerate(ordered):
        gone = datetime.fromisoformat(str(record["submitted_at"])) - first
        at = opened + room * (gone / (last - first))
        case = _submit(session, cast, slug, record, headings, at, position)
        _handle(session, cast, case, position, groups)
    return len(ordered)


def other_cases(session: Session, cast: Cast, slug: str, records: Sequence[Record], opened: datetime) -> int:
    """Submit and route the comments of a consultation that is still open."""
    headings = _headings(session, slug)
    for position, record in enumerate(records):
        case = _submit(session, cast, slug, record, headings, opened + timedelta(days=4 * position), position)
        if _version(session, case.number) and case.at + timedelta(hours=30) < cast.now:
            _accept_and_route(session, cast, case, str(record["lead"]), ())
    return len(records)


def finished_cases(session: Session, cast: Cast, slug: str, records: Sequence[Record], opened: datetime) -> int:
    """Submit the comments of a closed consultation and bring every one to its end."""
    headings = _headings(session, slug)
    for position, record in enumerate(records):
        case = _submit(session, cast, slug, record, headings, opened + timedelta(days=position), position)
        case.later(cast, 2, 20)
        if record.get("channel"):
            _channel(session, cast, case, str(record["channel"]))
            continue
        lead = str(record["lead"])
        _accept_and_route(session, cast, case, lead, ())
        place = headings.get(str(record.get("place")), "")
        draft = ReplyDraft(
            outcome=str(record["outcome"]),
            body=str(record["reply"]),
            reason=str(record["reason"]),
            section_key=place,
            version=1 if place else None,
        )
        _answer(session, cast, case, lead, draft, sign=True)
    return len(records)


# -- submitting -------------------------------------------------------------------------------------


def _headings(session: Session, slug: str) -> dict[str, str]:
    """Return heading → section key; a heading that stands twice keeps its first place."""
    rows = session.execute(
        select(SectionVersion.heading, Section.key)
        .join(Section, Section.id == SectionVersion.section_id)
        .join(Consultation, Consultation.id == Section.consultation_id)
        .where(Consultation.slug == slug)
        .order_by(SectionVersion.position.desc())
    )
    return dict(rows.tuples().all())


def _submit(
    session: Session,
    cast: Cast,
    slug: str,
    record: Record,
    headings: Mapping[str, str],
    at: datetime,
    position: int,
) -> Case:
    seed = hashlib.sha256(f"demo:{slug}:{position}".encode()).hexdigest()
    codes = Codes(seed[:32], cast.digest_code(seed[32:56]))
    section = headings.get(str(record.get("section")), "") if record.get("section") else ""
    place = Place(slug, section, "", str(record.get("quote") or ""))
    new = _new_comment(record, position)
    try:
        stored = comments.submit(session, place, new, codes, cast.vault, cast.calendar, at)
    except FieldErrors:
        # A quotation that stands in another section: the comment is about the section all the same.
        stored = comments.submit(session, Place(slug, section), new, codes, cast.vault, cast.calendar, at)
    return Case(stored.receipt_no, at, record)


def _new_comment(record: Record, position: int) -> NewComment:
    organisation = record.get("organisation") if record["kind"] == "企业" else None
    return NewComment(
        body=str(record["text"]),
        submitter_kind=SubmitterKind.ORGANISATION if organisation else SubmitterKind.INDIVIDUAL,
        contact=ContactDetails(
            name=str(record["name"]),
            phone=str(record["phone"]),
            email=str(record["email"]),
            organisation=str(organisation) if organisation else None,
            credit_code=None,
        ),
        age_statement=AgeStatement.OVER_14,
        consent_publish_name=position % 9 == 0 and not organisation,
        consent_publish_org_name=position % 7 == 0 and bool(organisation),
        credit_code_confirmed=False,
    )


# -- handling ---------------------------------------------------------------------------------------


def _version(session: Session, number: str) -> int:
    return int(session.scalar(select(Comment.version).where(Comment.receipt_no == number)) or 0)


def _handle(session: Session, cast: Cast, case: Case, position: int, groups: dict[str, str]) -> None:
    """Take a comment as far as its age allows, on the way its kind calls for."""
    record, flags = case.record, case.record["flags"]
    if case.at + timedelta(hours=60) > cast.now:
        _fresh(session, cast, case, position)
        return
    case.later(cast, 3, 26)
    if flags["grievance"]:
        _channel(session, cast, case, "personal_grievance")
    elif flags["offtopic"]:
        _refuse(session, cast, case, confirmed=position % 3 != 0)
    elif position % 47 == 11:
        own_comment.withdraw(session, case.number, case.at)
    elif flags["duplicate_group"] and flags["duplicate_group"] in groups:
        _merge(session, cast, case, groups[flags["duplicate_group"]])
    else:
        if flags["duplicate_group"]:
            groups[flags["duplicate_group"]] = case.number
        if flags["abusive"] and position % 2 == 0:
            _withhold(session, cast, case)
        co_units = [code for code in record["co_units"] if code in cast.units and code != record["gold_lead"]]
        lead = str(record["gold_lead"]) if record["gold_lead"] in cast.units else "FGW"
        if position % 23 == 5:
            _accept(session, cast, case)
            return
        _accept_and_route(session, cast, case, lead, tuple(co_units[:2]))
        _in_the_unit(session, cast, case, lead, position)


def _fresh(session: Session, cast: Cast, case: Case, position: int) -> None:
    """Leave most of the newest comments in the queue; ask one for more, accept another."""
    case.later(cast, 1, 3)
    if case.at > cast.now:
        return
    if position % 6 == 1:
        try:
            supplements.ask(
                session,
                cast.viewer("moderator"),
                case.number,
                _version(session, case.number),
                "请补充具体地点和时间。",
                cast.calendar,
                case.at,
            )
        except DomainError:
            return  # a year without its holiday notice: the comment stays in the queue
    elif position % 6 == 4:
        lead = str(case.record["gold_lead"])
        _accept_and_route(session, cast, case, lead if lead in cast.units else "FGW", ())
    elif position % 6 == 2:
        _accept(session, cast, case)
    elif position % 6 == 3:
        screening.route(
            session,
            cast.viewer("moderator"),
            _accept(session, cast, case),
            _version(session, case.number),
            case.at,
        )


def _acceptance(session: Session, case: Case) -> Acceptance:
    body = session.scalar(select(Comment.body).where(Comment.receipt_no == case.number)) or ""
    covered = tuple(
        Covered(one.start, one.end, one.type) for one in find(body) if one.level in {Level.STRONG, Level.SUSPECT}
    )
    return Acceptance(Publicity.REDACTED if covered else Publicity.FULL, covered)


def _accept(session: Session, cast: Cast, case: Case) -> str:
    screening.accept(
        session,
        cast.viewer("moderator"),
        case.number,
        _version(session, case.number),
        _acceptance(session, case),
        cast.cipher,
        case.at,
    )
    return case.number


def _accept_and_route(session: Session, cast: Cast, case: Case, lead: str, co_units: tuple[str, ...]) -> None:
    screening.accept_and_route(
        session,
        cast.viewer("moderator"),
        case.number,
        _version(session, case.number),
        _acceptance(session, case),
        Routing(lead, co_units),
        cast.cipher,
        cast.calendar,
        case.at,
    )


def _channel(session: Session, cast: Cast, case: Case, kind: str) -> None:
    screening.channel_notice(
        session, cast.viewer("moderator"), case.number, _version(session, case.number), kind, case.at
    )


def _refuse(session: Session, cast: Cast, case: Case, *, confirmed: bool) -> None:
    proposal = Proposal("not_accept", "unrelated", "内容与评估报告无关，没有可识别的诉求。")
    screening.propose(session, cast.viewer("moderator"), case.number, _version(session, case.number), proposal, case.at)
    if confirmed:
        at = case.later(cast, 1, 4)
        screening.confirm(session, cast.viewer("reviewer"), case.number, _version(session, case.number), at)


def _withhold(session: Session, cast: Cast, case: Case) -> None:
    proposal = Proposal("withhold", "insult", "含侮辱性语言。")
    screening.propose(session, cast.viewer("moderator"), case.number, _version(session, case.number), proposal, case.at)
    at = case.later(cast, 1, 4)
    screening.confirm(session, cast.viewer("reviewer"), case.number, _version(session, case.number), at)
    case.later(cast, 0.2, 1)


def _merge(session: Session, cast: Cast, case: Case, primary: str) -> None:
    _accept(session, cast, case)
    at = case.later(cast, 0.1, 1)
    try:
        merging.merge(
            session,
            cast.viewer("moderator"),
            case.number,
            _version(session, case.number),
            primary,
            "与主件反映同一事项",
            at,
        )
    except DomainError:
        lead = str(case.record["gold_lead"])
        viewer = cast.viewer("moderator")
        screening.route(session, viewer, case.number, _version(session, case.number), at)
        routing.assign(
            session,
            viewer,
            case.number,
            _version(session, case.number),
            Routing(lead if lead in cast.units else "FGW"),
            cast.calendar,
            at,
        )


def _in_the_unit(session: Session, cast: Cast, case: Case, lead: str, position: int) -> None:
    """Let the lead unit work on it: sign for it, return it, ask for time, answer it, or be late."""
    officer, leader = cast.units[lead]
    if case.later(cast, 2, 18) > cast.now:
        return
    routing.sign_receipt(session, officer, case.number, _version(session, case.number), case.at)
    if position % 31 == 7:
        _return(session, cast, case, leader, approved=position % 2 == 0)
        return
    if position % 29 == 3:
        _ask_for_time(session, cast, case, officer, approved=position % 2 == 1)
        return
    if position % 5 == 0:
        return  # still being worked on; the oldest of these are overdue
    draft = reply_for(case.record, session.scalar(_first_section(case)) or "", position)
    _answer(session, cast, case, lead, draft, sign=position % 7 != 0, rejected=position % 37 == 9)


def _first_section(case: Case) -> Any:
    return (
        select(Section.key)
        .join(Comment, Comment.section_id == Section.id)
        .where(Comment.receipt_no == case.number)
        .limit(1)
    )


def _return(session: Session, cast: Cast, case: Case, leader: Viewer, *, approved: bool) -> None:
    if case.later(cast, 4, 20) > cast.now:
        return
    asked = ReturnRequest(
        "other_unit_leads", "该事项的日常管理不在本单位。", "责任分解表所列牵头单位不是本单位。", "FGW"
    )
    returns.request_return(session, leader, case.number, _version(session, case.number), asked, case.at)
    if approved and case.later(cast, 2, 8) < cast.now:
        viewer = cast.viewer("moderator")
        returns.approve_return(session, viewer, case.number, _version(session, case.number), case.at)


def _ask_for_time(session: Session, cast: Cast, case: Case, officer: Viewer, *, approved: bool) -> None:
    if case.later(cast, 4, 20) > cast.now:
        return
    returns.request_extension(
        session,
        officer,
        case.number,
        _version(session, case.number),
        "需会同有关单位到现场核实后才能答复。",
        case.at,
    )
    if approved and case.later(cast, 2, 8) < cast.now:
        returns.approve_extension(
            session,
            cast.viewer("moderator"),
            case.number,
            _version(session, case.number),
            cast.calendar,
            case.at,
        )


def _answer(
    session: Session,
    cast: Cast,
    case: Case,
    lead: str,
    draft: ReplyDraft,
    *,
    sign: bool,
    rejected: bool = False,
) -> None:
    officer, leader = cast.units[lead]
    if session.scalar(select(Comment.handling_state).where(Comment.receipt_no == case.number)) == "assigned":
        routing.sign_receipt(session, officer, case.number, _version(session, case.number), case.later(cast, 2, 10))
    if case.later(cast, 20, 90) > cast.now:
        return
    replies.save_draft(session, officer, case.number, _version(session, case.number), draft, case.at)
    if case.later(cast, 2, 12) > cast.now:
        return
    replies.approve(
        session, leader, case.number, _version(session, case.number), "同意", cast.cipher, cast.calendar, case.at
    )
    if not sign or case.later(cast, 2, 20) > cast.now:
        return
    signer = cast.viewer("signer")
    if rejected:
        replies.reject(
            session,
            signer,
            case.number,
            _version(session, case.number),
            "请写明完成时间。",
            cast.calendar,
            case.at,
        )
        return
    replies.sign_off(session, signer, case.number, _version(session, case.number), cast.cipher, case.at)
