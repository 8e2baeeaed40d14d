"""What a person enters for a new consultation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class NewConsultation:
    """What a person enters for a consultation; texts as typed.

    `owner_unit` is a code or any name of a unit (R-58), `short_code` the letters of its 编号 (ZP in ZP-0318).
    `contact_rule`: `both` asks for telephone and e-mail, `either` for one of them (R-15).
    """

    slug: str
    title: str
    short_code: str
    owner_unit: str
    programme: str
    starts_on: date
    ends_on: date
    drafting_note: str = ""
    how_to_comment: str = ""
    contact_unit: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    contact_address: str = ""
    shortened: bool = False
    shortening_reason: str = ""
    adjustment_note: str = ""
    impact_assessment_no: str = ""
    retention_months: int = 6
    contact_rule: str = "both"
