"""The audit log: what staff did outside a comment's own log, in the transaction that did it (R-98).

One chain per actor, and chain 0 for everybody who is not signed in: a single chain would serialise all
writing. The chain's row is locked while an entry is appended, so numbers have no gaps.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from consult.domain.event_chain import Entry, digest_of
from moderation.models import AuditChain, AuditEvent

NOT_SIGNED_IN = 0
DONE = "done"
REFUSED = "refused"
_LONGEST = 40  # the width of a word column


@dataclass(frozen=True)
class By:
    """Who acts: the account (None: nobody signed in, or the command line), in which role, from where.

    `address` is the client's address, already encrypted; it is kept nowhere else (R-98).
    """

    actor_id: int | None
    role: str
    address: bytes | None = None


COMMAND_LINE = By(None, "system")


def record(
    session: Session,
    by: By,
    action: str,
    now: datetime,
    *,
    object_kind: str = "",
    object_ref: str = "",
    result: str = DONE,
    detail: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Append one entry to the actor's chain.

    `detail` holds what JSON can say, and no personal data, password or comment text (R-53).
    """
    chain = lock_chain(session, by.actor_id or NOT_SIGNED_IN)
    event = AuditEvent(
        chain=chain.chain,
        seq=chain.seq + 1,
        at=now,
        actor_id=by.actor_id,
        actor_role=by.role,
        action=action,
        object_kind=object_kind,
        object_ref=object_ref[:_LONGEST],
        result=result,
        detail=dict(detail or {}),
        address=by.address,
        previous_digest=chain.head,
    )
    event.digest = digest_of(entry_of(event), chain.head)
    chain.seq, chain.head = event.seq, event.digest
    session.add(event)
    session.flush()
    return event


def lock_chain(session: Session, number: int) -> AuditChain:
    """Return the head of a chain, made when it is new, locked until the transaction ends."""
    table: Any = AuditChain.__table__
    dialect = session.get_bind().dialect.name
    insert: Any = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    session.execute(insert.values(chain=number, seq=0, head="").on_conflict_do_nothing())
    # A head read earlier in this transaction may be older than the lock.
    statement = select(AuditChain).where(AuditChain.chain == number).with_for_update()
    return session.scalars(statement, execution_options={"populate_existing": True}).one()


def entry_of(event: AuditEvent | Row[Any]) -> Entry:
    """Return what the digest of an audit entry covers: every column, the address by its own digest."""
    detail: dict[str, object] = dict(event.detail)
    if event.address is not None:
        detail["address_digest"] = hashlib.sha256(event.address).hexdigest()
    return Entry(
        chain=f"audit:{event.chain}",
        seq=event.seq,
        kind=event.action,
        before=event.object_kind,
        after=event.object_ref,
        actor_kind="staff" if event.actor_id else "",
        actor_id=event.actor_id,
        actor_role=event.actor_role,
        reason=event.result,
        detail=detail,
        at=event.at,
    )
