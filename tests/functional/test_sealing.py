"""Seals over the chains of the comment log (R-98), on both stores."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import text

from consult.db import Store
from moderation.services import sealing, verification
from tests.support.factories import NOW, make_comment, make_world

LATER = NOW + timedelta(minutes=10)


def _filled(store: Store) -> None:
    with store.writing() as session:
        world = make_world(session)
        for _n in range(5):
            make_comment(session, world)


def _lift_guards(store: Store) -> None:
    with store.writing() as session:
        if session.get_bind().dialect.name == "sqlite":
            names = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in names:
                session.execute(text(f'DROP TRIGGER "{name}"'))
        else:
            session.execute(text("ALTER TABLE comment_event DISABLE TRIGGER USER"))
            session.execute(text("ALTER TABLE comment DISABLE TRIGGER USER"))


def test_r98_a_seal_covers_what_settled_and_sealing_twice_changes_nothing(store: Store) -> None:
    _filled(store)
    with store.writing() as session:
        assert not sealing.seal(session, NOW)  # too fresh: a transaction could still be under way
        assert sealing.seal(session, LATER)
        assert not sealing.seal(session, LATER)
    with store.reading() as session:
        assert verification.verify(session) == []
        chains, last = session.execute(text("SELECT chains, last_event_id FROM event_seal")).one()
    assert chains == 5
    assert last >= 5


def test_r98_a_chain_rewritten_whole_breaks_its_seal(store: Store) -> None:
    _filled(store)
    with store.writing() as session:
        sealing.seal(session, LATER)
    _lift_guards(store)
    # Somebody with the whole store in hand rewrites a chain and its head so that the chain itself holds again.
    with store.writing() as session:
        session.execute(text("UPDATE comment_event SET digest = :d WHERE comment_id = 1 AND seq = 1"), {"d": "f" * 64})
    with store.reading() as session:
        assert any("seal 1" in line for line in sealing.check_seals(session))


def test_r98_events_after_a_seal_go_into_the_next_and_the_seals_are_linked(store: Store) -> None:
    _filled(store)
    with store.writing() as session:
        sealing.seal(session, LATER)
    with store.writing() as session:
        from consult.services import own_comment

        number = session.execute(text("SELECT receipt_no FROM comment ORDER BY id LIMIT 1")).scalar_one()
        own_comment.withdraw(session, number, LATER)
    with store.writing() as session:
        assert sealing.seal(session, LATER + timedelta(minutes=10))
    with store.reading() as session:
        seals = session.execute(text("SELECT previous_digest, digest, chains FROM event_seal ORDER BY id")).all()
        assert sealing.check_seals(session) == []
    assert seals[1][0] == seals[0][1]
    assert seals[1][2] == 1
