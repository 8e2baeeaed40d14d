"""kill -9 in a burst of 2,000 submissions: nothing that got a receipt is lost, nothing is doubled (issue 3, 12)."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from consult.db import Store
from tests.support.bursts import burst, key_of, ledger
from tests.support.factories import make_world
from tests.support.servers import Server

TOTAL = 2_000
WORKERS_KILLED_AT_MOST = 10  # each start of a worker takes seconds of the machine that also sends

pytestmark = pytest.mark.slow


class Reaper(threading.Thread):
    """Kills workers at random moments, and once everything, which is then started again."""

    def __init__(self, server: Server, seed: int) -> None:
        super().__init__(daemon=True)
        self._server, self._dice, self._over = server, random.Random(seed), threading.Event()
        self.workers_killed = self.restarts = 0

    def run(self) -> None:
        while not self._over.wait(self._dice.uniform(2.0, 9.0)):
            if self.workers_killed >= 2 and not self.restarts:
                self._server.kill()
                self._server.start()
                self.restarts += 1
            elif self.workers_killed < WORKERS_KILLED_AT_MOST and self._server.kill_worker(self._dice.randrange(100)):
                self.workers_killed += 1

    def end(self) -> None:
        """Stop killing."""
        self._over.set()
        self.join()


def test_kill_9_in_a_burst_loses_no_answered_submission_and_doubles_none(
    store: Store, store_kind: str, tmp_path: Path
) -> None:
    with store.writing() as session:
        make_world(session)
    workers, threads = (4, 8) if store_kind == "postgresql" else (2, 8)
    with Server(tmp_path, store.url, workers=workers, threads=threads) as server:
        reaper = Reaper(server, seed=20231117)
        began = time.monotonic()
        reaper.start()
        try:
            attempts = burst(server.port, TOTAL, processes=3, threads=3)
        finally:
            reaper.end()
        took = time.monotonic() - began
    found = ledger(store)
    answered = [attempt for attempt in attempts if attempt.receipt]
    lost = [attempt.body for attempt in answered if attempt.body not in found.bodies]
    doubled = {body: n for body, n in found.bodies.items() if n > 1}
    print(
        f"\n{store_kind}: {len(answered)} of {TOTAL} got a receipt in {took:.0f} s over {reaper.workers_killed} killed"
        f" workers and {reaper.restarts} restart; lost {len(lost)}, doubled {len(doubled)},"
        f" stored but never told {found.comments - len(answered)}"
    )
    assert reaper.workers_killed >= 3
    assert reaper.restarts == 1
    assert len(attempts) == TOTAL
    assert len(answered) == TOTAL, "every sender tried until it had a receipt"
    assert lost == []
    assert {key_of(attempt.receipt) for attempt in answered} <= found.keys, "a receipt without its comment"
    assert len({attempt.receipt for attempt in answered}) == TOTAL, "two submissions share a receipt"
    # A body may be there twice only when its sender never heard of the first and wrote again.
    unheard = found.comments - TOTAL
    assert sum(n - 1 for n in doubled.values()) == unheard
    assert found.contacts == found.first_events == found.events == found.mails == found.tally == found.comments
    assert found.serials == found.query_codes == found.comments
    assert (found.without_contact, found.without_event) == (0, 0)
    assert unheard == 0, "the same form sent again after a broken connection made a second comment"
