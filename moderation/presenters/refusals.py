"""What refusals met on staff pages only say; every other one speaks as it does everywhere."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from consult import i18n
from consult.domain.errors import DomainError

_OWN = {
    "primary_required": _l("请选择主件，或填写主件编号。"),
    "rows_required": _l("请先选择意见。"),
}


def say(error: DomainError) -> str:
    """Return one sentence for a person."""
    own = _OWN.get(error.code)
    return str(own) if own is not None else i18n.say(error)
