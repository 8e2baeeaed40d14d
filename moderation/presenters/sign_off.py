"""The list of replies that wait for sign-off, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from consult.domain.calendar import WorkCalendar
from moderation.presenters.comment import OUTCOMES, Due, due
from moderation.presenters.moments import Moment, moment
from moderation.presenters.queue import split_opening
from moderation.queries.sign_off_list import SignOffRow


@dataclass(frozen=True, slots=True)
class Row:
    """One reply that waits."""

    receipt_no: str
    url: str
    title: str
    sub: str
    unit: str
    outcome: str
    submitted: Moment | None
    due: Due
    marks: tuple[str, ...]


def rows(found: Iterable[SignOffRow], url: Callable[..., str], today: date, calendar: WorkCalendar) -> tuple[Row, ...]:
    """Return the list."""
    return tuple(
        Row(
            receipt_no=one.receipt_no,
            url=url("sign_off.show", receipt_no=one.receipt_no),
            title=split_opening(one.opening, 90)[0],
            sub=" ".join(one.reply_opening.split()),
            unit=one.unit,
            outcome=str(OUTCOMES.get(one.outcome, one.outcome)),
            submitted=moment(one.submitted_at) if one.submitted_at else None,
            due=due(one.due_on, today, calendar),
            marks=(_("第%(n)s次送审签", n=one.rejections + 1),) if one.rejections else (),
        )
        for one in found
    )
