"""Alembic environment: the models of both packages, one transaction per migration on both stores."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

import moderation.models  # noqa: F401 - its tables belong to the same metadata
from consult.db import make_engine
from consult.models import Base
from consult.models.base import UtcDateTime
from consult.models.search import in_models

target_metadata = Base.metadata


def _render(kind: str, item: object, _context: object) -> str | bool:
    """Write our own types as what they are in the store, so that a migration needs no product code."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=target_metadata,
        compare_type=True,
        compare_server_default=False,
        include_object=in_models,
        render_item=_render,
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Migrate the store named by the caller, on the caller's connection when one is given."""
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    engine = make_engine(context.config.attributes["url"]).execution_options(writes=True)
    with engine.begin() as connection:
        _run(connection)
    engine.dispose()


if context.is_offline_mode():
    raise SystemExit("Migrations need a store: set CONSULT_DATABASE_URL and run `consult db upgrade`.")
run_online()
