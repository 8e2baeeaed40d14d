"""Signing in and out, sessions, throttling: one browser against the whole product on both stores."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select, update

from consult import clock
from consult.db import Store
from consult.gateways.field_cipher import new_field_key
from moderation import access
from moderation.models import AuditEvent, StaffMember, StaffSession
from moderation.queries import accounts as read
from tests.support.factories import NOW, World
from tests.support.staff_site import PASSWORD, Browser, fill, signed_in, site_on


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def limited(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store, CONSULT_LIMITS="on") as app:
        yield app


def _later(**span: float) -> None:
    clock.start_at(clock.utc_now() + timedelta(**span))


def _sessions(store: Store) -> list[StaffSession]:
    with store.reading() as session:
        return list(session.scalars(select(StaffSession).order_by(StaffSession.started_at)))


def _same_page(text: str) -> str:
    return re.sub(r'value="[^"]*"', "", text)


def test_the_store_keeps_a_digest_of_the_session_token_and_never_the_token(app: Flask, store: Store) -> None:
    browser = signed_in(app, "reviewer")
    token = browser.cookie()
    [session] = _sessions(store)
    assert len(token) >= 40
    assert session.token_digest == access.digest_token(token)
    assert token not in repr(vars(session))


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: Flask) -> None:
    answer = Browser(app).sign_in("reviewer")
    [cookie] = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith("staff=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_cookies_in_production_are_bound_to_the_host_and_to_https(store: Store, world: World) -> None:
    keys = {
        "CONSULT_SECRET_KEY": "a-secret-of-this-test-with-enough-characters",
        "CONSULT_FIELD_KEYS": new_field_key(),
        "CONSULT_INDEX_KEY": "an-index-key-of-this-test-with-enough-characters",
    }
    with site_on(store, CONSULT_ENV="production", CONSULT_NOW="", CONSULT_LIMITS="", **keys) as app:
        answer = Browser(app, base_url="https://localhost").sign_in("reviewer")
    assert answer.status_code == 303
    for line in answer.headers.getlist("Set-Cookie"):
        assert line.startswith("__Host-")
        assert "Secure" in line
        assert "HttpOnly" in line


def test_a_wrong_password_an_unknown_and_a_disabled_account_get_the_same_answer(app: Flask, store: Store) -> None:
    with store.writing() as session:
        session.execute(update(StaffMember).where(StaffMember.username == "signer").values(active=False))
    answers = [
        Browser(app).sign_in("reviewer", "not the password"),
        Browser(app).sign_in("nobody-of-that-name"),
        Browser(app).sign_in("signer"),
    ]
    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert len({_same_page(answer.text) for answer in answers}) == 1
    assert "账号或密码不对" in answers[0].text


def test_what_was_typed_as_an_unknown_account_is_not_in_the_log(app: Flask, store: Store) -> None:
    Browser(app).sign_in("my-password-by-mistake")
    with store.reading() as session:
        [entry] = session.scalars(select(AuditEvent))
    assert (entry.action, entry.result, entry.object_ref) == ("sign_in", "refused", "")
    assert "mistake" not in repr(vars(entry))


@pytest.mark.parametrize("typed", ["REVIEWER", " reviewer ", "ｒｅｖｉｅｗｅｒ"])
def test_case_width_and_spaces_of_the_account_name_do_not_matter(app: Flask, typed: str) -> None:
    assert Browser(app).sign_in(typed).status_code == 303


@pytest.mark.parametrize("typed", ["a\0b", "\ud83d", "😀" * 40, "' OR 1=1 --", "x" * 20_000])
def test_hostile_account_names_are_an_ordinary_failure(app: Flask, typed: str) -> None:
    answer = Browser(app).sign_in(typed.encode("utf-8", "replace").decode())
    assert answer.status_code == 422


def test_a_token_planted_before_sign_in_is_worth_nothing_afterwards(app: Flask) -> None:
    browser = Browser(app)
    browser.client.set_cookie("staff", "planted-by-somebody-else")
    browser.sign_in("reviewer")
    assert browser.cookie() != "planted-by-somebody-else"
    other = Browser(app)
    other.client.set_cookie("staff", "planted-by-somebody-else")
    assert other.get("/staff/").status_code == 303


def test_signing_in_again_ends_the_session_before_and_changes_the_form_token(app: Flask, store: Store) -> None:
    browser = signed_in(app, "reviewer")
    before, token = browser.cookie(), browser.token("/staff/account")
    again = browser.send("/staff/sign-in", {"csrf_token": token, "username": "assigner", "password": PASSWORD})
    assert again.status_code == 303
    assert browser.cookie() != before
    assert browser.send("/staff/shortcuts", {"csrf_token": token}).status_code == 422
    stale = Browser(app)
    stale.client.set_cookie("staff", before)
    assert stale.get("/staff/").status_code == 303


def test_a_session_ends_after_thirty_idle_minutes(app: Flask) -> None:
    browser = signed_in(app, "reviewer")
    _later(minutes=29)
    assert browser.get("/staff/").status_code == 200
    _later(minutes=29)
    assert browser.get("/staff/").status_code == 200
    _later(minutes=30, seconds=1)
    answer = browser.get("/staff/")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/staff/sign-in")


def test_a_session_ends_after_eight_hours_however_busy(app: Flask) -> None:
    browser = signed_in(app, "reviewer")
    for _ in range(19):
        _later(minutes=25)
        assert browser.get("/staff/").status_code == 200
    _later(minutes=6)
    assert browser.get("/staff/").status_code == 303


def test_a_page_view_writes_nothing_within_a_minute_of_the_last(app: Flask, store: Store) -> None:
    browser = signed_in(app, "reviewer")
    started = _sessions(store)[0].seen_at
    _later(seconds=40)
    browser.get("/staff/")
    assert _sessions(store)[0].seen_at == started
    _later(seconds=40)
    browser.get("/staff/")
    assert _sessions(store)[0].seen_at > started + timedelta(seconds=60)


def test_who_is_signed_in_is_read_with_one_query(app: Flask, store: Store) -> None:
    digest = access.digest_token(signed_in(app, "moderator").cookie())
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.reading() as session:
        found = read.signed_in(session, digest, clock.utc_now())
    assert found is not None
    assert {role.value for role in found.viewer.roles} == {"reviewer", "assigner"}
    assert found.viewer.unit_name == "区发改委"
    assert [each for each in statements if each.startswith("SELECT")] == statements[-1:]


def test_signing_out_ends_the_session_on_the_server(app: Flask) -> None:
    browser = signed_in(app, "reviewer")
    token = browser.cookie()
    assert browser.post("/staff/sign-out").status_code == 303
    assert browser.cookie() == ""
    browser.client.set_cookie("staff", token)
    assert browser.get("/staff/").status_code == 303


def test_one_session_or_all_others_can_be_ended_from_the_account_page(app: Flask) -> None:
    first, second, third = (signed_in(app, "reviewer", f"192.0.2.{n}") for n in (1, 2, 3))
    assert first.get("/staff/account").text.count('name="session" value=') == 4
    assert "192.0.2.3" in first.get("/staff/account").text
    first.post("/staff/account/sessions", {"session": access.digest_token(second.cookie())})
    assert second.get("/staff/").status_code == 303
    assert third.get("/staff/").status_code == 200
    first.post("/staff/account/sessions", {"session": "others"})
    assert third.get("/staff/").status_code == 303
    assert first.get("/staff/").status_code == 200


@pytest.mark.parametrize("handle", ["0" * 64, "x", "", "a\0b"])
def test_a_session_that_is_not_ones_own_is_not_found(app: Flask, handle: str) -> None:
    other = signed_in(app, "assigner")
    assert other.post("/staff/account/sessions", {"session": handle}).status_code == 404


def test_the_session_of_another_person_cannot_be_ended(app: Flask) -> None:
    victim, other = signed_in(app, "reviewer"), signed_in(app, "assigner")
    answer = other.post("/staff/account/sessions", {"session": access.digest_token(victim.cookie())})
    assert answer.status_code == 404
    assert victim.get("/staff/").status_code == 200


def test_after_signing_in_one_lands_on_the_page_one_asked_for(app: Flask) -> None:
    asked = Browser(app).get("/staff/account?done=x")
    assert asked.headers["Location"] == "/staff/sign-in?next=/staff/account?done%3Dx"
    assert Browser(app).sign_in("reviewer", next="/staff/account").headers["Location"] == "/staff/account"


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/\n/evil", ""]
)
def test_one_is_never_sent_to_another_site(app: Flask, target: str) -> None:
    assert Browser(app).sign_in("reviewer", next=target).headers["Location"] == "/staff/"


def test_a_sign_in_without_a_form_token_opens_nothing(app: Flask, store: Store) -> None:
    answer = Browser(app).send("/staff/sign-in", {"username": "reviewer", "password": PASSWORD})
    assert answer.status_code == 422
    assert _sessions(store) == []


def test_the_form_token_of_one_browser_is_worth_nothing_in_another(app: Flask, store: Store) -> None:
    stolen = Browser(app).token()
    answer = Browser(app).send("/staff/sign-in", {"csrf_token": stolen, "username": "reviewer", "password": PASSWORD})
    assert answer.status_code == 422
    assert _sessions(store) == []


def test_staff_pages_are_kept_in_no_cache(app: Flask) -> None:
    browser = signed_in(app, "reviewer")
    for path in ("/staff/sign-in", "/staff/", "/staff/account", "/staff/audit", "/staff/no-such-page"):
        assert browser.get(path).headers["Cache-Control"] == "no-store"


def test_a_password_made_up_by_another_must_be_changed_before_anything_else(app: Flask, store: Store) -> None:
    with store.writing() as session:
        session.execute(update(StaffMember).where(StaffMember.username == "reviewer").values(must_change_password=True))
    browser, other = signed_in(app, "reviewer"), signed_in(app, "reviewer")
    assert browser.get("/staff/").headers["Location"] == "/staff/account"
    short = {"old_password": PASSWORD, "new_password": "too short", "new_password_again": "too short"}
    refused = browser.post("/staff/account/password", short)
    assert refused.status_code == 422
    assert "密码至少 12 个字符，现在 9 个" in refused.text
    wrong = {"old_password": "wrong", "new_password": "a new long one 1", "new_password_again": "a new long one 1"}
    assert browser.post("/staff/account/password", wrong).status_code == 422
    good = {**wrong, "old_password": PASSWORD}
    assert browser.post("/staff/account/password", good).status_code == 303
    assert browser.get("/staff/").status_code == 200
    assert other.get("/staff/").status_code == 303
    assert Browser(app).sign_in("reviewer").status_code == 422
    assert Browser(app).sign_in("reviewer", "a new long one 1").status_code == 303


# -- throttling ------------------------------------------------------------------------------------


def test_the_sixth_wrong_password_has_to_wait_and_says_how_long(limited: Flask) -> None:
    browser = Browser(limited)
    assert [browser.sign_in("reviewer", "wrong").status_code for _ in range(5)] == [422] * 5
    answer = browser.sign_in("reviewer", "wrong")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 15 * 60 + 1
    assert 'value="reviewer"' in answer.text
    assert browser.sign_in("reviewer").status_code == 429  # the right one is not looked at either
    _later(minutes=16)
    assert browser.sign_in("reviewer").status_code == 303


def test_somebody_elses_failures_at_the_same_address_stop_nobody_else(limited: Flask) -> None:
    attacker = Browser(limited)
    for _ in range(6):
        attacker.sign_in("reviewer", "wrong")
    assert Browser(limited).sign_in("assigner").status_code == 303


def test_an_address_has_twenty_failures_an_hour_over_all_accounts(limited: Flask) -> None:
    attacker = Browser(limited)
    answers = [attacker.sign_in(f"guess-{n}", "wrong").status_code for n in range(22)]
    assert answers == [422] * 20 + [429] * 2
    assert Browser(limited, "198.51.100.9").sign_in("reviewer").status_code == 303


def test_an_account_has_fifty_failures_an_hour_over_all_addresses(limited: Flask) -> None:
    answers = [Browser(limited, f"198.51.{n}.1").sign_in("reviewer", "wrong").status_code for n in range(51)]
    assert answers == [422] * 50 + [429]


def test_guessing_from_anywhere_does_not_lock_out_a_browser_the_account_knows(limited: Flask) -> None:
    owner = signed_in(limited, "reviewer")
    owner.post("/staff/sign-out")
    for n in range(51):
        Browser(limited, f"198.51.{n}.1").sign_in("reviewer", "wrong")
    for n in range(21):
        Browser(limited).sign_in(f"guess-{n}", "wrong")
    assert Browser(limited, "203.0.113.1").sign_in("reviewer").status_code == 429
    assert owner.sign_in("reviewer").status_code == 303


def test_a_browser_the_account_knows_is_limited_by_itself(limited: Flask) -> None:
    owner = signed_in(limited, "reviewer")
    owner.post("/staff/sign-out")
    assert [owner.sign_in("reviewer", "wrong").status_code for _ in range(6)] == [422] * 5 + [429]


def test_a_known_browser_mark_of_one_account_helps_with_no_other(limited: Flask) -> None:
    thief = signed_in(limited, "assigner")
    thief.post("/staff/sign-out")
    answers = [thief.sign_in(f"guess-{n}", "wrong").status_code for n in range(21)]
    assert answers[-1] == 429


def test_successes_are_not_counted(limited: Flask) -> None:
    answers = [Browser(limited).sign_in("reviewer").status_code for _ in range(22)]
    assert answers == [303] * 22


def test_parallel_guesses_are_counted_exactly(limited: Flask) -> None:
    browsers = [Browser(limited) for _ in range(12)]
    tokens = [browser.token() for browser in browsers]
    answers: list[int] = []

    def guess(browser: Browser, token: str) -> None:
        data = {"csrf_token": token, "username": "reviewer", "password": "wrong"}
        answers.append(browser.send("/staff/sign-in", data).status_code)

    threads = [threading.Thread(target=guess, args=pair) for pair in zip(browsers, tokens, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [422] * 5 + [429] * 7


def test_the_clock_of_the_tests_starts_where_the_world_does(app: Flask) -> None:
    assert clock.utc_now() - NOW < timedelta(minutes=5)
