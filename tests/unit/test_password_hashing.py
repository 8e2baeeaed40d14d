"""Argon2id with the guide's parameters, an equal price for unknown accounts, two at once."""

from __future__ import annotations

import re
import threading
import time

import pytest

from consult.domain.errors import StoreUnavailable
from consult.gateways import password_hashing as gateway

PASSWORD = "一句自己记得住的话"


def test_a_password_is_hashed_with_argon2id_19_mib_two_passes_one_lane() -> None:
    stored = gateway.hash_password(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not gateway.needs_new_hash(stored)
    assert stored != gateway.hash_password(PASSWORD)


def test_only_the_right_password_fits() -> None:
    stored = gateway.hash_password(PASSWORD)
    assert gateway.verify_password(stored, PASSWORD)
    assert not gateway.verify_password(stored, PASSWORD + " ")
    assert not gateway.verify_password("not a hash", PASSWORD)
    assert not gateway.verify_password("", PASSWORD)


def test_full_width_typing_gives_the_same_password() -> None:
    assert gateway.verify_password(gateway.hash_password("abcdef123456"), "ａｂｃｄｅｆ１２３４５６")


def test_a_hash_made_with_weaker_parameters_wants_renewing() -> None:
    assert gateway.needs_new_hash("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA")


def test_nobody_costs_as_much_as_somebody() -> None:
    # Equal work by construction, not by the clock: the same algorithm with the same parameters is run for both.
    stored = gateway.hash_password(PASSWORD)
    assert gateway.NOBODYS_HASH.split("$")[1:4] == stored.split("$")[1:4]
    assert not gateway.needs_new_hash(gateway.NOBODYS_HASH)
    assert not gateway.verify_password(None, PASSWORD)


def test_no_more_than_two_hash_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "PATIENCE", 0.05)
    with gateway._turn(), gateway._turn(), pytest.raises(StoreUnavailable):
        gateway.hash_password(PASSWORD)
    gateway.hash_password(PASSWORD)


def test_six_threads_get_their_turn_one_after_another() -> None:
    done: list[str] = []
    threads = [threading.Thread(target=lambda: done.append(gateway.hash_password(PASSWORD))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(done)) == 6


def test_a_made_up_password_is_long_readable_and_never_the_same() -> None:
    drawn = {gateway.new_password() for _ in range(200)}
    assert len(drawn) == 200
    assert all(re.fullmatch(r"([a-z2-9]{4}-){3}[a-z2-9]{4}", each) for each in drawn)
    assert not set("ilo01") & set("".join(drawn))


def _median(work: object) -> float:
    spans = []
    for _ in range(7):
        started = time.perf_counter()
        work()  # type: ignore[operator]
        spans.append(time.perf_counter() - started)
    return sorted(spans)[3]
