"""Supervision in words: the board, the comments behind a number, one comment's cases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.calendar import WorkCalendar, due_date_or_none, feedback_due
from consult.domain.comment_states import CommentState
from consult.domain.errors import CalendarPending, DomainError, FieldErrors
from moderation.domain.supervision import HANDLED, SUPERVISED_STATES
from moderation.permissions import Permission, Viewer
from moderation.presenters.comment import STATES, Due, Option, day_words, due
from moderation.presenters.frame import ROLE_LABELS
from moderation.presenters.moments import Moment, moment
from moderation.presenters.queue import split_opening
from moderation.queries.supervision import Board, ConsultationRow, Listing, ListRow, UnitRow
from moderation.queries.supervision_cases import OPENING, CaseRow, CommentCases, UrgeRow

STEPS = {
    "auto_receipt": _l("视为签收"),
    "supplement_timeout": _l("补充逾期"),
    "close": _l("到期办结"),
    "recompute_due": _l("重算到期日"),
    "recompute_other_days": _l("重算审核、审签期限"),
    "urge_lead_units": _l("催办主办单位"),
    "urge_co_units": _l("催办协办单位"),
    "urge_reviewers": _l("催办审核"),
    "urge_assigners": _l("催办分办"),
    "urge_signers": _l("催办审签"),
    "close_supervision": _l("了结督办"),
    "open_supervision": _l("转入督办"),
}
CAUSES = {
    "overdue": _l("逾期未办"),
    "returned_twice": _l("退回两次"),
    "rejected_twice": _l("审签退改两次"),
    "cumulative": _l("受理后累计超过30个工作日"),
    "appeal_upheld": _l("异议成立"),
    "by_hand": _l("督办人员提出"),
}
MEASURE_WORDS = {
    "received": _l("收到"),
    "signed": _l("已签收"),
    "auto": _l("视为签收"),
    "open": _l("在办"),
    "replied": _l("已答复"),
    "in_time": _l("按期答复"),
    "late": _l("超期答复"),
    "soon": _l("两个工作日内到期"),
    "overdue": _l("逾期未办"),
    "returned": _l("退回"),
    "extended": _l("延期"),
    "refused": _l("套话退稿"),
    "wait_5": _l("已办0—5个工作日"),
    "wait_10": _l("已办6—10个工作日"),
    "wait_15": _l("已办11—15个工作日"),
    "wait_more": _l("已办超过15个工作日"),
}
_WAIT_ROWS = {"wait_5": _l("0—5天"), "wait_10": _l("6—10天"), "wait_15": _l("11—15天"), "wait_more": _l("15天以上")}
_URGES = {
    "soon": _l("临期催办"),
    "today": _l("当日催办"),
    "overdue": _l("逾期催办"),
    "co_soon": _l("协办临期催办"),
    "co_today": _l("协办当日催办"),
    "co_overdue": _l("协办逾期催办"),
    "review": _l("审核逾期催办"),
    "route": _l("分办逾期催办"),
    "sign_off": _l("审签逾期催办"),
    "manual": _l("人工催办"),
}
_REFUSALS = {
    "urged_today": _l("今天已经人工催办过这一件。"),
    "supervision_open": _l("这一件已由督办人员列入督办，还没有了结。"),
    "supervision_answered": _l("这一项督办已有书面说明。"),
    "supervision_closed": _l("这一项督办已经了结。"),
    "answer_too_short": _l("书面说明至少 %(minimum)s 个字。"),
    "answer_too_long": _l("书面说明最多 %(maximum)s 个字。"),
    "promised_day_required": _l("请写明承诺办结的日子，如 2026-03-02。"),
    "promised_day_past": _l("承诺办结的日子不能早于今天。"),
    "reopen_archived": _l("征集已归档，不能重办。"),
    "reopen_unanswered": _l("这一件没有公布过答复，不能重办。"),
    "reason_required": _l("请写明理由。"),
}
_NONE = "—"


@dataclass(frozen=True)
class Number:
    """A number that opens the comments it counts."""

    n: int
    url: str


@dataclass(frozen=True)
class Bar:
    """One row of a table with a bar: `share` is 0 to 100."""

    label: str
    number: Number
    share: int
    late: bool = False


@dataclass(frozen=True)
class Kpi:
    """One figure at the top."""

    label: str
    value: str
    unit: str
    note: str
    url: str = ""
    bad: bool = False


@dataclass(frozen=True)
class UnitLine:
    """One unit. `due` says how its days stand; `share` is how much of what it received is answered."""

    code: str
    name: str
    numbers: dict[str, Number]
    share: int
    average: str
    due: Due
    refused: Number
    refused_share: str


@dataclass(frozen=True)
class CaseLine:
    """One case of supervision."""

    id: int
    receipt_no: str
    version: int
    url: str
    title: str
    unit: str
    state: str
    cause: str
    reason: str
    due: Due
    opened: Moment
    answer: str
    answered: Moment | None
    promised: str
    owed: Due | None
    settled: bool


@dataclass(frozen=True)
class FeedbackLine:
    """One consultation whose results are still to be published (R-103)."""

    title: str
    due: Due


@dataclass(frozen=True)
class BoardPage:
    """The whole board."""

    at: Moment
    kpis: tuple[Kpi, ...]
    units: tuple[UnitLine, ...]
    waits: tuple[Bar, ...]
    cases: tuple[CaseLine, ...]
    feedback: tuple[FeedbackLine, ...]
    consultations: tuple[Option, ...]


@dataclass(frozen=True)
class ListLine:
    """One comment behind a number."""

    receipt_no: str
    version: int
    url: str
    title: str
    sub: str
    place: str
    unit: str
    state: str
    due: Due | None
    marks: tuple[str, ...]
    may_urge: bool


@dataclass(frozen=True)
class UrgeLine:
    """One reminder."""

    words: str
    to: str
    when: Moment
    by: str


@dataclass(frozen=True)
class CommentPage:
    """One comment before the supervisor; `answer_case` is the case the viewer's unit explains next."""

    receipt_no: str
    version: int
    title: str
    state: str
    unit: str
    due: Due | None
    total_days: str
    return_count: int
    rejection_count: int
    cases: tuple[CaseLine, ...]
    urges: tuple[UrgeLine, ...]
    may_urge: bool
    may_supervise: bool
    may_reopen: bool
    answer_case: int | None


def step_words(name: str) -> str:
    """Return what a step of `consult deadlines run` is called; needs no page to be drawn."""
    words = STEPS.get(name)
    return name if words is None else str(words)


def say(error: DomainError) -> str:
    """Return what a refusal says on these pages."""
    words = _REFUSALS.get(error.code)
    return i18n.say(error) if words is None else str(words) % error.params


def say_all(errors: FieldErrors) -> dict[str, str]:
    """Return field name to one sentence, in the order of the form."""
    return {field: say(refusals[0]) for field, refusals in errors.errors.items() if refusals}


# -- the board -------------------------------------------------------------------------------------


def board(
    found: Board,
    consultation: str,
    at: Moment,
    today: date,
    calendar: WorkCalendar,
    url: Callable[..., str],
) -> BoardPage:
    """Return the board, the units with the most overdue first."""

    def number(measure: str, n: int, unit: str = "") -> Number:
        given = {"unit": unit, "consultation": consultation}
        return Number(n, url("supervision.listing", measure=measure, **{k: v for k, v in given.items() if v}))

    units = sorted(found.units, key=lambda one: (-one.counts["overdue"], -one.counts["soon"], -one.counts["received"]))
    return BoardPage(
        at=at,
        kpis=_kpis(found, number),
        units=tuple(_unit(one, number) for one in units),
        waits=_waits(found, number),
        cases=tuple(case_line(one, today, calendar, url) for one in found.cases),
        feedback=tuple(_feedback(one, today, calendar) for one in found.consultations if _owes_results(one, today)),
        consultations=(Option("", _("全部征集")), *(Option(one.slug, one.title) for one in found.consultations)),
    )


def _kpis(found: Board, number: Callable[..., Number]) -> tuple[Kpi, ...]:
    totals = found.totals
    replied = totals["replied"]
    average = _NONE if found.average is None else f"{found.average:.1f}"

    def kpi(measure: str, label: str, note: str = "", *, bad: bool = False) -> Kpi:
        return Kpi(label, str(totals[measure]), _("件"), note, number(measure, totals[measure]).url, bad)

    return (
        kpi("received", _("转办收到")),
        kpi("replied", _("已答复"), _share(replied, totals["received"])),
        Kpi(_("按期答复率"), _share(totals["in_time"], replied), "", "", number("in_time", totals["in_time"]).url),
        Kpi(_("平均答复用时"), average, _("个工作日"), ""),
        kpi("overdue", _("已逾期"), bad=totals["overdue"] > 0),
        Kpi(_("采纳和部分采纳"), _share(found.adopted, replied), "", _("%(n)s件", n=found.adopted)),
    )


def _share(part: int, whole: int) -> str:
    return f"{part * 100 / whole:.1f}%" if whole else _NONE


def _unit(row: UnitRow, number: Callable[..., Number]) -> UnitLine:
    counts = row.counts
    numbers = {name: number(name, n, row.code) for name, n in counts.items()}
    share = row.refused_share
    return UnitLine(
        code=row.code,
        name=row.name,
        numbers=numbers,
        share=counts["replied"] * 100 // counts["received"] if counts["received"] else 0,
        average=_NONE if row.average is None else f"{row.average:.1f}",
        due=_standing(counts["overdue"], counts["soon"]),
        refused=number("refused", row.refused, row.code),
        refused_share=_NONE if share is None else f"{share * 100:.0f}%",
    )


def _standing(overdue: int, soon: int) -> Due:
    if overdue:
        return Due(_("%(n)s件逾期", n=overdue), "", "over")
    if soon:
        return Due(_("%(n)s件两日内到期", n=soon), "", "soon")
    return Due(_("全部在期限内"), "", "ok")


def _waits(found: Board, number: Callable[..., Number]) -> tuple[Bar, ...]:
    if not found.waits:
        return ()
    rows = [(str(words), name, found.waits[name], False) for name, words in _WAIT_ROWS.items()]
    rows.append((_("逾期"), "overdue", found.totals["overdue"], True))
    most = max((n for _label, _name, n, _late in rows), default=0) or 1
    return tuple(Bar(label, number(name, n), n * 100 // most, late) for label, name, n, late in rows)


def _owes_results(one: ConsultationRow, today: date) -> bool:
    return one.feedback_published_at is None and one.stage != "archived" and one.ends_on < today


def _feedback(one: ConsultationRow, today: date, calendar: WorkCalendar) -> FeedbackLine:
    try:
        day: date | None = feedback_due(calendar, one.ends_on)
    except CalendarPending:
        day = None
    return FeedbackLine(one.title, due(day, today, calendar))


def case_line(row: CaseRow, today: date, calendar: WorkCalendar, url: Callable[..., str]) -> CaseLine:
    """Return one case in words."""
    title, _rest = split_opening(row.opening, OPENING)
    owed = None
    if row.answered_at is None and row.closed_at is None and row.unit and row.answer_due_on is not None:
        owed = due(row.answer_due_on, today, calendar)
    return CaseLine(
        id=row.id,
        receipt_no=row.receipt_no,
        version=row.version,
        url=url("supervision.show", receipt_no=row.receipt_no),
        title=title,
        unit=row.unit or _("未转办"),
        state=str(STATES.get(row.state, row.state)),
        cause=str(CAUSES.get(row.cause, row.cause)),
        reason=row.reason,
        due=due(row.due_on, today, calendar) if row.unit else Due(_NONE, "", "ok"),
        opened=moment(row.opened_at),
        answer=row.answer,
        answered=None if row.answered_at is None else moment(row.answered_at),
        promised="" if row.promised_on is None else day_words(row.promised_on),
        owed=owed,
        settled=row.closed_at is not None,
    )


# -- the comments behind a number ------------------------------------------------------------------


def list_title(measure: str, found: Listing) -> str:
    """Return 区交通委 · 逾期未办 3 件."""
    words = _("%(measure)s %(n)s 件", measure=MEASURE_WORDS.get(measure, measure), n=found.total)
    return f"{found.unit} · {words}" if found.unit else str(words)


def list_lines(
    rows: Iterable[ListRow], may_urge: bool, today: date, calendar: WorkCalendar, url: Callable[..., str]
) -> tuple[ListLine, ...]:
    """Return the rows of a list."""
    return tuple(_list_line(one, may_urge, today, calendar, url) for one in rows)


def _list_line(one: ListRow, may_urge: bool, today: date, calendar: WorkCalendar, url: Callable[..., str]) -> ListLine:
    title, sub = split_opening(one.opening, OPENING)
    running = one.state in HANDLED
    marks = [_("退回%(n)s次", n=one.return_count)] if one.return_count else []
    if one.supervised:
        marks.append(_("督办"))
    return ListLine(
        receipt_no=one.receipt_no,
        version=one.version,
        url=url("supervision.show", receipt_no=one.receipt_no),
        title=title,
        sub=sub,
        place=one.heading or _("整体"),
        unit=one.unit or _("未转办"),
        state=str(STATES.get(one.state, one.state)),
        due=due(one.due_on, today, calendar) if running else None,
        marks=tuple(marks),
        may_urge=may_urge and running,
    )


# -- one comment -----------------------------------------------------------------------------------


def comment_page(
    found: CommentCases,
    viewer: Viewer,
    today: date,
    calendar: WorkCalendar,
    since: date | None,
    url: Callable[..., str],
    typed_case: str = "",
) -> CommentPage:
    """Return one comment's page; `since` is the day of acceptance (R-70), `typed_case` the case being explained."""
    state = CommentState(found.state)
    title, _rest = split_opening(found.opening, OPENING)
    supervises = viewer.may(Permission.DESIGNATE)
    return CommentPage(
        receipt_no=found.receipt_no,
        version=found.version,
        title=title,
        state=str(STATES.get(found.state, found.state)),
        unit=found.unit or _("未转办"),
        due=due(found.due_on, today, calendar) if state in HANDLED else None,
        total_days=_total(calendar, since, today),
        return_count=found.return_count,
        rejection_count=found.rejection_count,
        cases=tuple(case_line(one, today, calendar, url) for one in found.cases),
        urges=tuple(_urge_line(one) for one in found.urges),
        may_urge=viewer.may(Permission.URGE) and state in (*SUPERVISED_STATES, CommentState.PENDING_REVIEW),
        may_supervise=supervises and state in SUPERVISED_STATES,
        may_reopen=supervises
        and (state is CommentState.REPLIED or (state is CommentState.CLOSED and found.closed_as == "answered")),
        answer_case=_to_answer(found, viewer, typed_case),
    )


def _to_answer(found: CommentCases, viewer: Viewer, typed_case: str) -> int | None:
    """Return the case whose form is shown: one at a time, the one being written before the oldest that waits."""
    if viewer.unit_id is None or viewer.unit_id != found.unit_id or not viewer.may(Permission.SUBMIT_REPLY):
        return None
    waiting = [
        one.id
        for one in reversed(found.cases)
        if one.unit_id == viewer.unit_id and one.answered_at is None and one.closed_at is None
    ]
    return next((one for one in waiting if str(one) == typed_case), waiting[0] if waiting else None)


def _total(calendar: WorkCalendar, since: date | None, today: date) -> str:
    if since is None or due_date_or_none(calendar, since, 0) is None:
        return _NONE
    try:
        return str(calendar.working_days_between(since, today))
    except CalendarPending:
        return _NONE


def _urge_line(row: UrgeRow) -> UrgeLine:
    role = next((str(label) for key, label in ROLE_LABELS.items() if key.value == row.recipient), "")
    return UrgeLine(str(_URGES.get(row.kind, row.kind)), row.unit or role, moment(row.made_at), row.by or _("系统"))
