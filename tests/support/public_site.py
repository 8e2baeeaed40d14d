"""The public site as a visitor meets it, in this process: a world in the store, a clock that can be moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select, text, update

from consult import clock, db, web
from consult.db import Store
from consult.gateways.field_cipher import FieldCipher
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from tests.support import casework
from tests.support.application import make_app
from tests.support.factories import NOW, World, make_world
from tests.support.visitors import Visitor, to_app


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
    db.use(store)
    try:
        yield Site(app, store, world)
    finally:
        clock.start_at(datetime.now(UTC))
