"""The comment form, its check page, the page of a closed period, the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote as url_quote

from consult.domain.calendar import WorkCalendar, local_day
from consult.domain.comments import CommentValues
from consult.domain.names import mask_name, organisation_label
from consult.domain.periods import ConsultationState
from consult.i18n import _, zh
from consult.public.forms import BODY_MAXIMUM, BODY_MINIMUM, DECOY
from consult.public.presenters import wording
from consult.public.presenters.wording import ConsultationView, Moment, Option, Stage
from consult.queries.drafts import FullSection, VersionRow
from consult.queries.reading import ConsultationHead
from consult.queries.status import ReceiptFacts

_INDENT = "　"


@dataclass(frozen=True)
class Notice:
    """The privacy notice's blanks (texts.md §1)."""

    controller: str
    phone: str
    email: str
    address: str
    recipients: str
    months: int
    version: str
    since: str


@dataclass(frozen=True)
class Captcha:
    """The challenge of a form."""

    id: str


@dataclass(frozen=True)
class QuoteView:
    """Quoted words and where they stand."""

    text: str
    place: str
    url: str


@dataclass(frozen=True)
class Similar:
    """How many have spoken here already."""

    count: int
    url: str


@dataclass(frozen=True)
class FormPage:
    """What comment_form.html is given."""

    consultation: ConsultationView
    notice: Notice
    captcha: Captcha
    sections: tuple[Option, ...]
    quote: QuoteView | None
    contact_rule: str
    show_confirm_credit_code: bool
    body_min: int
    body_max: int
    steps: tuple[Stage, ...]
    similar: Similar | None
    hidden: tuple[tuple[str, str], ...]
    honeypot: str


@dataclass(frozen=True)
class CheckRow:
    """One line to be checked, and whether it becomes public."""

    name: str
    label: str
    value: str
    public: bool | None
    is_text: bool = False


@dataclass(frozen=True)
class CheckPage:
    """What comment_check.html is given."""

    consultation: ConsultationView
    rows: tuple[CheckRow, ...]
    carry: tuple[tuple[str, str], ...]
    captcha: Captcha
    captcha_answer: str
    masked_name: str


@dataclass(frozen=True)
class Kept:
    """A field given back to copy."""

    label: str
    text: str


@dataclass(frozen=True)
class ClosedPage:
    """What closed.html is given."""

    consultation: ConsultationView
    state: str
    sentence: str
    kept: tuple[Kept, ...]
    has_results: bool


@dataclass(frozen=True)
class ReceiptPage:
    """What receipt.html is given."""

    consultation: ConsultationView
    own: bool
    receipt_no: str = ""
    query_code: str = ""
    submitted: Moment | None = None
    section: str = ""
    masked_name: str = ""
    due: str = ""
    steps: tuple[Stage, ...] = ()
    qr_svg: object = None
    back_url: str = ""


def notice(head: ConsultationHead, units: tuple[str, ...]) -> Notice:
    """Return the privacy notice of one consultation (R-44)."""
    return Notice(
        controller=head.contact_unit or head.owner_unit_name,
        phone=head.contact_phone,
        email=head.contact_email,
        address=head.contact_address,
        recipients="、".join(units),
        months=head.retention_months,
        version=head.notice_version,
        since=wording.full_day(local_day(head.published_at)) if head.published_at else wording.full_day(head.starts_on),
    )


def section_options(sections: tuple[FullSection, ...]) -> tuple[Option, ...]:
    """Return the choices of "which part", indented by level; the first is the whole report."""
    whole = (Option("", _("整体（整份报告）")),)
    return whole + tuple(
        Option(one.section.key, _INDENT * (one.section.level - 1) + one.section.heading) for one in sections
    )


def place_words(block_key: str) -> str:
    """Return 第3段 for p3 and 表格第4行 for t1r4."""
    if block_key.startswith("t") and "r" in block_key:
        return _("表格第%(n)s行", n=block_key.split("r")[-1])
    digits = "".join(char for char in block_key if char.isdigit())
    return _("第%(n)s段", n=digits) if digits else ""


def next_steps() -> tuple[Stage, ...]:
    """Return what happens after submitting (texts.md §3)."""
    return (
        Stage(_("立刻拿到查询码"), _("可打印，凭它查进度"), "next"),
        Stage(_("2 个工作日内审核"), _("审核后公开，手机号、住址等会遮盖"), "next"),
        Stage(_("转有关单位办理"), _("一般 7 个工作日内答复，情况复杂的可延至 15 个工作日并告诉您"), "next"),
        Stage(_("公开答复"), _("写明是否采纳、写在哪里、为什么"), "next"),
    )


def form_page(
    head: ConsultationHead,
    version: VersionRow | None,
    sections: tuple[FullSection, ...],
    *,
    section: str,
    block: str,
    quote: str,
    seen_version: int | None,
    challenge_id: str,
    now: datetime,
    similar: int,
    units: tuple[str, ...],
    confirm_code: bool,
    back_url: str,
    table_url: str,
) -> FormPage:
    """Return the form's page."""
    chosen = next((one for one in sections if one.section.key == section), None)
    shown = quote
    if chosen and block and not quote:
        found = next((one for one in chosen.blocks if one.key == block), None)
        shown = found.text.replace("\t", "　") if found else ""
    place = place_words(block) or (zh(chosen.section.heading) if chosen else "")
    url = f"{back_url}{section}/#{block}" if section else back_url
    number = seen_version or (version.number if version else None)
    return FormPage(
        consultation=wording.consultation(head, now, has_draft=version is not None),
        notice=notice(head, units),
        captcha=Captcha(challenge_id),
        sections=section_options(sections),
        quote=QuoteView(shown, place, url) if shown else None,
        contact_rule=head.contact_rule,
        show_confirm_credit_code=confirm_code,
        body_min=BODY_MINIMUM,
        body_max=BODY_MAXIMUM,
        steps=next_steps(),
        similar=Similar(similar, f"{table_url}?section={url_quote(section)}") if similar else None,
        hidden=(("form", head.slug), ("v", str(number or ""))),
        honeypot=DECOY,
    )


def check_page(
    head: ConsultationHead,
    sections: tuple[FullSection, ...],
    values: CommentValues,
    typed: Mapping[str, str | bool],
    now: datetime,
    *,
    challenge_id: str,
    captcha_answer: str,
) -> CheckPage:
    """Return the page on which everything is checked before it is sent; nothing has been stored."""
    organisation = values.submitter_kind == "organisation"
    section = next(
        (one.section.heading for one in sections if one.section.key == typed.get("section")), _("整体（整份报告）")
    )
    yes, no = _("同意"), _("不同意")
    rows = [CheckRow("section", _("对哪一部分"), section, True)]
    if typed.get("quote"):
        rows.append(CheckRow("quote", _("引用的原文"), str(typed["quote"]), True, is_text=True))
    rows.append(CheckRow("body", _("意见内容"), values.body, True, is_text=True))
    if organisation:
        rows.append(CheckRow("organisation", _("单位名称"), values.organisation, values.consent_publish_org_name))
        rows.append(CheckRow("credit_code", _("统一社会信用代码"), values.credit_code, False))
    rows += [
        CheckRow("name", _("姓名"), values.name, not organisation and values.consent_publish_name),
        CheckRow("contact", _("联系方式"), values.contact, False),
        CheckRow("email", _("电子邮箱"), values.email, False),
        CheckRow("consent_publish_name", _("公开姓名"), yes if values.consent_publish_name else no, None),
    ]
    carry = (
        *(
            (name, "yes" if value is True else str(value))
            for name, value in typed.items()
            if value is not False and name != "captcha_answer"
        ),
        ("form", head.slug),
    )
    masked = organisation_label(values.organisation, values.credit_code) if organisation else mask_name(values.name)
    return CheckPage(wording.consultation(head, now), tuple(rows), carry, Captcha(challenge_id), captcha_answer, masked)


def closed_page(head: ConsultationHead, now: datetime, sentence: str, typed: Mapping[str, str | bool]) -> ClosedPage:
    """Return the page shown outside the period, with what was typed to copy (R-05)."""
    labels = {
        "body": _("意见内容"),
        "quote": _("引用的原文"),
        "name": _("姓名"),
        "organisation": _("单位名称"),
        "contact": _("联系方式"),
        "email": _("电子邮箱"),
    }
    kept = tuple(Kept(label, str(typed[name])) for name, label in labels.items() if typed.get(name))
    early = head.state is ConsultationState.NOT_STARTED
    view = wording.consultation(head, now)
    return ClosedPage(view, "early" if early else "late", sentence, kept, view.has_results)


def receipt_page(
    head: ConsultationHead,
    facts: ReceiptFacts | None,
    code: str,
    now: datetime,
    calendar: WorkCalendar,
    qr_svg: object,
    draft_url: str,
) -> ReceiptPage:
    """Return the receipt; without the code it only says how to look the comment up."""
    view = wording.consultation(head, now)
    if facts is None or not code:
        return ReceiptPage(view, own=False)
    today = local_day(facts.submitted_at)
    back = f"{draft_url}{facts.section_key}/#{facts.block_key}" if facts.section_key else draft_url
    return ReceiptPage(
        consultation=view,
        own=True,
        receipt_no=facts.receipt_no,
        query_code=code,
        submitted=wording.moment(facts.submitted_at),
        section=zh(facts.section_heading) or _("整体（整份报告）"),
        masked_name=facts.public_name or facts.masked_name,
        due=wording.in_working_days(calendar, today, 10),
        steps=(
            Stage(_("已收到"), wording.moment(facts.submitted_at).text, "done"),
            Stage(_("审核"), _("最迟 %(day)s", day=wording.in_working_days(calendar, today, 2)), "now"),
            Stage(_("转有关单位"), _("审核通过后 1 个工作日内"), "next"),
            Stage(_("答复"), _("转办后一般 7 个工作日，最长 15 个工作日"), "next"),
        ),
        qr_svg=qr_svg,
        back_url=back,
    )


def blank_notice(controller: str, phone: str, email: str, address: str) -> Notice:
    """Return the notice of a site without a consultation yet."""
    return Notice(controller, phone, email, address, "", 6, "—", "—")
