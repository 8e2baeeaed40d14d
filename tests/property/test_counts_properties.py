"""Whatever happens to comments, the numbers add up, equal a recount, and are the same on every page (R-63)."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.comment_states import ClosedAs, CommentState, Publicity, Standing
from consult.domain.errors import DomainError
from consult.domain.ledger import CountedComment, PublicCounts, public_counts
from consult.models.comments import Comment
from consult.queries import published
from consult.services import moves, own_comment
from moderation.services import screening
from tests.support import casework
from tests.support.factories import NOW, World, make_comment, make_consultation
from tests.support.public_site import Site, open_site

PLACES = (None, "s1", "s2", "s3")
STEPS = (
    *("accept", "route", "withhold", "confirm", "not_accept", "channel", "withdraw", "hide", "show", "reply", "revoke"),
    *("accept", "accept"),
)
LABELS = {
    "public": "已公开",
    "waiting": "待审核",
    "withheld": "不公开但照常办理",
    "channel_notice": "告知其他渠道",
    "not_accepted": "不予受理",
    "withdrawn": "提交人撤回",
}
_names = itertools.count(1)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def step(session: Session, world: World, ref: str, what: str) -> None:
    """One thing that may happen to a comment."""
    one, two = world.viewer("reviewer"), world.viewer("reviewer2")
    seen = casework.version(session, ref)
    if what == "accept":
        casework.accept(session, world, ref)
    elif what == "route":
        screening.route(session, one, ref, seen, NOW)
    elif what in {"withhold", "not_accept"}:
        reason = "trade_secret" if what == "withhold" else "advertising"
        screening.propose(session, one, ref, seen, screening.Proposal(what, reason, "测试用的理由，写足十个字。"), NOW)
    elif what == "confirm":
        screening.confirm(session, two, ref, seen, NOW)
    elif what == "channel":
        screening.channel_notice(session, one, ref, seen, "complaint", NOW)
    elif what == "withdraw":
        own_comment.withdraw(session, ref, NOW)
    elif what == "revoke":
        own_comment.revoke_name(session, ref, NOW)
    elif what == "reply":
        casework.replied(session, world, ref)
    else:
        comment = moves.lock(session, ref)
        comment.hidden_at = NOW if what == "hide" else None
        moves.refresh_standing(session, comment, NOW)


def recount(session: Session, consultation_id: int) -> PublicCounts:
    """The numbers, counted anew from every comment."""
    rows = session.scalars(select(Comment).where(Comment.consultation_id == consultation_id))
    return public_counts(
        CountedComment(
            CommentState(row.handling_state),
            Publicity(row.publicity),
            ClosedAs(row.closed_as) if row.closed_as else None,
            hidden=row.hidden_at is not None,
        )
        for row in rows
    )


def sentence(page: str) -> tuple[int, dict[str, int]]:
    """The sum a page prints: 收到 n 条 = 已公开 a + 待审核 b + …"""
    found = re.search(r'<p class="small sum">(.*?)</p>', page, re.DOTALL)
    assert found, "the page prints no sum"
    words = re.sub(r"\s+", " ", found[1])
    received = re.search(r"收到 (\d+) 条", words)
    assert received
    return int(received[1]), {
        key: int(n) for key, label in LABELS.items() for n in re.findall(rf"{label} (\d+)", words)
    }


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    places=st.lists(st.sampled_from(PLACES), min_size=1, max_size=6),
    history=st.lists(st.tuples(st.integers(0, 5), st.sampled_from(STEPS)), max_size=18),
)
def test_the_numbers_add_up_and_are_the_same_everywhere(
    site: Site, places: list[str | None], history: list[tuple[int, str]]
) -> None:
    number = next(_names)
    with site.store.writing() as session:
        base = site.world
        made = make_consultation(
            session, base.programme_id, base.units, base.items, slug=f"c{number}", short_code=f"C{number}"
        )
        world = replace(made, staff=base.staff)
        refs = [make_comment(session, world, section=place).receipt_no for place in places]
    done: Counter[str] = Counter()
    for index, what in history:
        try:
            with site.store.writing() as session:
                step(session, world, refs[index % len(refs)], what)
            done[what] += 1
        except DomainError:
            continue  # the rules refuse it; the transaction left nothing behind
    with site.store.reading() as session:
        shown = published.counts(session, world.consultation_id)
        counted = recount(session, world.consultation_id)
        assert shown.received == len(refs)
        assert {pile: getattr(shown, pile.value) for pile in Standing} == {
            pile: getattr(counted, pile.value) for pile in Standing
        }
        rows = session.scalars(select(Comment).where(Comment.consultation_id == world.consultation_id)).all()
        by_section = Counter(row.section_id or 0 for row in rows if row.standing == "public")
        assert dict(published.place_counts(session, world.consultation_id).sections) == dict(by_section)
        assert published.counts_of_all(session)[world.consultation_id] == shown
        for key, section_id in world.sections.items():
            listed = published.of_section(session, section_id, 50)
            assert len(listed) == by_section.get(section_id, 0), key
    visitor = site.visitor()
    piles = {pile.value: getattr(shown, pile.value) for pile in Standing}
    for path in (f"/c/{world.slug}/", f"/c/{world.slug}/comments/"):
        received, parts = sentence(visitor.get(path).text)
        assert (received, parts) == (len(refs), piles), path
        assert sum(parts.values()) == received
    table = visitor.get(f"/c/{world.slug}/comments/").text
    assert table.count('<th scope="row"') == shown.public
    assert f"公开意见 {shown.public} 条" in table
