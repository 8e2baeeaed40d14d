"""Forms of the pages that run a consultation: making one, extending its period, publishing a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from consult.domain.errors import DomainError, FieldErrors, Refused
from consult.domain.new_consultation import NewConsultation

Posted = Mapping[str, str]
_TEXTS = (
    "slug",
    "title",
    "short_code",
    "owner_unit",
    "programme",
    "drafting_note",
    "how_to_comment",
    "contact_unit",
    "contact_phone",
    "contact_email",
    "contact_address",
    "shortening_reason",
    "adjustment_note",
    "impact_assessment_no",
    "contact_rule",
    "retention_months",
)
_DAYS = ("starts_on", "ends_on")


@dataclass(frozen=True)
class FormView:
    """What a template sees of a form: what was typed, one message per field."""

    values: Mapping[str, str | bool] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ConsultationForm:
    """A new consultation as typed."""

    typed: Mapping[str, str]
    shortened: bool

    @classmethod
    def read(cls, posted: Posted) -> ConsultationForm:
        """Take what was posted; line ends of text areas become plain ones."""
        typed = {name: posted.get(name, "").replace("\r\n", "\n").strip() for name in (*_TEXTS, *_DAYS)}
        return cls(typed, posted.get("shortened", "") == "yes")

    def values(self) -> dict[str, str | bool]:
        """Return everything typed, for showing the form again."""
        return {**self.typed, "shortened": self.shortened}

    def to_values(self) -> NewConsultation:
        """Return the domain value.

        Raises:
            FieldErrors: a date or a number is malformed.
        """
        days = {name: _day(self.typed[name]) for name in _DAYS}
        months = self.typed["retention_months"] or "6"
        problems: dict[str, list[DomainError]] = {
            name: [Refused("date_malformed", field=name)] for name, value in days.items() if value is None
        }
        if not months.isdecimal() or len(months) > 2:
            problems["retention_months"] = [Refused("retention_malformed", field="retention_months")]
        starts_on, ends_on = days["starts_on"], days["ends_on"]
        if problems or starts_on is None or ends_on is None:
            raise FieldErrors(problems)
        texts = {name: self.typed[name] for name in _TEXTS if name not in {"retention_months", "contact_rule"}}
        return NewConsultation(
            **texts,
            starts_on=starts_on,
            ends_on=ends_on,
            shortened=self.shortened,
            retention_months=int(months),
            contact_rule=self.typed["contact_rule"] or "both",
        )


@dataclass(frozen=True)
class ExtensionForm:
    """An extension as typed."""

    ends_on: str
    reason: str
    notice_no: str

    @classmethod
    def read(cls, posted: Posted) -> ExtensionForm:
        """Take what was posted."""
        return cls(*(posted.get(name, "").strip() for name in ("end", "reason", "notice_no")))

    def values(self) -> dict[str, str | bool]:
        """Return everything typed."""
        return {"end": self.ends_on, "reason": self.reason, "notice_no": self.notice_no}

    def new_end(self) -> date:
        """Return the new last day.

        Raises:
            FieldErrors: it is malformed.
        """
        found = _day(self.ends_on)
        if found is None:
            raise FieldErrors({"end": [Refused("date_malformed", field="end")]})
        return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
