"""SIGTERM while people are sending: who is being served is answered, and nothing answered is lost (issue 3, 12)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

from consult.db import Store
from tests.support.bursts import ledger
from tests.support.factories import make_world
from tests.support.servers import Server
from tests.support.visitors import Visitor, to_port

SENDERS = 48


def test_a_graceful_stop_answers_who_is_being_served_and_loses_nothing(
    store: Store, store_kind: str, tmp_path: Path
) -> None:
    with store.writing() as session:
        make_world(session)
    with Server(tmp_path, store.url, workers=2, threads=8) as server:
        server.wait_for_workers()
        visitors = [Visitor(to_port(server.port, timeout=30)) for _ in range(SENDERS)]
        forms = [one.filled(body=f"第{n}条建议：请增设过街天桥一座。") for n, one in enumerate(visitors)]

        def send(number: int) -> int:
            time.sleep(number * 0.01)
            try:
                return visitors[number].submit(forms[number]).status
            except (OSError, HTTPException):
                return 0  # never let in: the listening socket was gone

        with ThreadPoolExecutor(SENDERS) as pool:
            waiting = [pool.submit(send, n) for n in range(SENDERS)]
            time.sleep(0.15)
            server.ask_to_stop()
            answers = [one.result() for one in waiting]
        seconds = server.stop()
    answered = [n for n, status in enumerate(answers) if status == 303]
    found = ledger(store)
    print(f"\n{store_kind}: {len(answered)} of {SENDERS} answered, {found.comments} stored, {seconds:.1f} s")
    assert set(answers) <= {303, 0}
    assert answered, "the stop came before anybody was served"
    # Exactly the answered ones: none lost, and none stored whose sender was not told.
    assert found.bodies == {forms[n]["body"]: 1 for n in answered}
    assert found.contacts == found.events == found.comments
    assert seconds < 25
