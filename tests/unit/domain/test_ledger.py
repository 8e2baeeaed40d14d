from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from consult.domain import ledger
from consult.domain.comment_states import ClosedAs, CommentState, Publicity, Standing
from consult.domain.errors import CountsDoNotReconcile
from consult.domain.ledger import CountedComment, PublicCounts, ResultCounts

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "data" / "vectors.json").read_text("utf-8"))
RESULTS = VECTORS["result_counts"]["vectors"]


@pytest.mark.parametrize("vector", RESULTS, ids=lambda v: str(v["total"]))
def test_r63_r103_results_add_up_and_the_rate_is_theirs(vector: dict[str, Any]) -> None:
    results = ledger.result_counts(vector["counts"])
    assert results.total == vector["total"]
    assert results.replied_total == vector["replied_total"]
    assert results.adoption_rate_pct == vector["adoption_rate_pct"]
    assert ledger.reconcile(vector["total"], results) == results


def test_r103_the_rate_is_shown_as_percent_or_a_dash() -> None:
    assert [ledger.result_counts(one["counts"]).adoption_rate for one in RESULTS] == ["51.4%", "—", "—"]
    assert ResultCounts(adopted=1, not_adopted=7).adoption_rate == "12.5%"
    assert ResultCounts(adopted=1, not_adopted=1999).adoption_rate == "0.1%"
    assert ResultCounts(adopted=3).adoption_rate == "100.0%"


def test_r63_results_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(CountsDoNotReconcile) as caught:
        ledger.reconcile(44, ledger.result_counts(RESULTS[0]["counts"]))
    assert caught.value.params == {"received": 44, "total": 43}


def test_a_table_whose_lines_do_not_add_up_is_refused() -> None:
    rows = [ResultCounts(adopted=1), ResultCounts(withdrawn=2)]
    ledger.reconcile_rows(rows, ResultCounts(adopted=1, withdrawn=2))
    with pytest.raises(CountsDoNotReconcile):
        ledger.reconcile_rows(rows, ResultCounts(adopted=2, withdrawn=1))


@pytest.mark.parametrize("wrong", [{"praised": 1}, {"adopted": -1}])
def test_unknown_or_negative_results_are_an_error(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"unknown|negative"):
        ledger.result_counts(wrong)


def test_every_comment_counts_once_merged_and_split_as_of_which() -> None:
    full, pending = Publicity.FULL, Publicity.PENDING
    counts = ledger.public_counts(
        [
            CountedComment(CommentState.WITHDRAWN, pending),
            CountedComment(CommentState.CLOSED, pending, ClosedAs.NOT_ACCEPTED),
            CountedComment(CommentState.CLOSED, pending, ClosedAs.CHANNEL_NOTICE),
            CountedComment(CommentState.REPLIED, Publicity.WITHHELD),
            CountedComment(CommentState.REPLIED, full, hidden=True),
            CountedComment(CommentState.MERGED, full, merged=True),
            CountedComment(CommentState.IN_PROGRESS, full),
            CountedComment(CommentState.PENDING_REVIEW, pending),
            CountedComment(CommentState.ACCEPTED, full, was_split=True),
        ]
    )
    assert counts == PublicCounts(1, 1, 1, 2, 2, 1, merged=1, split_originals=1)
    assert counts.received == 8
    assert counts.as_mapping()["received"] == 8


def test_grouped_figures_make_the_same_account() -> None:
    counts = ledger.counts_of({Standing.PUBLIC: 5, Standing.WAITING: 2}, merged=3)
    assert (counts.received, counts.public, counts.merged, counts.withdrawn) == (7, 5, 3, 0)
