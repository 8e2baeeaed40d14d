"""Settings, read once from the environment and typed in one place.

A wrong value stops the start with one plain sentence. The names are promised in
docs/settings.md and printed, with secrets hidden, by `consult config`.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

Environment = Literal["production", "demo", "test"]
_ENVIRONMENTS: tuple[Environment, ...] = ("production", "demo", "test")
SHANGHAI = ZoneInfo("Asia/Shanghai")


class SettingsError(Exception):
    """A setting is missing or wrong; the message is one plain sentence for the operator."""


def _built_in(label: str) -> bytes:
    """Derive a key that demo and test share, so that a demo store can be served by the tests."""
    return hashlib.sha256(b"kaimen demonstration key, not a secret: " + label.encode()).digest()


DEMO_SECRET_KEY = base64.urlsafe_b64encode(_built_in("session")).decode()
DEMO_FIELD_KEY = base64.urlsafe_b64encode(_built_in("field")).decode()
DEMO_INDEX_KEY = base64.urlsafe_b64encode(_built_in("index")).decode()
_SECRET_NAMES = frozenset({"secret_key", "field_keys", "index_key", "captcha_answer"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything an operator can set.

    Attributes:
        env: `production`, `demo` or `test`.
        database_url: SQLAlchemy URL of the comment store.
        redis_url: when set, limits and challenges are shared through Redis.
        secret_key: signs sessions.
        field_keys: Fernet keys for contact details, newest first.
        index_key: key of the blind index and of the 查询码 digest.
        base_url: absolute links in mail and posters; empty means relative.
        trusted_proxies: how many proxy hops to believe for the client address.
        smtp_url: empty keeps e-mail in the outbox.
        captcha_answer: accepted for every challenge, test environment only.
        now: the clock starts here, test environment only.
        limits_on: rate limits and the minimum fill time; off in the test environment only.
        files_dir: exports, uploads and the side file of the short-lived store.
        site_file: TOML file with the site's names and contact lines; empty for Minhang's.
    """

    env: Environment
    database_url: str
    redis_url: str
    secret_key: str
    field_keys: tuple[str, ...]
    index_key: str
    base_url: str
    trusted_proxies: int
    smtp_url: str
    captcha_answer: str
    now: datetime | None
    limits_on: bool
    files_dir: Path
    site_file: Path | None = None

    @property
    def is_production(self) -> bool:
        """Whether cookies must be `__Host-` and `Secure`."""
        return self.env == "production"

    @property
    def side_file(self) -> Path:
        """Where the short-lived store lives when neither PostgreSQL nor Redis carries it."""
        return self.files_dir / "short_lived.db"

    def shown(self) -> dict[str, str]:
        """Return every setting as text with secrets hidden, for `consult config`."""
        out: dict[str, str] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in _SECRET_NAMES:
                out[field.name] = "(set)" if value else "(empty)"
            elif field.name in {"database_url", "redis_url", "smtp_url"}:
                out[field.name] = _without_password(str(value))
            else:
                out[field.name] = "" if value is None else str(value)
        return out


def _without_password(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable)"
    if not parts.password:
        return url
    return url.replace(f":{parts.password}@", ":***@")


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment.

    Raises:
        SettingsError: a value is missing, malformed or not allowed in this environment.
    """
    source = os.environ if environ is None else environ

    def text(name: str, default: str = "") -> str:
        return source.get(name, default).strip()

    env = _environment(text("CONSULT_ENV", "production"))
    database_url = text("CONSULT_DATABASE_URL", "sqlite:///var/consult.db")
    _only_in_test(env, source)
    secret_key, field_keys, index_key = _keys(
        env,
        text("CONSULT_SECRET_KEY"),
        tuple(part.strip() for part in text("CONSULT_FIELD_KEYS").split(",") if part.strip()),
        text("CONSULT_INDEX_KEY"),
    )
    return Settings(
        env=env,
        database_url=database_url,
        redis_url=text("CONSULT_REDIS_URL"),
        secret_key=secret_key,
        field_keys=field_keys,
        index_key=index_key,
        base_url=_base_url(text("CONSULT_BASE_URL")),
        trusted_proxies=_whole_number("CONSULT_TRUSTED_PROXIES", text("CONSULT_TRUSTED_PROXIES", "0")),
        smtp_url=text("CONSULT_SMTP_URL"),
        captcha_answer=text("CONSULT_CAPTCHA_ANSWER"),
        now=_moment(text("CONSULT_NOW")),
        limits_on=_on_or_off(text("CONSULT_LIMITS", "on")),
        files_dir=_files_dir(database_url),
        site_file=Path(text("CONSULT_SITE_FILE")) if text("CONSULT_SITE_FILE") else None,
    )


def _environment(value: str) -> Environment:
    for known in _ENVIRONMENTS:
        if value == known:
            return known
    raise SettingsError(f"CONSULT_ENV must be production, demo or test, not {value!r}.")


def _only_in_test(env: Environment, source: Mapping[str, str]) -> None:
    if env == "test":
        return
    for name in ("CONSULT_CAPTCHA_ANSWER", "CONSULT_NOW", "CONSULT_LIMITS"):
        if source.get(name, "").strip():
            raise SettingsError(f"{name} may be set only with CONSULT_ENV=test.")


def _keys(env: Environment, secret: str, field_keys: tuple[str, ...], index: str) -> tuple[str, tuple[str, ...], str]:
    if env != "production":
        return secret or DEMO_SECRET_KEY, field_keys or (DEMO_FIELD_KEY,), index or DEMO_INDEX_KEY
    for name, value, demo in (
        ("CONSULT_SECRET_KEY", (secret,), DEMO_SECRET_KEY),
        ("CONSULT_FIELD_KEYS", field_keys, DEMO_FIELD_KEY),
        ("CONSULT_INDEX_KEY", (index,), DEMO_INDEX_KEY),
    ):
        if not any(value):
            raise SettingsError(f"{name} must be set in production; make one with `consult config new-key`.")
        if demo in value:
            raise SettingsError(f"{name} holds the demonstration value, which is public; make a new one.")
    if len(secret) < 32 or len(index) < 32:
        raise SettingsError("CONSULT_SECRET_KEY and CONSULT_INDEX_KEY need at least 32 characters.")
    for key in field_keys:
        _check_fernet_key(key)
    return secret, field_keys, index


def _check_fernet_key(key: str) -> None:
    try:
        raw = base64.urlsafe_b64decode(key)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        raise SettingsError("CONSULT_FIELD_KEYS must hold keys of 32 bytes in URL-safe base 64.")


def _base_url(value: str) -> str:
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise SettingsError("CONSULT_BASE_URL must start with http:// or https:// and name a host.")
    return value.rstrip("/")


def _whole_number(name: str, value: str) -> int:
    if not value.isdecimal() or int(value) > 10:
        raise SettingsError(f"{name} must be a whole number from 0 to 10, not {value!r}.")
    return int(value)


def _moment(value: str) -> datetime | None:
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise SettingsError("CONSULT_NOW must be an ISO time such as 2026-11-22T09:00:00+08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def _on_or_off(value: str) -> bool:
    if value not in {"on", "off"}:
        raise SettingsError(f"CONSULT_LIMITS must be on or off, not {value!r}.")
    return value == "on"


def _files_dir(database_url: str) -> Path:
    """Files lie beside a SQLite store; with PostgreSQL they lie in `var/` of the working folder."""
    prefix = "sqlite:///"
    if database_url.startswith(prefix) and ":memory:" not in database_url:
        return Path(database_url.removeprefix(prefix)).expanduser().resolve().parent
    return Path("var").resolve()
