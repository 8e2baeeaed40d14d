"""Rate limits under real gunicorn: with four workers a limit of N admits N (issue 3, 7).

The limit is the settled one: six accepted comments an hour and address.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from consult.db import Store
from tests.support import stores
from tests.support.bursts import ledger
from tests.support.factories import NOW, make_world
from tests.support.servers import Server
from tests.support.visitors import Page, Visitor, error_fields, form_fields, to_port

N = 6
FILL_TIME = 4.3  # seconds a person takes at least


@pytest.fixture(
    params=[
        "side_file",
        pytest.param("postgresql", marks=pytest.mark.postgres),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Store, dict[str, str]]]:
    """Where the counters lie: (name, the comment store, further settings)."""
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
    yield request.param, store, environ
    store.dispose()
    if request.param == "postgresql":
        stores.drop_postgres(server, url)


def everyone(visitors: list[Visitor], forms: list[dict[str, str]]) -> list[Page]:
    """All send their form at the same moment."""
    with ThreadPoolExecutor(len(visitors)) as pool:
        return list(pool.map(lambda pair: pair[0].submit(pair[1]), zip(visitors, forms, strict=True)))


def test_four_workers_admit_exactly_n_whatever_the_headers_say_and_after_a_restart(
    backend: tuple[str, Store, dict[str, str]], tmp_path: Path
) -> None:
    name, store, environ = backend
    environ |= {"CONSULT_LIMITS": "on", "CONSULT_TRUSTED_PROXIES": "0"}
    with Server(tmp_path, store.url, workers=4, threads=4, **environ) as server:
        server.wait_for_workers()
        visitors = [
            # Every one claims another address; none of these headers may be believed.
            Visitor(
                to_port(server.port),
                headers={
                    "X-Forwarded-For": f"203.0.113.{n}",
                    "X-Real-IP": f"198.51.100.{n}",
                    "Forwarded": f"for=1.2.3.{n}",
                },
            )
            for n in range(14)
        ]
        forms = [one.filled(body=f"第{n}条建议：请增设过街天桥一座。") for n, one in enumerate(visitors)]
        time.sleep(FILL_TIME)
        pages = everyone(visitors, forms)
    admitted = Counter(page.status for page in pages)
    print(f"\n{name}: four workers, limit {N}: {dict(admitted)}")
    assert admitted == {303: N, 429: len(visitors) - N}
    assert ledger(store).comments == N
    for page, form in zip(pages, forms, strict=True):
        if page.status == 429:
            assert 0 < int(page.headers["retry-after"]) <= 3_700
            assert form_fields(page.text)["body"] == form["body"]
            assert form_fields(page.text)["name"] == form["name"]
    # a restart a minute later forgets nothing
    environ["CONSULT_NOW"] = (NOW + timedelta(minutes=1)).isoformat()
    with Server(tmp_path, store.url, workers=4, threads=4, **environ) as server:
        late = Visitor(to_port(server.port), headers={"X-Forwarded-For": "203.0.113.200"})
        form = late.filled()
        time.sleep(FILL_TIME)
        assert late.submit(form).status == 429
    assert ledger(store).comments == N


def test_a_form_sent_back_within_four_seconds_is_refused_and_kept(sqlite_template: Path, tmp_path: Path) -> None:
    store = stores.open_store(stores.copy_sqlite(sqlite_template, tmp_path))
    with store.writing() as session:
        make_world(session)
    with Server(tmp_path, store.url, CONSULT_LIMITS="on") as server:
        visitor = Visitor(to_port(server.port))
        form = visitor.filled()
        page = visitor.submit(form)
        assert page.status == 422
        assert list(error_fields(page.text)) == ["captcha_answer"]
        again = form_fields(page.text)
        assert again["body"] == form["body"]
        time.sleep(FILL_TIME)
        assert visitor.submit({**again, "captcha_answer": form["captcha_answer"]}).status == 303
    store.dispose()
