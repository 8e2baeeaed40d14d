"""Migrations arrive at the models on both stores, and lead back to an empty store."""

from __future__ import annotations

import re

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Engine, Index, inspect, text

import moderation.models  # noqa: F401 - its tables belong to the same metadata
from consult.db import make_engine, migration_config
from consult.domain.comment_states import TRANSITIONS, CommentState
from consult.models import Base
from consult.models.search import in_models
from tests.support.stores import ROOT


def differences(engine: Engine) -> list[object]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": in_models})
        return list(compare_metadata(context, Base.metadata))


def left_behind(engine: Engine) -> list[str]:
    """Names of tables, triggers and functions, Alembic's own table excepted."""
    asked = {
        "sqlite": "SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'",
        "postgresql": (
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " UNION ALL SELECT trigger_name FROM information_schema.triggers"
            " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            " UNION ALL SELECT typname FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'"
        ),
    }
    with engine.connect() as connection:
        names = connection.execute(text(asked[engine.dialect.name])).scalars()
        return sorted(name for name in names if "alembic_version" not in name)


@pytest.fixture
def engine(store_url: str) -> Engine:
    return make_engine(store_url)


def test_a_migrated_store_is_what_the_models_say(engine: Engine) -> None:
    assert differences(engine) == []
    engine.dispose()


def test_migrations_lead_down_to_nothing_and_up_again(store_url: str, engine: Engine) -> None:
    assert left_behind(engine)
    engine.dispose()
    config = migration_config(store_url, ROOT)
    command.downgrade(config, "base")
    assert left_behind(engine) == []
    engine.dispose()
    command.upgrade(config, "head")
    assert differences(engine) == []
    engine.dispose()


def test_migrations_form_one_line() -> None:
    script = ScriptDirectory.from_config(migration_config("sqlite://", ROOT))
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_every_check_of_the_models_stands_in_the_store_with_the_same_words(engine: Engine) -> None:
    """Alembic does not compare checks, so this does."""
    inspector = inspect(engine)
    for table in Base.metadata.sorted_tables:
        there = {one["name"]: one["sqltext"] for one in inspector.get_check_constraints(table.name)}
        wanted = [one for one in table.constraints if isinstance(one, CheckConstraint) and one.name]
        for check in wanted:
            name = f"ck_{table.name}_{check.name}" if not str(check.name).startswith("ck_") else str(check.name)
            assert name in there, name
            assert _words(there[name]) == _words(str(check.sqltext)), name
    engine.dispose()


def test_every_condition_of_a_partial_index_stands_in_the_store(engine: Engine) -> None:
    kind = engine.dialect.name
    partial = [
        (table.name, index, index.dialect_options[kind]["where"])
        for table in Base.metadata.sorted_tables
        for index in sorted(table.indexes, key=lambda one: str(one.name))
        if isinstance(index, Index) and index.dialect_options[kind]["where"] is not None
    ]
    assert partial
    asked = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND name = :name",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = :name",
    }
    with engine.connect() as connection:
        for _table, index, where in partial:
            found = str(connection.execute(text(asked[kind]), {"name": index.name}).scalar_one())
            assert "UNIQUE" in found
            assert _plain(found.split("WHERE", 1)[1]) == _plain(str(where)), index.name
    engine.dispose()


def test_r90_the_legal_moves_of_the_store_are_those_of_the_state_table(engine: Engine) -> None:
    with engine.connect() as connection:
        there = {tuple(row) for row in connection.execute(text("SELECT before, after FROM legal_transition"))}
    engine.dispose()
    table = {(str(one.source), str(one.target)) for one in TRANSITIONS if one.source is not None}
    assert there == {(before, after) for before, after in table if before != after}
    assert {state for pair in there for state in pair} <= set(CommentState)


def _words(sql: str) -> set[str]:
    return set(re.findall(r"'([^']*)'", sql))


def _plain(sql: str) -> str:
    return re.sub(r"::[a-z ]+|[()\s]", "", sql)
