"""What a submitted comment must look like: text, name, contacts, consents (R-14 to R-16, R-22 to R-26, R-45).

`check_new_comment` looks at everything typed and either returns a `NewComment`, cleaned, or raises one
`FieldErrors` with all refusals, keyed by the names of the form fields. Codes and their parameters:

| code | field | parameters |
|---|---|---|
| body_required | body | |
| body_too_short, body_too_long | body | n and minimum; over, n and maximum |
| text_control, text_noncharacter, text_surrogate, text_stacked_marks | body, name, organisation | |
| name_required, name_malformed | name | maximum |
| organisation_required, organisation_malformed | organisation | maximum |
| credit_code_malformed, credit_code_mismatch | credit_code | position |
| contact_required, contact_malformed, contact_foreign_needs_email | contact | |
| email_required, email_malformed | email | |
| contact_or_email_required | contact | |
| consent_required | consent_process | |
| age_statement_required | age_statement | |
| submitter_kind_required | submitter_kind | |

The section and the captcha are checked where they can be looked up: in the service.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import regex

from consult.domain.errors import DomainError, FieldErrors
from consult.domain.identifiers import CreditCodeStatus, check_credit_code

BODY_MINIMUM, BODY_MAXIMUM = 10, 2000
NAME_MAXIMUM = 50
ORGANISATION_MAXIMUM = 100
EMAIL_MAXIMUM = 254
MARKS_MAXIMUM = 4

_CLUSTER = regex.compile(r"\X")
_BREAKS = regex.compile("\r\n|[\r\u2028\u2029\u0085]")
_CONTROL = regex.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NONCHARACTER = regex.compile(
    "[\ufdd0-\ufdef" + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF)) + "]"
)
_SURROGATE = regex.compile("[\ud800-\udfff]")
_STACKED = regex.compile(rf"(?:\p{{Mn}}|\p{{Me}}){{{MARKS_MAXIMUM + 1},}}")
_BLANKS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp", "Mn", "Me"})
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_DROPPED_FROM_LINES = str.maketrans(dict.fromkeys("\u200b\u2060\ufeff\u00ad"))

_EMAIL = regex.compile(
    r"[A-Za-z0-9_%+'\-]+(?:\.[A-Za-z0-9_%+'\-]+)*@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9\-]{0,61}[A-Za-z0-9]"
)
_EMAIL_LOCAL_MAXIMUM = 64
_MOBILE = regex.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_LANDLINE = regex.compile(
    r"(?:\+?86[ \-]*)?\(?(0(?:10|2[0-9]|[3-9][0-9]{2}))\)?[ \-]*([0-9]{7,8})"
    r"(?:[ \-]*(?:转|-|ext\.?)[ ]*([0-9]{1,6}))?",
    regex.IGNORECASE,
)
_FOREIGN = regex.compile(r"(?:\+|00)(?!86)[1-9][0-9]{6,14}")


class SubmitterKind(StrEnum):
    """Who speaks: one person, or an organisation through a contact person (R-22)."""

    INDIVIDUAL = "individual"
    ORGANISATION = "organisation"


class AgeStatement(StrEnum):
    """R-24: fourteen or over, or a guardian in the guardian's own name."""

    OVER_14 = "over_14"
    GUARDIAN = "guardian"


@dataclass(frozen=True)
class FieldRequirements:
    """Which contacts must be given (R-14, R-15). The defaults are those of the seed: both.

    `either` wins: then one of the two is enough and neither is required by itself.
    """

    phone_required: bool = True
    email_required: bool = True
    either: bool = False


@dataclass(frozen=True)
class CommentValues:
    """What was typed, untouched. Missing fields are empty strings, unticked boxes False."""

    body: str = ""
    submitter_kind: str = SubmitterKind.INDIVIDUAL.value
    name: str = ""
    organisation: str = ""
    credit_code: str = ""
    confirm_credit_code: bool = False
    contact: str = ""
    email: str = ""
    age_statement: str = ""
    consent_process: bool = False
    consent_publish_name: bool = False
    consent_publish_org_name: bool = False


@dataclass(frozen=True)
class ContactDetails:
    """Personal data of the submitter: encrypted at rest, never public, purged in time (R-48).

    `phone` is 13800138000, 021-55550100, 021-55550100-802 or +441234567890; `phone` or `email` may be None.
    """

    name: str
    phone: str | None = None
    email: str | None = None
    organisation: str | None = None
    credit_code: str | None = None


@dataclass(frozen=True)
class NewComment:
    """A comment that may be stored."""

    body: str
    submitter_kind: SubmitterKind
    contact: ContactDetails
    age_statement: AgeStatement
    consent_publish_name: bool
    consent_publish_org_name: bool
    credit_code_confirmed: bool


# -- text ------------------------------------------------------------------------------------------


def user_characters(text: str) -> int:
    """Count extended grapheme clusters: an emoji family or 𠮷 is one (R-16)."""
    return len(_CLUSTER.findall(text))


def normalise_text(text: str) -> str:
    """Return the text as it is stored: every line break as LF, canonical composition (NFC), nothing else."""
    return unicodedata.normalize("NFC", _BREAKS.sub("\n", text))


def is_visible(char: str) -> bool:
    """Tell whether a character leaves a mark: not space, format, filler or blank pattern."""
    return char not in _BLANKS and unicodedata.category(char) not in _INVISIBLE_CATEGORIES


def visible_characters(text: str) -> int:
    """Count clusters, white space included, but not those made only of format characters and fillers.

    The minimum length uses it, so that zero-width characters do not pad a comment.
    """
    return sum(1 for cluster in _CLUSTER.findall(text) if any(is_visible(char) or char.isspace() for char in cluster))


def text_problems(text: str) -> list[str]:
    """Return codes of what may not be stored, in a fixed order; an empty list when the text is fine.

    Expects `normalise_text`'s output, or at least LF as the only line break. `text_invisible` stands for
    nothing visible at all, an empty text included.
    """
    problems = []
    if _SURROGATE.search(text):
        problems.append("text_surrogate")
    if _CONTROL.search(text):
        problems.append("text_control")
    if _NONCHARACTER.search(text):
        problems.append("text_noncharacter")
    if _STACKED.search(text):
        problems.append("text_stacked_marks")
    if not any(is_visible(char) for char in text):
        problems.append("text_invisible")
    return problems


def clean_line(text: str) -> str:
    """Return a one-line field for storing: NFC, no zero-width padding, no space at the ends."""
    return unicodedata.normalize("NFC", text.translate(_DROPPED_FROM_LINES)).strip()


# -- single fields ---------------------------------------------------------------------------------


def check_body(text: str) -> tuple[str, list[DomainError]]:
    """Return the body for storing and its refusals (R-16)."""
    body = normalise_text(text)
    problems = text_problems(body)
    if problems == ["text_invisible"]:
        return body, [DomainError("body_required", field="body")]
    errors = [DomainError(code, field="body") for code in problems if code != "text_invisible"]
    if errors:
        return body, errors
    seen = body.strip()
    count = user_characters(seen)
    if visible_characters(seen) < BODY_MINIMUM:
        shown = visible_characters(seen)
        errors.append(DomainError("body_too_short", field="body", n=shown, minimum=BODY_MINIMUM))
    elif count > BODY_MAXIMUM:
        over = count - BODY_MAXIMUM
        errors.append(DomainError("body_too_long", field="body", over=over, n=count, maximum=BODY_MAXIMUM))
    return body, errors


def _check_line(text: str, field: str, maximum: int) -> tuple[str, list[DomainError]]:
    if not any(is_visible(char) for char in text if char not in _BIDI):
        return "", [DomainError(f"{field}_required", field=field)]
    cleaned = clean_line(text)
    malformed = (
        any(char in _BIDI for char in cleaned)
        or "\n" in cleaned
        or _BREAKS.search(cleaned) is not None
        or "\t" in cleaned
        or any(code != "text_invisible" for code in text_problems(cleaned))
        or user_characters(cleaned) > maximum
        or not regex.search(r"\p{L}", cleaned)
    )
    if malformed:
        return cleaned, [DomainError(f"{field}_malformed", field=field, maximum=maximum)]
    return cleaned, []


def check_name(text: str) -> tuple[str, list[DomainError]]:
    """Return the name and its refusals: 1 to 50 characters on one line, with a letter (R-25).

    Marks and signs inside a name are kept as typed: pages escape them. A number that could be a telephone
    or identity number is refused, as it would be shown with the name.
    """
    name, errors = _check_line(text, "name", NAME_MAXIMUM)
    if not errors and len(regex.findall(r"\p{Nd}", name)) >= 7:
        errors.append(DomainError("name_malformed", field="name", maximum=NAME_MAXIMUM))
    return name, errors


def check_organisation(text: str) -> tuple[str, list[DomainError]]:
    """Return the organisation's name and its refusals."""
    return _check_line(text, "organisation", ORGANISATION_MAXIMUM)


def parse_phone(text: str) -> str | None:
    """Return a mainland number in its stored form, or None.

    Mobile: 13800138000. Landline with area code: 021-55550100, with extension 021-55550100-802.
    """
    if _CONTROL.search(text) or "\n" in text:
        return None
    plain: str = unicodedata.normalize("NFKC", clean_line(text))
    plain = regex.sub(r"[\p{Pd}\u2212]", "-", plain)
    mobile = _MOBILE.fullmatch(regex.sub(r"(?<=[0-9])[ \-.]{1,2}(?=[0-9])", "", plain.replace("(+86)", "+86").strip()))
    if mobile:
        return str(mobile[1])
    landline = _LANDLINE.fullmatch(plain)
    if not landline:
        return None
    extension = f"-{landline[3]}" if landline[3] else ""
    return f"{landline[1]}-{landline[2]}{extension}"


def parse_foreign_phone(text: str) -> str | None:
    """Return +441234567890 for an international number outside +86, or None (R-25)."""
    if _CONTROL.search(text) or "\n" in text:
        return None
    plain = str(regex.sub(r"[ \-.()]", "", unicodedata.normalize("NFKC", clean_line(text))))
    if not _FOREIGN.fullmatch(plain):
        return None
    return "+" + (plain[1:] if plain.startswith("+") else plain[2:])


def parse_email(text: str) -> str | None:
    """Return the address, or None: plain ASCII, one address, a domain with a dot, at most 254 characters."""
    if _CONTROL.search(text) or "\n" in text or "\t" in text:
        return None
    plain = unicodedata.normalize("NFKC", clean_line(text))
    if len(plain) > EMAIL_MAXIMUM or not _EMAIL.fullmatch(plain):
        return None
    return plain if plain.index("@") <= _EMAIL_LOCAL_MAXIMUM else None


# -- the whole form --------------------------------------------------------------------------------


class _Collector:
    def __init__(self) -> None:
        self.errors: dict[str, list[DomainError]] = {}

    def add(self, *errors: DomainError) -> None:
        for error in errors:
            self.errors.setdefault(error.field or "", []).append(error)

    def refuse(self, field: str, code: str, **params: object) -> None:
        self.errors.setdefault(field, []).append(DomainError(code, field=field, **params))


def _check_contacts(
    values: CommentValues, wanted: FieldRequirements, found: _Collector
) -> tuple[str | None, str | None]:
    has_phone, has_email = bool(clean_line(values.contact)), bool(clean_line(values.email))
    email = parse_email(values.email) if has_email else None
    if has_email and email is None:
        found.refuse("email", "email_malformed")
    phone = parse_phone(values.contact) if has_phone else None
    if has_phone and phone is None:
        phone = parse_foreign_phone(values.contact)
        if phone is None:
            found.refuse("contact", "contact_malformed")
        elif not has_email:
            found.refuse("contact", "contact_foreign_needs_email")
    if wanted.either:
        if not has_phone and not has_email:
            found.refuse("contact", "contact_or_email_required")
        return phone, email
    if wanted.phone_required and not has_phone:
        found.refuse("contact", "contact_required")
    if wanted.email_required and not has_email:
        found.refuse("email", "email_required")
    return phone, email


def _check_organisation_fields(values: CommentValues, found: _Collector) -> tuple[str | None, str | None, bool]:
    organisation, errors = check_organisation(values.organisation)
    found.add(*errors)
    if not clean_line(values.credit_code):
        return organisation, None, False
    checked = check_credit_code(values.credit_code)
    if checked.status is CreditCodeStatus.MALFORMED:
        found.refuse("credit_code", "credit_code_malformed", position=checked.position)
    elif checked.status is CreditCodeStatus.CONFIRMABLE and not values.confirm_credit_code:
        found.refuse("credit_code", "credit_code_mismatch", position=checked.position)
    confirmed = checked.status is CreditCodeStatus.CONFIRMABLE and values.confirm_credit_code
    return organisation, checked.code, confirmed


def check_new_comment(values: CommentValues, requirements: FieldRequirements) -> NewComment:
    """Return the cleaned comment.

    Raises:
        FieldErrors: everything that needs attention, by field, in the order of the form.
    """
    found = _Collector()
    body, errors = check_body(values.body)
    found.add(*errors)
    if values.submitter_kind not in set(SubmitterKind):
        found.refuse("submitter_kind", "submitter_kind_required")
    name, errors = check_name(values.name)
    found.add(*errors)
    organisation: str | None = None
    credit_code: str | None = None
    confirmed = False
    is_organisation = values.submitter_kind == SubmitterKind.ORGANISATION
    if is_organisation:
        organisation, credit_code, confirmed = _check_organisation_fields(values, found)
    phone, email = _check_contacts(values, requirements, found)
    if values.age_statement not in set(AgeStatement):
        found.refuse("age_statement", "age_statement_required")
    if not values.consent_process:
        found.refuse("consent_process", "consent_required")
    if found.errors:
        raise FieldErrors(found.errors)
    return NewComment(
        body=body,
        submitter_kind=SubmitterKind(values.submitter_kind),
        contact=ContactDetails(name, phone, email, organisation, credit_code),
        age_statement=AgeStatement(values.age_statement),
        consent_publish_name=values.consent_publish_name,
        consent_publish_org_name=is_organisation and values.consent_publish_org_name,
        credit_code_confirmed=confirmed,
    )
