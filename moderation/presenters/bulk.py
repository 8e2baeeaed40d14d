"""Decisions on several comments, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.domain.errors import DomainError
from moderation.domain.bulk import NOT_IN_BULK
from moderation.presenters.comment import NOT_ACCEPT, WITHHOLD, Option
from moderation.presenters.moments import clock_time
from moderation.presenters.refusals import say
from moderation.queries.bulk import BulkShown

ACTIONS = {
    "accept": _l("受理，全文公开"),
    "accept_and_route": _l("受理并按各件建议转办"),
    "assign_suggested": _l("按各件建议转办"),
    "assign": _l("转办给%(unit)s"),
    "withhold": _l("提出不予公开：%(reason)s"),
    "not_accept": _l("提出不予受理：%(reason)s"),
}


@dataclass(frozen=True)
class Line:
    """How one comment fared."""

    receipt_no: str
    ok: bool
    words: str


@dataclass(frozen=True)
class Bulk:
    """One decision; `headline` says what it is and how far it has come."""

    id: int
    headline: str
    waits: bool
    ended: bool
    refused: int
    lines: tuple[Line, ...]


def shown(found: Iterable[BulkShown], names: Mapping[str, str]) -> tuple[Bulk, ...]:
    """Return decisions in words; `names` are those of units by code."""
    return tuple(_bulk(one, names) for one in found)


def withhold_options() -> tuple[Option, ...]:
    """Return the reasons for which withholding may be proposed for several at once."""
    return tuple(Option(str(code), str(words)) for code, words in WITHHOLD.items() if code not in NOT_IN_BULK)


def _bulk(one: BulkShown, names: Mapping[str, str]) -> Bulk:
    action = _action(one, names)
    number = len(one.receipt_nos)
    if one.state == "waiting":
        when = clock_time(one.takes_effect_at)
        headline = _("%(n)s件：%(action)s。%(when)s生效，之前可以撤销。", n=number, action=action, when=when)
    elif one.state == "undone":
        headline = _("已撤销：%(n)s件%(action)s，什么都没有改动。", n=number, action=action)
    elif one.refused:
        made = len(one.results) - one.refused
        headline = _("%(action)s：办成%(made)s件，没有办成%(n)s件。", action=action, made=made, n=one.refused)
    else:
        headline = _("%(action)s：办成%(made)s件。", action=action, made=len(one.results))
    lines = tuple(
        Line(row.receipt_no, not row.code, _("已办成") if not row.code else _refusal(row.code, row.params, names))
        for row in one.results
    )
    return Bulk(one.id, str(headline), one.state == "waiting", one.state == "done", one.refused, lines)


def _action(one: BulkShown, names: Mapping[str, str]) -> str:
    words = str(ACTIONS[one.action])
    reasons = {str(code): str(label) for code, label in {**WITHHOLD, **NOT_ACCEPT}.items()}
    if "%(" not in words:
        return words
    return words % {"unit": names.get(one.unit, one.unit), "reason": reasons.get(one.reason, one.reason)}


def _refusal(code: str, params: Mapping[str, object], names: Mapping[str, str]) -> str:
    given = dict(params)
    if given.get("unit") in names:
        given["unit"] = names[str(given["unit"])]
    return say(DomainError(code, **given))
