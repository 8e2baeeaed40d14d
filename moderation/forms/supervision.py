"""What a supervisor or a unit's leader typed, and which number of the board was opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from werkzeug.datastructures import MultiDict

from moderation.queries.supervision import MEASURES, WAITS

Posted = MultiDict[str, str]
_LONGEST = 2_100  # a little over what the rule allows, so that it is the rule that says no


@dataclass(frozen=True)
class AnswerForm:
    """A leader's explanation. `promised` is None when no day, or none that exists, was typed."""

    case_id: int
    text: str
    promised: date | None


def read_answer(posted: Posted) -> AnswerForm:
    """Return the explanation and the day promised, typed as 2026-03-02 or picked."""
    number = posted.get("case", "")
    return AnswerForm(
        int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0,
        posted.get("answer", "").strip()[:_LONGEST],
        read_day(posted.get("promised_on", "")),
    )


def read_day(text: str) -> date | None:
    """Return a day typed as 2026-03-02, None when it is none."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def read_measure(text: str) -> str:
    """Return the number that was opened; anything unknown opens what is overdue."""
    return text if text in (*MEASURES, *WAITS, "refused") else "overdue"
