"""The submitter's own comment: where it is, in plain words, with the unit and the due date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from consult.domain.calendar import WorkCalendar
from consult.i18n import _
from consult.public.presenters import wording
from consult.public.presenters.commenting import QuoteView, place_words
from consult.public.presenters.overview import ReplyView
from consult.public.presenters.wording import Moment
from consult.queries.status import OwnComment, OwnReply, Step

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
        "assign": _("已转%(unit)s主办", unit=detail.get("lead_unit", "")),
        "designate": _("指定%(unit)s主办", unit=detail.get("lead_unit", "")),
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
        "assigned": _("已转%(unit)s，等待签收", unit=own.lead_unit),
        "in_progress": _("正在由%(unit)s办理", unit=own.lead_unit),
        "return_requested": _("正在核定承办单位"),
        "pending_sign_off": _("答复已起草，正在审签"),
        "replied": _("%(unit)s已答复", unit=own.lead_unit),
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
    note = _("协办：%(units)s", units="、".join(map(str, co_units))) if isinstance(co_units, list) and co_units else ""
    return TimelineStep(words, wording.moment(step.at), note, "done")


def reply(replies: tuple[OwnReply, ...], co_units: tuple[str, ...]) -> ReplyView | None:
    """Return the reply in force, with the corrections it has had (R-82)."""
    if not replies:
        return None
    last = replies[-1]
    corrections = tuple(
        _("本答复于 %(day)s 更正：%(note)s", day=wording.moment(one.published_at).text, note=one.correction_note)
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


def actions(own: OwnComment) -> tuple[OwnAction, ...]:
    """Return what the submitter can do now, without an account (R-47, R-88)."""
    found: list[OwnAction] = []
    if own.public_name:
        found.append(
            OwnAction(
                "revoke_name",
                _("撤回公开姓名"),
                _("公开页面马上改为显示“%(name)s”，不影响办理。", name=own.masked_name),
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
    return tuple(found)


def status_page(own: OwnComment, calendar: WorkCalendar, today: date, token: str, draft_url: str) -> dict[str, object]:
    """Return what status.html is given; `token` lets the next action find the comment again."""
    lead, tone = lead_line(own, calendar, today)
    where = f"{draft_url}{own.section_key}/" if own.section_key else draft_url
    quote = None
    if own.quote:
        quote = QuoteView(own.quote, place_words(own.block_key) or own.section_heading, f"{where}#b-{own.block_key}")
    return {
        "receipt_no": own.receipt_no,
        "headline_parts": headline(own),
        "lead": lead,
        "tone": tone,
        "timeline": timeline(own),
        "text": own.body,
        "quote": quote,
        "section": own.section_heading or _("整体（整份报告）"),
        "section_url": where,
        "masked_name": own.public_name or own.masked_name,
        "reply": reply(own.replies, own.co_units),
        "actions": actions(own),
        "hidden": (("token", token),),
    }
