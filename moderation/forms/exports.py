"""The form that asks for an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consult.domain.comment_states import CommentState
from consult.domain.errors import DomainError, FieldErrors, Refused
from moderation.domain.handling_list import Criteria, Format, Part, TableName
from moderation.forms.accounts import whole_number

FIELDS = ("table", "format", "part", "consultation", "state", "with_contact", "purpose", "confirm")


@dataclass(frozen=True)
class ExportForm:
    """What was chosen; every choice but table and format may be left alone."""

    table: str
    format: str
    part: str
    consultation: str
    state: str
    with_contact: bool
    purpose: str
    confirmed: bool

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> ExportForm:
        """Take what was posted."""
        return cls(
            table=posted.get("table", ""),
            format=posted.get("format", ""),
            part=posted.get("part", "") or Part.BOTH.value,
            consultation=posted.get("consultation", ""),
            state=posted.get("state", ""),
            with_contact=posted.get("with_contact") == "yes",
            purpose=posted.get("purpose", ""),
            confirmed=posted.get("confirm") == "yes",
        )

    def to_criteria(self) -> Criteria:
        """Return the criteria.

        Raises:
            FieldErrors: by field: `export_table_required`, `export_format_required`, `export_choice_unknown`.
        """
        errors: dict[str, list[DomainError]] = {}
        if self.table not in set(TableName):
            errors["table"] = [Refused("export_table_required")]
        if self.format not in set(Format):
            errors["format"] = [Refused("export_format_required")]
        consultation = whole_number(self.consultation)
        for name, wrong in (
            ("part", self.part not in set(Part)),
            ("consultation", bool(self.consultation) and consultation is None),
            ("state", bool(self.state) and self.state not in set(CommentState)),
        ):
            if wrong:
                errors[name] = [Refused("export_choice_unknown")]
        if errors:
            raise FieldErrors(errors)
        opinions = self.table == TableName.OPINIONS.value
        return Criteria(
            table=TableName(self.table),
            format=Format(self.format),
            part=Part(self.part) if opinions else Part.BOTH,
            consultation_id=consultation,
            states=(self.state,) if self.state and opinions else (),
            with_contact=self.with_contact and opinions,
            purpose=self.purpose if self.with_contact and opinions else "",
        )

    def values(self) -> dict[str, str | bool]:
        """Return what was chosen, to show it again."""
        return {
            "table": self.table,
            "format": self.format,
            "part": self.part,
            "consultation": self.consultation,
            "state": self.state,
            "with_contact": self.with_contact,
            "purpose": self.purpose,
            "confirm": self.confirmed,
        }
