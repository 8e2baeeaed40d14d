"""Coded errors: one class per rule that can refuse.

A code is stable once released: pages, the command line and tests rely on it. The wording belongs to
`consult.i18n`, the HTTP status to `consult.error_pages`; nothing here speaks to a person.

Three families:
- `Refused` and its subclasses: a rule of rules.md says no (422 unless a page knows better);
- `FieldErrors`: several fields of one form need attention (422);
- the rest: not found (404), not allowed (403), conflicts (409), closed period (403), store away (503).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime


class DomainError(Exception):
    """A refusal with a stable code.

    Attributes:
        code: snake_case, stable; the class has a default and an instance may narrow it.
        params: what the wording may mention: numbers, dates, labels. Never personal data (R-53).
        field: name of the form field the refusal belongs to, or None for the whole action; given as `field=`.
    """

    code: str = "refused"

    def __init__(self, code: str | None = None, /, **params: object) -> None:
        if "code" in params:
            raise TypeError("the code is given by position")
        field = params.pop("field", None)
        self.code = code if code is not None else type(self).code
        self.field = None if field is None else str(field)
        self.params: dict[str, object] = params
        super().__init__(self.code)

    def __str__(self) -> str:
        """Code and parameters, for logs; parameters never hold personal data."""
        shown = ", ".join(f"{key}={value!r}" for key, value in self.params.items())
        place = f" [{self.field}]" if self.field else ""
        return f"{self.code}{place}" + (f" ({shown})" if shown else "")

    def __eq__(self, other: object) -> bool:
        """Two refusals are equal when code, field and parameters are."""
        if not isinstance(other, DomainError):
            return NotImplemented
        return (self.code, self.field, self.params) == (other.code, other.field, other.params)

    def __hash__(self) -> int:
        """Consistent with equality; parameters may be unhashable and are left out."""
        return hash((self.code, self.field))


# -- not rules, but answers every page must be able to give ----------------------------------------


class NotFound(DomainError):  # noqa: N818 - a refusal, not a fault
    """It does not exist, or lies outside the viewer's scope; the two look the same (R-93)."""

    code = "not_found"


class NotAllowed(DomainError):  # noqa: N818
    """The role may not do this (R-93)."""

    code = "not_allowed"


class NotLeadUnit(NotAllowed):
    """Only the lead unit does this; a co-unit may not (permission matrix)."""

    code = "not_lead_unit"


class ChangedMeanwhile(DomainError):  # noqa: N818
    """Somebody else changed it first (R-91): 409 with the current version and state."""

    code = "state_changed"

    def __init__(self, current_version: int, current_state: str | None = None) -> None:
        self.current_version = current_version
        self.current_state = current_state
        super().__init__(version=current_version, state=current_state)


class IllegalTransition(DomainError):  # noqa: N818
    """The table has no such step from this state (R-13, R-90): 409 with what can be done."""

    code = "illegal_transition"

    def __init__(self, state: str | None, action: str, available: Iterable[str] = ()) -> None:
        self.state = state
        self.action = action
        self.available: tuple[str, ...] = tuple(available)
        super().__init__(state=state, action=action, available=self.available)


class PeriodClosed(DomainError):  # noqa: N818
    """Comments are not taken now (R-04, R-05); the text must be given back to copy.

    `state` is `not_started`, `ended` or a later consultation state. `opens_at` and `closes_at` are aware
    datetimes, half open: `closes_at` itself is already closed. Code: `period_not_started` or `period_ended`.
    """

    code = "period_ended"

    def __init__(self, state: str, opens_at: datetime, closes_at: datetime) -> None:
        self.state = state
        self.opens_at = opens_at
        self.closes_at = closes_at
        code = "period_not_started" if state == "not_started" else "period_ended"
        super().__init__(code, state=state, opens_at=opens_at, closes_at=closes_at)


class StoreUnavailable(DomainError):  # noqa: N818
    """The store is busy or away: 503, nothing was stored, the text is kept."""

    code = "store_unavailable"


class FieldErrors(DomainError):  # noqa: N818
    """Some fields need attention: 422, the form again with everything typed kept.

    `errors` maps a field name to its refusals, in the order of the form; "" holds those of the whole form.
    """

    code = "form_invalid"

    def __init__(self, errors: Mapping[str, Sequence[DomainError]]) -> None:
        self.errors: dict[str, list[DomainError]] = {key: list(value) for key, value in errors.items() if value}
        super().__init__(n=sum(len(value) for value in self.errors.values()))

    def codes(self) -> dict[str, list[str]]:
        """Field name to codes, handy for tests and the JSON of scripts."""
        return {key: [error.code for error in value] for key, value in self.errors.items()}


# -- rules that refuse -----------------------------------------------------------------------------


class Refused(DomainError):  # noqa: N818
    """A rule of rules.md says no."""


class CalendarPending(Refused):
    """The holiday notice of that year is not published; no date may be guessed (R-61)."""

    code = "calendar_pending"

    def __init__(self, year: int) -> None:
        self.year = year
        super().__init__(year=year)


# Consultations


class PeriodTooShort(Refused):
    """Fewer than 30 days, first day not counted, and not marked as shortened (R-01, R-02)."""

    code = "period_too_short"


class PeriodBelowFloor(Refused):
    """Even a shortened period has a floor in working days (R-03)."""

    code = "period_below_floor"


class ShorteningReasonRequired(Refused):
    """A shortened period needs a published reason of at least 10 characters (R-03)."""

    code = "shortening_reason_required"


class PeriodReversed(Refused):
    """The last day lies before the first."""

    code = "period_reversed"


class PublicationIncomplete(Refused):
    """Something R-10 wants published is missing; `params["missing"]` lists it."""

    code = "publication_incomplete"


class ExtensionAfterEnd(Refused):
    """The period has ended; a supplementary round is needed (R-07)."""

    code = "extension_after_end"


class ExtensionNotLonger(Refused):
    """A published period can only become longer (R-07, R-08)."""

    code = "extension_not_longer"


class UnfinishedComments(Refused):
    """Results cannot be published while comments wait (C06, R-62); `params["n"]`."""

    code = "unfinished_comments"


class CountsDoNotReconcile(Refused):
    """The parts do not add up to what was received (R-63)."""

    code = "counts_do_not_reconcile"


# Review and publication


class FindingsUnresolved(Refused):
    """Strong or suspect findings must be dealt with before acceptance (R-31)."""

    code = "findings_unresolved"


class PublicityRequired(Refused):
    """The publicity must be decided before acceptance (T02)."""

    code = "publicity_required"


class WithholdReasonRequired(Refused):
    """A withholding reason comes from the closed list (R-35)."""

    code = "withhold_reason_required"


class NotAcceptReasonRequired(Refused):
    """A reason for not accepting comes from the closed list (R-40)."""

    code = "not_accept_reason_required"


class TwoPersonRule(Refused):
    """Proposer and confirmer must be two natural persons (R-36, R-95)."""

    code = "two_person_rule"


class ThirdPersonRequired(Refused):
    """An appeal is decided by somebody who took no part (R-37)."""

    code = "third_person_required"


class AppealWindowClosed(Refused):
    """15 calendar days for one appeal (R-37)."""

    code = "appeal_window_closed"


class AppealOnce(Refused):
    """One appeal per decision (R-37)."""

    code = "appeal_once"


class SupplementOnce(Refused):
    """A supplement may be asked for once (R-71)."""

    code = "supplement_once"


class SupplementWindowClosed(Refused):
    """Five working days to supplement have passed (R-71, T05)."""

    code = "supplement_window_closed"


class RedactionRangeInvalid(Refused):
    """A span lies outside the text, is empty, or overlaps another (R-30)."""

    code = "redaction_range_invalid"


# Routing


class LeadUnitRequired(Refused):
    """Exactly one lead unit (R-55)."""

    code = "lead_unit_required"


class LeadInCoUnits(Refused):
    """The lead is not also a co-unit (R-55)."""

    code = "lead_in_co_units"


class DuplicateCoUnit(Refused):
    """No co-unit twice (R-55)."""

    code = "duplicate_co_unit"


class GroupNotAssignable(Refused):
    """A group such as 相关街镇 is not a unit (R-57)."""

    code = "group_not_assignable"


class UnitUnknown(Refused):
    """No such unit, not even as an alias (R-58)."""

    code = "unit_unknown"


class UnitWithoutOfficer(Refused):
    """The unit has no active officer (R-97)."""

    code = "unit_without_officer"


class AccusedUnit(Refused):
    """Never routed to the unit it accuses (R-42)."""

    code = "accused_unit"


class DesignateRequired(Refused):
    """After two approved returns only a supervisor designates (R-69)."""

    code = "designate_required"


class DesignationBasisRequired(Refused):
    """A designation states its basis (T10)."""

    code = "designation_basis_required"


class DesignationNotDue(Refused):
    """Fewer than two returns and no recorded dispute over competence (T10)."""

    code = "designation_not_due"


class DesignatedNotReturnable(Refused):
    """A designated unit cannot hand the comment back (R-69)."""

    code = "designated_not_returnable"


class ReturnWindowClosed(Refused):
    """Five working days to hand back have passed (R-67)."""

    code = "return_window_closed"


class ReturnReasonRequired(Refused):
    """A return needs a reason of the list, and "other" at least 10 characters (R-68)."""

    code = "return_reason_required"


class ReturnBasisRequired(Refused):
    """A return states its basis and proposes a unit (R-67)."""

    code = "return_basis_required"


class ExtensionOnce(Refused):
    """One extension only (R-65)."""

    code = "extension_once"


class OverdueNoExtension(Refused):
    """An extension is asked for before the due day ends (R-65)."""

    code = "overdue_no_extension"


class ExtensionOver15(Refused):
    """At most the 15th working day from routing (R-65)."""

    code = "extension_over_15"


class ExtensionNotAsked(Refused):
    """There is no extension request to decide (T18, T19)."""

    code = "extension_not_asked"


# Replies and sign-off


class OutcomeRequired(Refused):
    """One of five outcomes is chosen (R-75)."""

    code = "outcome_required"


class DraftLocationRequired(Refused):
    """Adopted and partly adopted say where in the draft (R-76)."""

    code = "draft_location_required"


class DraftLocationUnknown(Refused):
    """The place does not exist in the draft (R-77)."""

    code = "draft_location_unknown"


class ReasonRequired(Refused):
    """A reason is needed; `params["minimum"]` characters where a minimum applies (R-66, R-76, R-81)."""

    code = "reason_required"


class ReplyRequired(Refused):
    """The reply has no text."""

    code = "reply_required"


class BoilerplateReply(Refused):
    """Fewer than 20 characters of substance; `params["n"]` remain (R-78)."""

    code = "boilerplate_reply"


class PiiInReply(Refused):
    """The reply holds personal data; `params["types"]` (R-79)."""

    code = "pii_in_reply"


class SamePerson(Refused):
    """Drafter, confirming leader and signer are different natural persons (R-80)."""

    code = "same_person"


class CorrectionNoteRequired(Refused):
    """A correction explains itself (R-82, C07)."""

    code = "correction_note_required"


# Merging


class MergeChain(Refused):
    """The primary is itself merged, or is the comment itself (R-84)."""

    code = "merge_chain"


class DifferentConsultation(Refused):
    """Merged comments belong to one consultation (R-84)."""

    code = "different_consultation"


class PrimaryAnswered(Refused):
    """The primary has been answered already (R-84, R-86)."""

    code = "primary_answered"


# Accounts, separation of duties


class ConflictingRoles(Refused):
    """Administrator, auditor and business roles exclude one another (R-94)."""

    code = "conflicting_roles"


def all_codes() -> frozenset[str]:
    """Every class-level code, so that wording and documentation can be checked for completeness."""
    found = {"period_not_started"}
    waiting: list[type[DomainError]] = [DomainError]
    while waiting:
        kind = waiting.pop()
        found.add(kind.code)
        waiting.extend(kind.__subclasses__())
    return frozenset(found)
