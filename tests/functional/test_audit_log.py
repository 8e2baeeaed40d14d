"""The logs cannot be changed unnoticed, and the auditor can read them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from consult.db import Store
from consult.models.comments import Comment
from consult.models.consultations import Consultation
from consult.services import events
from moderation.models import AuditChain, AuditEvent
from moderation.queries import audit as read
from moderation.queries.audit import AuditFilter
from moderation.services import audit, verification
from moderation.services.audit import By
from tests.support.factories import NOW, World, make_comment
from tests.support.staff_site import Browser, fill, signed_in, site_on

LOGS = ("audit_event", "comment_event", "consultation_event")
CHAIN = {"audit_event": "chain", "comment_event": "comment_id", "consultation_event": "consultation_id"}


@pytest.fixture
def world(store: Store) -> World:
    return fill(store)


@pytest.fixture
def app(store: Store, world: World) -> Iterator[Flask]:
    with site_on(store) as app:
        yield app


@pytest.fixture
def logged(store: Store, world: World) -> World:
    """Three entries in a chain of each log, and a second chain beside it."""
    with store.writing() as session:
        reviewer = By(world.viewer("reviewer").staff_id, "reviewer", b"an encrypted address")
        for step in range(3):
            audit.record(
                session, reviewer, "export", NOW + timedelta(minutes=step), detail={"rows": step, "区": "闵行"}
            )
            audit.record(session, audit.COMMAND_LINE, "backup", NOW + timedelta(minutes=step))
        comment, _other = make_comment(session, world), make_comment(session, world)
        events.append(session, comment, "remind", events.SYSTEM, NOW, detail={"day": 3})
        events.append(session, comment, "remind", events.staff(reviewer.actor_id or 0, "reviewer"), NOW)
        consultation = session.get_one(Consultation, world.consultation_id)
        for kind in ("create", "publish", "extend"):
            events.append_to_consultation(session, consultation, kind, events.SYSTEM, NOW, reason="依据")
        signer = events.staff(world.viewer("signer").staff_id, "sign_off_officer")
        events.append_to_consultation(session, consultation, "extend", signer, NOW)
    return world


def _unguard(store: Store, log: str) -> None:
    """Remove the triggers that refuse any change, as somebody with the keys to the database could."""
    with store.writing() as session:
        if store.engine.dialect.name == "postgresql":
            session.execute(text(f"ALTER TABLE {log} DISABLE TRIGGER USER"))
            return
        names = session.scalars(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :log"), {"log": log}
        ).all()
        for name in names:
            session.execute(text(f'DROP TRIGGER "{name}"'))


def _tamper(store: Store, log: str, statement: str) -> None:
    _unguard(store, log)
    with store.writing() as session:
        chain = session.execute(text(f"SELECT max({CHAIN[log]}) FROM {log} WHERE seq = 3")).scalar_one()
        changed = session.execute(text(statement.format(log=log, chain=CHAIN[log])), {"c": chain})
        assert changed.rowcount > 0  # type: ignore[attr-defined]


def _verify(store: Store) -> list[str]:
    with store.reading() as session:
        return verification.verify(session)


def test_untouched_logs_hold(store: Store, logged: World) -> None:
    assert _verify(store) == []
    with store.reading() as session:
        checked = verification.check(session)
    assert (checked.entries, checked.complete) == (3 + 3 + 3 + 1 + 4, True)


def test_an_empty_store_holds(store: Store) -> None:
    assert _verify(store) == []


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {log} SET actor_role = 'supervisor' WHERE seq = 2 AND {chain} = :c",
        "DELETE FROM {log} WHERE seq = 2 AND {chain} = :c",
    ],
)
def test_r98_the_store_itself_refuses_to_change_a_log(store: Store, logged: World, log: str, statement: str) -> None:
    with store.writing() as session:
        chain = session.execute(text(f"SELECT max({CHAIN[log]}) FROM {log} WHERE seq = 3")).scalar_one()
        with pytest.raises(IntegrityError):
            session.execute(text(statement.format(log=log, chain=CHAIN[log])), {"c": chain})
        session.rollback()


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize(
    ("statement", "seq", "why"),
    [
        ("UPDATE {log} SET actor_role = 'supervisor' WHERE seq = 2 AND {chain} = :c", 2, "altered"),
        ("UPDATE {log} SET actor_id = 4711 WHERE seq = 1 AND {chain} = :c", 1, "altered"),
        ("UPDATE {log} SET detail = '{{\"x\": 1}}' WHERE seq = 2 AND {chain} = :c", 2, "altered"),
        ("UPDATE {log} SET at = '2023-07-18 02:00:01' WHERE seq = 2 AND {chain} = :c", 2, "altered"),
        ("DELETE FROM {log} WHERE seq = 1 AND {chain} = :c", 1, "missing"),
        ("DELETE FROM {log} WHERE seq = 2 AND {chain} = :c", 2, "missing"),
        ("DELETE FROM {log} WHERE {chain} = :c", 1, "missing"),
        ("UPDATE {log} SET previous_digest = '' WHERE seq = 2 AND {chain} = :c", 2, "unlinked"),
        ("UPDATE {log} SET seq = 9 WHERE seq = 3 AND {chain} = :c", 3, "missing"),
    ],
)
def test_r98_a_changed_or_removed_entry_is_found(
    store: Store, logged: World, log: str, statement: str, seq: int, why: str
) -> None:
    _tamper(store, log, statement)
    [problem] = _verify(store)
    assert problem.startswith(log.removesuffix("_event"))
    assert problem.endswith(f"entry {seq} is {why}")


@pytest.mark.parametrize("log", LOGS)
def test_r98_the_last_entry_cut_off_is_found(store: Store, logged: World, log: str) -> None:
    statement = "DELETE FROM {log} WHERE seq = (SELECT max(seq) FROM {log} WHERE {chain} = :c) AND {chain} = :c"
    _tamper(store, log, statement)
    [problem] = _verify(store)
    assert problem.endswith("is missing")


@pytest.mark.parametrize("log", LOGS)
def test_r98_two_entries_that_changed_places_are_found(store: Store, logged: World, log: str) -> None:
    _unguard(store, log)
    with store.writing() as session:
        chain = session.execute(text(f"SELECT max({CHAIN[log]}) FROM {log} WHERE seq = 3")).scalar_one()
        for old, new in ((1, 100), (2, 1), (100, 2)):
            session.execute(
                text(f"UPDATE {log} SET seq = :new WHERE seq = :old AND {CHAIN[log]} = :c"),
                {"c": chain, "old": old, "new": new},
            )
    [problem] = _verify(store)
    assert problem.endswith("entry 1 is unlinked")


def test_r98_an_address_exchanged_for_another_is_found(store: Store, logged: World) -> None:
    _unguard(store, "audit_event")
    with store.writing() as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.address.is_not(None))).first()
        assert event is not None
        event.address = b"another encrypted address"
    assert [line.rsplit(" ", 1)[1] for line in _verify(store)] == ["altered"]


def test_r98_a_chain_whose_head_was_removed_is_found(store: Store, logged: World) -> None:
    with store.writing() as session:
        session.execute(text("DELETE FROM audit_chain WHERE chain <> 0"))
    [problem] = _verify(store)
    assert problem.endswith("is foreign")


def test_a_check_with_a_limit_says_that_it_is_not_complete(store: Store, logged: World) -> None:
    with store.reading() as session:
        checked = verification.check(session, limit=4)
    assert not checked.complete
    assert checked.entries >= 4


def test_many_chains_are_checked_in_batches(store: Store, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "BATCH", 3)
    with store.writing() as session:
        ids = [make_comment(session, world).id for _ in range(8)]
    assert _verify(store) == []
    _unguard(store, "comment_event")
    with store.writing() as session:
        session.execute(text("DELETE FROM comment_event WHERE comment_id = :c"), {"c": ids[-1]})
    assert len(_verify(store)) == 1


def test_entries_written_at_once_form_one_chain_without_gaps(store: Store, world: World) -> None:
    who = By(world.viewer("reviewer").staff_id, "reviewer")

    def write() -> None:
        for _ in range(5):
            with store.writing() as session:
                audit.record(session, who, "export", NOW)

    threads = [threading.Thread(target=write) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.reading() as session:
        numbers = session.scalars(select(AuditEvent.seq).order_by(AuditEvent.seq)).all()
        assert session.get_one(AuditChain, who.actor_id).seq == 30
    assert numbers == list(range(1, 31))
    assert _verify(store) == []


# -- reading ---------------------------------------------------------------------------------------


def test_the_log_goes_on_where_the_page_before_ended_also_within_one_moment(store: Store, world: World) -> None:
    with store.writing() as session:
        for n in range(23):
            audit.record(session, audit.COMMAND_LINE, f"step-{n}", NOW)
    seen: list[str] = []
    after = None
    with store.reading() as session:
        while True:
            page = read.entries(session, AuditFilter(), after, size=5)
            seen += [row.action for row in page.rows]
            after = page.after
            if after is None:
                break
    assert seen == [f"step-{n}" for n in reversed(range(23))]


def test_the_auditor_filters_by_person_action_result_object_and_day(app: Flask, store: Store, world: World) -> None:
    Browser(app).sign_in("reviewer", "wrong")
    signed_in(app, "assigner").get("/staff/audit")
    auditor = signed_in(app, "auditor")

    def rows(query: str) -> int:
        page = auditor.get(f"/staff/audit?{query}").text
        return page.count("<tr>") - 1 if "<tbody>" in page else 0

    assert rows("username=ASSIGNER") == 2
    assert rows("action=refused") == 1
    assert rows("result=refused") == 2
    assert rows("object=reviewer") == 1
    assert rows("since=2023-07-18&until=2023-07-18") == 4
    assert rows("since=2023-07-19") == 0
    assert rows("until=2023-07-17") == 0
    assert rows("since=nonsense&until=0001-01-01&username=a%00b&after=nonsense") == 0
    assert rows("after=nonsense&action=a%00b") == 0


def test_a_refused_try_is_recorded_with_who_and_from_where_but_not_without_end(
    app: Flask, store: Store, world: World
) -> None:
    browser = signed_in(app, "assigner", "192.0.2.99")
    for _ in range(25):
        assert browser.get("/staff/admin/users/").status_code == 403
    with store.reading() as session:
        tries = session.scalars(select(AuditEvent).where(AuditEvent.action == "refused")).all()
    assert len(tries) == 20
    assert {(each.actor_id, each.actor_role, each.object_ref) for each in tries} == {
        (world.viewer("assigner").staff_id, "assigner", "users_admin.index")
    }
    assert all(each.address and b"192.0.2.99" not in each.address for each in tries)
    assert "192.0.2.99" in signed_in(app, "auditor").get("/staff/audit?action=refused").text


def test_the_page_says_whether_the_chains_hold(app: Flask, store: Store, logged: World) -> None:
    auditor = signed_in(app, "auditor")
    assert "记录完整" in auditor.get("/staff/audit?check=1").text
    _tamper(store, "comment_event", "UPDATE {log} SET actor_role = 'supervisor' WHERE seq = 2 AND {chain} = :c")
    page = auditor.get("/staff/audit?check=1").text
    assert "记录有问题" in page
    assert re.search(r"意见 ZP-\d{4} 的第 2 条：内容被改动", page)


def test_r94_the_auditor_reads_the_steps_of_comments_and_no_word_of_them(
    app: Flask, store: Store, logged: World
) -> None:
    page = signed_in(app, "auditor").get("/staff/audit?log=comments").text
    with store.reading() as session:
        comment = session.scalars(select(Comment)).first()
    assert comment is not None
    assert comment.receipt_no in page
    assert comment.body[:8] not in page
    assert comment.masked_name not in page


def test_the_log_pages_link_to_the_older_entries_and_back(app: Flask, store: Store, world: World) -> None:
    with store.writing() as session:
        for n in range(60):
            audit.record(session, audit.COMMAND_LINE, f"step-{n}", NOW + timedelta(seconds=n))
    auditor = signed_in(app, "auditor")
    first = auditor.get("/staff/audit").text
    [older] = re.findall(r'href="([^"]+)" rel="next"', first)
    second = auditor.get(older.replace("&amp;", "&")).text
    numbers = [re.findall(r">0-(\d+)</td>", page) for page in (first, second)]
    assert numbers[0][-1] != numbers[1][0]
    assert [int(n) for n in numbers[0] + numbers[1]] == list(range(60, 0, -1))
    assert "回到最新" in second
