"""The public forms: they read what was typed and nothing else; the rules are the domain's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField

from consult.domain.comments import CommentValues

BODY_MINIMUM, BODY_MAXIMUM = 10, 2_000
DECOY = "website"


@dataclass(frozen=True)
class FormView:
    """What a template sees of a form: what was typed, and one message per field that needs attention."""

    values: Mapping[str, str | bool] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class CommentForm(FlaskForm):  # type: ignore[misc]
    """The comment form of contract.md; the names are promises."""

    section = StringField()
    block = StringField()
    quote = StringField()
    v = StringField()
    submitter_kind = StringField(default="individual")
    name = StringField()
    organisation = StringField()
    credit_code = StringField()
    confirm_credit_code = BooleanField()
    contact = StringField()
    email = StringField()
    body = StringField()
    age_statement = StringField()
    consent_process = BooleanField()
    consent_publish_name = BooleanField()
    consent_publish_org_name = BooleanField()
    captcha_id = StringField()
    captcha_answer = StringField()
    website = StringField()

    def to_values(self) -> CommentValues:
        """Return what was typed, untouched."""
        return CommentValues(
            body=self.body.data or "",
            submitter_kind=self.submitter_kind.data or "individual",
            name=self.name.data or "",
            organisation=self.organisation.data or "",
            credit_code=self.credit_code.data or "",
            confirm_credit_code=bool(self.confirm_credit_code.data),
            contact=self.contact.data or "",
            email=self.email.data or "",
            age_statement=self.age_statement.data or "",
            consent_process=bool(self.consent_process.data),
            consent_publish_name=bool(self.consent_publish_name.data),
            consent_publish_org_name=bool(self.consent_publish_org_name.data),
        )

    def typed(self, *, captcha: bool = True) -> dict[str, str | bool]:
        """Return every field as it was typed, to be shown again; the captcha's answer only while it is unspent."""
        kept: dict[str, str | bool] = {}
        for name, one in self._fields.items():
            if name in {"csrf_token", "captcha_id", DECOY} or (name == "captcha_answer" and not captcha):
                continue
            kept[name] = bool(one.data) if isinstance(one, BooleanField) else (one.data or "")
        return kept

    @property
    def seen_version(self) -> int | None:
        """Return the draft version the visitor read, or None."""
        text = (self.v.data or "").strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else None


class CodeForm(FlaskForm):  # type: ignore[misc]
    """Looking up one's own comment by 查询码."""

    code = StringField()
