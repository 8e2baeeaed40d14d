"""Work for the background worker: asked for in one transaction, claimed by lease, taken over when a worker dies.

A claim is a lease and a number of the attempt. Whoever holds an old number changes nothing any more: `beat`,
`finish` and `fail` compare it, so a worker that was only slow cannot spoil what its successor does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound
from consult.models.comments import Job

LEASE = timedelta(minutes=2)
ATTEMPTS = 3
_BACK_OFF = timedelta(seconds=30)
_LONGEST_CODE = 40


@dataclass(frozen=True)
class Claim:
    """A job in one worker's hands; `attempt` is what proves it."""

    job_id: int
    kind: str
    params: Mapping[str, Any]
    attempt: int


def ask(
    session: Session, kind: str, params: Mapping[str, object], asked_by: int | None, now: datetime, total: int = 0
) -> int:
    """Store a job to be done and return its id."""
    job = Job(kind=kind, params=dict(params), asked_by=asked_by, created_at=now, total=total)
    session.add(job)
    session.flush()
    return job.id


def claim(session: Session, kinds: tuple[str, ...], now: datetime, job_id: int | None = None) -> Claim | None:
    """Take the oldest job that waits, or whose worker died; None when there is none.

    A job whose third attempt died too is marked as failed. Needs a writing transaction: on SQLite the store is
    locked by it, on PostgreSQL the row is, and rows other workers hold are skipped.
    """
    free = or_(Job.leased_until.is_(None), Job.leased_until <= now)
    conditions = [Job.kind.in_(kinds), or_(Job.state == "waiting", Job.state == "running"), free]
    if job_id is not None:
        conditions.append(Job.id == job_id)
    while True:
        job = session.scalar(
            select(Job).where(*conditions).order_by(Job.created_at, Job.id).limit(1).with_for_update(skip_locked=True)
        )
        if job is None:
            return None
        if job.attempts >= ATTEMPTS:
            _end(job, "failed", now, job.error or "worker_died")
            session.flush()
            continue
        job.state, job.attempts, job.leased_until = "running", job.attempts + 1, now + LEASE
        job.started_at = job.started_at or now
        job.done = 0
        session.flush()
        return Claim(job.id, job.kind, dict(job.params), job.attempts)


def beat(session: Session, held: Claim, done: int, total: int, now: datetime) -> bool:
    """Report progress and hold the lease longer; False when the job was cancelled or taken over."""
    return _change(session, held, {"done": done, "total": total, "leased_until": now + LEASE})


def finish(session: Session, held: Claim, now: datetime) -> bool:
    """Mark a job as done; False when it is no longer the caller's."""
    return _change(session, held, {"state": "done", "finished_at": now, "leased_until": None, "error": ""})


def fail(session: Session, held: Claim, code: str, now: datetime, *, for_good: bool = False) -> bool:
    """Record a failed attempt by its code, never by a message, which might hold personal data (R-53).

    It is tried again after half a minute, a minute; after the third attempt, or `for_good`, it stays failed.
    """
    code = code[:_LONGEST_CODE]
    if for_good or held.attempt >= ATTEMPTS:
        return _change(session, held, {"state": "failed", "finished_at": now, "leased_until": None, "error": code})
    return _change(session, held, {"state": "waiting", "leased_until": now + _BACK_OFF * held.attempt, "error": code})


def give_back(session: Session, held: Claim) -> bool:
    """Put a job back because the worker stops; the attempt is not counted."""
    values = {"state": "waiting", "leased_until": None, "attempts": held.attempt - 1, "done": 0}
    return _change(session, held, values)


def cancel(session: Session, job_id: int, now: datetime) -> bool:
    """Cancel a job that has not ended; False when it has. Its worker notices at the next report.

    Raises:
        NotFound: there is no such job.
    """
    job = session.scalar(select(Job).where(Job.id == job_id).with_for_update())
    if job is None:
        raise NotFound(object="job")
    if job.state not in {"waiting", "running"}:
        return False
    _end(job, "cancelled", now, "")
    session.flush()
    return True


def _end(job: Job, state: str, now: datetime, code: str) -> None:
    job.state, job.finished_at, job.leased_until, job.error = state, now, None, code


def _change(session: Session, held: Claim, values: Mapping[str, object]) -> bool:
    changed = session.execute(
        update(Job)
        .where(and_(Job.id == held.job_id, Job.state == "running", Job.attempts == held.attempt))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)  # type: ignore[attr-defined]
