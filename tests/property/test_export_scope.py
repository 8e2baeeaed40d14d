"""R-100 over random routings: a unit's export never holds a row that is not its own, on both stores."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.models.comments import Assignment, CoAssignment, Comment
from moderation.domain.handling_list import COLUMNS, Criteria
from moderation.permissions import Permission, Reach
from moderation.queries import exports as read
from tests.support.factories import CALENDAR, NOW, World, make_comment, make_world

LEADS = ("JTW", "FGJ", "JGW", "MQZ", "PJZ")
ROUNDS = 6
COMMENTS = 40
LATER = NOW + timedelta(days=3)
_RECEIPT_NO = [column.key for column in COLUMNS].index("receipt_no")


def route_at_random(session: Session, world: World, chance: random.Random) -> None:
    """Comments in every condition: not routed, routed, handed back and routed anew, with any co-units, sealed."""
    for _ in range(COMMENTS):
        tries = chance.choice((0, 1, 1, 1, 2, 3))
        kept = tries > 0 and chance.random() < 0.8
        comment = make_comment(
            session,
            world,
            sealed=chance.random() < 0.05,
        )
        comment.publicity = "full"
        for state in ("accepted", "to_assign", "assigned")[: 3 if kept else 2]:
            comment.handling_state = state
            session.flush()
        for number in range(1, tries + 1):
            lead = chance.choice(LEADS)
            assigned_at = NOW + timedelta(hours=number + chance.choice((0, 0, 0, 200)))
            in_force = kept and number == tries
            routing = Assignment(
                comment_id=comment.id,
                number=number,
                lead_unit_id=world.units[lead],
                assigned_at=assigned_at,
                closed_at=None if in_force else assigned_at,
                closed_why="" if in_force else "returned",
            )
            session.add(routing)
            session.flush()
            for place, code in enumerate(chance.sample([c for c in LEADS if c != lead], chance.randrange(4))):
                session.add(CoAssignment(assignment_id=routing.id, unit_id=world.units[code], position=place))
            if in_force:
                comment.lead_unit_id, comment.assigned_at = world.units[lead], assigned_at
        session.flush()


def owners(session: Session) -> dict[str, tuple[int | None, set[int], bool]]:
    """What the tables say, read without the code under test: receipt number to lead, co-units, exportable."""
    found: dict[str, tuple[int | None, set[int], bool]] = {}
    for comment in session.scalars(select(Comment)):
        in_force = [
            one
            for one in session.scalars(select(Assignment).where(Assignment.comment_id == comment.id))
            if one.closed_at is None
        ]
        helpers = {
            co.unit_id
            for one in in_force
            for co in session.scalars(select(CoAssignment).where(CoAssignment.assignment_id == one.id))
        }
        timely = bool(in_force) and in_force[0].assigned_at <= LATER and not comment.sealed
        found[comment.receipt_no] = (in_force[0].lead_unit_id if in_force else None, helpers, timely)
    return found


def numbers(rows: Iterable[object]) -> list[str]:
    return [row[_RECEIPT_NO] for row in rows]  # type: ignore[index]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_r100_a_unit_never_gets_a_row_that_is_not_its_own_and_gets_every_row_that_is(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    with store.writing() as session:
        world = make_world(session)
        route_at_random(session, world, chance)
    reader = read.Reader(CALENDAR, LATER)
    with store.reading() as session:
        truth = owners(session)
        seen_as_lead: set[str] = set()
        for code in LEADS:
            unit = world.units[code]
            reach = Reach(lead_unit=unit, co_unit=unit)
            keys = read.lead_keys(session, reach, Criteria(), LATER)
            lead = numbers(read.lead_rows(session, reach, keys, reader))
            co_keys = read.co_keys(session, reach, Criteria(), LATER)
            co = numbers(read.co_rows(session, reach, co_keys, reader))
            assert sorted(lead) == sorted(ref for ref, (owner, _, ok) in truth.items() if ok and owner == unit)
            assert sorted(co) == sorted(ref for ref, (_, helpers, ok) in truth.items() if ok and unit in helpers)
            assert not seen_as_lead & set(lead)
            assert (len(lead), len(co)) == (len(keys), len(co_keys))
            seen_as_lead |= set(lead)
        assert seen_as_lead == {ref for ref, (owner, _, ok) in truth.items() if ok and owner is not None}


def test_r100_keys_of_another_unit_yield_no_rows(store: Store) -> None:
    """The rows are judged by the scope again: a list of foreign keys opens nothing."""
    with store.writing() as session:
        world = make_world(session)
        route_at_random(session, world, random.Random(99))
    reader = read.Reader(CALENDAR, LATER)
    with store.reading() as session:
        everybody = read.lead_keys(session, Reach(everything=True), Criteria(), LATER)
        mine = Reach(lead_unit=world.units["JTW"], co_unit=world.units["JTW"])
        own = read.lead_keys(session, mine, Criteria(), LATER)
        rows = numbers(read.lead_rows(session, mine, everybody, reader))
        assert len(everybody) > len(own) > 0
        assert rows == numbers(read.lead_rows(session, mine, own, reader))


def test_r93_nothing_reached_is_an_empty_export(store: Store) -> None:
    with store.writing() as session:
        world = make_world(session)
        route_at_random(session, world, random.Random(7))
    nothing = world.viewer("sysadmin").reach(Permission.EXPORT)
    with store.reading() as session:
        assert len(read.lead_keys(session, nothing, Criteria(), LATER)) == 0
        assert len(read.co_keys(session, nothing, Criteria(), LATER)) == 0
