"""Keeping the full-text index: it follows every change of a comment in the transaction that makes it.

Whoever appends an event to a comment or moves its standing has it noted here; just before the commit the noted
comments are written anew, each once, as they then stand. Only what is public is in the index (R-27): the words after
redaction, the published reply, a name only if its owner agreed (R-46, R-47).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, cast, delete, event, insert, select
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Session

from consult.domain.comment_states import Standing
from consult.domain.search_text import index_tokens
from consult.models.comments import Comment, Reply
from consult.models.search import COMMENT_SEARCH, mark, position

_NOTED = "search_index.noted"
_BATCH = 500
_LAST_POSITION = 16_383  # of a tsvector; PostgreSQL's own limit
_LONGEST_TOKEN = 255  # a lexeme has 2,046 bytes at most
_C, _R, _S = Comment.__table__.c, Reply.__table__.c, COMMENT_SEARCH.c

_ROWS = (
    select(
        _C.id,
        _C.consultation_id,
        _C.submitted_at,
        _C.standing,
        _C.section_id,
        _C.lead_unit_id,
        _C.outcome,
        _C.receipt_no,
        _C.public_name,
        _C.body,
        _R.body,
        _R.individual_note,
        _R.reason,
    )
    .select_from(Comment.__table__)
    .outerjoin(Reply.__table__, and_(_R.comment_id == _C.id, _R.state == "published"))
)
_REMOVE = delete(COMMENT_SEARCH).where(_S.rowid == bindparam("place"))


@dataclass(frozen=True)
class _Entry:
    """A comment on its way into the index, or out of it when it has no tokens."""

    place: int
    consultation_id: int
    tokens: str


def note(session: Session, comment: Comment) -> None:
    """Have a comment's entry written anew when the transaction commits."""
    session.info.setdefault(_NOTED, set()).add(comment.id)


@event.listens_for(Session, "before_commit")
def _follow(session: Session) -> None:
    if session.in_nested_transaction():
        return
    noted: set[int] = session.info.pop(_NOTED, set())
    if noted:
        session.flush()
        refresh(session, sorted(noted))


def refresh(session: Session, comment_ids: Collection[int]) -> int:
    """Write the entries of these comments as they stand in the store now; return how many of them are public."""
    entries = [_entry(row) for row in session.execute(_ROWS.where(_C.id.in_(comment_ids)))]
    _remove(session, [one.place for one in entries])
    return _write(session, entries)


def rebuild(session: Session) -> int:
    """Write the whole index anew in one transaction; return how many comments are in it. For stores nobody uses yet."""
    session.execute(delete(COMMENT_SEARCH))
    done = Progress()
    while not done.finished:
        done = rebuild_next(session, done)
    return done.indexed


@dataclass(frozen=True)
class Progress:
    """How far rebuilding in steps has come: the last comment looked at, and how many are in the index."""

    after: int = 0
    indexed: int = 0
    finished: bool = False


def rebuild_next(session: Session, done: Progress) -> Progress:
    """Write the entries of the next comments anew; a transaction for each step lets everybody else write between."""
    ids = session.scalars(select(_C.id).where(_C.id > done.after).order_by(_C.id).limit(_BATCH)).all()
    if not ids:
        return Progress(done.after, done.indexed, finished=True)
    return Progress(ids[-1], done.indexed + refresh(session, ids))


def is_missing(session: Session) -> bool:
    """Whether there are public comments and nothing is in the index, as after the migration that made it."""
    if session.execute(select(_S.rowid).limit(1)).first() is not None:
        return False
    return session.execute(select(_C.id).where(_C.standing == Standing.PUBLIC.value).limit(1)).first() is not None


def _entry(row: Any) -> _Entry:
    key, consultation_id, submitted_at, standing, section_id, unit_id, outcome, receipt_no, *texts = row
    place = position(submitted_at, key)
    if standing != Standing.PUBLIC.value:
        return _Entry(place, consultation_id, "")
    marks = (
        mark("c", consultation_id),
        mark("s", section_id or 0),
        mark("u", unit_id or 0),
        mark("o", outcome or "waiting"),
    )
    # The number as it is printed and as one word; between two texts stands a mark.
    words = f" {marks[0]} ".join(index_tokens(text) for text in (f"{receipt_no} {_plain(receipt_no)}", *texts) if text)
    return _Entry(place, consultation_id, " ".join((*marks, words)))


def _plain(receipt_no: str) -> str:
    return receipt_no.replace("-", "")


def _remove(session: Session, places: Iterable[int]) -> None:
    given = [{"place": place} for place in places]
    if given:
        session.connection().execute(_REMOVE, given)


def _write(session: Session, entries: Iterable[_Entry]) -> int:
    wanted = [one for one in entries if one.tokens]
    if not wanted:
        return 0
    if session.get_bind().dialect.name == "sqlite":
        statement = insert(COMMENT_SEARCH)
        rows: list[dict[str, object]] = [{"rowid": one.place, "tokens": one.tokens} for one in wanted]
    else:
        statement = insert(COMMENT_SEARCH).values(
            rowid=bindparam("rowid"),
            consultation_id=bindparam("consultation_id"),
            tokens=cast(bindparam("tokens"), TSVECTOR),
        )
        rows = [
            {"rowid": one.place, "consultation_id": one.consultation_id, "tokens": _tsvector(one.tokens)}
            for one in wanted
        ]
    session.execute(statement, rows)
    return len(rows)


def _tsvector(tokens: str) -> str:
    """Return tokens in the notation of a tsvector: what to_tsvector would make of them, whatever the locale."""
    return " ".join(
        f"'{token[:_LONGEST_TOKEN]}':{min(at, _LAST_POSITION)}" for at, token in enumerate(tokens.split(), 1)
    )
