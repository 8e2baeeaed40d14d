"""Every public page has the same bytes, bar tokens, before, during and after a thousand requests (issue 3, 13)."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

from consult.db import Store
from tests.support import casework
from tests.support.factories import make_comment, make_world
from tests.support.servers import Server

REQUESTS, CONNECTIONS, THREADS = 1_000, 8, 4
PAGES = (
    *("/", "/plan/", "/plan/T01/", "/help/", "/offline/", "/privacy/", "/accessibility/", "/status/", "/nowhere/"),
    *("/c/gangyao/", "/c/gangyao/draft/", "/c/gangyao/draft/s1/", "/c/gangyao/draft/s2/", "/c/gangyao/draft/s3/"),
    *("/c/gangyao/comments/", "/c/gangyao/comments/?section=s3", "/c/gangyao/comments/?q=公交", "/c/gangyao/results/"),
    *("/c/gangyao/comments/ZP-0001/", "/c/gangyao/comments/ZP-0009/", "/c/gangyao/comment/?section=s3&block=p6"),
    *("/en/", "/en/c/gangyao/", "/en/c/gangyao/comments/", "/staff/sign-in"),
)
_TOKENS = re.compile(
    rb'(?<=name="csrf_token" value=")[^"]+|(?<=name="captcha_id" value=")[0-9a-f]+|(?<=/captcha/)[0-9a-f]{32}'
)


def read(connection: HTTPConnection, path: str) -> tuple[int, bytes]:
    """The status and the bytes of a page without its tokens."""
    connection.request("GET", path.encode().decode("latin-1") if path.isascii() else _quoted(path))
    answer = connection.getresponse()
    return answer.status, _TOKENS.sub(b"-", answer.read())


def _quoted(path: str) -> str:
    return "".join(char if char.isascii() else "".join(f"%{byte:02X}" for byte in char.encode()) for char in path)


def test_every_public_page_stays_byte_identical_under_load(store: Store, tmp_path: Path) -> None:
    with store.writing() as session:
        world = make_world(session)
        for number in range(1, 8):
            make_comment(
                session, world, body=f"第{number}条：<b>公交</b> & “接驳”\n\n换行", block="p6" if number % 2 else ""
            )
        for number in (1, 2, 3, 4):
            casework.accept(session, world, f"ZP-{number:04d}")
        casework.replied(session, world, "ZP-0005")
    with Server(tmp_path, store.url, workers=2, threads=4) as server:
        server.wait_for_workers()

        def all_pages() -> dict[str, tuple[int, bytes]]:
            with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
                return {path: read(connection, path) for path in PAGES}

        before = all_pages()
        assert {path for path, (status, _) in before.items() if status != 200} == {
            *("/nowhere/", "/c/gangyao/comments/ZP-0009/"),
            *(path for path in ("/c/gangyao/results/",) if before[path][0] == 404),
        }
        connections = [HTTPConnection("127.0.0.1", server.port, timeout=30) for _ in range(CONNECTIONS)]
        share = REQUESTS // THREADS

        def hammer(thread: int) -> Counter[str]:
            mine = connections[thread::THREADS]
            seen: Counter[str] = Counter()
            for number in range(share):
                path = PAGES[(number * 7 + thread) % len(PAGES)]
                same = read(mine[number % len(mine)], path) == before[path]
                seen["same" if same else path] += 1
            return seen

        with ThreadPoolExecutor(THREADS) as pool:
            seen = sum(pool.map(hammer, range(THREADS)), Counter[str]())
        for connection in connections:
            connection.close()
        assert seen == {"same": REQUESTS}
        assert all_pages() == before
