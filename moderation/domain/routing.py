"""Who handles a comment: reading lists of units, checking a routing, returns and extensions.

R-42, R-55 to R-58, R-65 to R-69, R-97, T09 to T19. Every fact is passed in; nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from consult.domain.calendar import DeadlineSet, is_overdue
from consult.domain.comments import user_characters
from consult.domain.errors import (
    AccusedUnit,
    DesignatedNotReturnable,
    DesignateRequired,
    DesignationBasisRequired,
    DesignationNotDue,
    DomainError,
    DuplicateCoUnit,
    ExtensionNotAsked,
    ExtensionOnce,
    ExtensionOver15,
    FieldErrors,
    GroupNotAssignable,
    LeadInCoUnits,
    LeadUnitRequired,
    OverdueNoExtension,
    ReasonRequired,
    ReturnBasisRequired,
    ReturnReasonRequired,
    ReturnWindowClosed,
    UnitUnknown,
    UnitWithoutOfficer,
)

SEPARATOR = "、"
RETURNS_BEFORE_DESIGNATION = 2
OTHER_REASON_MINIMUM = 10

KNOWN_GROUPS: tuple[str, ...] = (
    "各镇、街道、莘庄工业区",
    "各街镇、莘庄工业区",
    "各街镇(莘庄工业区)",
    "街镇(莘庄工业区)",
    "区政府各委、办、局",
    "各委、办、局",
    "相关街镇",
    "各街镇",
    "街镇",
    "相关园区",
    "园区",
    "相关镇",
    "各相关部门",
    "各部门",
    "相关部门",
)
"""Groups of the seed's lists of units (R-57). One name contains the separator, so they are read first."""


# -- reading a cell --------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnitList:
    """A cell read: names in order as written, and which of them are groups."""

    names: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def units(self) -> tuple[str, ...]:
        """The names that are units."""
        return tuple(name for name in self.names if name not in self.groups)


def unit_split(cell: str, groups: Collection[str] = KNOWN_GROUPS) -> UnitList:
    """Split a cell of responsible units at 、, groups first, so that no false unit 街道 appears (R-57)."""
    parts = [part.strip() for part in cell.split(SEPARATOR)]
    split_groups = sorted(
        (tuple(group.split(SEPARATOR)) for group in groups if SEPARATOR in group), key=len, reverse=True
    )
    names: list[str] = []
    at = 0
    while at < len(parts):
        width = next((len(group) for group in split_groups if tuple(parts[at : at + len(group)]) == group), 1)
        name = SEPARATOR.join(parts[at : at + width])
        if name:
            names.append(name)
        at += width
    return UnitList(tuple(names), tuple(name for name in names if name in groups))


def resolve_unit(name: str, codes: Mapping[str, str]) -> str | None:
    """Return the code of a unit by any of its names; `codes` maps names and aliases to codes (R-58).

    Half-width and full-width brackets and spaces make no difference.
    """
    wanted = _name_key(name)
    return next((code for known, code in codes.items() if _name_key(known) == wanted), None)


def _name_key(name: str) -> str:
    return "".join(name.split()).translate(str.maketrans("（）", "()"))


@dataclass(frozen=True)
class Suggestion:
    """A routing to be confirmed by a person: never carried out by itself (R-56, R-43)."""

    lead: str | None
    co_units: tuple[str, ...]
    groups_to_expand: tuple[str, ...] = ()


def suggest(cell: str, codes: Mapping[str, str], groups: Collection[str] = KNOWN_GROUPS) -> Suggestion:
    """Suggest the first listed unit as lead and the others as co-units; groups are left to be expanded (R-56)."""
    read = unit_split(cell, groups)
    found = [code for name in read.units if (code := resolve_unit(name, codes)) is not None]
    ordered = tuple(dict.fromkeys(found))
    return Suggestion(ordered[0] if ordered else None, ordered[1:], read.groups)


# -- assigning -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnitFacts:
    """What a check needs to know of a unit."""

    code: str
    is_group: bool = False
    active_officers: int = 0


@dataclass(frozen=True)
class AssignmentFacts:
    """The routing wanted and what it is judged by. `units` holds every unit named, by code."""

    lead: str | None
    co_units: tuple[str, ...]
    units: Mapping[str, UnitFacts]
    accused_units: frozenset[str] = frozenset()
    return_count: int = 0
    dispute_recorded: bool = False
    basis: str = ""


def _unit_problems(facts: AssignmentFacts, code: str, field: str) -> list[DomainError]:
    unit = facts.units.get(code)
    if unit is None:
        return [UnitUnknown(field=field, unit=code)]
    if unit.is_group:
        return [GroupNotAssignable(field=field, unit=code)]
    if code in facts.accused_units:
        return [AccusedUnit(field=field, unit=code)]
    if unit.active_officers < 1:
        return [UnitWithoutOfficer(field=field, unit=code)]
    return []


def _routing_problems(facts: AssignmentFacts) -> list[DomainError]:
    problems: list[DomainError] = []
    if not facts.lead:
        problems.append(LeadUnitRequired(field="lead_unit"))
    else:
        problems += _unit_problems(facts, facts.lead, "lead_unit")
    if facts.lead and facts.lead in facts.co_units:
        problems.append(LeadInCoUnits(field="co_units", unit=facts.lead))
    seen: set[str] = set()
    for code in facts.co_units:
        if code in seen:
            problems.append(DuplicateCoUnit(field="co_units", unit=code))
            continue
        seen.add(code)
        if code != facts.lead:
            problems += _unit_problems(facts, code, "co_units")
    return problems


def _raise_all(problems: Sequence[DomainError]) -> None:
    if len(problems) == 1:
        raise problems[0]
    if problems:
        errors: dict[str, list[DomainError]] = {}
        for problem in problems:
            errors.setdefault(problem.field or "", []).append(problem)
        raise FieldErrors(errors)


def check_assignment(facts: AssignmentFacts) -> None:
    """Refuse an ordinary routing that breaks a rule (T09).

    Raises:
        DesignateRequired: two returns were approved; only a supervisor may designate now (R-69).
        LeadUnitRequired, LeadInCoUnits, DuplicateCoUnit (R-55), GroupNotAssignable (R-57), UnitUnknown,
            AccusedUnit (R-42), UnitWithoutOfficer (R-97): a single refusal as itself.
        FieldErrors: several of them at once.
    """
    if facts.return_count >= RETURNS_BEFORE_DESIGNATION:
        raise DesignateRequired(n=facts.return_count)
    _raise_all(_routing_problems(facts))


def check_designation(facts: AssignmentFacts) -> None:
    """Refuse a supervisor's designation that breaks a rule (T10).

    Raises:
        DesignationNotDue: fewer than two returns and no recorded dispute over competence.
        DesignationBasisRequired: no basis written.
        Everything `check_assignment` raises but DesignateRequired.
    """
    if facts.return_count < RETURNS_BEFORE_DESIGNATION and not facts.dispute_recorded:
        raise DesignationNotDue(n=facts.return_count)
    problems = _routing_problems(facts)
    if not facts.basis.strip():
        problems.append(DesignationBasisRequired(field="basis"))
    _raise_all(problems)


# -- handing back ----------------------------------------------------------------------------------


class ReturnReason(StrEnum):
    """Why a unit hands a comment back; a closed list (R-68)."""

    NOT_OUR_DUTY = "not_our_duty"
    OTHER_UNIT_LEADS = "other_unit_leads"
    MUNICIPAL_MATTER = "municipal_matter"
    DUPLICATE_ROUTING = "duplicate_routing"
    UNCLEAR_CONTENT = "unclear_content"
    OTHER_CHANNEL = "other_channel"
    OTHER = "other"


@dataclass(frozen=True)
class ReturnRequest:
    """A unit leader's request. `proposed_unit` may be empty only for a matter that is not the district's."""

    reason: str
    explanation: str
    basis: str
    proposed_unit: str = ""


_NO_UNIT_TO_PROPOSE = frozenset(
    {
        ReturnReason.MUNICIPAL_MATTER,
        ReturnReason.DUPLICATE_ROUTING,
        ReturnReason.UNCLEAR_CONTENT,
        ReturnReason.OTHER_CHANNEL,
    }
)


def check_return(request: ReturnRequest, deadlines: DeadlineSet, now: datetime, *, designated: bool) -> ReturnReason:
    """Return the reason of a request that may be made (T13, T14).

    Raises:
        DesignatedNotReturnable: the unit was designated (R-69).
        ReturnWindowClosed: the fifth working day from routing is over (R-67).
        ReturnReasonRequired: none of the list, or "other" with fewer than 10 characters (R-68).
        ReturnBasisRequired: no basis, or no unit proposed where one must be (R-67).
    """
    if designated:
        raise DesignatedNotReturnable
    if is_overdue(deadlines.return_by, now):
        raise ReturnWindowClosed(last_day=deadlines.return_by)
    if request.reason not in set(ReturnReason):
        raise ReturnReasonRequired(field="reason")
    reason = ReturnReason(request.reason)
    if reason is ReturnReason.OTHER and user_characters(request.explanation.strip()) < OTHER_REASON_MINIMUM:
        raise ReturnReasonRequired(field="explanation", minimum=OTHER_REASON_MINIMUM)
    if not request.basis.strip():
        raise ReturnBasisRequired(field="basis")
    if reason not in _NO_UNIT_TO_PROPOSE and not request.proposed_unit.strip():
        raise ReturnBasisRequired(field="proposed_unit")
    return reason


# -- extensions ------------------------------------------------------------------------------------


def check_extension_request(due: date | None, now: datetime, *, extended_before: bool, reason: str) -> None:
    """Refuse an extension request (T17, R-65, R-66).

    Raises:
        ExtensionOnce: there was one already.
        OverdueNoExtension: the due day is over.
        ReasonRequired: no reason written.
    """
    if extended_before:
        raise ExtensionOnce
    if is_overdue(due, now):
        raise OverdueNoExtension(due=due)
    if not reason.strip():
        raise ReasonRequired(field="reason")


def check_extension_approval(new_due: date, deadlines: DeadlineSet, due: date | None, *, pending: bool) -> None:
    """Refuse to approve an extension (T18).

    Raises:
        ExtensionNotAsked: no request is open.
        ExtensionOver15: past the 15th working day from routing, or not later than the due day (R-65).
    """
    if not pending:
        raise ExtensionNotAsked
    too_late = deadlines.extended_due is None or new_due > deadlines.extended_due
    if too_late or (due is not None and new_due <= due):
        raise ExtensionOver15(field="new_due", latest=deadlines.extended_due)


# -- supervision -----------------------------------------------------------------------------------


class SupervisionTrigger(StrEnum):
    """Why a comment comes before the supervisor (R-73)."""

    OVERDUE = "overdue"
    RETURNED_TWICE = "returned_twice"
    REJECTED_TWICE = "rejected_twice"
    CUMULATIVE = "cumulative"
    APPEAL_UPHELD = "appeal_upheld"


def supervision_triggers(
    *,
    overdue_working_days: int = 0,
    return_count: int = 0,
    rejection_count: int = 0,
    cumulative_working_days: int = 0,
    appeal_upheld: bool = False,
) -> tuple[SupervisionTrigger, ...]:
    """Return every trigger that applies: overdue by a working day, two returns, two rejections, over 30 days."""
    checks = (
        (overdue_working_days >= 1, SupervisionTrigger.OVERDUE),
        (return_count >= 2, SupervisionTrigger.RETURNED_TWICE),
        (rejection_count >= 2, SupervisionTrigger.REJECTED_TWICE),
        (cumulative_working_days > 30, SupervisionTrigger.CUMULATIVE),
        (appeal_upheld, SupervisionTrigger.APPEAL_UPHELD),
    )
    return tuple(trigger for applies, trigger in checks if applies)
