"""Checking that no log was changed, shortened or reordered: comments, consultations and the audit log (R-98).

Each chain is read in order and its digests are computed again; its head is compared with what the chain's
owner remembers, so that entries cut off at the end show too. Rows come in batches: memory stays bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.domain.event_chain import Entry, first_break
from consult.models.comments import Comment, CommentEvent
from consult.models.consultations import Consultation, ConsultationEvent
from moderation.models import AuditChain, AuditEvent
from moderation.services.audit import entry_of
from moderation.services.sealing import check_seals

BATCH = 1_000

Link = tuple[Entry, str, str]


@dataclass(frozen=True)
class ChainBreak:
    """A chain that does not hold: whose, at which entry, and why.

    `kind` is comment, consultation or audit; `why` is missing, unlinked, altered or foreign (entries that
    belong to no known chain).
    """

    kind: str
    chain: str
    seq: int
    why: str

    def __str__(self) -> str:
        return f"{self.kind} {self.chain}: entry {self.seq} is {self.why}"


@dataclass(frozen=True)
class Checked:
    """What a check looked at and found; `complete` is False when it stopped at its limit."""

    chains: int
    entries: int
    breaks: tuple[ChainBreak, ...]
    complete: bool = True


@dataclass(frozen=True)
class _Owner:
    """Where a chain hangs: its key in the log's table, its name, and the head its owner remembers."""

    key: int
    name: str
    seq: int
    head: str


def verify(session: Session) -> list[str]:
    """Check every chain and every seal; return one line for each that does not hold. An empty list is good news."""
    return [str(found) for found in check(session).breaks] + check_seals(session)


def check(session: Session, limit: int | None = None) -> Checked:
    """Check every chain: the audit log first, then consultations, then comments.

    `limit` stops the check after about that many entries, so that a page can show the beginning of it.
    """
    chains = entries = 0
    breaks: list[ChainBreak] = []
    for kind, found in _all(session):
        for owner, links in found:
            chains += 1
            entries += len(links)
            broken = first_break(links, (owner.seq, owner.head))
            if broken is not None:
                breaks.append(ChainBreak(kind, owner.name, broken.seq, broken.why))
            if limit is not None and entries >= limit:
                return Checked(chains, entries, tuple(breaks), complete=False)
    return Checked(chains, entries, tuple(breaks) + tuple(_foreign(session)))


def _all(session: Session) -> Iterator[tuple[str, Iterator[tuple[_Owner, list[Link]]]]]:
    yield "audit", _walk(session, _audit_owners, _audit_links)
    yield "consultation", _walk(session, _consultation_owners, _consultation_links)
    yield "comment", _walk(session, _comment_owners, _comment_links)


def _walk(
    session: Session,
    owners: Callable[[Session, int], Sequence[_Owner]],
    links: Callable[[Session, Mapping[int, _Owner]], Mapping[int, list[Link]]],
) -> Iterator[tuple[_Owner, list[Link]]]:
    last = -1
    while batch := owners(session, last):
        last = batch[-1].key
        hanging = links(session, {owner.key: owner for owner in batch})
        for owner in batch:
            yield owner, hanging.get(owner.key, [])


def _audit_owners(session: Session, last: int) -> list[_Owner]:
    rows = session.execute(
        select(AuditChain.chain, AuditChain.seq, AuditChain.head)
        .where(AuditChain.chain > last)
        .order_by(AuditChain.chain)
        .limit(10)
    )
    return [_Owner(chain, str(chain), seq, head) for chain, seq, head in rows]


def _audit_links(session: Session, owners: Mapping[int, _Owner]) -> dict[int, list[Link]]:
    table = AuditEvent.__table__.c
    out: dict[int, list[Link]] = {}
    for row in session.execute(select(*table).where(_between(table.chain, owners)).order_by(table.chain, table.seq)):
        out.setdefault(row.chain, []).append((entry_of(row), row.previous_digest, row.digest))
    return out


def _consultation_owners(session: Session, last: int) -> list[_Owner]:
    rows = session.execute(
        select(Consultation.id, Consultation.slug, Consultation.event_seq, Consultation.event_head)
        .where(Consultation.id > last)
        .order_by(Consultation.id)
        .limit(BATCH)
    )
    return [_Owner(*row) for row in rows]


def _consultation_links(session: Session, owners: Mapping[int, _Owner]) -> dict[int, list[Link]]:
    table = ConsultationEvent.__table__.c
    out: dict[int, list[Link]] = {}
    rows = session.execute(
        select(*table).where(_between(table.consultation_id, owners)).order_by(table.consultation_id, table.seq)
    )
    for row in rows:
        name = f"consultation:{owners[row.consultation_id].name}" if row.consultation_id in owners else ""
        # The table has no column for it: who has an account is staff, everybody else the system.
        kind = "staff" if row.actor_id is not None else "system"
        out.setdefault(row.consultation_id, []).append(_link(row, name, kind))
    return out


def _comment_owners(session: Session, last: int) -> list[_Owner]:
    rows = session.execute(
        select(Comment.id, Comment.receipt_no, Comment.event_seq, Comment.event_head)
        .where(Comment.id > last)
        .order_by(Comment.id)
        .limit(BATCH)
    )
    return [_Owner(*row) for row in rows]


def _comment_links(session: Session, owners: Mapping[int, _Owner]) -> dict[int, list[Link]]:
    table = CommentEvent.__table__.c
    out: dict[int, list[Link]] = {}
    rows = session.execute(
        select(*table).where(_between(table.comment_id, owners)).order_by(table.comment_id, table.seq)
    )
    for row in rows:
        name = owners[row.comment_id].name if row.comment_id in owners else ""
        out.setdefault(row.comment_id, []).append(_link(row, name, row.actor_kind))
    return out


def _link(row: Any, chain: str, actor_kind: str) -> Link:
    entry = Entry(
        chain,
        row.seq,
        row.kind,
        row.before,
        row.after,
        actor_kind,
        row.actor_id,
        row.actor_role,
        row.reason,
        row.detail,
        row.at,
    )
    return entry, row.previous_digest, row.digest


def _between(column: Any, owners: Mapping[int, _Owner]) -> Any:
    return column.between(min(owners), max(owners))


def _foreign(session: Session) -> Iterator[ChainBreak]:
    """Entries whose owner is gone: nothing above would read them."""
    for kind, column, owner in (
        ("audit", AuditEvent.chain, AuditChain.chain),
        ("consultation", ConsultationEvent.consultation_id, Consultation.id),
        ("comment", CommentEvent.comment_id, Comment.id),
    ):
        statement = select(column, func.min(_SEQ[kind])).where(column.not_in(select(owner))).group_by(column)
        for key, seq in session.execute(statement):
            yield ChainBreak(kind, f"#{key}", seq, "foreign")


_SEQ = {"audit": AuditEvent.seq, "consultation": ConsultationEvent.seq, "comment": CommentEvent.seq}
