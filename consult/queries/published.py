"""What is public, and nothing else: the only module that reads comments for the public pages (R-27, R-106).

A comment is public when its `standing` says so; no page, feed or export of the public site has an idea of its
own. Bodies are the redacted ones, names come out masked unless their owner agreed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from consult.domain.comment_states import Standing
from consult.domain.ledger import PublicCounts, ResultCounts, counts_of, result_counts
from consult.models.comments import Comment, CommentTally, Reply
from consult.models.consultations import Section, SectionVersion
from consult.models.plan import Unit
from consult.models.search import position
from consult.queries import search

# Columns of the tables, not of the mapped classes: rows become read models, and the mapper's part of a statement
# costs more than the database's. Statements are made once; only their parameters change.
_C, _R = Comment.__table__.c, Reply.__table__.c
_SECTION, _HEADING = Section.__table__.c, SectionVersion.__table__.c
_LEAD, _REPLIER = Unit.__table__.alias("lead"), Unit.__table__.alias("replier")
_T = CommentTally.__table__.c
PUBLIC = _C.standing == Standing.PUBLIC.value
WHOLE = "whole"
"""What stands for the key of a section where a comment is about the whole report."""
_NOWHERE = 2**62  # the id of nothing, for a key or a code that does not exist
_BIDI_CONTROLS = str.maketrans(dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


def shown(text: str | None) -> str:
    """Return text as a page shows it: without the controls that would turn the words after it around."""
    return (text or "").translate(_BIDI_CONTROLS)


@dataclass(frozen=True)
class PlaceCounts:
    """Public comments per section id (0: the whole report) and per (section id, block key)."""

    sections: Mapping[int, int]
    blocks: Mapping[tuple[int, str], int]


@dataclass(frozen=True)
class PublishedComment:
    """One comment as the public may see it."""

    id: int
    receipt_no: str
    commenter: str
    body: str
    submitted_at: datetime
    handling_state: str
    section_key: str
    section_heading: str
    block_key: str
    quote: str
    lead_unit: str
    reply_due_on: date | None
    reply_body: str
    reply_reason: str
    reply_location: str
    reply_note: str
    reply_unit: str
    replied_at: datetime | None
    correction_note: str
    outcome: str
    merged_into: bool


@dataclass(frozen=True)
class Filters:
    """What the public table is narrowed to; empty texts narrow nothing."""

    q: str = ""
    section: str = ""
    unit: str = ""
    outcome: str = ""

    @property
    def any(self) -> bool:
        """Whether anything is narrowed."""
        return bool(self.q or self.section or self.unit or self.outcome)


@dataclass(frozen=True)
class Page:
    """One keyset page, newest first."""

    rows: tuple[PublishedComment, ...]
    has_newer: bool
    has_older: bool


def counts(session: Session, consultation_id: int) -> PublicCounts:
    """Return the counts every page shows."""
    rows = session.connection().execute(_COUNTS, {"consultation_id": consultation_id})
    return counts_of({Standing(standing): int(n) for standing, n in rows})


def counts_of_all(session: Session) -> dict[int, PublicCounts]:
    """Return the counts of every consultation, by its id."""
    rows = session.execute(
        select(CommentTally.consultation_id, CommentTally.standing, func.sum(CommentTally.n)).group_by(
            CommentTally.consultation_id, CommentTally.standing
        )
    )
    piles: defaultdict[int, dict[Standing, int]] = defaultdict(dict)
    for consultation_id, standing, n in rows:
        piles[consultation_id][Standing(standing)] = int(n)
    return {key: counts_of(value) for key, value in piles.items()}


def place_counts(session: Session, consultation_id: int) -> PlaceCounts:
    """Return how many public comments lie on each section and each block."""
    rows = session.connection().execute(_PLACES, {"consultation_id": consultation_id})
    sections: defaultdict[int, int] = defaultdict(int)
    blocks: dict[tuple[int, str], int] = {}
    for section_id, block_key, n in rows:
        sections[section_id] += n
        if block_key:
            blocks[section_id, block_key] = n
    return PlaceCounts(dict(sections), blocks)


_COMMENTS: Select[*tuple[Any, ...]] = (
    select(
        _C.id,
        _C.receipt_no,
        _C.masked_name,
        _C.public_name,
        _C.body,
        _C.submitted_at,
        _C.handling_state,
        _C.block_key,
        _C.quote,
        _C.reply_due_on,
        _C.merged_into_id,
        _SECTION.key,
        _HEADING.heading,
        _LEAD.c.short_name,
        _R.body,
        _R.reason,
        _R.draft_location,
        _R.individual_note,
        _R.published_at,
        _R.correction_note,
        _R.outcome,
        _REPLIER.c.short_name,
        _C.replied_at,
    )
    .select_from(Comment.__table__)
    .outerjoin(Section.__table__, _SECTION.id == _C.section_id)
    .outerjoin(SectionVersion.__table__, _HEADING.id == _C.section_version_id)
    .outerjoin(_LEAD, _LEAD.c.id == _C.lead_unit_id)
    .outerjoin(Reply.__table__, and_(_R.comment_id == _C.id, _R.state == "published"))
    .outerjoin(_REPLIER, _REPLIER.c.id == _R.lead_unit_id)
    .where(PUBLIC)
)
_NEWEST = (_C.submitted_at.desc(), _C.id.desc())
_OF_SECTION = (
    _COMMENTS.where(_C.section_id == bindparam("section_id")).order_by(*_NEWEST).limit(bindparam("n", type_=Integer))
)
_PLACES = select(_T.section_id, _T.block_key, _T.n).where(
    _T.consultation_id == bindparam("consultation_id"), _T.standing == Standing.PUBLIC.value, _T.n > 0
)
_COUNTS = (
    select(_T.standing, func.sum(_T.n)).where(_T.consultation_id == bindparam("consultation_id")).group_by(_T.standing)
)


def _row(row: Sequence[Any]) -> PublishedComment:
    values = list(row)
    return PublishedComment(
        id=values[0],
        receipt_no=values[1],
        commenter=shown(values[3] or values[2]),
        body=shown(values[4]),
        submitted_at=values[5],
        handling_state=values[6],
        block_key=values[7],
        quote=shown(values[8]),
        reply_due_on=values[9],
        merged_into=values[10] is not None,
        section_key=values[11] or "",
        section_heading=values[12] or "",
        lead_unit=values[13] or "",
        reply_body=shown(values[14]),
        reply_reason=shown(values[15]),
        reply_location=values[16] or "",
        reply_note=values[17] or "",
        replied_at=values[22] or values[18],
        correction_note=values[19] or "",
        outcome=values[20] or "",
        reply_unit=values[21] or values[13] or "",
    )


def of_section(session: Session, section_id: int, limit: int) -> tuple[PublishedComment, ...]:
    """Return the newest public comments on one section, whatever version they were made on."""
    rows = session.connection().execute(_OF_SECTION, {"section_id": section_id, "n": limit})
    return tuple(_row(row) for row in rows)


def one(session: Session, consultation_id: int, receipt_no: str) -> PublishedComment | None:
    """Return one public comment, or None: unknown and not public look the same (R-27)."""
    row = session.execute(_COMMENTS.where(_C.consultation_id == consultation_id, _C.receipt_no == receipt_no)).first()
    return None if row is None else _row(row)


def _by_id(session: Session, ids: Sequence[int]) -> dict[int, PublishedComment]:
    if not ids:
        return {}
    return {one.id: one for one in map(_row, session.execute(_COMMENTS.where(_C.id.in_(ids))))}


def latest_replies(
    session: Session, limit: int, consultation_id: int | None = None
) -> tuple[tuple[int, PublishedComment], ...]:
    """Return the newest answered public comments with their consultation's id; of one consultation when named."""
    # Conditions the stores cannot look up keep them from sorting every public comment: they walk from the newest reply.
    query = select(_C.id, _C.consultation_id).where(
        _C.replied_at.is_not(None), _C.standing.concat("") == Standing.PUBLIC.value
    )
    if consultation_id is not None:
        query = query.where(_C.consultation_id + 0 == consultation_id)
    newest = session.execute(query.order_by(_C.replied_at.desc(), _C.id.desc()).limit(limit)).all()
    found = _by_id(session, [row.id for row in newest])
    return tuple((row.consultation_id, found[row.id]) for row in newest if row.id in found)


def newest_numbers(session: Session, consultation_id: int, limit: int) -> tuple[tuple[str, datetime], ...]:
    """Return the numbers of the newest public comments and when each last had something new to read."""
    rows = session.execute(
        select(_C.receipt_no, _C.replied_at, _C.submitted_at)
        .where(_C.consultation_id == consultation_id, PUBLIC)
        .order_by(*_NEWEST)
        .limit(limit)
    )
    return tuple((row.receipt_no, row.replied_at or row.submitted_at) for row in rows)


def table_page(
    session: Session,
    consultation_id: int,
    filters: Filters,
    size: int,
    *,
    after: tuple[datetime, int] | None = None,
    before: tuple[datetime, int] | None = None,
) -> Page:
    """Return one page of the public table: `after` a position going back in time, or `before` it going forward.

    A search is answered by the full-text index, in the same order but for comments of one second: those go by id.
    """
    if filters.q:
        return _hits(session, _wanted(session, consultation_id, filters), size, after=after, before=before)
    query = _COMMENTS.where(_C.consultation_id == consultation_id, *_conditions(filters))
    if before is not None:
        moment, key = before
        query = query.where(or_(_C.submitted_at > moment, and_(_C.submitted_at == moment, _C.id > key))).order_by(
            _C.submitted_at.asc(), _C.id.asc()
        )
    else:
        if after is not None:
            moment, key = after
            query = query.where(or_(_C.submitted_at < moment, and_(_C.submitted_at == moment, _C.id < key)))
        query = query.order_by(*_NEWEST)
    rows = [_row(row) for row in session.execute(query.limit(size + 1))]
    more, rows = len(rows) > size, rows[:size]
    if before is not None:
        return Page(tuple(reversed(rows)), has_newer=more, has_older=True)
    return Page(tuple(rows), has_newer=after is not None, has_older=more)


def _hits(
    session: Session,
    wanted: search.Wanted,
    size: int,
    *,
    after: tuple[datetime, int] | None,
    before: tuple[datetime, int] | None,
) -> Page:
    if before is not None:
        places = search.page(session, wanted, size + 1, above=position(*before))
    else:
        places = search.page(session, wanted, size + 1, below=position(*after) if after is not None else None)
    more, ids = len(places) > size, search.comments_at(places[:size])
    found = _by_id(session, ids)
    rows = tuple(found[key] for key in ids if key in found)
    if before is not None:
        return Page(rows[::-1], has_newer=more, has_older=True)
    return Page(rows, has_newer=after is not None, has_older=more)


def _wanted(session: Session, consultation_id: int, filters: Filters) -> search.Wanted:
    section = unit = None
    if filters.section:
        by_key = select(Section.id).where(Section.consultation_id == consultation_id, Section.key == filters.section)
        section = 0 if filters.section == WHOLE else session.scalar(by_key) or _NOWHERE
    if filters.unit:
        unit = session.scalar(select(Unit.id).where(Unit.code == filters.unit)) or _NOWHERE
    return search.Wanted(consultation_id, filters.q, section, unit, filters.outcome)


def matching(session: Session, consultation_id: int, filters: Filters, at_most: int) -> int:
    """Count public comments that match, up to `at_most`."""
    if filters.q:
        return search.count(session, _wanted(session, consultation_id, filters), at_most)
    inner = (
        select(_C.id)
        .where(_C.consultation_id == consultation_id, PUBLIC, *_conditions(filters))
        .limit(at_most)
        .subquery()
    )
    return int(session.scalar(select(func.count()).select_from(inner)) or 0)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.section:
        keys = select(Section.id).where(Section.key == filters.section)
        found.append(_C.section_id.in_(keys) if filters.section != WHOLE else _C.section_id.is_(None))
    if filters.unit:
        found.append(_C.lead_unit_id.in_(select(Unit.id).where(Unit.code == filters.unit)))
    if filters.outcome == "waiting":
        found.append(_C.outcome.is_(None))
    elif filters.outcome:
        found.append(_C.outcome == filters.outcome)
    return found


def lead_units(session: Session, consultation_id: int) -> tuple[tuple[str, str], ...]:
    """Return (code, name) of the units that lead at least one public comment."""
    rows = session.execute(
        select(Unit.code, Unit.short_name)
        # One probe of the index for each unit; DISTINCT would walk through every public comment.
        .where(select(1).where(_C.consultation_id == consultation_id, PUBLIC, _C.lead_unit_id == Unit.id).exists())
        .order_by(Unit.position)
    )
    return tuple((code, name) for code, name in rows)


def results(session: Session, consultation_id: int) -> ResultCounts:
    """Return what came of the comments: five outcomes of replies and three ends without one (R-63).

    Withheld comments count too: not publishing is not the same as not answering (R-28).
    """
    outcomes = session.execute(
        select(Comment.outcome, func.count())
        .where(
            Comment.consultation_id == consultation_id,
            Comment.outcome.is_not(None),
            Comment.standing != Standing.WITHDRAWN.value,
        )
        .group_by(Comment.outcome)
    )
    piles = counts(session, consultation_id)
    return result_counts(
        {outcome: int(n) for outcome, n in outcomes if outcome}
        | {
            "channel_notice": piles.channel_notice,
            "not_accepted": piles.not_accepted,
            "withdrawn": piles.withdrawn,
        }
    )
