from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from consult.domain import comment_states as states
from consult.domain.comment_states import Action, ClosedAs, CommentState, NonStateAction, Publicity, Standing
from consult.domain.errors import IllegalTransition

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))


def state_of(value: str | None) -> CommentState | None:
    return None if value is None else CommentState(value)


@pytest.mark.parametrize("vector", VECTORS["transitions"]["legal"], ids=lambda v: v["id"])
def test_legal_steps_of_a_comment_follow_the_table(vector: dict[str, Any]) -> None:
    line = states.transition(state_of(vector["from"]), Action(vector["action"]))
    assert (line.id, line.role, line.target) == (vector["id"], vector["role"], vector["to"])
    assert states.next_state(line.source, line.action) == vector["to"]


@pytest.mark.parametrize("vector", VECTORS["transitions"]["illegal"], ids=lambda v: f"{v['from']}-{v['action']}")
def test_r90_every_other_step_is_refused_with_what_is_possible(vector: dict[str, Any]) -> None:
    state = state_of(vector["from"])
    with pytest.raises(IllegalTransition) as caught:
        states.next_state(state, Action(vector["action"]))
    assert caught.value.available == states.available_actions(state)
    assert vector["action"] not in caught.value.available


def test_the_table_holds_nothing_the_rules_do_not() -> None:
    assert [line.id for line in states.TRANSITIONS] == [one["id"] for one in VECTORS["transitions"]["legal"]]
    assert [state.value for state in CommentState] == list(VECTORS["transitions"]["states"])


def test_actions_without_a_step_are_kept_apart() -> None:
    assert not {action.value for action in Action} & {action.value for action in NonStateAction}
    assert len(states.NON_STATE_ACTIONS) == 13


def test_r62_terminal_states() -> None:
    done = {state for state in CommentState if states.is_terminal(state)}
    assert done == {CommentState.REPLIED, CommentState.CLOSED, CommentState.WITHDRAWN}


def test_r62_a_merged_comment_is_done_when_its_primary_is_answered() -> None:
    assert states.is_terminal(CommentState.MERGED, CommentState.REPLIED)
    assert not states.is_terminal(CommentState.MERGED, CommentState.IN_PROGRESS)
    assert not states.is_terminal(CommentState.MERGED)


def test_r88_a_comment_can_be_withdrawn_until_it_is_routed() -> None:
    assert {
        CommentState.PENDING_REVIEW,
        CommentState.AWAITING_SUPPLEMENT,
        CommentState.ACCEPTED,
        CommentState.TO_ASSIGN,
        CommentState.MERGED,
    } == states.WITHDRAWABLE


@pytest.mark.parametrize(
    ("state", "publicity", "closed_as", "hidden", "expected"),
    [
        ("withdrawn", "withheld", None, True, "withdrawn"),
        ("closed", "withheld", "not_accepted", True, "not_accepted"),
        ("closed", "full", "channel_notice", False, "channel_notice"),
        ("closed", "withheld", "answered", False, "withheld"),
        ("replied", "full", None, True, "withheld"),
        ("pending_review", "withheld", None, False, "withheld"),
        ("replied", "full", None, False, "public"),
        ("accepted", "redacted", None, False, "public"),
        ("merged", "full", None, False, "public"),
        ("pending_review", "pending", None, False, "waiting"),
        ("pending_review", "full", None, False, "waiting"),
        ("awaiting_supplement", "pending", None, False, "waiting"),
    ],
)
def test_each_comment_counts_in_the_first_pile_that_applies(
    state: str, publicity: str, closed_as: str | None, hidden: bool, expected: str
) -> None:
    reason = None if closed_as is None else ClosedAs(closed_as)
    found = states.standing(CommentState(state), Publicity(publicity), reason, hidden=hidden)
    assert found == expected


def test_r27_nothing_is_public_before_review_or_when_hidden() -> None:
    for state, publicity, hidden in product(CommentState, Publicity, (False, True)):
        seen = states.is_public(state, publicity, hidden=hidden)
        unreviewed = state in {CommentState.PENDING_REVIEW, CommentState.AWAITING_SUPPLEMENT}
        if hidden or unreviewed or publicity in {Publicity.PENDING, Publicity.WITHHELD}:
            assert not seen
    assert list(Standing) == ["withdrawn", "not_accepted", "channel_notice", "withheld", "public", "waiting"]
