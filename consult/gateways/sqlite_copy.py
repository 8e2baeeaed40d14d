"""Copying a SQLite store while it is in use, and putting a copy back, through SQLite's own backup interface.

A copy is complete or is not there: it is written beside its place, checked, and only then given its name.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from consult.domain.errors import DomainError

_BUSY_SECONDS = 10.0
_CONTENT_TABLES = ("unit", "consultation", "comment", "staff_member")


class CopyRefused(DomainError):  # noqa: N818 - a refusal, not a fault
    """The copy cannot be made or put back; nothing was changed.

    Codes: `backup_exists`, `backup_folder_missing`, `store_missing`, `backup_unreadable`, `backup_damaged`,
    `backup_not_ours`, `store_not_empty`, `store_busy`.
    """

    code = "backup_unreadable"


def backup(store: Path, target: Path) -> int:
    """Copy the store at `store` to the new file `target`; return its size in bytes.

    Raises:
        CopyRefused: `store_missing`, `backup_exists`, `backup_folder_missing`, `store_busy`, `backup_damaged`.
    """
    if not store.is_file():
        raise CopyRefused("store_missing")
    if target.exists():
        raise CopyRefused("backup_exists", file=target.name)
    if not target.parent.is_dir():
        raise CopyRefused("backup_folder_missing", file=target.name)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        beside.touch(mode=0o600)
        _copy(store, beside)
        _finish(beside)
        os.link(beside, target)  # refuses where a file of that name has come meanwhile
    except FileExistsError as error:
        raise CopyRefused("backup_exists", file=target.name) from error
    except OSError as error:
        raise CopyRefused("backup_unreadable", reason=error.strerror or "") from error
    finally:
        for left in (beside, Path(f"{beside}-wal"), Path(f"{beside}-shm")):
            left.unlink(missing_ok=True)
    return target.stat().st_size


def restore(copy: Path, store: Path, *, force: bool = False) -> str:
    """Put a copy back in place of the store, in one transaction of SQLite; return the migration it stands at.

    Raises:
        CopyRefused: `backup_unreadable`, `backup_damaged`, `backup_not_ours`; `store_not_empty` without `force`;
            `store_busy` when somebody is writing.
    """
    if not copy.is_file():
        raise CopyRefused("backup_unreadable", reason=copy.name)
    revision = _inspect(copy)
    if store.exists() and not force and _holds_content(store):
        raise CopyRefused("store_not_empty")
    store.parent.mkdir(parents=True, exist_ok=True)
    _copy(copy, store)
    return revision


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(_open(source)) as origin, closing(sqlite3.connect(target, timeout=_BUSY_SECONDS)) as goal:
            origin.backup(goal)
            goal.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        raise CopyRefused("store_busy") from error
    except sqlite3.DatabaseError as error:
        raise CopyRefused("backup_damaged") from error


def _finish(copy: Path) -> None:
    """Check the copy and make it one file on the disk."""
    with closing(sqlite3.connect(copy)) as connection:
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise CopyRefused("backup_damaged")
        connection.execute("PRAGMA journal_mode=DELETE")
    with copy.open("rb") as file:
        os.fsync(file.fileno())


def _inspect(copy: Path) -> str:
    try:
        with closing(_open(copy)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise CopyRefused("backup_damaged")
            tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
            if not {"alembic_version", *_CONTENT_TABLES} <= tables:
                raise CopyRefused("backup_not_ours")
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise CopyRefused("backup_damaged") from error
    if row is None:
        raise CopyRefused("backup_not_ours")
    return str(row[0])


def _holds_content(store: Path) -> bool:
    try:
        with closing(_open(store)) as connection:
            tables = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")}
            if not tables:
                return False
            if not set(_CONTENT_TABLES) <= tables:
                return True  # a store of something else: not ours to overwrite
            asked = " OR ".join(f"EXISTS (SELECT 1 FROM {name})" for name in _CONTENT_TABLES)  # noqa: S608 - our own names
            return bool(connection.execute(f"SELECT {asked}").fetchone()[0])
    except sqlite3.DatabaseError:
        return True


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
