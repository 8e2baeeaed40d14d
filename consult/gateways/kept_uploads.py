"""Files a person uploaded and has not confirmed yet: under random names, only for that person, not for long."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from consult.domain.errors import Refused

KEPT_FOR = timedelta(hours=2)
_TOKEN = re.compile(r"[0-9a-f]{32}")


class UploadGone(Refused):
    """The file was confirmed, has expired, or belongs to somebody else."""

    code = "upload_gone"


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded file: `name` as the person's computer calls it, never used as a path; `extra` is a second file."""

    name: str
    data: bytes
    extra: bytes | None = None


def keep(folder: Path, owner: str, upload: Upload, now: datetime) -> str:
    """Keep an upload for its owner and return its token; what has expired goes."""
    _sweep(folder, now)
    token = secrets.token_hex(16)
    place = folder / token
    place.mkdir(mode=0o700, parents=True)
    (place / "data").write_bytes(upload.data)
    if upload.extra is not None:
        (place / "extra").write_bytes(upload.extra)
    meta = {"owner": owner, "name": upload.name[:200], "at": now.isoformat()}
    (place / "meta.json").write_text(json.dumps(meta), "utf-8")
    return token


def load(folder: Path, token: str, owner: str, now: datetime) -> Upload:
    """Return a kept upload.

    Raises:
        UploadGone: there is none of that token for this owner.
    """
    if not _TOKEN.fullmatch(token):
        raise UploadGone
    place = folder / token
    meta = _meta(place)
    if meta is None or meta.get("owner") != owner or _expired(meta, now):
        raise UploadGone
    try:
        extra = place / "extra"
        return Upload(str(meta["name"]), (place / "data").read_bytes(), extra.read_bytes() if extra.is_file() else None)
    except OSError as error:
        raise UploadGone from error


def drop(folder: Path, token: str) -> None:
    """Forget a kept upload; one that is gone already is no fault."""
    if _TOKEN.fullmatch(token):
        shutil.rmtree(folder / token, ignore_errors=True)


def _sweep(folder: Path, now: datetime) -> None:
    if not folder.is_dir():
        return
    for place in folder.iterdir():
        meta = _meta(place)
        if _TOKEN.fullmatch(place.name) and meta is not None and _expired(meta, now):
            shutil.rmtree(place, ignore_errors=True)


def _meta(place: Path) -> Mapping[str, object] | None:
    try:
        found = json.loads((place / "meta.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _expired(meta: Mapping[str, object], now: datetime) -> bool:
    return now - datetime.fromisoformat(str(meta["at"])) > KEPT_FOR
