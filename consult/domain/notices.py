"""What notices say: subject, plain text and simple HTML, in Chinese or English (texts.md 4 and 5).

A subject and a link hold the 编号 at most: never a name, a telephone number, an address, a 查询码 or a word of the
comment (R-53). The comment's text stands nowhere in a notice; a published reply does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape

CHINESE = "zh-Hans"
ENGLISH = "en"

_WEEKDAYS = "一二三四五六日"
_OUTCOMES = {
    "adopted": ("采纳", "adopted"),
    "partly_adopted": ("部分采纳", "adopted in part"),
    "not_adopted": ("不采纳", "not adopted"),
    "explained": ("解释说明", "explained"),
    "reference": ("留作参考", "kept for reference"),
}
_WITHHOLD = {
    "state_secret": ("国家秘密或依法禁止公开", "state secrets or publication forbidden by law"),
    "public_security": ("危及国家安全、公共安全、经济安全、社会稳定", "national, public or economic security"),
    "trade_secret": ("商业秘密", "trade secrets"),
    "privacy": ("个人隐私且隐去后无法理解", "privacy, and unintelligible once masked"),
    "insult": ("侮辱诽谤他人", "insult or defamation"),
    "unlawful": ("违法信息", "unlawful content"),
    "accusation": ("检举控告线索", "a report of misconduct"),
    "minor": ("涉未成年人", "concerns a minor"),
    "submitter_request": ("您要求不公开", "you asked for it"),
}
_NOT_ACCEPT = {
    "advertising": ("广告或垃圾信息", "it is advertising or spam"),
    "gibberish": ("测试或无法识别", "it is a test or cannot be read"),
    "duplicate": ("与您已提交的意见相同", "you have submitted the same comment before"),
    "unlawful": ("含违法信息", "it holds unlawful content"),
    "unrelated": ("与本次征集无关", "it does not concern this consultation"),
}
_CHANNELS = {
    "personal_grievance": ("个人诉求", "a personal matter"),
    "complaint": ("投诉举报", "a complaint"),
    "petition": ("信访", "a petition"),
    "legal_remedy": ("行政复议或诉讼", "a matter for review or the courts"),
}


@dataclass(frozen=True)
class Facts:
    """What a notice is about, looked up when it is sent.

    `params` are those the notice was queued with: words, ISO days, lists of unit names. `words` were found by their
    ids just now (a reason, a basis). Addresses are absolute, or empty when the site does not know its own.
    """

    kind: str
    receipt_no: str
    consultation: str
    handler: str
    language: str = CHINESE
    section: str = ""
    submitted: str = ""
    status_url: str = ""
    staff_url: str = ""
    reply_unit: str = ""
    reply_outcome: str = ""
    reply_body: str = ""
    reply_location: str = ""
    reply_reason: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)

    def word(self, name: str) -> str:
        """Return a text by its name, empty when there is none."""
        value = self.words.get(name, self.params.get(name))
        return "" if value is None else str(value)

    def names(self, name: str) -> list[str]:
        """Return a list of names."""
        value = self.params.get(name)
        return [str(each) for each in value] if isinstance(value, Sequence) and not isinstance(value, str) else []

    def day(self, name: str, unknown: str) -> str:
        """Return a day as people read it, or `unknown` while it cannot be told (R-61)."""
        try:
            value = date.fromisoformat(self.word(name))
        except ValueError:
            return unknown
        if self.language == ENGLISH:
            return value.isoformat()
        return f"{value.year}年{value.month}月{value.day}日（周{_WEEKDAYS[value.weekday()]}）"


@dataclass(frozen=True)
class Notice:
    """A message ready to send."""

    subject: str
    text: str
    html: str


def knows(kind: str) -> bool:
    """Tell whether there is a text for this kind."""
    return kind in _SUBMITTER or kind in _UNIT


def for_unit(kind: str) -> bool:
    """Tell whether a kind goes to a unit."""
    return kind in _UNIT


def compose(facts: Facts) -> Notice:
    """Return the message of a notice.

    Raises:
        KeyError: there is no text for this kind.
    """
    if facts.kind in _UNIT:
        subject, lines = f"意见办理通知（{facts.receipt_no}）", [_UNIT[facts.kind](facts)]
        return _notice(subject, lines, facts.staff_url, "办理页面：", "")
    english = facts.language == ENGLISH
    subject, lines = _SUBMITTER[facts.kind](facts)
    lead, sign = ("Look it up here:", facts.handler) if english else ("查询网址：", facts.handler)
    return _notice(subject, ["Dear Sir or Madam," if english else "您好：", *lines], facts.status_url, lead, sign)


def _notice(subject: str, lines: Sequence[str], url: str, lead: str, sign: str) -> Notice:
    tail = [f"{lead}{url}"] if url else []
    text = "\n\n".join(part for part in (*lines, *tail, sign) if part)
    linked = [f'{escape(lead)}<a href="{escape(url)}">{escape(url)}</a>'] if url else []
    parts = [escape(line).replace("\n", "<br>") for line in lines] + linked + [escape(sign)]
    body = "".join(f"<p>{part}</p>" for part in parts if part)
    page = (
        f'<!DOCTYPE html><html lang="zh-Hans"><head><meta charset="utf-8"><title>{escape(subject)}</title></head>'
        f"<body>{body}</body></html>"
    )
    return Notice(" ".join(subject.split()), text + "\n", page)


_Told = tuple[str, list[str]]


def _two(facts: Facts, chinese: _Told, english: _Told) -> _Told:
    return english if facts.language == ENGLISH else chinese


def _pair(table: Mapping[str, tuple[str, str]], code: str, facts: Facts) -> str:
    chinese, english = table.get(code, ("", ""))
    return english if facts.language == ENGLISH else chinese


def _receipt(facts: Facts) -> _Told:
    number, place = facts.receipt_no, facts.section or "整体"
    return _two(
        facts,
        (
            f"您的意见已收到（受理编号 {number}）",
            [
                f"您对《{facts.consultation}》“{place}”的意见已于 {facts.submitted} 收到。"
                "请使用提交成功页上的查询码查询。",
                "如需补充、更正联系方式、撤回公开姓名或删除个人信息，也在查询页办理。",
            ],
        ),
        (
            f"Your comment has been received ({number})",
            [
                f"Your comment on “{facts.consultation}” was received on {facts.submitted} (Beijing time). "
                "Use the query code shown when you submitted it.",
                "There you can also supplement it, correct your details, withdraw your name or ask for erasure.",
            ],
        ),
    )


def _ask_supplement(facts: Facts) -> _Told:
    points = facts.word("points")
    return _two(
        facts,
        (
            f"请补充您的意见（{facts.receipt_no}）",
            [
                f"为准确办理，请在 {facts.day('due', '查询页所示日期')} 24:00 前补充：",
                points or "需要补充的内容见查询页。",
                "在查询页填写即可。未补充的，我们按现有内容处理，不会因此不予受理。",
            ],
        ),
        (
            f"Please supplement your comment ({facts.receipt_no})",
            [
                f"To handle it well we need more by 24:00 on {facts.day('due', 'the day shown there')}:",
                points or "The status page says what is missing.",
                "Without it we go on with what we have.",
            ],
        ),
    )


def _accepted(facts: Facts) -> _Told:
    covered = facts.word("publicity") == "redacted"
    return _two(
        facts,
        (
            f"您的意见已受理（{facts.receipt_no}）",
            [f"您的意见已受理，将{'遮盖个人信息后公开' if covered else '公开'}。下一步转有关单位办理。"],
        ),
        (
            f"Your comment has been accepted ({facts.receipt_no})",
            [f"It will be published {'with personal data masked' if covered else 'in full'} and sent to the unit."],
        ),
    )


def _merged(facts: Facts) -> _Told:
    primary = facts.word("primary")
    return _two(
        facts,
        (
            f"您的意见与同类意见一并办理（{facts.receipt_no}）",
            [
                f"您的意见与受理编号 {primary} 反映同一事项，将一并办理。您的意见仍单独公开，您也会单独收到答复。"
                "如您认为不是同一事项，请在查询页说明。"
            ],
        ),
        (
            f"Your comment is handled together with similar ones ({facts.receipt_no})",
            [f"It is handled together with {primary}. It is still published and answered on its own."],
        ),
    )


def _assigned(facts: Facts) -> _Told:
    helpers = facts.names("co_units")
    co = f"，{'、'.join(helpers)}协办" if helpers else ""
    day, due = facts.day("assigned_on", ""), facts.day("due", "")
    when = f"预计最迟 {due} 24:00 答复。" if due else "答复日期待定，放假安排公布后在查询页更新。"
    return _two(
        facts,
        (
            f"您的意见已转有关单位（{facts.receipt_no}）",
            [f"您的意见已于 {day} 转 {facts.word('lead_unit')} 主办{co}。{when}"],
        ),
        (
            f"Your comment has been assigned ({facts.receipt_no})",
            [f"It was assigned to {facts.word('lead_unit')} on {day}. Reply by: {due or 'to be announced'}."],
        ),
    )


def _reassigned(facts: Facts) -> _Told:
    day, due = facts.day("assigned_on", ""), facts.day("due", "")
    when = f"预计最迟 {due} 24:00 答复。" if due else "答复日期待定。"
    return _two(
        facts,
        (
            f"您的意见已改由其他单位办理（{facts.receipt_no}）",
            [f"经核，该事项由 {facts.word('lead_unit')} 负责，已于 {day} 重新转办，{when}由此增加的等候，请谅解。"],
        ),
        (
            f"Your comment has been re-assigned ({facts.receipt_no})",
            [f"It is now with {facts.word('lead_unit')}. Reply by: {due or 'to be announced'}."],
        ),
    )


def _extension(facts: Facts) -> _Told:
    due, why = facts.day("due", "另行告知的日期"), facts.word("reason")
    return _two(
        facts,
        (
            f"您的意见办理需要延期（{facts.receipt_no}）",
            [
                f"因{why or '情况复杂'}，{facts.reply_unit or '主办单位'}的答复延至 {due} 24:00。"
                "这是一次性延期，不再延长。"
            ],
        ),
        (
            f"The reply to your comment needs more time ({facts.receipt_no})",
            [f"The reply is extended once, to 24:00 on {due}."],
        ),
    )


def _reply(facts: Facts) -> _Told:
    outcome = _pair(_OUTCOMES, facts.reply_outcome, facts)
    chinese = [
        f"{facts.reply_unit}已答复您的意见。采纳情况：{outcome}。",
        f"答复内容：{facts.reply_body}",
        f"落实位置：{facts.reply_location}" if facts.reply_location else "",
        f"理由：{facts.reply_reason}" if facts.reply_reason else "",
        "对答复有疑问，可在 5 个工作日内在查询页说明。",
    ]
    english = [
        f"{facts.reply_unit} has replied. Outcome: {outcome}.",
        f"Reply (in Chinese): {facts.reply_body}",
        f"Place in the draft: {facts.reply_location}" if facts.reply_location else "",
        f"Reason: {facts.reply_reason}" if facts.reply_reason else "",
        "If you object, say so on the status page within 5 working days.",
    ]
    return _two(
        facts,
        (f"您的意见有答复了（{facts.receipt_no}）", chinese),
        (f"Your comment has been answered ({facts.receipt_no})", english),
    )


def _channel(facts: Facts) -> _Told:
    number, kind = facts.receipt_no, facts.word("channel")
    if kind == "accusation":
        return _two(
            facts,
            (
                f"关于您反映的事项（{number}）",
                ["您反映的事项请向纪检监察机关反映（12388）。本平台不会把内容转给被反映的单位或个人，也不公开。"],
            ),
            (
                f"About the matter you raised ({number})",
                ["Please report it to the discipline inspection authority (12388). Nothing was forwarded."],
            ),
        )
    what = _pair(_CHANNELS, kind, facts)
    return _two(
        facts,
        (
            f"关于您反映的事项（{number}）",
            [
                f"您反映的事项属于{what}，不在本次征集范围，请通过以下渠道反映，办理更直接：",
                "· 12345 市民服务热线\n· 国家信访局网上信访平台\n· 紧急情况请拨 110／119／120",
                "本平台没有把您的个人信息转给其他单位。",
            ],
        ),
        (
            f"About the matter you raised ({number})",
            [f"It is {what} and not within this consultation. Please call 12345.", "Your data was not forwarded."],
        ),
    )


def _withheld(facts: Facts) -> _Told:
    why, day = _pair(_WITHHOLD, facts.word("reason"), facts), facts.day("appeal_until", "")
    return _two(
        facts,
        (
            f"关于您的意见公开方式的告知（{facts.receipt_no}）",
            [
                f"您的意见照常办理并答复，但不公开，原因：{why}。",
                f"如有异议，请在 {day} 24:00 前在查询页提出一次，由未参与本决定的人员在 5 个工作日内答复。",
            ],
        ),
        (
            f"How your comment is published ({facts.receipt_no})",
            [
                f"It is handled and answered as usual but not published: {why}.",
                f"You may appeal once until 24:00 on {day}; somebody who took no part decides in 5 working days.",
            ],
        ),
    )


def _not_accepted(facts: Facts) -> _Told:
    why, day = _pair(_NOT_ACCEPT, facts.word("reason"), facts), facts.day("appeal_until", "")
    return _two(
        facts,
        (
            f"关于您的意见的处理告知（{facts.receipt_no}）",
            [f"您提交的内容因{why}，不予受理。如有异议，请在 {day} 24:00 前在查询页提出。"],
        ),
        (
            f"What became of your submission ({facts.receipt_no})",
            [f"It was not accepted because {why}. You may appeal until 24:00 on {day}."],
        ),
    )


_SET_RIGHT = {
    "withhold": ("改为公开", "it will be published"),
    "not_accept": ("恢复受理", "it is accepted again"),
    "reply": ("重新办理", "it is handled again"),
}


def _appeal_decided(facts: Facts) -> _Told:
    reason = facts.word("decision")
    if facts.word("result") == "upheld":
        what = _pair(_SET_RIGHT, facts.word("against"), facts)
        chinese, english = f"经复核，{what}。", f"After review {what}."
    else:
        chinese, english = "经复核，维持原决定。", "After review the decision stands."
    return _two(
        facts,
        (f"您的异议有结果了（{facts.receipt_no}）", [chinese, f"理由：{reason}" if reason else ""]),
        (f"Your objection has been decided ({facts.receipt_no})", [english, f"Reason: {reason}" if reason else ""]),
    )


_SUBMITTER: Mapping[str, Callable[[Facts], _Told]] = {
    "receipt": _receipt,
    "ask_supplement": _ask_supplement,
    "accepted": _accepted,
    "merged": _merged,
    "assigned": _assigned,
    "reassigned": _reassigned,
    "extension": _extension,
    "reply": _reply,
    "channel_notice": _channel,
    "withheld": _withheld,
    "not_accepted": _not_accepted,
    "appeal_decided": _appeal_decided,
}


def _helpers(facts: Facts) -> str:
    return "、".join(facts.names("co_units")) or "无"


_UNIT: Mapping[str, Callable[[Facts], str]] = {
    "unit_assigned": lambda f: (
        f"【转办】{f.receipt_no}，你单位为主办，协办：{_helpers(f)}。计时自 {f.day('assigned_on', '')} 起，"
        f"签收最迟 {f.day('sign_receipt', '待定')}，退回最迟 {f.day('return_by', '待定')}，"
        f"答复最迟 {f.day('due', '待定')} 24:00。"
    ),
    "designated": lambda f: (
        f"【指定主办】{f.receipt_no} 指定你单位主办"
        + (f"，依据：{f.word('basis')}" if f.word("basis") else "")
        + f"。答复最迟 {f.day('due', '待定')} 24:00。本件不再退回。"
    ),
    "co_assigned": lambda f: (
        f"【协办】{f.receipt_no}，主办 {f.word('lead_unit')}，请于 {f.day('due', '待定')} 前反馈。"
    ),
    "co_feedback": lambda f: f"【协办反馈】{f.receipt_no} 的协办单位已反馈意见，请在办理页面查看。",
    "auto_receipt": lambda f: f"【视为签收】{f.receipt_no} 已满 1 个工作日未签收，计时不变。",
    "return_approved": lambda f: f"【退回已同意】{f.receipt_no} 不再由你单位办理。",
    "return_refused": lambda f: (
        f"【退回未同意】{f.receipt_no}"
        + (f"，理由：{f.word('decision')}" if f.word("decision") else "")
        + f"。请继续办理，到期日不变：{f.day('due', '待定')}。"
    ),
    "extension_approved": lambda f: f"【延期已同意】{f.receipt_no} 延至 {f.day('due', '待定')} 24:00，不再延长。",
    "extension_refused": lambda f: f"【延期未同意】{f.receipt_no}，到期日不变：{f.day('due', '待定')}。",
    "sign_off_rejected": lambda f: f"【退改】{f.receipt_no}，审签意见见办理页面。修改后重新送审签。",
    "urge_soon": lambda f: (
        f"【催办】{f.receipt_no} 将于 {f.day('due', '待定')} 24:00 到期，还有 {f.word('n')} 个工作日。"
    ),
    "urge_today": lambda f: f"【催办】{f.receipt_no} 今天 24:00 到期。",
    "urge_overdue": lambda f: f"【催办】{f.receipt_no} 已逾期 {f.word('n')} 个工作日，请立即办理并说明原因。",
}
