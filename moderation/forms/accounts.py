"""Sign-in, one's own password, and the administrator's forms for accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from consult.domain.comment_states import Role
from consult.domain.errors import DomainError, FieldErrors, Refused
from moderation.domain.accounts import check_display_name, check_password, check_username, person_key
from moderation.permissions import STAFF_ROLES, Grant
from moderation.queries.accounts import AccountFilter

Posted = Mapping[str, str]
_MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class FormView:
    """What a template sees of a form: what was typed (never a password), one message per field."""

    values: Mapping[str, str | bool] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SignInForm:
    """The sign-in form. The password is taken as typed; spaces belong to it."""

    username: str
    password: str
    next: str

    @classmethod
    def read(cls, posted: Posted) -> SignInForm:
        """Take what was posted."""
        return cls(posted.get("username", "").strip(), posted.get("password", ""), posted.get("next", ""))

    def check(self) -> None:
        """Check that both fields are filled.

        Raises:
            FieldErrors: `username_required`, `password_required`.
        """
        _gather(
            {
                "username": None if self.username else Refused("username_required"),
                "password": None if self.password else Refused("password_required"),
            }
        )


@dataclass(frozen=True)
class PasswordForm:
    """Changing one's own password."""

    old: str
    new: str
    again: str

    @classmethod
    def read(cls, posted: Posted) -> PasswordForm:
        """Take what was posted."""
        return cls(posted.get("old_password", ""), posted.get("new_password", ""), posted.get("new_password_again", ""))

    def check(self) -> None:
        """Check the shape of the new password and that it was typed twice alike.

        Raises:
            FieldErrors: by field.
        """
        errors: dict[str, DomainError | None] = {
            "old_password": None if self.old else Refused("password_required"),
            "new_password": _refusal_of_password(self.new),
        }
        if errors["new_password"] is None and self.new == self.old:
            errors["new_password"] = Refused("password_unchanged")
        if self.again != self.new:
            errors["new_password_again"] = Refused("passwords_differ")
        _gather(errors)


@dataclass(frozen=True)
class NewAccountValues:
    """What the administrator gives for a new account; the password is made up by the machine."""

    username: str
    display_name: str
    person_key: str
    unit_id: int | None
    first_role: Role | None


@dataclass(frozen=True)
class NewAccountForm:
    """The administrator's form for a new account."""

    username: str
    display_name: str
    person_no: str
    unit_id: str
    role: str

    @classmethod
    def read(cls, posted: Posted) -> NewAccountForm:
        """Take what was posted."""
        names = ("username", "display_name", "person_no", "unit_id", "role")
        return cls(*(posted.get(name, "").strip() for name in names))

    def to_values(self, index_key: bytes) -> NewAccountValues:
        """Return the values of a new account.

        Raises:
            FieldErrors: by field.
        """
        errors: dict[str, DomainError | None] = {}
        username, key = "", ""
        try:
            username = check_username(self.username)
        except Refused as error:
            errors["username"] = error
        try:
            check_display_name(self.display_name)
        except Refused as error:
            errors["display_name"] = error
        try:
            key = person_key(index_key, self.person_no)
        except Refused as error:
            errors["person_no"] = error
        if self.unit_id and whole_number(self.unit_id) is None:
            errors["unit_id"] = Refused("unit_unknown")
        role = read_role(self.role)
        if self.role and role is None:
            errors["role"] = Refused("role_unknown")
        _gather(errors)
        return NewAccountValues(username, self.display_name, key, whole_number(self.unit_id), role)

    def values(self) -> dict[str, str | bool]:
        """Return what was typed, to show it again."""
        return {
            "username": self.username,
            "display_name": self.display_name,
            "person_no": self.person_no,
            "unit_id": self.unit_id,
            "role": self.role,
        }


def read_grant(posted: Posted) -> Grant:
    """Return the role to be given.

    Raises:
        Refused: `role_unknown`, or `consultation_unknown`.
    """
    role = read_role(posted.get("role", ""))
    if role is None:
        raise Refused("role_unknown", field="role")
    chosen = posted.get("consultation_id", "")
    consultation = whole_number(chosen)
    if chosen and consultation is None:
        raise Refused("consultation_unknown", field="consultation_id")
    return Grant(role, consultation)


def read_filter(asked: Posted) -> AccountFilter:
    """Return which accounts to list; what cannot be read counts as not given."""
    active = {"active": True, "disabled": False, "all": None}.get(asked.get("state", ""), True)
    return AccountFilter(
        q=asked.get("q", "").replace("\0", "").strip()[:50],
        unit_id=whole_number(asked.get("unit", "")),
        role=read_role(asked.get("role", "")),
        active=active,
    )


def read_role(text: str) -> Role | None:
    """Return a staff role by its word, or None."""
    return next((role for role in STAFF_ROLES if role.value == text), None)


def whole_number(text: str) -> int | None:
    """Return a positive number both stores can hold, or None."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 19):
        return None
    number = int(text)
    return number if 0 < number <= _MAX_ID else None


def _refusal_of_password(password: str) -> DomainError | None:
    try:
        check_password(password)
    except Refused as error:
        return error
    return None


def _gather(errors: Mapping[str, DomainError | None]) -> None:
    found = {name: [error] for name, error in errors.items() if error is not None}
    if found:
        raise FieldErrors(found)
