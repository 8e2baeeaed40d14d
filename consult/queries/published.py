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

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from consult.domain.comment_states import Standing
from consult.domain.ledger import PublicCounts, ResultCounts, counts_of, result_counts
from consult.models.comments import Comment, CommentTally, Reply
from consult.models.consultations import Section, SectionVersion
from consult.models.plan import Unit

PUBLIC = Comment.standing == Standing.PUBLIC.value
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
    rows = session.execute(
        select(CommentTally.standing, func.sum(CommentTally.n))
        .where(CommentTally.consultation_id == consultation_id)
        .group_by(CommentTally.standing)
    )
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
    rows = session.execute(
        select(CommentTally.section_id, CommentTally.block_key, CommentTally.n).where(
            CommentTally.consultation_id == consultation_id,
            CommentTally.standing == Standing.PUBLIC.value,
            CommentTally.n > 0,
        )
    )
    sections: defaultdict[int, int] = defaultdict(int)
    blocks: dict[tuple[int, str], int] = {}
    for section_id, block_key, n in rows:
        sections[section_id] += n
        if block_key:
            blocks[section_id, block_key] = n
    return PlaceCounts(dict(sections), blocks)


_REPLY_UNIT = aliased(Unit)


def _select() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Comment.id,
            Comment.receipt_no,
            Comment.masked_name,
            Comment.public_name,
            Comment.body,
            Comment.submitted_at,
            Comment.handling_state,
            Comment.block_key,
            Comment.quote,
            Comment.reply_due_on,
            Comment.merged_into_id,
            Section.key,
            SectionVersion.heading,
            Unit.short_name,
            Reply.body,
            Reply.reason,
            Reply.draft_location,
            Reply.individual_note,
            Reply.published_at,
            Reply.correction_note,
            Reply.outcome,
            _REPLY_UNIT.short_name,
            Comment.replied_at,
        )
        .outerjoin(Section, Section.id == Comment.section_id)
        .outerjoin(SectionVersion, SectionVersion.id == Comment.section_version_id)
        .outerjoin(Unit, Unit.id == Comment.lead_unit_id)
        .outerjoin(Reply, and_(Reply.comment_id == Comment.id, Reply.state == "published"))
        .outerjoin(_REPLY_UNIT, _REPLY_UNIT.id == Reply.lead_unit_id)
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
    rows = session.execute(
        _select()
        .where(Comment.section_id == section_id, PUBLIC)
        .order_by(Comment.submitted_at.desc(), Comment.id.desc())
        .limit(limit)
    )
    return tuple(_row(row) for row in rows)


def one(session: Session, consultation_id: int, receipt_no: str) -> PublishedComment | None:
    """Return one public comment, or None: unknown and not public look the same (R-27)."""
    row = session.execute(
        _select().where(Comment.consultation_id == consultation_id, Comment.receipt_no == receipt_no, PUBLIC)
    ).first()
    return None if row is None else _row(row)


def latest_replies(session: Session, limit: int) -> tuple[tuple[int, PublishedComment], ...]:
    """Return the newest answered public comments with their consultation's id."""
    rows = session.execute(
        _select()
        .add_columns(Comment.consultation_id)
        .where(PUBLIC, Comment.replied_at.is_not(None))
        .order_by(Comment.replied_at.desc(), Comment.id.desc())
        .limit(limit)
    )
    return tuple((int(row[-1]), _row(row)) for row in rows)


def table_page(
    session: Session,
    consultation_id: int,
    filters: Filters,
    size: int,
    *,
    after: tuple[datetime, int] | None = None,
    before: tuple[datetime, int] | None = None,
) -> Page:
    """Return one page of the public table: `after` a position going back in time, or `before` it going forward."""
    query = _select().where(Comment.consultation_id == consultation_id, PUBLIC, *_conditions(filters))
    if before is not None:
        moment, key = before
        query = query.where(
            or_(Comment.submitted_at > moment, and_(Comment.submitted_at == moment, Comment.id > key))
        ).order_by(Comment.submitted_at.asc(), Comment.id.asc())
    else:
        if after is not None:
            moment, key = after
            query = query.where(
                or_(Comment.submitted_at < moment, and_(Comment.submitted_at == moment, Comment.id < key))
            )
        query = query.order_by(Comment.submitted_at.desc(), Comment.id.desc())
    rows = [_row(row) for row in session.execute(query.limit(size + 1))]
    more, rows = len(rows) > size, rows[:size]
    if before is not None:
        return Page(tuple(reversed(rows)), has_newer=more, has_older=True)
    return Page(tuple(rows), has_newer=after is not None, has_older=more)


def matching(session: Session, consultation_id: int, filters: Filters, at_most: int) -> int:
    """Count public comments that match, up to `at_most`."""
    inner = (
        select(Comment.id)
        .outerjoin(Reply, and_(Reply.comment_id == Comment.id, Reply.state == "published"))
        .where(Comment.consultation_id == consultation_id, PUBLIC, *_conditions(filters))
        .limit(at_most)
        .subquery()
    )
    return int(session.scalar(select(func.count()).select_from(inner)) or 0)


def _conditions(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.section:
        keys = select(Section.id).where(Section.key == filters.section)
        found.append(Comment.section_id.in_(keys) if filters.section != "whole" else Comment.section_id.is_(None))
    if filters.unit:
        found.append(Comment.lead_unit_id.in_(select(Unit.id).where(Unit.code == filters.unit)))
    if filters.outcome == "waiting":
        found.append(Comment.outcome.is_(None))
    elif filters.outcome:
        found.append(Comment.outcome == filters.outcome)
    if filters.q:
        escaped = filters.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = f"%{escaped}%"
        found.append(
            or_(
                Comment.body.like(pattern, escape="\\"),
                Reply.body.like(pattern, escape="\\"),
                Comment.receipt_no == filters.q.upper(),
            )
        )
    return found


def lead_units(session: Session, consultation_id: int) -> tuple[tuple[str, str], ...]:
    """Return (code, name) of the units that lead at least one public comment."""
    rows = session.execute(
        select(Unit.code, Unit.short_name)
        .where(
            Unit.id.in_(
                select(Comment.lead_unit_id).where(Comment.consultation_id == consultation_id, PUBLIC).distinct()
            )
        )
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
