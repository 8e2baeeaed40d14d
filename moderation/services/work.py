"""The background worker's loop: jobs by lease, and tasks at intervals (mail, deadlines, expiry of files).

One process, one thread. While a long job runs, each of its progress reports also lets the tasks have their turn, so
that mail does not wait for a large export. Times come from the clock that is handed in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from consult.domain.errors import DomainError, StoreUnavailable
from consult.services import jobs
from consult.services.jobs import Claim

log = logging.getLogger("kaimen")

Opener = Callable[[], AbstractContextManager[Session]]
Progress = Callable[[int, int], None]
Handler = Callable[[Claim, Progress], None]
"""Does one kind of job and ends it; it reports rows done and rows in all, which may raise `Interrupted`."""

_BEAT_EVERY = timedelta(seconds=2)


class Interrupted(Exception):  # noqa: N818 - not a fault
    """The job was cancelled or taken over, or the worker is to stop; the handler lets it pass."""


@dataclass
class Task:
    """Something done every `every`, first at once; it must be safe to run late, twice and by several workers."""

    name: str
    every: timedelta
    run: Callable[[datetime], int]
    due: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Parts:
    """What the loop is made of.

    Attributes:
        writing: opens a writing session.
        clock: the present moment.
        wait: waits that many seconds, or less when the worker is to stop.
        stopping: whether it is to stop.
        handlers: what does each kind of job.
        tasks: what is done at intervals.
    """

    writing: Opener
    clock: Callable[[], datetime]
    wait: Callable[[float], object]
    stopping: Callable[[], bool]
    handlers: Mapping[str, Handler]
    tasks: Sequence[Task] = ()
    idle_seconds: float = 2.0


def run(parts: Parts, *, once: bool = False) -> int:
    """Work until told to stop; with `once` until nothing waits. Return how many jobs were tried."""
    tried = 0
    while not parts.stopping():
        _run_tasks(parts)
        if _one_job(parts):
            tried += 1
        elif once:
            break
        else:
            parts.wait(parts.idle_seconds)
    return tried


def _run_tasks(parts: Parts) -> None:
    for task in parts.tasks:
        now = parts.clock()
        if parts.stopping() or (task.due is not None and now < task.due):
            continue
        task.due = now + task.every
        try:
            done = task.run(now)
        except DomainError as error:
            log.warning("task_failed", extra={"detail": task.name, "error": error.code})
        except Exception as error:  # noqa: BLE001 - one broken task must not stop the others
            # The class only: a message may hold what must not be logged.
            log.error("task_failed", extra={"detail": task.name, "error": type(error).__name__})  # noqa: TRY400
        else:
            if done:
                log.info("task_done", extra={"detail": f"{task.name} {done}"})


def _one_job(parts: Parts) -> bool:
    try:
        with parts.writing() as session:
            held = jobs.claim(session, tuple(parts.handlers), parts.clock())
    except StoreUnavailable:
        return False
    if held is None:
        return False
    pulse = _Pulse(parts, held)
    try:
        parts.handlers[held.kind](held, pulse)
    except Interrupted:
        if not pulse.lost:
            _settle(parts, lambda session: jobs.give_back(session, held))
        log.info("job_interrupted", extra={"detail": f"{held.kind} {held.job_id}{' lost' if pulse.lost else ''}"})
    except StoreUnavailable as error:
        _failed(parts, held, error.code, for_good=False)
    except DomainError as error:
        # The rules say no, and will say so again.
        _failed(parts, held, error.code, for_good=True)
    except Exception as error:  # noqa: BLE001 - a broken job must not end the worker
        _failed(parts, held, type(error).__name__, for_good=False)
    else:
        log.info("job_done", extra={"detail": f"{held.kind} {held.job_id}"})
    return True


def _failed(parts: Parts, held: Claim, code: str, *, for_good: bool) -> None:
    log.error("job_failed", extra={"detail": f"{held.kind} {held.job_id} attempt {held.attempt}", "error": code})
    _settle(parts, lambda session: jobs.fail(session, held, code, parts.clock(), for_good=for_good))


def _settle(parts: Parts, change: Callable[[Session], object]) -> None:
    try:
        with parts.writing() as session:
            change(session)
    except StoreUnavailable:
        # The lease runs out and somebody takes the job over.
        log.warning("job_not_settled")


class _Pulse:
    """What a job reports to: it keeps the lease, notices a cancellation, and lets the tasks have their turn."""

    def __init__(self, parts: Parts, held: Claim) -> None:
        self._parts = parts
        self._held = held
        self._last: datetime | None = None
        self.lost = False

    def __call__(self, done: int, total: int) -> None:
        """Report progress.

        Raises:
            Interrupted: stop now; nothing of the job is to be kept.
        """
        now = self._parts.clock()
        if self._parts.stopping():
            raise Interrupted
        if self._last is not None and now - self._last < _BEAT_EVERY and done < total:
            return
        self._last = now
        with self._parts.writing() as session:
            self.lost = not jobs.beat(session, self._held, done, total, now)
        if self.lost:
            raise Interrupted
        _run_tasks(self._parts)
