"""The submitter's own comment: where it is, in plain words, with the unit and the due date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from consult.domain.calendar import WorkCalendar, is_overdue
from consult.domain.names import mask_email, mask_name, mask_phone
from consult.i18n import _, zh
from consult.public.presenters import wording
from consult.public.presenters.commenting import QuoteView, place_words
from consult.public.presenters.overview import ReplyView
from consult.public.presenters.wording import Moment
from consult.queries.contacts import ContactShown
from consult.queries.status import OwnAppeal, OwnComment, OwnReply, Rights, Step

_BEFORE_ROUTING = frozenset({"pending_review", "awaiting_supplement", "accepted", "to_assign", "merged"})


@dataclass(frozen=True)
class TimelineStep:
    """One line of the timeline."""

    label: str
    when: Moment | None
    note: str
    state: str


@dataclass(frozen=True)
class OwnAction:
    """Something the submitter can do here."""

    value: str
    label: str
    hint: str
    field: str
    destructive: bool


def event_words(kind: str, detail: dict[str, object]) -> str:
    """Return an event in words a resident understands; empty for what is not theirs to see."""
    words = {
        "submit": _("登记，等待审核"),
        "accept": _("审核通过，已受理"),
        "ask_supplement": _("请您补充内容"),
        "supplement": _("您补充了内容"),
        "supplement_timeout": _("未补充，按现有内容办理"),
        "not_accept": _("不予受理"),
        "channel_notice": _("告知其他反映渠道"),
        "route": _("提交分办"),
        "assign": _("已转%(unit)s主办", unit=zh(str(detail.get("lead_unit", "")))),
        "designate": _("指定%(unit)s主办", unit=zh(str(detail.get("lead_unit", "")))),
        "sign_receipt": _("承办单位已签收，开始办理"),
        "auto_receipt": _("已满 1 个工作日，视为签收，开始办理"),
        "approve_return": _("经核由其他单位办理，正在重新转办"),
        "approve_extension": _("办理延期"),
        "submit_reply": _("答复已起草，等待审签"),
        "sign_off": _("答复已公布"),
        "merged_reply": _("答复已公布"),
        "close": _("办结"),
        "reopen": _("重新办理"),
        "merge": _("与同类意见一并办理"),
        "unmerge": _("恢复单独办理"),
        "withdraw": _("您撤回了意见"),
        "confirm_withhold": _("决定不公开，照常办理并答复"),
        "correct_reply": _("答复已更正"),
        "revoke_publish_name": _("您撤回了公开姓名"),
        "supplement_unasked": _("您补充了内容"),
        "correct_contact": _("您更正了联系方式"),
        "own_data_shown": _("您查看了所保存的个人信息"),
        "erase_personal_info": _("个人信息已清除"),
        "reissue_code": _("查询码已重发，原查询码作废"),
        "rate_reply": _("您评价了答复"),
        "appeal": _("您提出了异议"),
        "decide_appeal": _("异议已裁定"),
        "appeal_upheld": _("异议成立，恢复审核"),
    }
    return words.get(kind, "")


def headline(own: OwnComment) -> tuple[str, ...]:
    """Return one sentence that says who has it now."""
    ref = _("第 %(ref)s 号意见", ref=own.receipt_no)
    if own.closed_as == "not_accepted":
        return ref, _("不予受理")
    if own.closed_as == "channel_notice":
        return ref, _("请通过其他渠道反映")
    words = {
        "pending_review": _("正在审核"),
        "awaiting_supplement": _("等您补充内容"),
        "accepted": _("已受理，准备转办"),
        "to_assign": _("已受理，正在确定承办单位"),
        "assigned": _("已转%(unit)s，等待签收", unit=zh(own.lead_unit)),
        "in_progress": _("正在由%(unit)s办理", unit=zh(own.lead_unit)),
        "return_requested": _("正在核定承办单位"),
        "pending_sign_off": _("答复已起草，正在审签"),
        "replied": _("%(unit)s已答复", unit=zh(own.lead_unit)),
        "closed": _("已办结"),
        "merged": _("与第 %(ref)s 号意见一并办理", ref=own.merged_into),
        "withdrawn": _("您已撤回"),
    }
    return ref, words[own.handling_state]


def lead_line(own: OwnComment, calendar: WorkCalendar, today: date) -> tuple[str, str]:
    """Return the date and the working days left in words, and the tone."""
    if own.handling_state in {"replied", "closed", "withdrawn"}:
        return _("办理结果见下。对答复有疑问，可在 5 个工作日内提出。") if own.replies else _("经过见下。"), "open"
    if own.handling_state == "pending_review":
        return _("收到后 2 个工作日内审核；审核通过后转有关单位办理。"), "navy"
    if own.pending_year:
        return _("%(year)s 年放假安排尚未公布，答复日期待定，公布后自动更新。", year=own.pending_year), "navy"
    if own.reply_due_on is None:
        return _("转有关单位后，一般 7 个工作日内答复，情况复杂的可延至 15 个工作日并告诉您。"), "navy"
    left = wording.working_days_left(calendar, own.reply_due_on, today)
    when = wording.due(own.reply_due_on)
    if left is not None and left < 0:
        return _("答复已超过预计时间（%(day)s），正在督促办理。", day=wording.day(own.reply_due_on)), "red"
    if left is None:
        return _("最迟 %(due)s 答复。", due=when), "navy"
    if left == 0:
        return _("最迟今天 24:00 答复。"), "navy"
    return _("最迟 %(due)s 答复，还有 %(n)s 个工作日。答复会公开在本页。", due=when, n=left), "navy"


def timeline(own: OwnComment) -> tuple[TimelineStep, ...]:
    """Return what happened, newest first, with what is still expected on top."""
    done = [_step(step) for step in own.steps]
    shown = [step for step in done if step is not None]
    finished = own.handling_state in {"replied", "closed", "withdrawn"}
    lines: list[TimelineStep] = []
    if not finished:
        due = _("预计最迟 %(day)s", day=wording.day(own.reply_due_on)) if own.reply_due_on else ""
        lines.append(TimelineStep(_("公开答复"), None, due, "next"))
        if own.handling_state in _BEFORE_ROUTING:
            lines.append(TimelineStep(_("转有关单位办理"), None, "", "next"))
    for place, step in enumerate(reversed(shown)):
        now = place == 0 and not finished
        lines.append(TimelineStep(step.label, step.when, step.note, "now" if now else "done"))
    return tuple(lines)


def _step(step: Step) -> TimelineStep | None:
    words = event_words(step.kind, step.detail)
    if not words:
        return None
    co_units = step.detail.get("co_units")
    note = (
        _("协办：%(units)s", units=zh("、".join(map(str, co_units)))) if isinstance(co_units, list) and co_units else ""
    )
    return TimelineStep(words, wording.moment(step.at), note, "done")


def reply(replies: tuple[OwnReply, ...], co_units: tuple[str, ...]) -> ReplyView | None:
    """Return the reply in force, with the corrections it has had (R-82)."""
    if not replies:
        return None
    last = replies[-1]
    corrections = tuple(
        _("本答复于 %(day)s 更正：%(note)s", day=wording.moment(one.published_at).text, note=zh(one.correction_note))
        for one in replies
        if one.correction_note
    )
    return ReplyView(
        unit=last.unit,
        co_units="、".join(co_units),
        text=last.body + (f"\n{last.individual_note}" if last.individual_note else ""),
        outcome=wording.outcome_tag(last.outcome),
        location=last.location,
        reason=last.reason,
        when=wording.moment(last.published_at),
        corrections=corrections,
    )


def actions(own: OwnComment, rights: Rights) -> tuple[OwnAction, ...]:
    """Return what the submitter can do now with one press, without an account (R-47, R-52, R-88)."""
    found: list[OwnAction] = []
    if own.public_name:
        found.append(
            OwnAction(
                "revoke_name",
                _("撤回公开姓名"),
                _("公开页面马上改为显示“%(name)s”，不影响办理。", name=zh(own.masked_name)),
                "",
                destructive=False,
            )
        )
    if own.handling_state in _BEFORE_ROUTING:
        found.append(
            OwnAction(
                "withdraw",
                _("撤回意见"),
                _("撤回后不再办理，公开页面不再显示；撤回后不能恢复，可以另提一条。"),
                "",
                destructive=True,
            )
        )
    elif own.handling_state != "withdrawn" and not rights.erased:
        found.append(
            OwnAction(
                "withdraw",
                _("撤回意见"),
                _("意见已经转办，只清除您的个人信息、停止公开姓名，不含个人信息的内容继续办理。"),
                "",
                destructive=True,
            )
        )
    if own.handling_state != "withdrawn" and not rights.erased:
        found.append(
            OwnAction(
                "erase",
                _("删除个人信息"),
                _("删除姓名和联系方式，意见继续办理；删除后不能再给您发通知，凭查询码仍可查询。"),
                "",
                destructive=True,
            )
        )
    return tuple(found)


# -- forms -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AppealForm:
    """One objection that can be raised now."""

    kind: str
    field: str
    title: str
    hint: str


@dataclass(frozen=True)
class AppealShown:
    """An objection raised before."""

    title: str
    when: Moment
    text: str
    outcome: str
    reason: str


_TAKES_MORE = frozenset(
    {
        "pending_review",
        "awaiting_supplement",
        "accepted",
        "to_assign",
        "assigned",
        "in_progress",
        "return_requested",
        "merged",
    }
)


def supplement_form(own: OwnComment, rights: Rights) -> dict[str, str] | None:
    """Return what the form for more words says; None when nothing more is taken (T04, T20)."""
    if own.handling_state not in _TAKES_MORE:
        return None
    if rights.asked_points:
        until = _("请在 %(due)s 前补充：", due=wording.due(rights.asked_until)) if rights.asked_until else ""
        hint = _("未补充的，按现有内容处理，不会因此不予受理。")
        return {"title": _("请补充内容"), "until": until, "points": rights.asked_points, "hint": hint}
    hint = _("补充的内容接在原来的意见后面，不改动原文。")
    return {"title": _("补充意见"), "until": "", "points": "", "hint": hint}


def appeal_titles() -> Mapping[str, str]:
    """Return what each kind of objection is called."""
    return {
        "withhold": _("对不公开的决定提出异议"),
        "not_accept": _("对不予受理的决定提出异议"),
        "reply": _("对答复提出异议"),
    }


def appeal_forms(rights: Rights, now: datetime) -> tuple[AppealForm, ...]:
    """Return the objections that are taken now (R-37)."""
    titles = appeal_titles()
    found: list[AppealForm] = []
    for one in rights.appealable:
        if one.appealed or is_overdue(one.last_day, now):
            continue
        until = _("%(day)s 24:00 前可以提出一次。", day=wording.day(one.last_day)) if one.last_day else ""
        who = _("由督办人员在 5 个工作日内裁定。")
        if one.kind != "reply":
            who = _("由未参与原决定的人员在 5 个工作日内裁定。")
        found.append(AppealForm(one.kind, f"text_appeal_{one.kind}", titles[one.kind], until + who))
    return tuple(found)


def appeals_shown(appeals: tuple[OwnAppeal, ...]) -> tuple[AppealShown, ...]:
    """Return the objections raised before with what became of them (texts.md 4.12)."""
    titles = appeal_titles()
    return tuple(
        AppealShown(titles[one.kind], wording.moment(one.asked_at), one.text, appeal_outcome(one), one.decision_reason)
        for one in appeals
    )


def appeal_outcome(one: OwnAppeal) -> str:
    """Return what became of an objection in a sentence."""
    if one.state == "open":
        return _("正在裁定，最迟 %(due)s 答复。", due=wording.due(one.due_on)) if one.due_on else _("正在裁定。")
    if one.state == "refused":
        return _("经复核，维持原决定。")
    if one.state == "lapsed":
        return _("意见已撤回，异议不再裁定。")
    upheld = {"withhold": _("经复核，改为公开。"), "not_accept": _("经复核，恢复受理。")}
    return upheld.get(one.kind, _("经复核，重新办理。"))


@dataclass(frozen=True)
class Fact:
    """A label and what stands under it."""

    label: str
    value: str


def held_rows(held: ContactShown | None, *, full: bool) -> tuple[Fact, ...]:
    """Return what is held; masked unless the 查询码 was shown again (R-51, R-52)."""
    if held is None:
        return ()
    rows = (
        (_("姓名"), held.name if full or not held.name else mask_name(held.name)),
        (_("联系方式"), held.phone if full else mask_phone(held.phone)),
        (_("电子邮箱"), held.email if full else mask_email(held.email)),
        (_("单位名称"), held.organisation if full else "＊" * bool(held.organisation)),
        (_("统一社会信用代码"), held.credit_code if full else "＊" * bool(held.credit_code)),
    )
    return tuple(Fact(label, zh(value)) for label, value in rows if value)


def score_options() -> tuple[tuple[str, str, str], ...]:
    """Return the scores of a reply as (value, label, hint)."""
    return (
        ("satisfied", _("满意"), ""),
        ("basically", _("基本满意"), ""),
        ("dissatisfied", _("不满意"), ""),
    )


def done_words(done: str, own: OwnComment) -> str:
    """Return what has just been done, in a sentence (texts.md 4.13, 4.14); empty for nothing."""
    words = {
        "supplement": _("已收到您补充的内容。"),
        "whole": _("已撤回。公开页面不再显示该意见，您的联系方式已清除。"),
        "anonymised": _("该意见已转办，我们已停止公开您的姓名并清除联系方式，不含个人信息的内容继续办理。"),
        "erase": _("您的姓名和联系方式已清除，意见继续办理。"),
        "revoke_name": _("已改为显示“%(name)s”。他人此前下载或转载的，我们无法收回。", name=zh(own.masked_name)),
        "correct": _("联系方式已更正。"),
        "rate": _("感谢评价。评价不公开，只用于改进办理。"),
        "appeal": _("已收到您的异议，裁定结果会显示在本页。"),
    }
    return words.get(done, "")


def confirm_page(own: OwnComment, action: str, leaving: str, token: str) -> dict[str, object]:
    """Return what status_confirm.html is given: exactly what would happen, before it does."""
    anonymised = (
        _("姓名、联系方式、电子邮箱马上清除，不能恢复；遮盖前的原文一并清除。"),
        _("公开页面不再显示您的姓名，改为“匿名”。"),
        _("不含个人信息的意见内容继续办理、照常答复。"),
        _("以后不能再给您发通知，凭查询码仍可查询结果。"),
    )
    whole = (
        _("意见不再办理，公开页面马上不再显示，不能恢复。"),
        _("姓名、联系方式、电子邮箱马上清除；遮盖前的原文一并清除。"),
        _("他人此前下载或转载的，我们无法收回。"),
        _("征集期内可以另提一条。"),
    )
    withdraw = action == "withdraw"
    whole_goes = withdraw and leaving == "whole"
    return {
        "receipt_no": own.receipt_no,
        "action": action,
        "title": _("撤回意见") if withdraw else _("删除个人信息"),
        "lead": _("这件意见已经转办，不能整件撤回。确认后：") if withdraw and not whole_goes else _("确认后："),
        "effects": whole if whole_goes else anonymised,
        "button": _("确认撤回") if withdraw else _("确认删除"),
        "hidden": (("token", token), ("expected", leaving)),
    }


@dataclass(frozen=True)
class Shown:
    """What the page shows besides the comment itself."""

    rights: Rights
    held: ContactShown | None = None
    full: bool = False
    done: str = ""


def status_page(
    own: OwnComment, shown: Shown, calendar: WorkCalendar, now: datetime, today: date, token: str, draft_url: str
) -> dict[str, object]:
    """Return what status.html is given; `token` lets the next action find the comment again."""
    lead, tone = lead_line(own, calendar, today)
    where = f"{draft_url}{own.section_key}/" if own.section_key else draft_url
    quote = None
    if own.quote:
        quote = QuoteView(
            own.quote, place_words(own.block_key) or zh(own.section_heading), f"{where}#b-{own.block_key}"
        )
    rights = shown.rights
    replied = own.handling_state in {"replied", "closed"} and any(one.current for one in own.replies)
    return {
        "receipt_no": own.receipt_no,
        "headline_parts": headline(own),
        "lead": lead,
        "tone": tone,
        "timeline": timeline(own),
        "text": own.body,
        "quote": quote,
        "section": zh(own.section_heading) or _("整体（整份报告）"),
        "section_url": where,
        "masked_name": own.public_name or own.masked_name,
        "reply": reply(own.replies, own.co_units),
        "actions": actions(own, rights),
        "hidden": (("token", token),),
        "done": done_words(shown.done, own),
        "supplement": supplement_form(own, rights),
        "appeal_forms": appeal_forms(rights, now),
        "appeals": appeals_shown(rights.appeals),
        "rating": replied and not rights.rating,
        "scores": score_options(),
        "held": {
            "rows": held_rows(shown.held, full=shown.full),
            "full": shown.full,
            "erased": rights.erased,
            "on_hold": rights.on_hold,
        },
    }
