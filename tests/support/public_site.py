"""The public site as a visitor meets it, in this process: a world in the store, a clock that can be moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import select, text, update

from consult import clock, db, web
from consult.db import Store
from consult.domain.calendar import local_day
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from tests.support import casework
from tests.support.application import make_app
from tests.support.factories import NOW, World, make_world
from tests.support.visitors import Visitor, to_app


class _Compiled(BytecodeCache):
    """Keeps compiled templates over the applications of one run; compiling them anew takes most of a test's time."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket when the template was compiled before; its checksum is compared by Jinja itself."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


@dataclass
class Site:
    """The application on a filled store."""

    app: Flask
    store: Store
    world: World

    def visitor(self, address: str = "192.0.2.7", **headers: str) -> Visitor:
        """A browser that has never been here."""
        return Visitor(to_app(self.app, address), self.world.slug, headers)

    @property
    def cipher(self) -> FieldCipher:
        """What contact details are locked with on this site."""
        with self.app.app_context():
            return web.runtime().cipher

    def count(self, table: str = "comment") -> int:
        """How many rows a table has."""
        with self.store.reading() as session:
            return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())

    def newest(self) -> Comment:
        """The comment stored last."""
        with self.store.reading() as session:
            return session.scalars(select(Comment).order_by(Comment.id.desc()).limit(1)).one()

    def change_consultation(self, **columns: Any) -> None:
        """Set columns of the consultation."""
        with self.store.writing() as session:
            session.execute(update(Consultation).where(Consultation.slug == self.world.slug).values(**columns))

    def world_day(self, days: int) -> date:
        """The day so many days after the one on which the world was made."""
        return local_day(NOW) + timedelta(days=days)

    def accept(self, receipt_no: str) -> None:
        """Let a reviewer accept a comment for publication."""
        with self.store.writing() as session:
            casework.accept(session, self.world, receipt_no)


@contextmanager
def open_site(store: Store, folder: Path, now: datetime = NOW, **settings: Any) -> Iterator[Site]:
    """Fill the store, build the application and let the clock start at `now`; it is set back afterwards."""
    with store.writing() as session:
        world = make_world(session)
    app = make_app(store, folder / "files", now=now, **settings)
    app.jinja_env.bytecode_cache = _COMPILED
    db.use(store)
    try:
        yield Site(app, store, world)
    finally:
        app.extensions["kaimen"].short_lived.close()
        clock.start_at(datetime.now(UTC))
