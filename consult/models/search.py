"""The full-text index over published comments (decision 5): one table by name, made by migration 0002 on each store.

SQLite has it as an FTS5 table, PostgreSQL as a plain one with a `tsvector` and a GIN index. It stands outside the
models' metadata, because Alembic can neither draw nor compare a virtual table and the shadows that FTS5 keeps.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

_ID_BITS = 31
_LAST_SECOND = 0xFFFF_FFFF
_LAST_ID = 0x7FFF_FFFF
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Longer than anything a search field takes, so that no search finds it: it also keeps a phrase from running out of
# one text into the next.
_MARK = "x" * 51
LONGEST_QUERY = 50
"""Characters of a search that are looked at."""

COMMENT_SEARCH = Table(
    "comment_search",
    MetaData(),
    # `rowid` is FTS5's own name for its key; hits come in its order without sorting.
    Column("rowid", BigInteger, primary_key=True, autoincrement=False),
    Column("consultation_id", BigInteger),  # PostgreSQL only; on SQLite the token says it
    Column("tokens", Text),
)


def position(submitted_at: datetime, comment_id: int) -> int:
    """Return the key of a comment in the index: by the second of submission, then by id; 63 bits, until 2106."""
    seconds = min(max(int((submitted_at - _EPOCH).total_seconds()), 0), _LAST_SECOND)
    return (seconds << _ID_BITS) | min(max(comment_id, 0), _LAST_ID)


def comment_at(place: int) -> int:
    """Return the id of the comment that stands at a position."""
    return place & _LAST_ID


def mark(kind: str, value: object) -> str:
    """Return the token that says where a comment belongs: `c` consultation, `s` section, `u` lead unit, `o` outcome."""
    return f"{_MARK}{kind}{value}".replace("_", "")


def in_models(_object: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Whether Alembic should compare something with the models (`include_object`): the index and its shadows not."""
    return not (kind == "table" and reflected and compare_to is None and (name or "").startswith("comment_search"))
