"""One comment in words: its text with findings marked, its place, what was decided, what can be done now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.calendar import WorkCalendar, local_day, remaining_working_days
from consult.domain.calendar import supplement_due as last_day_to_supplement
from consult.domain.comment_states import CommentState
from consult.domain.errors import CalendarPending, ChangedMeanwhile, DomainError, FieldErrors, IllegalTransition
from consult.domain.personal_data import Finding, Level, PiiType
from moderation.domain.decisions import ChannelKind, NotAcceptReason, RevealPurpose, WithholdReason
from moderation.domain.routing import ReturnReason
from moderation.permissions import Permission, Viewer
from moderation.presenters.frame import ROLE_LABELS
from moderation.presenters.moments import Moment, moment
from moderation.queries.comment_page import CommentPage, HistoryEntry
from moderation.queries.queue import Choice
from moderation.queries.similar import COMPARED
from moderation.queries.suggested_leads import SuggestedUnit, UnitLoad

STATES: Mapping[str, object] = {
    "pending_review": _l("待审核"),
    "awaiting_supplement": _l("待补充"),
    "accepted": _l("已受理"),
    "to_assign": _l("待转办"),
    "assigned": _l("已转办（待签收）"),
    "in_progress": _l("办理中"),
    "return_requested": _l("退回待核"),
    "pending_sign_off": _l("待审签"),
    "replied": _l("已回复"),
    "closed": _l("已办结"),
    "merged": _l("已合并"),
    "withdrawn": _l("已撤回"),
}
PUBLICITIES: Mapping[str, object] = {
    "pending": _l("公开方式未定"),
    "full": _l("全文公开"),
    "redacted": _l("隐去后公开"),
    "withheld": _l("不予公开"),
}
OUTCOMES: Mapping[str, object] = {
    "adopted": _l("采纳"),
    "partly_adopted": _l("部分采纳"),
    "not_adopted": _l("不采纳"),
    "explained": _l("解释说明"),
    "reference": _l("留作参考"),
}
WITHHOLD: Mapping[str, object] = {
    WithholdReason.STATE_SECRET: _l("国家秘密或依法禁止公开"),
    WithholdReason.PUBLIC_SECURITY: _l("危及国家安全、公共安全、经济安全、社会稳定"),
    WithholdReason.TRADE_SECRET: _l("商业秘密"),
    WithholdReason.PRIVACY: _l("个人隐私且隐去后无法理解"),
    WithholdReason.INSULT: _l("侮辱诽谤他人"),
    WithholdReason.UNLAWFUL: _l("违法信息"),
    WithholdReason.ACCUSATION: _l("检举控告线索"),
    WithholdReason.MINOR: _l("涉未成年人"),
    WithholdReason.SUBMITTER_REQUEST: _l("提交人要求不公开"),
}
NOT_ACCEPT: Mapping[str, object] = {
    NotAcceptReason.ADVERTISING: _l("广告或垃圾信息"),
    NotAcceptReason.GIBBERISH: _l("测试或无法识别"),
    NotAcceptReason.DUPLICATE: _l("同一人重复提交相同内容"),
    NotAcceptReason.UNLAWFUL: _l("含违法信息"),
    NotAcceptReason.UNRELATED: _l("与本次征集无关且无可识别诉求"),
}
CHANNELS: Mapping[str, object] = {
    ChannelKind.PERSONAL_GRIEVANCE: _l("个人诉求：12345 市民服务热线"),
    ChannelKind.COMPLAINT: _l("投诉举报：12345 或主管部门"),
    ChannelKind.PETITION: _l("信访渠道"),
    ChannelKind.LEGAL_REMEDY: _l("行政复议或诉讼"),
    ChannelKind.ACCUSATION: _l("检举控告：纪检监察机关"),
}
PURPOSES: Mapping[str, object] = {
    RevealPurpose.VERIFY: _l("核实意见内容"),
    RevealPurpose.SUPPLEMENT: _l("联系补充材料"),
    RevealPurpose.REPLY: _l("电话或书面答复"),
    RevealPurpose.SUPERVISE: _l("督办核查"),
}
RETURNS: Mapping[str, object] = {
    ReturnReason.NOT_OUR_DUTY: _l("不属本单位职责"),
    ReturnReason.OTHER_UNIT_LEADS: _l("属其他单位主责"),
    ReturnReason.MUNICIPAL_MATTER: _l("属市级事权"),
    ReturnReason.DUPLICATE_ROUTING: _l("重复转办"),
    ReturnReason.UNCLEAR_CONTENT: _l("内容不清需补充"),
    ReturnReason.OTHER_CHANNEL: _l("应走其他法定渠道"),
    ReturnReason.OTHER: _l("其他"),
}
_EVENTS = {
    "submit": _l("提交意见"),
    "accept": _l("受理"),
    "ask_supplement": _l("要求补充"),
    "supplement": _l("提交人补充"),
    "supplement_timeout": _l("补充逾期，按现有内容处理"),
    "not_accept": _l("不予受理"),
    "channel_notice": _l("告知其他渠道并办结"),
    "route": _l("提交分办"),
    "assign": _l("转办"),
    "designate": _l("指定主办"),
    "sign_receipt": _l("签收"),
    "auto_receipt": _l("满1个工作日，视为签收"),
    "request_return": _l("申请退回"),
    "approve_return": _l("同意退回"),
    "refuse_return": _l("不同意退回"),
    "request_extension": _l("申请延期"),
    "approve_extension": _l("同意延期"),
    "refuse_extension": _l("不同意延期"),
    "send_to_leader": _l("答复稿送单位负责人"),
    "submit_reply": _l("单位负责人确认，送审签"),
    "reject_sign_off": _l("审签退改"),
    "sign_off": _l("审签发布答复"),
    "close": _l("办结"),
    "reopen": _l("重办"),
    "merge": _l("并入同类意见"),
    "unmerge": _l("取消合并"),
    "merged_reply": _l("随主件回复"),
    "withdraw": _l("提交人撤回"),
    "appeal_upheld": _l("异议成立，恢复审核"),
    "redact": _l("隐去"),
    "propose_withhold": _l("提出不予公开"),
    "confirm_withhold": _l("确认不予公开"),
    "refuse_withhold": _l("不同意不予公开"),
    "propose_not_accept": _l("提出不予受理"),
    "refuse_not_accept": _l("不同意不予受理"),
    "decide_appeal": _l("裁定异议"),
    "split": _l("拆分"),
    "urge": _l("催办"),
    "supervise": _l("督办"),
    "answer_supervision": _l("单位负责人书面说明"),
    "recompute_due": _l("放假安排公布，重算到期日"),
    "co_feedback": _l("协办单位反馈"),
    "emergency_hide": _l("应急下线"),
    "correct_reply": _l("更正答复"),
    "reveal_contact": _l("查看联系方式"),
    "erase_personal_info": _l("清除个人信息"),
    "export": _l("导出"),
    "appeal": _l("提交人提出异议"),
    "rate_reply": _l("提交人评价答复"),
    "correct_contact": _l("提交人更正联系方式"),
    "own_data_shown": _l("提交人查看所保存的个人信息"),
    "reissue_code": _l("重发查询码，原查询码作废"),
    "hold_personal_info": _l("暂停清除个人信息"),
    "release_personal_info": _l("解除暂停清除"),
}
_WHY_SUGGESTED = {
    "item": _l("意见所提事项“%(detail)s”的牵头单位"),
    "section_given": _l("本章节默认主办单位"),
    "section_items": _l("本章节各事项中牵头最多的单位"),
    "section_item": _l("本章节事项“%(detail)s”的责任单位"),
    "owner": _l("没有对应事项，建议由征集主办单位办理"),
    "alike": _l("与事项“%(detail)s”说的相近"),
    "section": _l("本章节的责任单位"),
    "unit_named": _l("意见提到“%(detail)s”"),
    "town_named": _l("意见提到“%(detail)s”"),
    "words": _l("意见说到“%(detail)s”"),
}
_SURE = {
    "high": (_l("把握大"), "open"),
    "co": (_l("可协办"), "plain"),
    "low": (_l("把握小"), "soon"),
}
_SOURCES = {
    "resident": _l("居民"),
    "enterprise": _l("企业"),
    "delegate": _l("代表委员"),
    "expert": _l("专家"),
    "department": _l("部门"),
}
_CHANNELS_IN = {"web": _l("网页"), "paper": _l("书面"), "phone": _l("电话"), "meeting": _l("座谈")}
FLAGS = {
    "audio": _l("语音验证码"),
    "sound": _l("语音验证码"),
    "honeypot": _l("疑似机器提交"),
    "decoy": _l("疑似机器提交"),
    "fast": _l("填写过快"),
}


@dataclass(frozen=True)
class Tag:
    """A few words with a tone."""

    label: str
    tone: str


@dataclass(frozen=True)
class Due:
    """How a due day stands: words, the day itself, and over, soon or ok."""

    label: str
    note: str
    tone: str


@dataclass(frozen=True)
class Piece:
    """A stretch of the comment's text; `label` names the finding in it, empty for plain text."""

    text: str
    label: str = ""
    strong: bool = False


@dataclass(frozen=True)
class FindingLine:
    """One finding to be dealt with."""

    index: int
    text: str
    label: str
    strong: bool


@dataclass(frozen=True)
class SuggestionLine:
    """One suggested unit with its reason."""

    number: int
    code: str
    name: str
    reason: str
    tag: Tag
    load: str


@dataclass(frozen=True)
class SupplementLine:
    """One supplement: who asked for what, the words added, when, and until when it is awaited."""

    title: str
    points: str
    text: str
    given: Moment | None
    awaited_until: str


@dataclass(frozen=True)
class HistoryLine:
    """One entry of the history in plain words."""

    when: Moment
    words: str
    who: str
    more: str


@dataclass(frozen=True)
class Option:
    """One value of a list."""

    value: str
    label: str


@dataclass(frozen=True)
class ConflictView:
    """What somebody typed beside what stands now."""

    receipt_no: str
    message: str
    state: str
    version: int
    latest: tuple[HistoryLine, ...]
    kept: tuple[Option, ...]


@dataclass(frozen=True)
class Can:
    """What the viewer can do to this comment now; each opens one form."""

    accept: bool = False
    route: bool = False
    assign: bool = False
    accept_and_route: bool = False
    designate: bool = False
    propose: bool = False
    propose_not_accept: bool = False
    decide: bool = False
    decide_return: bool = False
    decide_extension: bool = False
    reply: bool = False
    sign_off: bool = False
    feed_back: bool = False
    reveal: bool = False
    ask_supplement: bool = False
    merge: bool = False
    unmerge: bool = False

    @property
    def nothing(self) -> bool:
        """Whether the decision column is empty."""
        return not any(getattr(self, name) for name in self.__dataclass_fields__ if name != "reveal")


def can(page: CommentPage, viewer: Viewer) -> Can:
    """Return what the table of states and the viewer's roles allow here; services check again."""
    state, may = CommentState(page.state), viewer.may
    waits = page.decision is not None
    reviewing = state is CommentState.PENDING_REVIEW and not waits
    own = page.assignment is not None and page.is_lead
    gone = state is CommentState.WITHDRAWN or page.closed_as in ("not_accepted", "channel_notice")
    decides = may(Permission.REVIEW) or (
        may(Permission.WITHHOLD) and page.decision is not None and page.decision.kind == "withhold"
    )
    return Can(
        accept=reviewing and may(Permission.REVIEW),
        accept_and_route=reviewing and may(Permission.REVIEW) and may(Permission.ASSIGN),
        route=state is CommentState.ACCEPTED and may(Permission.REVIEW),
        assign=state is CommentState.TO_ASSIGN and may(Permission.ASSIGN) and page.return_count < 2,
        designate=state is CommentState.TO_ASSIGN and may(Permission.DESIGNATE),
        propose=not waits and not gone and page.publicity != "withheld" and may(Permission.WITHHOLD),
        propose_not_accept=reviewing and may(Permission.REVIEW),
        decide=waits and decides,
        decide_return=state is CommentState.RETURN_REQUESTED and may(Permission.ASSIGN),
        decide_extension=page.assignment is not None
        and page.assignment.extension_request is not None
        and state is CommentState.IN_PROGRESS
        and may(Permission.ASSIGN),
        reply=own and (may(Permission.DRAFT_REPLY) or may(Permission.SUBMIT_REPLY)),
        sign_off=state is CommentState.PENDING_SIGN_OFF and may(Permission.SIGN_OFF),
        feed_back=_waits_for(page, viewer),
        reveal=page.may_reveal and page.contact is None and not page.contact_erased,
        ask_supplement=reviewing and may(Permission.REVIEW) and not page.supplements_asked,
        merge=state in COMPARED and may(Permission.ASSIGN),
        unmerge=state is CommentState.MERGED and may(Permission.ASSIGN),
    )


def _waits_for(page: CommentPage, viewer: Viewer) -> bool:
    if page.assignment is None or page.state not in ("assigned", "in_progress"):
        return False
    return viewer.may(Permission.CO_FEEDBACK) and any(
        one.unit_id == viewer.unit_id and one.feedback_at is None for one in page.assignment.co_units
    )


def tab_of(page: CommentPage, viewer: Viewer) -> str:
    """Return the tab of the queue in which the viewer has this comment before them, or an empty text."""
    if not (viewer.may(Permission.REVIEW) or viewer.may(Permission.ASSIGN)):
        return ""
    if page.decision is not None:
        return "confirm"
    tabs = {"pending_review": "review", "accepted": "route", "to_assign": "route", "return_requested": "returned"}
    if page.assignment is not None and page.assignment.extension_request is not None and page.state == "in_progress":
        return "extension"
    return tabs.get(page.state, "")


def state_tag(state: str) -> Tag:
    """Return the words for a state."""
    tones = {"pending_review": "soon", "return_requested": "red", "replied": "open", "closed": "plain"}
    return Tag(str(STATES.get(state, state)), tones.get(state, "navy"))


def options(labels: Mapping[str, object]) -> tuple[Option, ...]:
    """Return a list of reasons for a form."""
    return tuple(Option(str(value), str(label)) for value, label in labels.items())


def day_words(day: date) -> str:
    """Return 7月26日, or 26 July."""
    return i18n.day(day)


def due(day: date | None, today: date, calendar: WorkCalendar) -> Due:
    """Return how a due day stands, in working days (R-60); 待定 where it cannot be told (R-61)."""
    if day is None:
        return Due(_("待定"), _("放假安排未公布"), "soon")
    if day == today:
        return Due(_("今天到期"), _("%(day)s 24:00", day=day_words(day)), "soon")
    try:
        left = remaining_working_days(calendar, day, today)
    except CalendarPending:
        return Due(_("待定"), day_words(day), "soon")
    if today > day:
        return Due(_("超%(n)s个工作日", n=-left), _("原定%(day)s", day=day_words(day)), "over")
    tone = "soon" if left <= 2 else "ok"
    return Due(_("还有%(n)s个工作日", n=left), _("%(day)s 24:00", day=day_words(day)), tone)


def pieces(text: str, findings: Iterable[Finding]) -> tuple[Piece, ...]:
    """Return the text cut at its findings, so that they can be marked where they stand."""
    out: list[Piece] = []
    at = 0
    for one in sorted(findings):
        if one.level is Level.INFO:
            continue
        out += [
            Piece(text[at : one.start]),
            Piece(text[one.start : one.end], i18n.pii_words(one.type), one.level is Level.STRONG),
        ]
        at = one.end
    out.append(Piece(text[at:]))
    return tuple(piece for piece in out if piece.text)


def finding_lines(text: str, findings: Iterable[Finding]) -> tuple[FindingLine, ...]:
    """Return what must be covered or dismissed (R-31), numbered as in the form."""
    return tuple(
        FindingLine(index, text[one.start : one.end], i18n.pii_words(one.type), one.level is Level.STRONG)
        for index, one in enumerate(findings)
        if one.level is not Level.INFO
    )


def kinds() -> tuple[Option, ...]:
    """Return the kinds of personal data somebody can cover by hand."""
    first = (PiiType.NAME, PiiType.OTHER)
    return tuple(
        Option(kind.value, i18n.pii_words(kind)) for kind in (*first, *(one for one in PiiType if one not in first))
    )


def suggestion_lines(found: Iterable[SuggestedUnit], loads: Mapping[str, UnitLoad]) -> tuple[SuggestionLine, ...]:
    """Return the units suggested as lead, best first (one key each), with what each has in hand."""
    return tuple(
        SuggestionLine(
            number,
            one.code,
            one.name,
            _("；").join(_why(one)),
            Tag(str(_SURE[one.confidence][0]), _SURE[one.confidence][1]),
            load_words(loads.get(one.code)),
        )
        for number, one in enumerate(found, start=1)
    )


def _why(one: SuggestedUnit) -> list[str]:
    lines = []
    settled = any(reason.kind.startswith("section_") for reason in one.reasons)
    for reason in [why for why in one.reasons if not (settled and why.kind == "section")][:2]:
        words = str(_WHY_SUGGESTED.get(reason.kind, ""))
        lines.append(words % {"detail": reason.detail} if "%(" in words else words)
    return [line for line in dict.fromkeys(lines) if line]


def load_words(load: UnitLoad | None) -> str:
    """Return what a unit has in hand, in a few words."""
    if load is None or not load.open_items:
        return str(_("在办0件"))
    if load.overdue:
        return str(_("在办%(n)s件，超期%(late)s件", n=load.open_items, late=load.overdue))
    return str(_("在办%(n)s件", n=load.open_items))


def unit_options(units: Iterable[Choice], loads: Mapping[str, UnitLoad]) -> tuple[Option, ...]:
    """Return every unit a comment can be routed to, with what each has in hand, and none of them first."""
    return (
        Option("", ""),
        *(Option(one.value, i18n.bracketed(one.label, load_words(loads.get(one.value)))) for one in units),
    )


def co_choices(
    found: Iterable[SuggestedUnit], units: Iterable[Choice]
) -> tuple[tuple[Option, ...], tuple[Option, ...]]:
    """Return the suggested co-units, and every other unit; the suggested lead is not among the suggested co-units."""
    names = {one.value: one.label for one in units}
    near = tuple(Option(one.code, one.name) for one in list(found)[1:] if one.code in names)
    known = {one.value for one in near}
    return near, tuple(Option(code, name) for code, name in names.items() if code not in known)


def history(entries: Iterable[HistoryEntry]) -> tuple[HistoryLine, ...]:
    """Return the event log in plain words."""
    return tuple(_line(entry) for entry in entries)


def _line(entry: HistoryEntry) -> HistoryLine:
    if entry.actor_kind == "staff":
        role = next((label for key, label in ROLE_LABELS.items() if key.value == entry.actor_role), "")
        who = i18n.bracketed(entry.actor_name, role) if role else entry.actor_name
    else:
        who = _("提交人") if entry.actor_kind == "public" else _("系统")
    return HistoryLine(moment(entry.at), str(_EVENTS.get(entry.kind, entry.kind)), who, _more(entry))


def _more(entry: HistoryEntry) -> str:
    reasons: dict[str, Mapping[str, object]] = {
        "propose_withhold": WITHHOLD,
        "confirm_withhold": WITHHOLD,
        "not_accept": NOT_ACCEPT,
        "propose_not_accept": NOT_ACCEPT,
        "channel_notice": CHANNELS,
        "reveal_contact": PURPOSES,
        "request_return": RETURNS,
    }
    if entry.reason:
        return str(reasons.get(entry.kind, {}).get(entry.reason, entry.reason))
    detail = entry.detail
    if entry.kind == "accept":
        return str(PUBLICITIES.get(str(detail.get("publicity")), ""))
    if entry.kind == "redact":
        return i18n.pii_words(PiiType(detail["type"])) if detail.get("type") in set(PiiType) else ""
    if entry.kind in ("assign", "designate", "approve_extension") and detail.get("reply_due"):
        return str(_("答复最迟%(day)s", day=day_words(date.fromisoformat(str(detail["reply_due"])))))
    if entry.kind in ("submit_reply", "sign_off", "correct_reply"):
        return str(OUTCOMES.get(str(detail.get("outcome")), ""))
    return ""


def identity(page: CommentPage) -> str:
    """Return who speaks, without a name (R-51)."""
    kind = _("单位") if page.submitter_kind == "organisation" else _("个人")
    return f"{kind} · {_SOURCES.get(page.source, '')}"


def way_in(page: CommentPage) -> str:
    """Return how a comment came."""
    return channel_words(page.channel)


def channel_words(channel: str) -> str:
    """Return a way in by its words."""
    return str(_CHANNELS_IN.get(channel, channel))


def supplement_due(calendar: WorkCalendar, now: datetime) -> str:
    """Return until when a submitter asked now could supplement, in words (R-71)."""
    try:
        return day_words(last_day_to_supplement(calendar, local_day(now)))
    except CalendarPending:
        return str(_("待定"))


def supplements(page: CommentPage) -> tuple[SupplementLine, ...]:
    """Return what was asked for and what was added, in words."""
    return tuple(
        SupplementLine(
            _("%(who)s要求补充：", who=one.asked_by) if one.points else _("提交人主动补充"),
            one.points,
            one.text,
            None if one.given_at is None else moment(one.given_at),
            "" if one.due_on is None or one.given_at is not None else day_words(one.due_on),
        )
        for one in page.supplements
    )


def conflict(page: CommentPage, posted: Mapping[str, str], error: ChangedMeanwhile | IllegalTransition) -> ConflictView:
    """Return what the person had typed beside what stands now (R-91)."""
    labels = {
        "body": _("答复内容"),
        "reason": _("理由"),
        "note": _("说明"),
        "explanation": _("说明"),
        "basis": _("依据"),
        "feedback": _("协办意见"),
        "place_detail": _("落实位置"),
        "outcome": _("采纳情况"),
        "lead_unit": _("主办单位"),
    }
    if isinstance(error, ChangedMeanwhile):
        message = _("您打开页面以后，别人先办了一步。您填写的内容在下面，没有丢。")
    else:
        message = _("这件意见现在的状态不能这样办理。")
    return ConflictView(
        page.receipt_no,
        message,
        str(STATES.get(page.state, page.state)),
        page.version,
        history(page.history[:5]),
        tuple(Option(label, posted[name]) for name, label in labels.items() if posted.get(name)),
    )


def decision(page: CommentPage) -> str:
    """Return what is proposed, in words, or an empty text."""
    if page.decision is None:
        return ""
    if page.decision.kind == "not_accept":
        return str(_("不予受理：%(why)s", why=NOT_ACCEPT.get(page.decision.reason, page.decision.reason)))
    return str(_("不予公开：%(why)s", why=WITHHOLD.get(page.decision.reason, page.decision.reason)))


def request_words(page: CommentPage) -> str:
    """Return why the unit asks to hand the comment back, in words, or an empty text."""
    if page.assignment is None or page.assignment.return_request is None:
        return ""
    return str(RETURNS.get(page.assignment.return_request.reason, page.assignment.return_request.reason))


def with_unit_names(error: DomainError, names: Mapping[str, str]) -> DomainError:
    """Let a refusal that names a unit by its code name it as people do."""
    for one in error.errors.values() if isinstance(error, FieldErrors) else ([error],):
        for refusal in one:
            code = str(refusal.params.get("unit", ""))
            if code in names:
                refusal.params["unit"] = names[code]
    return error
