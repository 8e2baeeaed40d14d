"""Which language a page speaks, and what each refusal says in it.

Message ids are Chinese; other languages are catalogues. Codes come from the domain and are stable, the words
here may change. Placeholders are filled from a refusal's parameters, which never hold personal data.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import has_request_context, request
from flask_babel import gettext, ngettext, npgettext, pgettext
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape

from consult.domain.errors import CalendarPending, DomainError, FieldErrors, PeriodClosed
from consult.domain.personal_data import PiiType

BEIJING = ZoneInfo("Asia/Shanghai")
_CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


def _(message: str, **params: object) -> str:
    """Return a message in the language of the page; message ids are Chinese.

    With a parameter that is markup the message is markup too, and the other parameters are escaped.
    """
    words = translated(message)
    if any(isinstance(value, Markup) for value in params.values()):
        return escape(words) % params
    return words % params if params else words


def translated(message: str) -> str:
    """Return a message in the language of the page, its placeholders untouched.

    Message ids are Chinese, so a Chinese page asks no catalogue: a page has some 150 messages, and looking each
    one up was a seventh of its cost.
    """
    return message if is_chinese() else str(gettext(message))


def translated_plural(one: str, many: str, n: int) -> str:
    """Return the form that goes with a number, its placeholders untouched."""
    return (one if n == 1 else many) if is_chinese() else str(ngettext(one, many, n))


def translated_in_context(context: str, message: str) -> str:
    """Return a message that other languages word by its context, its placeholders untouched."""
    return message if is_chinese() else str(pgettext(context, message))


def translated_plural_in_context(context: str, one: str, many: str, n: int) -> str:
    """Return the form that goes with a number in a context, its placeholders untouched."""
    return (one if n == 1 else many) if is_chinese() else str(npgettext(context, one, many, n))


def plural(one: str, many: str, n: int) -> str:
    """Return the form of a word that goes with a number; both forms are the same in Chinese."""
    return str(ngettext(one, many, n))


def is_chinese() -> bool:
    """Whether the page speaks Chinese; so does everything outside a request."""
    return not has_request_context() or request.environ.get("kaimen.language", "zh-Hans") != "en"


def zh(text: str) -> str:
    """Return words that are Chinese on every page: drafts, comments, names of units.

    On a page in another language they are marked with their language, so that a screen reader reads them in
    Chinese; the result is markup then and may stand in text only, never in an attribute or an `<option>`.
    """
    if not text or is_chinese() or not _CHINESE.search(text):
        return text
    return Markup('<span lang="zh-Hans">{}</span>').format(text)


def bracketed(text: str, more: str) -> str:
    """Return 区交通委（在办3件）, or the same with the brackets of the page's language."""
    return _("%(name)s（%(more)s）", name=text, more=more)


class ChineseHere:
    """Prints the attribute of an element whose whole content stays Chinese; nothing on a Chinese page."""

    def __html__(self) -> str:
        """Return the attribute with the space before it."""
        return "" if is_chinese() else ' lang="zh-Hans"'

    def __call__(self, text: str) -> Markup:
        """Return the attribute when the text is Chinese: for the choices of a list, some of which are translated."""
        return Markup(self if _CHINESE.search(text) else "")  # noqa: S704 - asks __html__ above


MESSAGES = {
    # texts.md §2: the comment form
    "section_unknown": _l("请选择章节，或选“整体”。"),
    "block_unknown": _l("没有找到您要评论的这一段，请重新选择章节。"),
    "quote_not_found": _l("引用的句子在所选的这一部分里没有找到，请回到原文重选，或选择不引用。"),
    "body_required": _l("请填写意见内容。"),
    "body_too_short": _l("意见至少 %(minimum)s 个字，现在 %(n)s 个字。"),
    "body_too_long": _l("意见最多 %(maximum)s 字，超出 %(over)s 个字。"),
    "text_control": _l("内容里有看不见的控制字符，请删去后再提交。"),
    "text_noncharacter": _l("内容里有无法保存的字符，请删去后再提交。"),
    "text_surrogate": _l("内容里有无法保存的字符，请删去后再提交。"),
    "text_stacked_marks": _l("内容里有过多叠加的符号，请删去后再提交。"),
    "name_required": _l("请填写姓名。"),
    "name_malformed": _l("姓名 1—50 个字，可用汉字、字母、“·”、空格。"),
    "organisation_required": _l("请填写单位名称。"),
    "organisation_malformed": _l("单位名称 1—100 个字，写在一行里。"),
    "credit_code_malformed": _l("代码应为 18 位，不含字母 I、O、S、V、Z。"),
    "credit_code_mismatch": _l("代码校验不符，请核对；确认无误可勾选后继续。"),
    "contact_required": _l("请填写联系方式。"),
    "contact_malformed": _l("请填写 11 位手机号，或“区号-号码”，如 021-XXXXXXXX。"),
    "contact_foreign_needs_email": _l("境外号码请同时填写电子邮箱。"),
    "email_required": _l("请填写电子邮箱。"),
    "email_malformed": _l("邮箱格式不对，应类似 name@example.com。"),
    "contact_or_email_required": _l("联系方式和电子邮箱请至少填写一项。"),
    "captcha_required": _l("请填写验证码。"),
    "captcha_wrong": _l("验证码不对，已换新的，您填写的内容都还在。"),
    "captcha_expired": _l("验证码已过期，请填新的，您填写的内容都还在。"),
    "too_fast": _l("提交得太快了，请核对一下内容，过几秒再按一次。"),
    "session_lost": _l("页面放得太久，已为您更新，您填写的内容都还在，请再提交一次。"),
    "consent_required": _l("请勾选同意后提交；不同意则无法在线提交，可书面寄送。"),
    "age_statement_required": _l("请选择是否已满 14 周岁。"),
    "submitter_kind_required": _l("请选择以个人还是单位名义提交。"),
    "code_unknown": _l("查询码不对，请核对。"),
    "look_up_again": _l("查询已超过 30 分钟，请再填一次查询码。"),
    "text_kept": _l("您填写的内容都还在。"),
    # periods
    "period_not_started": _l("征集将于 %(opens)s 开始。"),
    "period_ended": _l("征集已于 %(closes)s 截止，本次未能提交。您填写的内容在下面，可复制保存。"),
    "period_too_short": _l("征集期限不足 30 日，最早可定到 %(earliest)s；确需缩短，请勾选“缩短期限”并说明理由。"),
    "period_below_floor": _l("征集期限不得少于 7 个工作日。"),
    "shortening_reason_required": _l("请说明缩短期限的理由，至少 10 个字。"),
    "period_reversed": _l("截止日不能早于开始日。"),
    "publication_incomplete": _l("公布内容不齐，不能发布。"),
    "extension_after_end": _l("征集已截止，不能延期；确需续征，请另设补充征集。"),
    "extension_not_longer": _l("新的截止日必须晚于原截止日。"),
    # results
    "unfinished_comments": _l("还有 %(n)s 件意见没有办结，不能公布结果。"),
    "counts_do_not_reconcile": _l("各类件数之和与收到的总数不符，不能公布结果。"),
    # general
    "refused": _l("不能这样办理。"),
    "not_found": _l("没有找到这个页面或这件意见。"),
    "not_allowed": _l("您的岗位没有这项权限。"),
    "not_lead_unit": _l("这一步只能由主办单位办理。"),
    "state_changed": _l("这件意见刚刚被别人改动，请看最新情况后再办。"),
    "illegal_transition": _l("这件意见现在的状态不能这样办理。"),
    "store_unavailable": _l("系统正忙，这次没有办成，请稍后重试。"),
    "form_invalid": _l("有 %(n)s 处需要修改，见下。"),
    "calendar_pending": _l("%(year)s 年放假安排尚未公布，到期日待定，公布后自动更新。"),
    "too_many": _l("操作太频繁，请 %(minutes)s 分钟后再试，内容已保留。"),
    "sign_in_failed": _l("账号或密码不对，请核对后再试。"),
    # screening
    "findings_unresolved": _l("还有个人信息没有处置：请逐条隐去，或标为误报并写明理由。"),
    "publicity_required": _l("请选择公开方式。"),
    "withhold_reason_required": _l("请从清单中选择不予公开的原因。"),
    "not_accept_reason_required": _l("请从清单中选择不予受理的原因；批评和反对不是理由。"),
    "two_person_rule": _l("提出和确认必须是两个人，请由另一位同事确认。"),
    "third_person_required": _l("须由没有参与原决定的人裁定。"),
    "redaction_range_invalid": _l("隐去的位置不对，请重新选择。"),
    # second persons, channels, contacts
    "decision_open": _l("这件意见正有一项提议等人确认，请先确认或驳回。"),
    "no_open_decision": _l("没有等待确认的提议，可能已由别人处理。"),
    "channel_required": _l("请选择告知的渠道。"),
    "contact_erased": _l("联系方式已按期删除，不能再查看。"),
    "contact_on_hold": _l("联系方式已超过保存期限，只因法定事由封存，不能查看。"),
    "supplement_once": _l("只能要求补充一次。"),
    "supplement_window_closed": _l("补充的期限已过。"),
    "appeal_once": _l("一项决定只能申请复核一次。"),
    "appeal_window_closed": _l("已超过 15 日，不能再申请复核。"),
    "reply_appeal_window_closed": _l("已超过答复后 5 个工作日，不能再提出异议。"),
    "appeal_nothing": _l("现在没有可以提出异议的决定。"),
    "appeal_required": _l("请写明异议的理由。"),
    "appeal_decided": _l("这项异议已经裁定。"),
    "appeal_verdict_required": _l("请选择裁定结果。"),
    "appeal_sealed": _l("这件意见已封存，内容不能查看，只能维持原决定。"),
    "appeal_reply_supervisor": _l("对答复的异议由督办人员裁定。"),
    "appeal_words_not_found": _l("意见里没有这些字，请逐字填写要隐去的内容。"),
    # one's own comment and data
    "rating_no_reply": _l("还没有公布的答复，不能评价。"),
    "rating_once": _l("这份答复已经评价过。"),
    "rating_required": _l("请选择满意、基本满意或不满意。"),
    "correction_empty": _l("请填写新的联系方式或电子邮箱。"),
    "erasure_on_hold": _l("因复议、诉讼或审计等法定事由须暂时留存，不能删除；留存期间只保存、不使用。"),
    "erasure_appeal_open": _l("您的异议正在裁定，裁定后再删除个人信息。"),
    "leaving_changed": _l("这件意见刚刚转办，撤回的结果与刚才说明的不同，请重新确认。"),
    "reissue_no_match": _l("编号与联系方式对不上，不能重发。"),
    "reissue_reason_required": _l("请从清单中选择重发的原因。"),
    "hold_reason_unknown": _l("留存事由只能是复议诉讼或审计。"),
    # routing
    "lead_unit_required": _l("请确定一个主办单位。"),
    "lead_in_co_units": _l("主办单位不能同时是协办单位。"),
    "duplicate_co_unit": _l("协办单位重复了。"),
    "group_not_assignable": _l("“%(unit)s”是一组单位，请选择其中具体的单位。"),
    "unit_unknown": _l("没有这个单位。"),
    "unit_without_officer": _l("“%(unit)s”还没有在岗的承办人，暂不能转办。"),
    "accused_unit": _l("这件意见反映的就是该单位，不能转给它。"),
    "designate_required": _l("已退回两次，只能由督办人员指定主办单位。"),
    "designation_basis_required": _l("请写明指定主办的依据。"),
    "designation_not_due": _l("还不到指定主办的条件：须退回两次，或有职责争议的书面记录。"),
    "designated_not_returnable": _l("本件已指定主办，不再退回。"),
    "return_window_closed": _l("已超过转办后 5 个工作日，不能再退回。"),
    "return_reason_required": _l("请选择退回原因。"),
    "return_basis_required": _l("请写明退回的依据或说明，至少 10 个字。"),
    "extension_once": _l("只能延期一次。"),
    "overdue_no_extension": _l("已经到期，不能再申请延期。"),
    "extension_over_15": _l("最长延到转办日起第 15 个工作日。"),
    "extension_not_asked": _l("没有待批的延期申请。"),
    "co_feedback_given": _l("协办意见已经反馈，不能再改。"),
    "co_feedback_late": _l("主办单位的答复已送审，不能再反馈协办意见。"),
    # supervision
    "supervision_open": _l("这件意见已有未了结的督办，请先办结。"),
    "supervision_answered": _l("这次督办已经说明过了。"),
    "supervision_closed": _l("这次督办已经了结。"),
    "urged_today": _l("今天已经催办过，明天再催。"),
    "answer_too_short": _l("说明至少 %(minimum)s 个字。"),
    "answer_too_long": _l("说明最多 %(maximum)s 个字。"),
    "promised_day_required": _l("请填写承诺办结的日期。"),
    "promised_day_past": _l("承诺办结的日期不能早于今天。"),
    "reopen_archived": _l("征集已经归档，不能重新办理。"),
    "reopen_unanswered": _l("还没有公开答复，不用重新办理。"),
    # replies
    "outcome_required": _l("请选择采纳情况。"),
    "draft_location_required": _l("采纳或部分采纳的，请写明写在草案的哪里。"),
    "draft_location_unknown": _l("草案里没有这个位置，请重新选择。"),
    "reason_required": _l("请写明理由。"),
    "reason_too_short": _l("请写明理由，至少 %(minimum)s 个字。"),
    "reply_required": _l("请填写答复内容。"),
    "boilerplate_reply": _l("回复缺少实质内容（去除套话后仅 %(n)s 字）。请写明是否采纳、写在哪里、为什么。"),
    "text_too_long": _l("文字太长，最多 %(maximum)s 个字符。"),
    "pii_in_reply": _l("回复中有%(types)s，请删去或隐去后再送审签。"),
    "same_person": _l("起草、确认和审签不能是同一个人。"),
    "correction_note_required": _l("请写明更正说明。"),
    "merge_chain": _l("主件自己已并入别的意见，不能再作主件。"),
    "different_consultation": _l("只能合并同一次征集的意见。"),
    "primary_answered": _l("主件已经答复，不能再并入或拆出。"),
    # exports
    "as_of_in_future": _l("截至时间不能晚于现在。"),
    "export_needs_unit": _l("这张表按单位导出，您的账号没有所属单位。"),
    "export_purpose_required": _l("导出联系方式，请从清单中选择用途。"),
    "export_confirm_required": _l("导出联系方式，请勾选确认。"),
    "export_ended": _l("导出已经结束，不能取消。"),
    "export_expired": _l("文件只保留 24 小时，已经删除，请重新导出。"),
    # consultations
    "slug_malformed": _l("地址只用小写字母、数字和连字符，最多 60 个。"),
    "slug_taken": _l("这个地址已有征集在用，请换一个。"),
    "short_code_malformed": _l("编号字头为 1—6 个大写字母，如 ZP。"),
    "short_code_taken": _l("这个编号字头已有征集在用，请换一个。"),
    "title_required": _l("请填写标题。"),
    "title_too_long": _l("标题最多 %(maximum)s 个字。"),
    "programme_unknown": _l("没有这项评估，请重新选择。"),
    "date_malformed": _l("日期应类似 2026-03-02。"),
    "retention_malformed": _l("保存期限为 1—12 个月。"),
    "contact_rule_malformed": _l("联系方式的要求只能选“两项都填”或“至少一项”。"),
    "extension_reason_required": _l("请写明延长的原因，至少 %(minimum)s 个字。"),
    "adjustment_note_required": _l("调整约束性指标须另附说明：%(indicators)s。"),
    "editor_cannot_publish": _l("编辑本次征集的人不能签发，请由另一位审签人签发。"),
    "nothing_to_publish": _l("没有待发布的评估稿，请先导入。"),
    "publication_refused": _l("有 %(n)s 处不符合发布要求。"),
    "draft_frozen": _l("这次征集已归档，不再导入评估稿。"),
    "plan_refused": _l("表中有 %(n)s 处错误。"),
    "file_required": _l("请选择文件。"),
    "upload_gone": _l("上传的文件已过期，请重新上传。"),
    "markup_too_long": _l("有一段的格式太长，请分段后再导入。"),
    "markup_too_deep": _l("有一段的格式嵌套太深，请简化后再导入。"),
    # exports
    "export_table_required": _l("请选择导出什么。"),
    "export_format_required": _l("请选择格式。"),
    "export_choice_unknown": _l("没有这个选项，请重新选择。"),
    "export_needs_consultation": _l("请选择一次征集。"),
    # accounts
    "account_unknown": _l("没有在用的账号 %(username)s。"),
    "username_required": _l("请填写账号。"),
    "password_required": _l("请填写密码。"),
    "password_wrong": _l("原密码不对，请重新填写。"),
    "password_too_short": _l("密码至少 %(minimum)s 个字符，现在 %(n)s 个。"),
    "password_too_long": _l("密码最多 %(maximum)s 个字符。"),
    "password_unchanged": _l("新密码不能与原密码相同。"),
    "passwords_differ": _l("两次填写的新密码不一样，请重新填写。"),
    "username_invalid": _l("账号为 2—32 个字，可用文字、数字和 . _ - @。"),
    "username_taken": _l("这个账号名已有人用，请换一个。"),
    "display_name_required": _l("请填写姓名。"),
    "display_name_malformed": _l("姓名最多 %(maximum)s 个字，写在一行里。"),
    "person_no_required": _l("请填写工号，用来认出同一个人的几个账号。"),
    "role_unknown": _l("请选择角色。"),
    "role_held": _l("该账号已有这个角色。"),
    "role_is_everywhere": _l("系统管理员和安全审计员不限于某一次征集，请选“全部征集”。"),
    "unit_role_needs_unit": _l("单位承办人、单位负责人的账号必须属于一个单位。"),
    "consultation_unknown": _l("没有这次征集。"),
    "own_account": _l("不能停用自己的账号，请由另一位管理员办理。"),
    "already_disabled": _l("该账号已停用。"),
    "last_administrator": _l("这是最后一个系统管理员，先授予另一人再办理。"),
    "conflicting_roles": _l("系统管理员、安全审计员和业务岗位不能由同一个人兼任。"),
}


_PII = {
    PiiType.ID_CARD: _l("身份证"),
    PiiType.MOBILE: _l("手机"),
    PiiType.LANDLINE: _l("固话"),
    PiiType.BANK_CARD: _l("银行卡"),
    PiiType.EMAIL: _l("邮箱"),
    PiiType.PLATE: _l("车牌"),
    PiiType.ADDRESS: _l("住址"),
    PiiType.CREDIT_CODE: _l("信用代码"),
    PiiType.QQ: _l("QQ"),
    PiiType.WECHAT: _l("微信"),
    PiiType.NAME: _l("姓名"),
    PiiType.OTHER: _l("个人信息"),
}


def pii_words(kind: PiiType) -> str:
    """Return a type of personal data in the language of the page; inside published text it stays Chinese."""
    return str(_PII[kind])


def say(error: DomainError) -> str:
    """Return what a refusal says to a person, in the language of the page."""
    params = {key: value for key, value in error.params.items() if isinstance(value, str | int | float)}
    types = error.params.get("types")
    if isinstance(types, tuple | list):
        params["types"] = _("、").join(pii_words(PiiType(one)) for one in types)
    if isinstance(error, PeriodClosed):
        params |= {"opens": day_and_hour(error.opens_at), "closes": end_of_period(error.closes_at)}
    if isinstance(error, CalendarPending):
        params |= {"year": error.year}
    code = "reason_too_short" if error.code == "reason_required" and "minimum" in params else error.code
    template = MESSAGES.get(code)
    if template is None:
        return _("没有办成：%(code)s。", code=error.code)
    text = str(template)
    try:
        return text % params if "%(" in text else text
    except KeyError:
        return _("没有办成：%(code)s。", code=error.code)


def say_all(errors: FieldErrors) -> dict[str, str]:
    """Return field name to one sentence, in the order of the form."""
    return {field: say(refusals[0]) for field, refusals in errors.errors.items() if refusals}


_MONTHS = (
    _l("1月"),
    _l("2月"),
    _l("3月"),
    _l("4月"),
    _l("5月"),
    _l("6月"),
    _l("7月"),
    _l("8月"),
    _l("9月"),
    _l("10月"),
    _l("11月"),
    _l("12月"),
)
_WEEKDAYS = (_l("周一"), _l("周二"), _l("周三"), _l("周四"), _l("周五"), _l("周六"), _l("周日"))


def day(value: date) -> str:
    """Return 11月22日, or 22 November."""
    return _("%(month)s%(day)s日", month=_MONTHS[value.month - 1], day=value.day)


def full_day(value: date) -> str:
    """Return 2026年11月22日, or 22 November 2026."""
    return _("%(year)s年%(month)s%(day)s日", year=value.year, month=_MONTHS[value.month - 1], day=value.day)


def weekday(value: date) -> str:
    """Return 周三, or Wednesday."""
    return str(_WEEKDAYS[value.weekday()])


def due(value: date) -> str:
    """Return 7月26日（周三）24:00, or 24:00 on Wednesday 26 July."""
    return _("%(day)s（%(weekday)s）24:00", day=day(value), weekday=weekday(value))


def day_and_hour(moment: datetime) -> str:
    """Return 2026年11月22日 09:00, or 22 November 2026, 09:00; Beijing time."""
    local = moment.astimezone(BEIJING)
    return _("%(day)s %(time)s", day=full_day(local), time=f"{local:%H:%M}")


def end_of_period(closes_at: datetime) -> str:
    """Return 2026年11月22日 24:00 for the moment at which a period is over (R-04)."""
    last = closes_at.astimezone(BEIJING) - timedelta(days=1)
    return _("%(day)s %(time)s", day=full_day(last), time="24:00")
