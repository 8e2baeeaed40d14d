"""Decisions of reviewers and signers: closed lists of reasons, and who may decide with whom.

R-30 to R-42, R-71, R-80, R-84 to R-87, R-94, R-95. Persons are compared by `person_key`, the natural person
behind an account, never by account: two accounts of one person are one (R-95).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from consult.domain.calendar import is_overdue
from consult.domain.comment_states import ANSWERED, MERGEABLE, Action, CommentState, Publicity, Role, available_actions
from consult.domain.errors import (
    AppealOnce,
    AppealWindowClosed,
    ConflictingRoles,
    CorrectionNoteRequired,
    DifferentConsultation,
    FindingsUnresolved,
    IllegalTransition,
    MergeChain,
    NotAcceptReasonRequired,
    PrimaryAnswered,
    PublicityRequired,
    ReasonRequired,
    SamePerson,
    SupplementOnce,
    SupplementWindowClosed,
    ThirdPersonRequired,
    TwoPersonRule,
    WithholdReasonRequired,
)
from consult.domain.personal_data import Finding, Level, Redaction


class WithholdReason(StrEnum):
    """Why a comment is handled but not published; closed, without "other" (R-35)."""

    STATE_SECRET = "state_secret"  # noqa: S105 - a reason, not a password
    PUBLIC_SECURITY = "public_security"
    TRADE_SECRET = "trade_secret"  # noqa: S105
    PRIVACY = "privacy"
    INSULT = "insult"
    UNLAWFUL = "unlawful"
    ACCUSATION = "accusation"
    MINOR = "minor"
    SUBMITTER_REQUEST = "submitter_request"


ONE_PERSON_SUFFICES = frozenset({WithholdReason.SUBMITTER_REQUEST})
"""Only ⑨, the submitter's own wish, needs one person (R-36)."""

SEALED_BY = frozenset({WithholdReason.STATE_SECRET})
"""A suspected state secret is sealed at once (R-38)."""


class NotAcceptReason(StrEnum):
    """Why a comment is not accepted; criticism and opposition are no reasons (R-40)."""

    ADVERTISING = "advertising"
    GIBBERISH = "gibberish"
    DUPLICATE = "duplicate"
    UNLAWFUL = "unlawful"
    UNRELATED = "unrelated"


class ChannelKind(StrEnum):
    """What a comment is about when another channel is named (R-41, R-42)."""

    PERSONAL_GRIEVANCE = "personal_grievance"
    COMPLAINT = "complaint"
    PETITION = "petition"
    LEGAL_REMEDY = "legal_remedy"
    ACCUSATION = "accusation"


class RevealPurpose(StrEnum):
    """Why a contact is looked at; recorded each time (R-51)."""

    VERIFY = "verify"
    SUPPLEMENT = "supplement"
    REPLY = "reply"
    SUPERVISE = "supervise"


# -- persons ---------------------------------------------------------------------------------------


def check_two_persons(proposer: str, confirmer: str) -> None:
    """Refuse when one natural person stands on both sides (R-36, R-95).

    Raises:
        TwoPersonRule: the person keys are equal, or one is missing.
    """
    if not proposer or not confirmer or proposer == confirmer:
        raise TwoPersonRule


def check_third_person(decider: str, took_part: Collection[str]) -> None:
    """Refuse an appeal decided by somebody who took part in the decision (R-37).

    Raises:
        ThirdPersonRequired: the decider is one of them, or unknown.
    """
    if not decider or decider in took_part:
        raise ThirdPersonRequired


def check_signer(signer: str, drafters: Iterable[str], confirmer: str) -> None:
    """Refuse a signer who drafted or confirmed the reply (R-80).

    Raises:
        SamePerson: the signer is one of them.
    """
    if not signer or signer in {*drafters, confirmer}:
        raise SamePerson


def check_publisher(signer: str, editors: Collection[str]) -> None:
    """Refuse a signer who edited the consultation himself (C00).

    Raises:
        SamePerson: the signer is one of the editors.
    """
    if not signer or signer in editors:
        raise SamePerson


_BUSINESS = frozenset(Role) - {Role.PUBLIC, Role.SYSTEM, Role.SYSADMIN, Role.SECURITY_AUDITOR}


def check_roles(roles: Collection[Role]) -> None:
    """Refuse roles that exclude one another, for all accounts of one person together (R-94).

    Raises:
        ConflictingRoles: administrator, auditor and business roles meet in one person.
    """
    wanted = set(roles)
    kinds = (Role.SYSADMIN in wanted, Role.SECURITY_AUDITOR in wanted, bool(wanted & _BUSINESS))
    if sum(kinds) > 1:
        raise ConflictingRoles(roles=tuple(sorted(role.value for role in wanted)))


# -- withholding and not accepting -----------------------------------------------------------------


def withhold_reason(code: str) -> WithholdReason:
    """Return the reason of the closed list.

    Raises:
        WithholdReasonRequired: none, or not of the list (R-35).
    """
    if code not in set(WithholdReason):
        raise WithholdReasonRequired(field="reason")
    return WithholdReason(code)


def needs_second_person(reason: WithholdReason) -> bool:
    """Tell whether a second person must confirm (R-36)."""
    return reason not in ONE_PERSON_SUFFICES


def check_withhold(code: str, proposer: str, confirmer: str) -> WithholdReason:
    """Return the reason of a withholding that takes effect now.

    Raises:
        WithholdReasonRequired: see `withhold_reason`.
        TwoPersonRule: the reason needs two persons and there is one (R-36).
    """
    reason = withhold_reason(code)
    if needs_second_person(reason):
        check_two_persons(proposer, confirmer)
    return reason


def not_accept_reason(code: str) -> NotAcceptReason:
    """Return the reason of the closed list.

    Raises:
        NotAcceptReasonRequired: none, or not of the list (R-40).
    """
    if code not in set(NotAcceptReason):
        raise NotAcceptReasonRequired(field="reason")
    return NotAcceptReason(code)


def check_not_accept(code: str, proposer: str, confirmer: str) -> NotAcceptReason:
    """Return the reason of a refusal to accept, which always takes two persons (R-40).

    Raises:
        NotAcceptReasonRequired: see `not_accept_reason`.
        TwoPersonRule: one natural person on both sides.
    """
    reason = not_accept_reason(code)
    check_two_persons(proposer, confirmer)
    return reason


# -- accepting -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FalsePositive:
    """A finding somebody dismissed, with a reason (R-31). Same span and type as the finding."""

    start: int
    end: int
    type: str
    reason: str


def open_findings(
    findings: Iterable[Finding], redactions: Collection[Redaction], dismissed: Collection[FalsePositive]
) -> list[Finding]:
    """Return the strong and suspect findings neither covered by a redaction nor dismissed with a reason."""
    answered = {(one.start, one.end, one.type) for one in dismissed if one.reason.strip()}
    return [
        finding
        for finding in findings
        if finding.level is not Level.INFO
        and (finding.start, finding.end, finding.type.value) not in answered
        and not any(one.start <= finding.start and finding.end <= one.end for one in redactions)
    ]


def check_accept(
    publicity: Publicity,
    still_open: Collection[Finding],
    *,
    third_party_marked: bool = False,
    redaction_count: int = 0,
) -> None:
    """Refuse acceptance before publication is decided (T02).

    Raises:
        PublicityRequired: still pending; or redacted without a redaction; or redactions with full.
        FindingsUnresolved: findings are open, or third-person data is marked and nothing is covered
            (R-31, R-34). A withheld comment is not published, so it may keep open findings.
    """
    if publicity is Publicity.PENDING:
        raise PublicityRequired(field="publicity")
    if publicity is Publicity.WITHHELD:
        return
    if still_open:
        kinds = tuple(dict.fromkeys(finding.type.value for finding in still_open))
        raise FindingsUnresolved(n=len(still_open), types=kinds)
    if third_party_marked and not redaction_count:
        raise FindingsUnresolved(n=1, types=("other",))
    if (publicity is Publicity.REDACTED) != bool(redaction_count):
        raise PublicityRequired(field="publicity")


def check_ask_supplement(*, asked_before: bool, has_email: bool, points: str) -> None:
    """Refuse to ask for a supplement (T03, R-71).

    Raises:
        SupplementOnce: it was asked for before, or there is no e-mail address to ask at.
        ReasonRequired: no points are listed.
    """
    if asked_before or not has_email:
        raise SupplementOnce(has_email=has_email)
    if not points.strip():
        raise ReasonRequired(field="points")


def check_supplement(last_day: date | None, now: datetime) -> None:
    """Refuse a supplement after its five working days (T04, T05).

    Raises:
        SupplementWindowClosed: the last day is over.
    """
    if is_overdue(last_day, now):
        raise SupplementWindowClosed(last_day=last_day)


def check_appeal(last_day: date, now: datetime, *, appealed_before: bool) -> None:
    """Refuse an appeal (R-37): one, within 15 calendar days.

    Raises:
        AppealOnce: there was one.
        AppealWindowClosed: the last day is over.
    """
    if appealed_before:
        raise AppealOnce
    if is_overdue(last_day, now):
        raise AppealWindowClosed(last_day=last_day)


# -- merging ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MergeSide:
    """One side of a merge: which comment, of which consultation, where it is, and what it is merged into."""

    comment: int | str
    consultation: int | str
    state: CommentState
    merged_into: int | str | None = None
    has_members: bool = False


def check_merge(member: MergeSide, primary: MergeSide, reason: str) -> None:
    """Refuse a merge (T26, T27, R-84).

    Raises:
        DifferentConsultation: they belong to two rounds.
        MergeChain: the primary is merged, is the member itself, or the member heads a group of its own.
        PrimaryAnswered: the primary is answered or gone.
        IllegalTransition: the member is past routing.
        ReasonRequired: no reason written.
    """
    if member.consultation != primary.consultation:
        raise DifferentConsultation
    chained = primary.merged_into is not None or primary.state is CommentState.MERGED
    if chained or member.comment == primary.comment or member.has_members:
        raise MergeChain
    if primary.state in ANSWERED or primary.state is CommentState.WITHDRAWN:
        raise PrimaryAnswered
    if member.state not in MERGEABLE:
        raise IllegalTransition(member.state, Action.MERGE, available_actions(member.state))
    if not reason.strip():
        raise ReasonRequired(field="reason")


def check_unmerge(primary_state: CommentState) -> None:
    """Refuse to take a member out once the primary is answered (T28, R-86).

    Raises:
        PrimaryAnswered: it is.
    """
    if primary_state in ANSWERED:
        raise PrimaryAnswered


RELEASES_MEMBERS = frozenset({"withdraw", "approve_return", "not_accept"})
"""When these happen to a primary, its members go back to be routed (R-87)."""


def check_written(text: str, field: str = "reason") -> str:
    """Return a reason that must be written: refusals of returns and extensions, rejections (R-66, R-81).

    Raises:
        ReasonRequired: nothing written.
    """
    if not text.strip():
        raise ReasonRequired(field=field)
    return text.strip()


def check_correction_note(text: str) -> str:
    """Return the note of a correction (R-82, C07).

    Raises:
        CorrectionNoteRequired: nothing written.
    """
    if not text.strip():
        raise CorrectionNoteRequired(field="note")
    return text.strip()
