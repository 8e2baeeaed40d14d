"""Keeping the counts that every page shows: one row per section, block and standing.

They change in the transaction that changes a comment's standing, so they always add up to what was
received (the settled formula), at 100,000 comments as fast as at none.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.models.comments import Comment, CommentTally


def shift(session: Session, comment: Comment, before: str | None, after: str | None) -> None:
    """Move one comment from one standing to another; None means it was, or will be, nowhere.

    Rows are touched in a fixed order, so that two people deciding at once cannot lock each other out.
    """
    changes = [(standing, step) for standing, step in ((before, -1), (after, 1)) if standing is not None]
    if before == after:
        return
    for standing, step in sorted(changes):
        key = {
            "consultation_id": comment.consultation_id,
            "section_id": comment.section_id or 0,
            "block_key": comment.block_key or "",
            "standing": standing,
        }
        if step < 0:
            session.execute(
                update(CommentTally)
                .where(*(getattr(CommentTally, name) == value for name, value in key.items()))
                .values(n=CommentTally.n - 1)
            )
        else:
            session.execute(_upsert(session, key))


def _upsert(session: Session, key: dict[str, Any]) -> Any:
    dialect = session.get_bind().dialect.name
    insert: Any = sqlite.insert(CommentTally) if dialect == "sqlite" else postgresql.insert(CommentTally)
    return insert.values(**key, n=1).on_conflict_do_update(
        index_elements=["consultation_id", "section_id", "block_key", "standing"],
        set_={"n": CommentTally.n + 1},
    )
