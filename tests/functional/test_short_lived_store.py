"""One behaviour of three stores: side file, PostgreSQL, Redis."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from consult.domain import challenge as challenges
from consult.domain.challenge import Challenge, Spent, Verdict
from consult.domain.errors import StoreUnavailable
from consult.gateways.short_lived_fallback import FallbackShortLivedStore
from consult.gateways.short_lived_redis import RedisShortLivedStore
from consult.gateways.short_lived_sql import SqliteShortLivedStore
from consult.gateways.short_lived_store import ShortLivedStore, open_short_lived_store
from tests.support.racing import RACERS, meet
from tests.support.real_servers import running_redis

NOW = datetime(2023, 8, 1, 1, 2, 3, 456789, tzinfo=UTC)
LATER = NOW + timedelta(minutes=20)
KEY = b"k" * 32
VISITOR = challenges.digest_visitor(KEY, "session one")
STRANGER = challenges.digest_visitor(KEY, "session two")
FORM = "zhongqi-pinggu"
PLACES = [
    "side file",
    pytest.param("postgresql", marks=pytest.mark.postgres),
    pytest.param("redis", marks=pytest.mark.redis),
]
Place = tuple[str, str, Path]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The three settings that choose the store."""
    side_file = tmp_path / "var" / "short-lived.db"
    if request.param == "postgresql":
        return request.getfixturevalue("empty_postgres_url"), "", side_file
    if request.param == "redis":
        return "sqlite:///unused.db", request.getfixturevalue("empty_redis_url"), side_file
    return "sqlite:///unused.db", "", side_file


@pytest.fixture
def store(place: Place) -> Iterator[ShortLivedStore]:
    """The chosen store, closed afterwards."""
    with closing(open_short_lived_store(*place)) as opened:
        yield opened


def a_challenge(answer: str = "3CEFH", seed: int = 1, **changes: object) -> Challenge:
    """A challenge of VISITOR for FORM, issued now."""
    new_id = challenges.new_id(random.Random(seed))
    values = {
        "id": new_id,
        "visitor": VISITOR,
        "form": FORM,
        "answer_digest": challenges.digest_answer(KEY, new_id, answer),
        "issued_at": NOW,
        "expires_at": LATER,
        "drawing": b"\x89PNG\x00\xff drawing",
    }
    return Challenge(**(values | changes))  # type: ignore[arg-type]


def spend_three_times_in_another_process(place: Place, challenge_id: str, start: Path) -> int:
    """Open a store as another worker would, wait for the others and try to spend; return how often it did."""
    with closing(open_short_lived_store(*place)) as opened:
        opened.ping()
        meet(start)
        return [opened.spend(challenge_id, VISITOR, FORM, NOW) is not None for _ in range(3)].count(True)


def test_drawing_comes_back_byte_for_byte_to_its_visitor_only(store: ShortLivedStore) -> None:
    made = a_challenge(drawing=bytes(range(256)))
    store.create_challenge(made)
    assert store.drawing(made.id, VISITOR, NOW) == bytes(range(256))
    assert store.drawing(made.id, STRANGER, NOW) is None
    assert store.drawing("0" * 32, VISITOR, NOW) is None


def test_r17_spent_challenge_carries_what_is_needed_to_judge_and_is_gone(store: ShortLivedStore) -> None:
    made = a_challenge("3CEFH")
    store.create_challenge(made)
    spent = store.spend(made.id, VISITOR, FORM, NOW + timedelta(seconds=9))
    assert spent == Spent(made.id, made.answer_digest, None, NOW)
    assert challenges.judge(KEY, spent, "3ceｆh") is Verdict.BY_EYE
    assert store.spend(made.id, VISITOR, FORM, NOW + timedelta(seconds=10)) is None
    assert store.drawing(made.id, VISITOR, NOW) is None


def test_r17_another_visitor_or_form_cannot_spend_and_does_not_destroy(store: ShortLivedStore) -> None:
    made = a_challenge()
    store.create_challenge(made)
    assert store.spend(made.id, STRANGER, FORM, NOW) is None
    assert store.spend(made.id, VISITOR, "another-form", NOW) is None
    assert store.spend(made.id, VISITOR, FORM, NOW) is not None


def test_r17_challenge_lives_to_the_microsecond_and_no_longer(store: ShortLivedStore) -> None:
    for seed, moment, alive in ((1, LATER - timedelta(microseconds=1), True), (2, LATER, False)):
        made = a_challenge(seed=seed)
        store.create_challenge(made)
        assert (store.drawing(made.id, VISITOR, moment) is not None) is alive
        assert (store.attach_sound(made.id, VISITOR, b"d", b"wav", moment) is not None) is alive
        assert (store.spend(made.id, VISITOR, FORM, moment) is not None) is alive


def test_first_sound_stays_and_its_answer_is_accepted_by_ear(store: ShortLivedStore) -> None:
    made = a_challenge("3CEFH")
    store.create_challenge(made)
    assert store.sound(made.id, VISITOR, NOW) is None
    first = challenges.digest_answer(KEY, made.id, "012345")
    second = challenges.digest_answer(KEY, made.id, "999999")
    assert store.attach_sound(made.id, STRANGER, first, b"x", NOW) is None
    assert store.attach_sound(made.id, VISITOR, first, b"RIFF one", NOW) == b"RIFF one"
    assert store.attach_sound(made.id, VISITOR, second, b"RIFF two", NOW) == b"RIFF one"
    assert store.sound(made.id, VISITOR, NOW) == b"RIFF one"
    spent = store.spend(made.id, VISITOR, FORM, NOW)
    assert spent is not None
    assert challenges.judge(KEY, spent, "０１２ 345") is Verdict.BY_EAR
    assert challenges.judge(KEY, spent, "999999") is Verdict.WRONG
    assert challenges.judge(KEY, spent, "3CEFH") is Verdict.BY_EYE


def test_r17_twelve_parallel_spends_by_threads_succeed_exactly_once(store: ShortLivedStore) -> None:
    for seed in range(5):
        made = a_challenge(seed=seed)
        store.create_challenge(made)
        with ThreadPoolExecutor(12) as pool:
            jobs = [pool.submit(store.spend, made.id, VISITOR, FORM, NOW) for _ in range(12)]
            assert [job.result() is not None for job in jobs].count(True) == 1


def test_r17_twelve_spends_by_four_processes_at_once_succeed_exactly_once(
    store: ShortLivedStore, place: Place, processes: Executor, tmp_path: Path
) -> None:
    for seed in range(3):
        made = a_challenge(seed=seed)
        store.create_challenge(made)
        starts = [tmp_path / f"start {seed}"] * RACERS
        won = processes.map(spend_three_times_in_another_process, [place] * RACERS, [made.id] * RACERS, starts)
        assert sum(won) == 1


def test_challenge_survives_the_process_that_made_it(store: ShortLivedStore, place: Place) -> None:
    made = a_challenge()
    store.create_challenge(made)
    store.close()
    with closing(open_short_lived_store(*place)) as restarted:
        assert restarted.drawing(made.id, VISITOR, NOW) == made.drawing


def test_receipt_is_told_to_its_visitor_only_until_its_end(store: ShortLivedStore) -> None:
    until = NOW + timedelta(minutes=30)
    store.put_receipt("abc", VISITOR, b"\x00encrypted", NOW, until)
    assert store.get_receipt("abc", VISITOR, until - timedelta(seconds=1)) == b"\x00encrypted"
    assert store.get_receipt("abc", VISITOR, NOW) == b"\x00encrypted"
    assert store.get_receipt("abc", STRANGER, NOW) is None
    assert store.get_receipt("abc", VISITOR, until) is None
    assert store.get_receipt("abd", VISITOR, NOW) is None


def test_value_is_replaced_read_and_taken_once(store: ShortLivedStore) -> None:
    store.put("draft", b"one", NOW, LATER)
    store.put("draft", b"two", NOW, LATER)
    assert store.get("draft", NOW) == b"two"
    assert store.pop("draft", LATER) is None
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: store.pop("draft", NOW), range(8)))
    assert (taken.count(b"two"), taken.count(None)) == (1, 7)
    assert store.get("draft", NOW) is None


def test_value_receipt_mark_and_count_of_one_name_do_not_meet(store: ShortLivedStore) -> None:
    store.put("same", b"value", NOW, LATER)
    store.put_receipt("same", b"", b"receipt", NOW, LATER)
    assert store.used_once("same", NOW, LATER)
    assert store.count("same", 1, timedelta(minutes=1), NOW) == 1
    assert store.get("same", NOW) == b"value"
    assert store.get_receipt("same", b"", NOW) == b"receipt"


def test_key_is_used_once_until_its_end_and_then_again(store: ShortLivedStore) -> None:
    with ThreadPoolExecutor(12) as pool:
        first = list(pool.map(lambda _: store.used_once("altcha", NOW, LATER), range(12)))
    assert first.count(True) == 1
    assert not store.used_once("altcha", LATER - timedelta(microseconds=1), LATER)
    assert store.used_once("altcha", LATER, LATER + timedelta(minutes=1))
    assert not store.used_once("altcha", LATER, LATER + timedelta(minutes=1))


def test_count_opens_a_window_with_the_first_hit_and_starts_again_after_it(store: ShortLivedStore) -> None:
    window = timedelta(minutes=10)
    ends = NOW + window
    assert store.read_count("who", NOW).hits == 0
    assert [store.count("who", 1, window, NOW) for _ in range(3)] == [1, 2, 3]
    assert store.count("who", 2, window, ends - timedelta(microseconds=1)) == 5
    assert store.read_count("who", NOW).hits == 5
    assert store.read_count("who", NOW).ends_at == ends
    assert store.read_count("who", ends).hits == 0
    assert store.count("who", 1, window, ends) == 1
    assert store.count("else", 1, window, ends) == 1
    store.clear_count("who")
    assert store.read_count("who", ends).ends_at is None
    assert store.clear_counts() == 1


def test_window_opened_before_the_clock_was_set_back_does_not_lock_anybody_out(
    store: ShortLivedStore,
) -> None:
    window = timedelta(minutes=10)
    store.count("who", 9, window, NOW + timedelta(days=2))
    assert store.count("who", 1, window, NOW) == 1
    assert store.count("who", 1, window, NOW - timedelta(seconds=1)) == 2


@pytest.mark.parametrize("place", PLACES[:2], indirect=True)
def test_purge_deletes_what_is_past_its_end_and_nothing_else(store: ShortLivedStore) -> None:
    old = a_challenge(seed=1)
    young = a_challenge(seed=2, expires_at=LATER + timedelta(seconds=1))
    store.create_challenge(old)
    store.create_challenge(young)
    store.put("v", b"", NOW, LATER)
    store.count("c", 1, timedelta(minutes=1), NOW)
    assert store.purge(LATER) == 3
    assert store.drawing(young.id, VISITOR, NOW) is not None
    assert store.drawing(old.id, VISITOR, NOW) is None


@pytest.mark.parametrize("place", PLACES[:2], indirect=True)
def test_writing_sweeps_expired_challenges_by_and_by(store: ShortLivedStore) -> None:
    for seed in range(150):
        store.create_challenge(a_challenge(seed=seed))
    for _ in range(70):
        store.count("c", 1, timedelta(days=1), LATER)
    assert store.purge(LATER) == 0


def test_redis_forgets_a_challenge_by_itself(empty_redis_url: str, tmp_path: Path) -> None:
    import redis

    with (
        closing(open_short_lived_store("", empty_redis_url, tmp_path / "none")) as store,
        redis.Redis.from_url(empty_redis_url) as client,
    ):
        made = a_challenge()
        store.create_challenge(made)
        store.put_receipt("r", VISITOR, b"x", NOW, NOW + timedelta(minutes=30))
        store.count("c", 1, timedelta(minutes=10), NOW)
        store.used_once("o", NOW, NOW + timedelta(minutes=5))
        lives = {str(key, "ascii"): client.pttl(key) for key in client.keys("*")}
    minutes = {name.split(":")[1]: round(life / 60_000) for name, life in lives.items()}
    assert minutes == {"challenge": 20, "receipt": 30, "count": 10, "once": 5}


@pytest.mark.postgres
def test_postgresql_tables_are_unlogged_and_out_of_the_way_of_migrations(
    empty_postgres_url: str,
    tmp_path: Path,
) -> None:
    with closing(open_short_lived_store(empty_postgres_url, "", tmp_path / "none")) as store:
        store.ping()
    plain = empty_postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain) as connection:
        found = connection.execute(
            "SELECT nspname, relname, relpersistence FROM pg_class"
            " JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY relname"
        ).fetchall()
    assert found == [("short_lived", name, "u") for name in ("challenge", "counter", "kept")]


def count_five_in_another_process(place: Place, start: Path) -> int:
    with closing(open_short_lived_store(*place)) as opened:
        meet(start)
        return max(opened.count("first", 1, timedelta(minutes=1), NOW) for _ in range(5))


def test_four_processes_that_meet_an_empty_store_make_it_together(
    place: Place, processes: Executor, tmp_path: Path
) -> None:
    starts = [tmp_path / "start"] * RACERS
    assert max(processes.map(count_five_in_another_process, [place] * RACERS, starts)) == 20


def dead_side_file(tmp_path: Path) -> ShortLivedStore:
    (tmp_path / "not-a-folder").write_text("in the way")
    return open_short_lived_store("", "", tmp_path / "not-a-folder" / "side.db")


def spoilt_side_file(tmp_path: Path) -> ShortLivedStore:
    (tmp_path / "side.db").write_bytes(b"this is no database " * 400)
    return open_short_lived_store("", "", tmp_path / "side.db")


def dead_postgresql(tmp_path: Path) -> ShortLivedStore:
    return open_short_lived_store(f"postgresql+psycopg://u@/db?host={tmp_path}", "", tmp_path / "none")


def dead_redis(tmp_path: Path) -> ShortLivedStore:
    return RedisShortLivedStore("redis://127.0.0.1:1/0")


@pytest.mark.parametrize("broken", [dead_side_file, spoilt_side_file, dead_postgresql, dead_redis])
def test_every_operation_of_a_dead_store_says_store_unavailable(
    broken: Callable[[Path], ShortLivedStore], tmp_path: Path
) -> None:
    with closing(broken(tmp_path)) as store:
        for attempt in (
            lambda: store.create_challenge(a_challenge()),
            lambda: store.drawing("0" * 32, VISITOR, NOW),
            lambda: store.spend("0" * 32, VISITOR, FORM, NOW),
            lambda: store.attach_sound("0" * 32, VISITOR, b"", b"", NOW),
            lambda: store.get_receipt("h", VISITOR, NOW),
            lambda: store.put("k", b"", NOW, LATER),
            lambda: store.pop("k", NOW),
            lambda: store.used_once("k", NOW, LATER),
            lambda: store.count("k", 1, timedelta(minutes=1), NOW),
            lambda: store.read_count("k", NOW),
            store.clear_counts,
            store.ping,
        ):
            with pytest.raises(StoreUnavailable):
                attempt()


def test_busy_side_file_says_store_unavailable_after_its_patience_and_recovers(tmp_path: Path) -> None:
    path = tmp_path / "side.db"
    with closing(SqliteShortLivedStore(path, busy_after=timedelta(milliseconds=50))) as store:
        store.ping()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable):
                store.count("k", 1, timedelta(minutes=1), NOW)
            assert store.read_count("k", NOW).hits == 0
            other.execute("ROLLBACK")
        assert store.count("k", 1, timedelta(minutes=1), NOW) == 1


@pytest.mark.postgres
def test_postgresql_connections_cut_by_the_server_are_replaced_without_an_error(
    empty_postgres_url: str,
    tmp_path: Path,
) -> None:
    with closing(open_short_lived_store(empty_postgres_url, "", tmp_path / "none")) as store:
        store.ping()
        with psycopg.connect(empty_postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert store.count("k", 1, timedelta(minutes=1), NOW) == 1


@pytest.mark.redis
def test_redis_that_comes_back_empty_serves_again_on_the_same_store(tmp_path: Path) -> None:
    made = a_challenge()
    with running_redis(tmp_path) as url:
        store = RedisShortLivedStore(url)
        store.create_challenge(made)
    with pytest.raises(StoreUnavailable):
        store.spend(made.id, VISITOR, FORM, NOW)
    with running_redis(tmp_path, port=int(url.rpartition(":")[2].partition("/")[0])), closing(store):
        assert store.spend(made.id, VISITOR, FORM, NOW) is None
        store.create_challenge(made)
        assert store.spend(made.id, VISITOR, FORM, NOW) is not None


@pytest.mark.redis
def test_redis_gone_is_replaced_by_tables_and_nothing_kept_there_is_lost_when_it_returns(
    tmp_path: Path,
) -> None:
    before, during = a_challenge(seed=1), a_challenge(seed=2)
    minute = timedelta(minutes=1)
    with running_redis(tmp_path) as url:
        store = open_short_lived_store("", url, tmp_path / "side.db")
        assert isinstance(store, FallbackShortLivedStore)
        store.create_challenge(before)
        assert store.used_once("payload", NOW, LATER)
        assert store.count("who", 1, minute, NOW) == 1
        assert not store.on_standby(NOW)

    assert store.spend(before.id, VISITOR, FORM, NOW) is None
    assert store.on_standby(NOW)
    store.create_challenge(during)
    assert store.drawing(during.id, VISITOR, NOW) == during.drawing
    assert not store.used_once("payload", NOW, LATER)
    assert store.used_once("payload two", NOW, LATER)
    assert [store.count("who", 1, minute, NOW) for _ in range(2)] == [1, 2]
    store.put_receipt("r", VISITOR, b"receipt", NOW, LATER)
    store.ping()

    back = NOW + timedelta(seconds=11)
    port = int(url.rpartition(":")[2].partition("/")[0])
    with running_redis(tmp_path, port=port), closing(store):
        assert store.get_receipt("r", VISITOR, back) == b"receipt"
        with ThreadPoolExecutor(12) as pool:
            jobs = [pool.submit(store.spend, during.id, VISITOR, FORM, back) for _ in range(12)]
            assert [job.result() is not None for job in jobs].count(True) == 1
        assert not store.used_once("payload two", back, LATER)
        assert not store.on_standby(back)


def test_both_stores_gone_is_store_unavailable(tmp_path: Path) -> None:
    with closing(FallbackShortLivedStore(dead_redis(tmp_path), dead_side_file(tmp_path))) as store:
        for attempt in (
            lambda: store.create_challenge(a_challenge()),
            lambda: store.spend("0" * 32, VISITOR, FORM, NOW),
            lambda: store.used_once("k", NOW, LATER),
            lambda: store.count("k", 1, timedelta(minutes=1), NOW),
            store.clear_counts,
            store.ping,
        ):
            with pytest.raises(StoreUnavailable):
                attempt()
