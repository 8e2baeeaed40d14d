"""Where the time of one page goes, in this process: `python -m bench.profiling section [--lines 25]`.

The figure above the table is the page's CPU time over that of a bare view in the same process, which is kinder than
`x ok` because neither pays for sockets; it is for finding what is expensive, not for quoting.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import io
import logging
import pstats
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy import event

from bench import bare, pages, stores
from consult import clock
from consult.db import Store
from wsgi import build

_POSTED = {
    "captcha_answer": stores.ANSWER,
    "submitter_kind": "individual",
    "name": "张三丰",
    "contact": "13900000000",
    "email": "visitor@example.org",
    "body": "建议在社区食堂门口增设坡道和扶手，方便老人和推婴儿车的人进出。",
    "age_statement": "over_14",
    "consent_process": "yes",
}


@dataclass(frozen=True)
class Opened:
    """The product in this process, on a copy of a seeded store."""

    app: Flask
    store: Store
    section: str
    cookie: str


def open_product(url: str) -> Opened:
    """Build the product on a store; the process's clock is set."""
    clock.start_at(stores.NOW)
    logging.getLogger("kaimen").setLevel(logging.CRITICAL)
    section = pages.busy_section(url)
    cookie = stores.sign_in(url)
    store = Store(url)
    return Opened(build(stores.typed_settings(url), store), store, section, cookie)


def statements(opened: Opened, path: str, cookie: str = "") -> int:
    """Return how many statements one answer takes once the process is warm."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")):
            seen.append(statement)

    client = opened.app.test_client(use_cookies=False)
    headers = {"Cookie": cookie} if cookie else {}
    client.get(path, headers=headers)
    event.listen(opened.store.engine, "before_cursor_execute", note)
    try:
        client.get(path, headers=headers)
    finally:
        event.remove(opened.store.engine, "before_cursor_execute", note)
    return len(seen)


def asker(opened: Opened, name: str, *, anew: bool = False) -> Callable[[], None]:
    """Return a function that asks for one page, or submits one comment (the form is fetched beforehand)."""
    path = pages.address(name, opened.section, anew=anew and name != "submit")
    if name == "submit":
        return _submitter(opened, path)
    headers = {"Cookie": opened.cookie} if name == "queue" else {}
    client = opened.app.test_client(use_cookies=False)

    def ask() -> None:
        answer = client.get(path, headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code}")

    return ask


def _submitter(opened: Opened, path: str) -> Callable[[], None]:
    import re

    forms: list[tuple[Any, dict[str, str]]] = []

    def fetch() -> None:
        client = opened.app.test_client()
        page = client.get(path).text
        names = ("csrf_token", "captcha_id")
        hidden = {name: re.findall(rf'name="{name}" value="([^"]+)"', page)[0] for name in names}
        forms.append((client, {**_POSTED, **hidden, "section": opened.section}))

    def ask() -> None:
        client, fields = forms.pop()
        answer = client.post(path.partition("?")[0], data=fields)
        if answer.status_code != 303:
            raise RuntimeError(f"submit: {answer.status_code}")

    def prepare(n: int) -> None:
        for _ in range(n):
            fetch()

    ask.prepare = prepare  # type: ignore[attr-defined]
    return ask


def milliseconds(ask: Callable[[], None], times: int) -> float:
    """Return the CPU milliseconds of one call, the median of five groups."""
    groups = []
    for _ in range(5):
        getattr(ask, "prepare", lambda _n: None)(times)
        gc.collect()
        began = time.process_time()
        for _ in range(times):
            ask()
        groups.append((time.process_time() - began) * 1000 / times)
    return statistics.median(groups)


def main() -> None:
    """Profile one page and print its most expensive parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*pages.NAMES, "submit"], nargs="+")
    parser.add_argument("--size", type=int, default=1_000)
    parser.add_argument("--lines", type=int, default=25)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--sort", choices=("tottime", "cumtime"), default="tottime")
    parser.add_argument("--anew", action="store_true", help="draw every answer anew, as after each commit")
    parser.add_argument("--only-time", action="store_true")
    given = parser.parse_args()
    url, _folder = stores.sqlite_copy(given.size)
    opened = open_product(url)
    client = bare.app.test_client()

    def bare_view() -> None:
        client.get("/ok")

    ok = milliseconds(bare_view, 400)
    for name in given.name:
        ask = asker(opened, name, anew=given.anew)
        getattr(ask, "prepare", lambda _n: None)(10)
        for _ in range(10):
            ask()
        took = milliseconds(ask, given.times)
        print(f"{name}: {took:.2f} ms, ok {ok:.3f} ms, {took / ok:.1f} × (in this process)")
        if given.only_time:
            continue
        getattr(ask, "prepare", lambda _n: None)(given.times)
        profile = cProfile.Profile()
        profile.enable()
        for _ in range(given.times):
            ask()
        profile.disable()
        out = io.StringIO()
        pstats.Stats(profile, stream=out).sort_stats(given.sort).print_stats(given.lines)
        print(out.getvalue())


if __name__ == "__main__":
    main()
