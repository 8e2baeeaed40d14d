"""Twenty clicks on one button under real gunicorn: one comment, one receipt (R-17, R-18)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from consult.db import Store
from tests.support import stores
from tests.support.bursts import ledger
from tests.support.factories import make_world
from tests.support.servers import Server
from tests.support.visitors import Visitor, to_port

CLICKS = 20
ROUNDS = 4


@pytest.fixture(
    params=[
        "side_file",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Store]]:
    """Four workers, with challenges on the side file, on PostgreSQL or in Redis."""
    environ: dict[str, str] = {}
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_url")
        url = stores.copy_postgres(server, request.getfixturevalue("postgres_template"))
    else:
        url = stores.copy_sqlite(request.getfixturevalue("sqlite_template"), tmp_path)
        if request.param == "redis":
            environ["CONSULT_REDIS_URL"] = request.getfixturevalue("empty_redis_url")
    store = stores.open_store(url)
    with store.writing() as session:
        make_world(session)
    with Server(tmp_path, store.url, workers=4, threads=8, **environ) as gunicorn:
        gunicorn.wait_for_workers()
        yield gunicorn, store
    store.dispose()
    if request.param == "postgresql":
        stores.drop_postgres(server, url)


def test_r18_twenty_parallel_posts_of_one_answer_make_one_comment_and_lead_to_one_receipt(
    running: tuple[Server, Store],
) -> None:
    server, store = running
    for number in range(1, ROUNDS + 1):
        visitor = Visitor(to_port(server.port))
        form = visitor.filled()
        clicks = [Visitor(to_port(server.port), cookies=dict(visitor.cookies)) for _ in range(CLICKS)]
        with ThreadPoolExecutor(CLICKS) as pool:
            pages = list(pool.map(lambda one, form=form: one.submit(form), clicks))
        assert [page.status for page in pages] == [303] * CLICKS
        assert len({page.location for page in pages}) == 1
        assert ledger(store).comments == number
        assert f"ZP-{number:04d}" in visitor.get(pages[0].location).text


def test_twelve_visitors_racing_for_one_answer_get_one_comment_at_most(running: tuple[Server, Store]) -> None:
    server, store = running
    owner = Visitor(to_port(server.port))
    form = owner.filled()
    thieves = [Visitor(to_port(server.port)) for _ in range(11)]
    forms = [form]
    forms += [{**form, "csrf_token": thief.open_form()["csrf_token"]} for thief in thieves]
    with ThreadPoolExecutor(12) as pool:
        pages = list(pool.map(lambda pair: pair[0].submit(pair[1]), zip([owner, *thieves], forms, strict=True)))
    assert [page.status for page in pages] == [303] + [422] * 11
    assert ledger(store).comments == 1
