"""What refusals met on staff pages only say; every other one speaks as it does everywhere."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.errors import DomainError

_OWN = {
    "primary_required": _l("请选择主件，或填写主件编号。"),
    "rows_required": _l("请先选择意见。"),
    "rows_too_many": _l("一次最多选 %(maximum)s 件。"),
    "bulk_action_unknown": _l("请选择要办的事。"),
    "bulk_in_effect": _l("已经生效，不能撤销。"),
    "filter_name_required": _l("请给这个筛选起个名字。"),
    "filter_name_long": _l("名字最多 %(maximum)s 个字。"),
    "filters_too_many": _l("最多保存 %(maximum)s 个筛选，先删去一个。"),
    "claimed_by_other": _l("别人正在看这一件，没有办。"),
    "suggestion_weak": _l("建议的把握不够，请单独确定主办单位。"),
    "reason_not_in_bulk": _l("这个原因不能批量提出，请逐件办理。"),
}


def say(error: DomainError) -> str:
    """Return one sentence for a person."""
    own = _OWN.get(error.code)
    if own is None:
        return i18n.say(error)
    words = str(own)
    return words % error.params if "%(" in words else words
