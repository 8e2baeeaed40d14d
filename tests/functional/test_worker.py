"""The worker: leases, progress, cancelling, dying and taking over; and the real process stopping gracefully."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from consult.db import Store
from consult.domain.errors import NotAllowed, NotFound
from consult.models.comments import Job
from consult.services import jobs
from consult.services.jobs import Claim
from moderation.models import ExportRecord
from moderation.services import exports, work
from moderation.services.work import Interrupted, Parts, Task
from tests.support import casework
from tests.support.factories import NOW, make_comment, make_world

KIND = ("count",)


def ask(store: Store, at: datetime = NOW) -> int:
    with store.writing() as session:
        return jobs.ask(session, "count", {"n": 3}, None, at)


def claim(store: Store, now: datetime = NOW) -> Claim | None:
    with store.writing() as session:
        return jobs.claim(session, KIND, now)


def job(store: Store, number: int) -> Job:
    with store.reading() as session:
        return session.get_one(Job, number)


def parts(store: Store, handler: Callable[..., None], clock: Any = None, **more: Any) -> Parts:
    stop = threading.Event()
    given: dict[str, Any] = {
        "writing": store.writing, "clock": clock or (lambda: NOW), "wait": stop.wait, "stopping": stop.is_set,
        "handlers": {"count": handler},
    }  # fmt: skip
    return Parts(**(given | more))


def finishing(store: Store) -> Callable[[Claim, work.Progress], None]:
    def handler(held: Claim, progress: work.Progress) -> None:
        progress(held.params["n"], held.params["n"])
        with store.writing() as session:
            assert jobs.finish(session, held, NOW)

    return handler


def test_jobs_are_done_oldest_first_each_once(store: Store) -> None:
    later, earlier = ask(store, NOW + timedelta(minutes=1)), ask(store)
    seen: list[int] = []

    def handler(held: Claim, progress: work.Progress) -> None:
        seen.append(held.job_id)
        finishing(store)(held, progress)

    assert work.run(parts(store, handler), once=True) == 2
    assert seen == [earlier, later]
    assert (job(store, earlier).state, job(store, earlier).done, job(store, earlier).total) == ("done", 3, 3)


def test_workers_at_once_never_hold_the_same_job(store: Store) -> None:
    numbers = {ask(store) for _ in range(12)}
    held: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        while (mine := claim(store)) is not None:
            with lock:
                held.append(mine.job_id)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(held) == sorted(numbers)


def test_a_job_of_a_dead_worker_is_taken_over_after_its_lease_and_the_dead_one_changes_nothing(store: Store) -> None:
    number = ask(store)
    dead = claim(store)
    assert dead is not None
    assert claim(store, NOW + jobs.LEASE - timedelta(seconds=1)) is None
    heir = claim(store, NOW + jobs.LEASE)
    assert heir is not None
    assert heir.attempt == 2
    with store.writing() as session:
        assert not jobs.beat(session, dead, 1, 3, NOW)
        assert not jobs.finish(session, dead, NOW)
        assert not jobs.fail(session, dead, "late", NOW)
        assert jobs.beat(session, heir, 2, 3, NOW)
    assert (job(store, number).state, job(store, number).done) == ("running", 2)


def test_a_job_whose_third_worker_dies_too_is_marked_as_failed(store: Store) -> None:
    number, now = ask(store), NOW
    for _ in range(jobs.ATTEMPTS):
        assert claim(store, now) is not None
        now += jobs.LEASE
    assert claim(store, now) is None
    assert (job(store, number).state, job(store, number).error) == ("failed", "worker_died")


def test_a_failed_attempt_waits_and_keeps_a_code_never_a_message(store: Store) -> None:
    number = ask(store)

    def broken(held: Claim, progress: work.Progress) -> None:
        raise ValueError("张三 13800138000")

    assert work.run(parts(store, broken), once=True) == 1
    assert (job(store, number).state, job(store, number).error) == ("waiting", "ValueError")
    assert claim(store, NOW + timedelta(seconds=29)) is None
    now = NOW
    for _ in range(2):
        now += timedelta(minutes=2)
        assert work.run(parts(store, broken, clock=lambda at=now: at), once=True) == 1
    assert job(store, number).state == "failed"


@pytest.mark.parametrize("refusal", [NotAllowed, NotFound])
def test_what_the_rules_refuse_is_not_tried_again(store: Store, refusal: type[Exception]) -> None:
    number = ask(store)

    def refused(held: Claim, progress: work.Progress) -> None:
        raise refusal

    work.run(parts(store, refused), once=True)
    assert (job(store, number).state, job(store, number).attempts) == ("failed", 1)


def test_a_cancelled_job_stops_at_its_next_report(store: Store) -> None:
    number = ask(store)
    reached: list[str] = []

    def handler(held: Claim, progress: work.Progress) -> None:
        progress(1, 3)
        with store.writing() as session:
            assert jobs.cancel(session, number, NOW)
        progress(3, 3)
        reached.append("past the cancellation")

    work.run(parts(store, handler), once=True)
    assert reached == []
    assert job(store, number).state == "cancelled"
    with store.writing() as session:
        assert not jobs.cancel(session, number, NOW)


def test_stopping_gives_the_job_back_without_counting_the_attempt(store: Store) -> None:
    number, stop = ask(store), threading.Event()

    def handler(held: Claim, progress: work.Progress) -> None:
        stop.set()
        with pytest.raises(Interrupted):
            progress(1, 3)
        raise Interrupted

    work.run(parts(store, handler, stopping=stop.is_set))
    assert (job(store, number).state, job(store, number).attempts) == ("waiting", 0)


def test_tasks_run_at_their_intervals_also_during_a_long_job_and_a_broken_one_stops_nothing(store: Store) -> None:
    ask(store)
    now = [NOW]
    ran: list[datetime] = []

    def broken(at: datetime) -> int:
        raise RuntimeError

    def handler(held: Claim, progress: work.Progress) -> None:
        for done in range(4):
            now[0] += timedelta(seconds=20)
            progress(done, 4)
        finishing(store)(held, progress)

    tasks = [
        Task("broken", timedelta(minutes=1), broken),
        Task("t", timedelta(seconds=30), lambda at: ran.append(at) or 0),
    ]
    work.run(parts(store, handler, clock=lambda: now[0], tasks=tasks), once=True)
    assert ran == [NOW, NOW + timedelta(seconds=40), NOW + timedelta(seconds=80)]


def environment(store_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    return kept | {"CONSULT_ENV": "test", "CONSULT_DATABASE_URL": store_url}


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    give_up = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < give_up
        time.sleep(0.1)


def test_the_real_worker_makes_an_export_and_stops_gracefully(store: Store, store_url: str, tmp_path: Path) -> None:
    with store.writing() as session:
        world = make_world(session)
        ref = make_comment(session, world).receipt_no
        casework.assigned(session, world, ref)
        number = exports.open_operators_export(
            session, exports.Criteria(unit_id=world.units["JTW"]), NOW + timedelta(hours=1), NOW + timedelta(hours=1)
        )
    command = [sys.executable, "-m", "moderation.cli", "worker"]
    with subprocess.Popen(command, env=environment(store_url), cwd=tmp_path, stderr=subprocess.PIPE) as process:
        try:
            until(lambda: done(store, number))
        finally:
            process.send_signal(signal.SIGTERM)
        log = process.stderr.read().decode() if process.stderr else ""
        assert process.wait(timeout=20) == 0
    assert "job_done" in log
    with store.reading() as session:
        record = session.get_one(ExportRecord, number)
        assert record.rows == 1
        assert len(record.sha256) == 64


def done(store: Store, number: int) -> bool:
    with store.reading() as session:
        return session.get_one(ExportRecord, number).finished_at is not None


def test_the_command_line_exports_a_unit_and_records_it(store: Store, store_url: str, tmp_path: Path) -> None:
    with store.writing() as session:
        world = make_world(session)
        mine, other = (make_comment(session, world).receipt_no for _ in range(2))
        casework.assigned(session, world, mine)
        casework.assigned(session, world, other, lead="FGJ")
    out = tmp_path / "out.xlsx"
    command = [sys.executable, "-m", "moderation.cli", "export", "opinions", "--unit", "JTW", "-o", str(out)]
    told = subprocess.run(command, env=environment(store_url), cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stderr
    book = openpyxl.load_workbook(out)
    assert [row[1] for row in book.worksheets[0].iter_rows(min_row=2, values_only=True)] == [mine]
    book.close()
    with store.reading() as session:
        (record,) = session.query(ExportRecord).all()
        assert (record.staff_id, record.rows) == (None, 1)
        assert record.sha256 in told.stdout
    wrong = subprocess.run(
        [*command[:-3], "NOBODY", "-o", str(tmp_path / "no.xlsx")], env=environment(store_url), cwd=tmp_path,
        capture_output=True, text=True,
    )  # fmt: skip
    assert wrong.returncode == 1
    assert wrong.stderr.count("\n") == 1
    assert not (tmp_path / "no.xlsx").exists()
