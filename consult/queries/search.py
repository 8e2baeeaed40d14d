"""Full-text search over published comments and replies: the same hits on both stores (decision 5).

The index itself knows what is public; consultation, section, lead unit and outcome are tokens in it, so that every
narrowing is answered from the index alone, newest first, and stops as soon as a page is full.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, bindparam, cast, column, func, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from consult.domain.search_text import SearchQuery, query_terms
from consult.models.search import COMMENT_SEARCH, LONGEST_QUERY, comment_at, mark

_S = COMMENT_SEARCH.c


@dataclass(frozen=True)
class Wanted:
    """What is looked for in one consultation; None narrows nothing, section 0 is the whole report."""

    consultation_id: int
    text: str
    section_id: int | None = None
    lead_unit_id: int | None = None
    outcome: str = ""

    @property
    def query(self) -> SearchQuery:
        """The words in the tokens of the index."""
        return query_terms(self.text[:LONGEST_QUERY])

    @property
    def marks(self) -> tuple[str, ...]:
        """The tokens that narrow."""
        narrowed = (("s", self.section_id), ("u", self.lead_unit_id), ("o", self.outcome or None))
        return tuple(mark(kind, value) for kind, value in narrowed if value is not None)


def page(
    session: Session, wanted: Wanted, size: int, *, below: int | None = None, above: int | None = None
) -> tuple[int, ...]:
    """Return the positions of at most `size` hits: the newest, those next `below` a position, or next `above` one.

    Those above come oldest first. Words without a letter or a digit find nothing.
    """
    if not wanted.query:
        return ()
    statement = select(_S.rowid).where(_found(session, wanted))
    if above is not None:
        statement = statement.where(_S.rowid > above).order_by(_S.rowid.asc())
    else:
        if below is not None:
            statement = statement.where(_S.rowid < below)
        statement = statement.order_by(_S.rowid.desc())
    return tuple(session.scalars(statement.limit(size)))


def count(session: Session, wanted: Wanted, at_most: int) -> int:
    """Count the hits, up to `at_most`."""
    if not wanted.query:
        return 0
    inner = select(_S.rowid).where(_found(session, wanted)).limit(at_most).subquery()
    return int(session.scalar(select(func.count()).select_from(inner)) or 0)


def comments_at(positions: tuple[int, ...]) -> tuple[int, ...]:
    """Return the ids of the comments at these positions, in the same order."""
    return tuple(comment_at(place) for place in positions)


def _found(session: Session, wanted: Wanted) -> ColumnElement[bool]:
    if session.get_bind().dialect.name == "sqlite":
        narrowed = [f'"{token}"' for token in (mark("c", wanted.consultation_id), *wanted.marks)]
        words = " AND ".join((*narrowed, wanted.query.fts5()))
        # The hidden column of an FTS5 table has the name of the table.
        return column(COMMENT_SEARCH.name).op("MATCH", is_comparison=True)(bindparam("words", words))
    words = " & ".join((*(f"'{token}'" for token in wanted.marks), wanted.query.tsquery()))
    return and_(
        _S.consultation_id == wanted.consultation_id,
        _S.tokens.op("@@", is_comparison=True)(cast(bindparam("words", words), TSQUERY)),
    )
