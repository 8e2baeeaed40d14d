"""Comments that read alike, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _

from consult.domain.errors import DomainError
from moderation.presenters.comment import STATES, Tag
from moderation.presenters.refusals import say
from moderation.queries.similar import MergePage


@dataclass(frozen=True)
class Row:
    """One comment that reads alike."""

    receipt_no: str
    version: int
    url: str
    opening: str
    state: str
    tag: Tag
    may_lead: bool
    may_join: bool


@dataclass(frozen=True)
class ResultLine:
    """How one of several comments fared."""

    receipt_no: str
    ok: bool
    words: str


def rows(page: MergePage, url: Callable[..., str]) -> tuple[Row, ...]:
    """Return the candidates, most alike first."""
    return tuple(
        Row(
            one.receipt_no,
            one.version,
            url("comment.show", receipt_no=one.receipt_no),
            one.opening,
            str(STATES.get(one.state, one.state)),
            Tag(_("几乎相同"), "open") if one.same else Tag(_("相似 %(n)s%%", n=round(one.score * 100)), "plain"),
            one.may_lead and page.may_join,
            one.may_join and page.may_lead,
        )
        for one in page.candidates
    )


def results(done: Iterable[tuple[str, DomainError | None]]) -> tuple[ResultLine, ...]:
    """Return one line for every comment that was tried."""
    return tuple(
        ResultLine(number, error is None, _("已并入") if error is None else say(error)) for number, error in done
    )
