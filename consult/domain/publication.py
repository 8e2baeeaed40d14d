"""What a consultation needs before a signer may publish it: R-01 to R-03, R-10, R-11, R-115 and table C00."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from consult.domain.errors import CorrectionNoteRequired, DomainError, PublicationIncomplete, Refused
from consult.domain.periods import PUBLICATION_PARTS, PeriodCheck


class EditorCannotPublish(Refused):
    """Whoever made the consultation or imported its draft does not sign for it (C00, R-95)."""

    code = "editor_cannot_publish"


class AdjustmentNoteRequired(Refused):
    """The draft changes a binding indicator and nobody explained it (R-115); `params["indicators"]` names them."""

    code = "adjustment_note_required"


class NothingToPublish(Refused):
    """There is no imported version in work."""

    code = "nothing_to_publish"


class PublicationRefused(Refused):
    """Publishing is not possible yet; `refusals` lists every reason, in the order they are shown."""

    code = "publication_refused"

    def __init__(self, refusals: Sequence[DomainError]) -> None:
        self.refusals = tuple(refusals)
        super().__init__(n=len(self.refusals), codes=[one.code for one in self.refusals])


@dataclass(frozen=True, slots=True)
class PublicationCheck:
    """Whether a version may be published, and what stands against it.

    Attributes:
        number: of the version in work, None without one.
        first: whether it is the consultation's first publication; a further version keeps the period as it is.
        period: what the planned period comes to, None for a further version.
        binding: titles of the binding indicators the draft changes (R-115).
        rollover: the working day an end on a day off is moved to by default; only a hint (R-06).
    """

    number: int | None
    first: bool
    published_on: date
    starts_on: date
    ends_on: date
    period: PeriodCheck | None
    binding: tuple[str, ...]
    refusals: tuple[DomainError, ...]

    @property
    def allowed(self) -> bool:
        """Whether nothing stands against it."""
        return not self.refusals

    @property
    def rollover(self) -> date | None:
        """The suggested last day, or None when the planned one is a working day or the calendar is missing."""
        if self.period is None or self.period.rollover in (None, self.ends_on):
            return None
        return self.period.rollover


@dataclass(frozen=True, slots=True)
class PartsPresent:
    """What of R-10 is there."""

    draft: bool
    drafting_note: bool
    method: bool
    period: bool
    contact_unit: bool
    contact_way: bool

    def missing(self) -> tuple[str, ...]:
        """Return the missing parts in the order R-10 names them."""
        return tuple(part for part in PUBLICATION_PARTS if not getattr(self, part))


def missing_refusals(parts: PartsPresent) -> list[DomainError]:
    """Return one refusal per missing part (R-10)."""
    return [PublicationIncomplete(missing=(part,)) for part in parts.missing()]


def editor_refusals(signer_person: str, editor_persons: Collection[str]) -> list[DomainError]:
    """Refuse a signer who is the same natural person as one of the editors (C00, R-95)."""
    return [EditorCannotPublish()] if signer_person in editor_persons else []


def note_refusals(first: bool, correction_note: str) -> list[DomainError]:
    """A further version explains itself (R-11)."""
    return [] if first or correction_note.strip() else [CorrectionNoteRequired(field="correction_note")]


_SENTENCE = re.compile(r"[^。；;！？!?\n]+")
_CHANGE_TO = re.compile(r"(?:调整|下调|上调|调低|调高|修改|改)(?:为|至|到|成)")
_PROPOSE = re.compile(r"(?:拟|建议|申请|提请).{0,40}(?:调整|下调|上调|调低|调高|修改)")
_NOT = re.compile(
    r"不作调整|不做调整|不调整|不予调整|未提出|不提出|没有调整|无需调整|如后续|如确需|按程序研究调整|保持不变"
)


def binding_indicators_changed(texts: Iterable[str], binding_titles: Sequence[str]) -> tuple[str, ...]:
    """Return the binding indicators that a chapter about adjustments proposes to change (R-115).

    A sentence counts when it names the indicator and says that it is to be changed; sentences that say it stays as it
    is do not. The reading is deliberately narrow: it reminds, it does not judge.
    """
    found: list[str] = []
    for text in texts:
        for sentence in _SENTENCE.findall(text):
            if _NOT.search(sentence) or not (_CHANGE_TO.search(sentence) or _PROPOSE.search(sentence)):
                continue
            found += [title for title in binding_titles if title in sentence]
    return tuple(dict.fromkeys(found))
