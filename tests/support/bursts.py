"""Many visitors at once, in processes of their own, and what the store holds afterwards."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from multiprocessing import get_context

from sqlalchemy import text

from consult.db import Store
from tests.support.visitors import ANSWER, FILLED, Page, Visitor, to_port

_TRIES = 120
_PAUSE = 0.25  # seconds between tries while the server is away


@dataclass(frozen=True)
class Attempt:
    """One submission as its sender saw it: the receipt's address, or nothing when none was ever told."""

    body: str
    receipt: str = ""
    status: int = 0


@dataclass(frozen=True)
class Wish:
    """What one process is to send: `count` comments over `threads` visitors. `first` numbers the first."""

    port: int
    first: int
    count: int
    threads: int
    slug: str = "gangyao"


def burst(port: int, total: int, processes: int = 4, threads: int = 4) -> list[Attempt]:
    """Send `total` comments from several processes and return what came of each."""
    share = -(-total // processes)
    wishes = [Wish(port, n * share, min(share, total - n * share), threads) for n in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [attempt for part in pool.map(send_all, wishes) for attempt in part]


def send_all(wish: Wish) -> list[Attempt]:
    """Send a share of the burst; runs in a process of its own."""
    queue = list(range(wish.first, wish.first + wish.count))
    done: list[Attempt] = []
    lock = threading.Lock()

    def work() -> None:
        visitor: Visitor | None = None
        while True:
            with lock:
                if not queue:
                    return
                number = queue.pop()
            if visitor is None:
                visitor = Visitor(to_port(wish.port, timeout=40), wish.slug)
            attempt = _insist(visitor, number)
            with lock:
                done.append(attempt)

    with ThreadPoolExecutor(wish.threads) as pool:
        for future in [pool.submit(work) for _ in range(wish.threads)]:
            future.result()
    return done


def _insist(visitor: Visitor, number: int) -> Attempt:
    """Submit as a stubborn person does: after a broken connection the same form again, then a fresh one."""
    body = f"第{number}号建议：请在示例路口增设过街天桥。"
    status = 0
    for _ in range(_TRIES):
        try:
            fields = _form(visitor, body)
        except (OSError, HTTPException, KeyError):
            time.sleep(_PAUSE)
            continue
        page = _send_until_answered(visitor, fields)
        if page is not None:
            status = page.status
            if status == 303:
                return Attempt(body, page.location, status)
        time.sleep(_PAUSE)
    return Attempt(body, status=status)


def _form(visitor: Visitor, body: str) -> dict[str, str]:
    """A filled-in form with a new challenge; the page itself is opened once, as a script would renew the picture."""
    kept = visitor.memory
    if "csrf_token" not in kept:
        kept |= {"csrf_token": visitor.open_form()["csrf_token"]}
    page = visitor.post("/captcha/", {"csrf_token": kept["csrf_token"], "form": visitor.slug})
    if page.status != 200:
        raise HTTPException(f"no challenge: {page.status}")
    challenge = json.loads(page.text)["id"]
    return {**FILLED, **kept, "captcha_id": challenge, "captcha_answer": ANSWER, "body": body}


def _send_until_answered(visitor: Visitor, fields: dict[str, str]) -> Page | None:
    for _ in range(_TRIES):
        try:
            return visitor.submit(fields)
        except (OSError, HTTPException):
            time.sleep(_PAUSE)
    return None


@dataclass(frozen=True)
class Ledger:
    """What the store holds: comments by their text, and how much belongs to each."""

    bodies: dict[str, int]
    comments: int
    contacts: int
    first_events: int
    events: int
    mails: int
    tally: int
    serials: int
    query_codes: int
    without_contact: int
    without_event: int
    keys: frozenset[str]


def ledger(store: Store) -> Ledger:
    """Count everything a burst leaves."""

    with store.reading() as session:

        def number(statement: str) -> int:
            return int(session.execute(text(statement)).scalar() or 0)

        rows = session.execute(text("SELECT body, count(*) FROM comment GROUP BY body")).all()
        return Ledger(
            bodies={str(body): int(n) for body, n in rows},
            comments=number("SELECT count(*) FROM comment"),
            contacts=number("SELECT count(*) FROM contact_details"),
            first_events=number("SELECT count(*) FROM comment_event WHERE seq = 1 AND kind = 'submit'"),
            events=number("SELECT count(*) FROM comment_event"),
            mails=number("SELECT count(*) FROM outbox"),
            tally=number("SELECT sum(n) FROM comment_tally"),
            serials=number("SELECT count(DISTINCT serial) FROM comment"),
            query_codes=number("SELECT count(DISTINCT query_code_digest) FROM comment"),
            without_contact=number(
                "SELECT count(*) FROM comment WHERE id NOT IN (SELECT comment_id FROM contact_details)"
            ),
            without_event=number("SELECT count(*) FROM comment WHERE id NOT IN (SELECT comment_id FROM comment_event)"),
            keys=frozenset(str(key) for key in session.execute(text("SELECT submission_key FROM comment")).scalars()),
        )


def key_of(receipt: str) -> str:
    """The submission key that a receipt's address names."""
    return receipt.rstrip("/").rpartition("/")[2]
