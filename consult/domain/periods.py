"""Opening periods of consultations: how long, from when to when, and what may follow what.

R-01 to R-09, R-13 and table C00 to C08.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from consult.domain.calendar import WorkCalendar, end_of_day, rollover_suggestion, start_of_day
from consult.domain.errors import (
    CalendarPending,
    DomainError,
    ExtensionAfterEnd,
    ExtensionNotLonger,
    IllegalTransition,
    PeriodBelowFloor,
    PeriodClosed,
    PeriodReversed,
    PeriodTooShort,
    PublicationIncomplete,
    ShorteningReasonRequired,
    UnfinishedComments,
)

MINIMUM_DAYS = 30
FLOOR_WORKING_DAYS = 7
SHORTENING_REASON_MINIMUM = 10

PUBLICATION_PARTS = ("draft", "drafting_note", "method", "period", "contact_unit", "contact_way")
"""What R-10 wants published, in the order it is reported."""


class ConsultationState(StrEnum):
    """States of a consultation; not_started, open and ended follow from the clock alone (R-09)."""

    DRAFT = "draft"
    NOT_STARTED = "not_started"
    OPEN = "open"
    ENDED = "ended"
    COLLATING = "collating"
    FEEDBACK_PUBLISHED = "feedback_published"
    ARCHIVED = "archived"


CLOCK_STATES = frozenset({ConsultationState.NOT_STARTED, ConsultationState.OPEN, ConsultationState.ENDED})


class ConsultationAction(StrEnum):
    """What can be done to a consultation."""

    PUBLISH = "publish"
    OPEN_BY_CLOCK = "open_by_clock"
    END_BY_CLOCK = "end_by_clock"
    EXTEND = "extend"
    START_COLLATING = "start_collating"
    PUBLISH_FEEDBACK = "publish_feedback"
    CORRECT_FEEDBACK = "correct_feedback"
    ARCHIVE = "archive"


@dataclass(frozen=True)
class ConsultationTransition:
    """One line of the table: `id` as in rules.md, `role` the only role that may, `system` for the clock."""

    id: str
    source: ConsultationState
    action: ConsultationAction
    role: str
    target: ConsultationState


_S, _A = ConsultationState, ConsultationAction

CONSULTATION_TRANSITIONS: tuple[ConsultationTransition, ...] = (
    ConsultationTransition("C00", _S.DRAFT, _A.PUBLISH, "sign_off_officer", _S.NOT_STARTED),
    ConsultationTransition("C01", _S.NOT_STARTED, _A.OPEN_BY_CLOCK, "system", _S.OPEN),
    ConsultationTransition("C02", _S.OPEN, _A.END_BY_CLOCK, "system", _S.ENDED),
    ConsultationTransition("C03", _S.OPEN, _A.EXTEND, "sign_off_officer", _S.OPEN),
    ConsultationTransition("C04", _S.NOT_STARTED, _A.EXTEND, "sign_off_officer", _S.NOT_STARTED),
    ConsultationTransition("C05", _S.ENDED, _A.START_COLLATING, "assigner", _S.COLLATING),
    ConsultationTransition("C06", _S.COLLATING, _A.PUBLISH_FEEDBACK, "sign_off_officer", _S.FEEDBACK_PUBLISHED),
    ConsultationTransition(
        "C07", _S.FEEDBACK_PUBLISHED, _A.CORRECT_FEEDBACK, "sign_off_officer", _S.FEEDBACK_PUBLISHED
    ),
    ConsultationTransition("C08", _S.FEEDBACK_PUBLISHED, _A.ARCHIVE, "sysadmin", _S.ARCHIVED),
)

_BY_PAIR = {(line.source, line.action): line for line in CONSULTATION_TRANSITIONS}


def available_consultation_actions(state: ConsultationState) -> tuple[ConsultationAction, ...]:
    """Return what the table allows from a state, in table order."""
    return tuple(line.action for line in CONSULTATION_TRANSITIONS if line.source == state)


def next_consultation_state(state: ConsultationState, action: ConsultationAction) -> ConsultationState:
    """Return the state after an action. C00 gives not_started; the clock then decides (R-09).

    Raises:
        IllegalTransition: the table has no such line (R-13).
    """
    line = _BY_PAIR.get((state, action))
    if line is None:
        raise IllegalTransition(state, action, available_consultation_actions(state))
    return line.target


# -- the window ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Window:
    """When comments are taken: from `opens_at` on, until just before `closes_at` (R-04). Aware moments."""

    opens_at: datetime
    closes_at: datetime

    def state(self, now: datetime) -> ConsultationState:
        """Return not_started, open or ended (R-09)."""
        if now < self.opens_at:
            return ConsultationState.NOT_STARTED
        return ConsultationState.OPEN if now < self.closes_at else ConsultationState.ENDED

    def accepts(self, now: datetime) -> bool:
        """Tell whether a comment received at that moment is taken (R-05)."""
        return self.state(now) is ConsultationState.OPEN


def opening_window(start: date, end: date) -> Window:
    """Return [start 00:00, end 24:00) in Asia/Shanghai (R-04)."""
    return Window(start_of_day(start), end_of_day(end))


def current_state(stored: ConsultationState, window: Window, now: datetime) -> ConsultationState:
    """Return the state at `now`: once published the clock decides until somebody starts collating (R-09)."""
    return window.state(now) if stored in CLOCK_STATES else stored


def ensure_open(stored: ConsultationState, window: Window, now: datetime) -> None:
    """Refuse a comment outside the period.

    Raises:
        PeriodClosed: not yet open, over, or the consultation is past collecting (R-05).
    """
    state = current_state(stored, window, now)
    if state is not ConsultationState.OPEN:
        shown = ConsultationState.NOT_STARTED if state is ConsultationState.DRAFT else state
        raise PeriodClosed(shown, window.opens_at, window.closes_at)


# -- publishing ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PeriodCheck:
    """What a planned period comes to. `refusals` is empty when it may be published.

    `days` leaves out the first day. `working_days` and `rollover` are None where the calendar of a year is
    not published. `rollover` differs from the last day when that is a day off: a hint only (R-06).
    """

    effective_start: date
    days: int
    working_days: int | None
    earliest_legal_end: date
    window: Window
    rollover: date | None
    refusals: tuple[DomainError, ...]

    @property
    def allowed(self) -> bool:
        """Tell whether nothing refuses."""
        return not self.refusals


def period_check(
    *,
    published_on: date,
    start: date,
    end: date,
    calendar: WorkCalendar,
    shortened: bool = False,
    shortening_reason: str = "",
    minimum_days: int = MINIMUM_DAYS,
    floor_working_days: int = FLOOR_WORKING_DAYS,
) -> PeriodCheck:
    """Check R-01 to R-03: counted from the later of the planned start and the actual publication."""
    effective_start = max(start, published_on)
    days = (end - effective_start).days
    try:
        working_days: int | None = calendar.working_days_between(effective_start, end)
    except CalendarPending:
        working_days = None
    earliest = effective_start + timedelta(days=minimum_days)
    refusals: list[DomainError] = []
    if end < effective_start:
        refusals.append(PeriodReversed(field="end", start=effective_start, end=end))
    elif days < minimum_days and not shortened:
        refusals.append(PeriodTooShort(field="end", days=days, minimum=minimum_days, earliest=earliest))
    elif days < minimum_days:
        refusals += _shortening_refusals(
            shortening_reason, working_days, floor_working_days, calendar, effective_start, end
        )
    return PeriodCheck(
        effective_start=effective_start,
        days=days,
        working_days=working_days,
        earliest_legal_end=earliest,
        window=opening_window(start, end),
        rollover=_rollover(calendar, end),
        refusals=tuple(refusals),
    )


def _shortening_refusals(
    reason: str, working_days: int | None, floor: int, calendar: WorkCalendar, start: date, end: date
) -> list[DomainError]:
    refusals: list[DomainError] = []
    if len("".join(reason.split())) < SHORTENING_REASON_MINIMUM:
        refusals.append(ShorteningReasonRequired(field="shortening_reason", minimum=SHORTENING_REASON_MINIMUM))
    if working_days is None:
        missing = next(year for year in range(start.year, end.year + 1) if not calendar.has(year))
        refusals.append(CalendarPending(missing))
    elif working_days < floor:
        refusals.append(PeriodBelowFloor(field="end", working_days=working_days, floor=floor))
    return refusals


def _rollover(calendar: WorkCalendar, end: date) -> date | None:
    try:
        return rollover_suggestion(calendar, end)
    except CalendarPending:
        return None


def check_publication_parts(present: Sequence[str]) -> None:
    """Refuse publication while a part of R-10 is missing; all missing ones are named.

    Raises:
        PublicationIncomplete: with `params["missing"]`, in the order of `PUBLICATION_PARTS`.
    """
    missing = tuple(part for part in PUBLICATION_PARTS if part not in present)
    if missing:
        raise PublicationIncomplete(missing=missing)


def check_extension(end_old: date, end_new: date, decided_at: datetime) -> None:
    """Refuse an extension that comes too late or does not lengthen (R-07, R-08).

    Raises:
        ExtensionAfterEnd: the last day is over at `decided_at`; a supplementary round is needed.
        ExtensionNotLonger: the new last day is not later.
    """
    if decided_at >= end_of_day(end_old):
        raise ExtensionAfterEnd(field="end", end=end_old)
    if end_new <= end_old:
        raise ExtensionNotLonger(field="end", end=end_old)


def check_publish_feedback(unfinished: int) -> None:
    """Refuse results while comments are unfinished (C06, R-62); no comments at all is fine.

    Raises:
        UnfinishedComments: with `params["n"]`.
    """
    if unfinished:
        raise UnfinishedComments(n=unfinished)
