"""The declarative base, the types and the naming convention every table shares."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, String, Text, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite's rowid needs the exact type INTEGER; PostgreSQL gets 64 bits.
Key = BigInteger().with_variant(Integer(), "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; naive values are refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC.

        Raises:
            ValueError: the value is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return aware UTC, also from SQLite, which keeps no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        return value.astimezone(UTC)


class Base(DeclarativeBase):
    """Every table of both packages hangs on this metadata."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {
        int: Key,
        str: Text(),
        datetime: UtcDateTime(),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
    }


def words(column: str, values: type[StrEnum] | tuple[str, ...]) -> str:
    """Return the SQL of a check that `column` holds one of the words.

    Enums are checked strings, not native types, so that both stores and every migration treat them alike.
    """
    members = tuple(values) if isinstance(values, tuple) else tuple(str(member) for member in values)
    listed = ", ".join(f"'{member}'" for member in members)
    return f"{column} IN ({listed})"


Word = String(40)
