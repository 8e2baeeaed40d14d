"""What the store itself refuses, whatever program writes to it: tried with plain SQL on both stores."""

from __future__ import annotations

import itertools
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.comment_states import TRANSITIONS, CommentState
from consult.models.comments import Comment, EventSeal, Reply
from consult.services import events
from moderation.services import audit
from moderation.services.audit import By
from tests.support import stores
from tests.support.factories import NOW, World, make_comment, make_world

LOGS = ("comment_event", "consultation_event", "audit_event", "event_seal")
CHAINS = {"comment_event": "comment_id", "consultation_event": "consultation_id", "audit_event": "chain"}
LEGAL = {(one.source, one.target) for one in TRANSITIONS if one.source is not None and one.source != one.target}
ILLEGAL = sorted(
    (str(before), str(after))
    for before, after in itertools.permutations(CommentState, 2)
    if (before, after) not in LEGAL
)


@pytest.fixture
def world(store: Store) -> World:
    """A district with one comment, and one row in every log."""
    with store.writing() as session:
        made = make_world(session)
        make_comment(session, made)
        _fill_logs(session, made)
    return made


def _fill_logs(session: Session, world: World) -> None:
    from consult.models.consultations import Consultation

    consultation = session.get_one(Consultation, world.consultation_id)
    events.append_to_consultation(session, consultation, "create", events.SYSTEM, NOW)
    audit.record(session, By(world.viewer("moderator").staff_id, "reviewer"), "sign_in", NOW)
    session.add(EventSeal(sealed_at=NOW, last_event_id=1, chains=1, previous_digest="", digest="0" * 64))
    session.flush()


def run(store: Store, sql: str, **values: object) -> None:
    """Run one statement in a transaction of its own."""
    with store.writing() as session:
        session.execute(text(sql), values)


def rows(store: Store, table: str) -> list[tuple[object, ...]]:
    with store.reading() as session:
        return [tuple(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY id"))]


def refused(store: Store, table: str, *statements: str) -> None:
    """Every statement is refused, and the table is what it was."""
    before = rows(store, table)
    assert before
    for statement in statements:
        with pytest.raises(DBAPIError):
            run(store, statement)
        assert rows(store, table) == before, statement


# -- append-only logs ------------------------------------------------------------------------------


@pytest.mark.parametrize("log", LOGS)
def test_r98_a_row_of_a_log_is_never_changed(store: Store, world: World, log: str) -> None:
    refused(
        store, log, f"UPDATE {log} SET digest = 'x'", f"UPDATE {log} SET id = id + 100", f"UPDATE {log} SET id = id"
    )


@pytest.mark.parametrize("log", LOGS)
def test_r98_a_row_of_a_log_is_never_deleted_and_no_log_is_emptied(store: Store, world: World, log: str) -> None:
    refused(store, log, f"DELETE FROM {log} WHERE id = (SELECT min(id) FROM {log})", f"DELETE FROM {log}")
    if store.engine.dialect.name == "postgresql":
        refused(store, log, f"TRUNCATE {log}", f"TRUNCATE {log} RESTART IDENTITY CASCADE")


@pytest.mark.parametrize("log", LOGS)
def test_r98_a_row_of_a_log_is_never_replaced(store: Store, world: World, log: str) -> None:
    copied = _columns(store, log)
    taken = f"SELECT {', '.join('9' * 4 if name == 'digest' else name for name in copied)} FROM {log} WHERE id = 1"
    listed = ", ".join(copied)
    statements = [f"INSERT INTO {log} ({listed}) SELECT {listed} FROM {log} WHERE id = 1"]
    conflict = f"INSERT INTO {log} ({listed}) {taken.replace('9999', repr('9999'))} ON CONFLICT (id) DO UPDATE"
    statements.append(f"{conflict} SET digest = 'x'")
    if store.engine.dialect.name == "sqlite":
        statements += [
            f"INSERT OR REPLACE INTO {log} ({listed}) SELECT {listed} FROM {log} WHERE id = 1",
            f"REPLACE INTO {log} ({listed}) SELECT {listed} FROM {log} WHERE id = 1",
            f"UPDATE OR REPLACE {log} SET id = 1",
        ]
    refused(store, log, *statements)


@pytest.mark.parametrize("log", CHAINS)
def test_r98_a_link_of_a_chain_is_taken_once(store: Store, world: World, log: str) -> None:
    names = [name for name in _columns(store, log) if name != "id"]
    listed = ", ".join(names)
    statements = [f"INSERT INTO {log} ({listed}) SELECT {listed} FROM {log} WHERE id = 1"]
    if store.engine.dialect.name == "sqlite":
        statements.append(f"INSERT OR REPLACE INTO {log} ({listed}) SELECT {listed} FROM {log} WHERE id = 1")
        statements.append(f"INSERT OR IGNORE INTO {log} ({listed}) SELECT {listed} FROM {log} WHERE id = 1")
    refused(store, log, *statements)


def _columns(store: Store, table: str) -> list[str]:
    from consult.models import Base

    return [column.name for column in Base.metadata.tables[table].columns]


def test_r98_a_program_that_opens_the_file_with_the_defaults_of_sqlite_is_refused_too(
    tmp_path: Path, sqlite_template: Path
) -> None:
    """Foreign keys and recursive triggers are off there, as in the shell of SQLite."""
    store = stores.open_store(stores.copy_sqlite(sqlite_template, tmp_path))
    with store.writing() as session:
        made = make_world(session)
        first, second = make_comment(session, made), make_comment(session, made)
        _fill_logs(session, made)
        displaced = f"UPDATE OR REPLACE comment SET receipt_no = '{first.receipt_no}' WHERE id = {second.id}"
    with closing(sqlite3.connect(str(store.engine.url.database))) as connection:
        for table in (*LOGS, "comment"):
            before = rows(store, table)
            listed = ", ".join(_columns(store, table))
            for statement in (
                f"INSERT OR REPLACE INTO {table} ({listed}) SELECT {listed} FROM {table} WHERE id = 1",
                f"UPDATE OR REPLACE {table} SET id = id + 1",
                f"DELETE FROM {table}",
                *([displaced] if table == "comment" else []),
            ):
                with pytest.raises(sqlite3.IntegrityError):
                    connection.execute(statement)
                connection.rollback()
                assert rows(store, table) == before, statement
    store.dispose()


# -- comments --------------------------------------------------------------------------------------


def test_a_comment_is_never_deleted(store: Store, world: World) -> None:
    refused(store, "comment", "DELETE FROM comment", "DELETE FROM comment WHERE id = 1")
    if store.engine.dialect.name == "postgresql":
        refused(store, "comment", "TRUNCATE comment CASCADE")


def test_r90_every_move_outside_the_state_table_is_refused_by_the_store(store: Store, world: World) -> None:
    """All 105 of them, each from a comment that really stands there."""
    paths = _ways()
    with store.writing() as session:
        ids = {state: make_comment(session, world).id for state in paths}
    for state, way in paths.items():
        for step in way:
            run(store, "UPDATE comment SET handling_state = :after WHERE id = :id", after=step, id=ids[state])
    assert set(paths) == {str(state) for state in CommentState}
    assert len(ILLEGAL) == 132 - len(LEGAL)
    for before, after in ILLEGAL:
        with pytest.raises(IntegrityError):
            run(store, "UPDATE comment SET handling_state = :after WHERE id = :id", after=after, id=ids[before])
    with store.reading() as session:
        assert all(session.get_one(Comment, ids[state]).handling_state == state for state in paths)


def _ways() -> dict[str, list[str]]:
    """State → the legal moves that lead there from the start."""
    found: dict[str, list[str]] = {"pending_review": []}
    waiting = ["pending_review"]
    while waiting:
        here = waiting.pop(0)
        for before, after in sorted(LEGAL):
            if before == here and after not in found:
                found[str(after)] = [*found[here], str(after)]
                waiting.append(str(after))
    return found


def test_r27_a_comment_starts_in_review(store: Store, world: World) -> None:
    for state in sorted(set(CommentState) - {CommentState.PENDING_REVIEW}):
        with pytest.raises(IntegrityError), store.writing() as session:
            make_comment(session, world, handling_state=str(state))


def test_a_state_is_one_of_its_words(store: Store, world: World) -> None:
    columns = ("handling_state", "publicity", "standing", "closed_as", "submitter_kind", "source", "channel", "outcome")
    for column, word in itertools.product(columns, ("nonsense", "Public", "")):
        if (column, word) != ("closed_as", ""):
            with pytest.raises(IntegrityError):
                run(store, f"UPDATE comment SET {column} = :word WHERE id = 1", word=word)


def test_r27_nothing_unreviewed_withheld_or_hidden_stands_as_public(store: Store, world: World) -> None:
    with store.writing() as session:
        ids = {state: make_comment(session, world).id for state in ("awaiting_supplement", "withdrawn", "accepted")}
    for state, number in ids.items():
        run(store, "UPDATE comment SET handling_state = :state WHERE id = :id", state=state, id=number)
    for number, publicity, hidden in (
        (1, "full", ""),
        (ids["awaiting_supplement"], "full", ""),
        (ids["withdrawn"], "full", ""),
        (ids["accepted"], "pending", ""),
        (ids["accepted"], "withheld", ""),
        (ids["accepted"], "full", ", hidden_at = submitted_at"),
    ):
        change = f"UPDATE comment SET standing = 'public', publicity = :publicity{hidden} WHERE id = :id"
        with pytest.raises(IntegrityError):
            run(store, change, publicity=publicity, id=number)


def test_r27_a_reviewed_comment_may_stand_as_public(store: Store, world: World) -> None:
    run(store, "UPDATE comment SET handling_state = 'accepted' WHERE id = 1")
    run(store, "UPDATE comment SET standing = 'public', publicity = 'full' WHERE id = 1")


def test_r19_a_number_is_given_once_per_consultation(store: Store, world: World) -> None:
    with store.writing() as session:
        other = make_comment(session, world).id
    for column in ("serial", "receipt_no", "query_code_digest", "submission_key"):
        with pytest.raises(IntegrityError):
            run(
                store,
                f"UPDATE comment SET {column} = (SELECT {column} FROM comment WHERE id = 1) WHERE id = :id",
                id=other,
            )


def test_r84_a_comment_is_never_merged_into_itself(store: Store, world: World) -> None:
    with pytest.raises(IntegrityError):
        run(store, "UPDATE comment SET merged_into_id = id WHERE id = 1")


# -- assignments and replies -----------------------------------------------------------------------

ASSIGNMENT = (
    "INSERT INTO assignment (comment_id, number, lead_unit_id, designated, basis, note, assigned_at, auto_receipt,"
    " closed_why, closed_at) VALUES (1, :number, :unit, :no, '', '', :at, :no, '', :closed)"
)


def test_r55_one_lead_assignment_is_in_force(store: Store, world: World) -> None:
    given = {"unit": world.units["JTW"], "no": False, "at": NOW}
    run(store, ASSIGNMENT, number=1, closed=NOW, **given)
    run(store, ASSIGNMENT, number=2, closed=None, **given)
    with pytest.raises(IntegrityError):
        run(store, ASSIGNMENT, number=3, closed=None, **(given | {"unit": world.units["FGJ"]}))
    with pytest.raises(IntegrityError):
        run(store, "UPDATE assignment SET closed_at = NULL WHERE number = 1")
    with pytest.raises(IntegrityError):
        run(store, ASSIGNMENT, number=2, closed=NOW, **given)


def test_r83_one_reply_of_a_comment_is_published_and_it_is_complete(store: Store, world: World) -> None:
    def reply(revision: int, **more: object) -> None:
        with store.writing() as session:
            session.add(Reply(comment_id=1, revision=revision, drafted_at=NOW, drafted_by=1, **more))

    done = {"state": "published", "outcome": "adopted", "published_at": NOW}
    for incomplete in ({"outcome": None}, {"published_at": None}):
        with pytest.raises(IntegrityError):
            reply(1, **(done | incomplete))
    reply(1, **done)
    with pytest.raises(IntegrityError):
        reply(2, **done)
    reply(2, state="superseded")
    with pytest.raises(IntegrityError):
        reply(2, state="drafting")
    with pytest.raises(IntegrityError):
        reply(3, state="nonsense")


@pytest.mark.parametrize("table", ["comment_event", "contact_details", "assignment", "reply"])
def test_what_belongs_to_a_comment_needs_that_comment(store: Store, world: World, table: str) -> None:
    needed = {
        "comment_event": {"seq": 99, "kind": "x", "before": "", "after": "", "actor_kind": "system", "actor_role": "",
                          "reason": "", "detail": "{}", "at": NOW, "previous_digest": "", "digest": "x"},
        "contact_details": {"email_declined": False, "legal_hold": ""},
        "assignment": {"number": 1, "lead_unit_id": world.units["JTW"], "designated": False, "basis": "", "note": "",
                       "assigned_at": NOW, "auto_receipt": False, "closed_why": ""},
        "reply": {"revision": 1, "state": "nonsense"},
    }[table]  # fmt: skip
    values = {"comment_id": 987_654, **needed}
    names = ", ".join(values)
    with pytest.raises(IntegrityError):
        run(store, f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in values)})", **values)
