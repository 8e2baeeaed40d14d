"""Full-text search over published comments and replies: the same hits on both stores, and never a hit too many."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from consult.db import Store
from consult.domain.comment_states import Publicity
from consult.domain.personal_data import PiiType
from consult.queries import published
from consult.queries.published import Filters
from consult.services import moves, own_comment, search_index
from moderation.services import replies, screening
from moderation.services.screening import Acceptance, Covered
from tests.support import casework
from tests.support.factories import CIPHER, NOW, make_comment, make_consultation
from tests.support.public_site import Site, open_site

TABLE = "/c/gangyao/comments/"


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def add(site: Site, body: str, *, accepted: bool = True, minutes: int = 0, **columns: object) -> str:
    """Store a comment and publish it; return its number."""
    with site.store.writing() as session:
        sent = NOW + timedelta(minutes=minutes)
        ref = make_comment(session, site.world, sent, body=body, **columns).receipt_no  # type: ignore[arg-type]
        if accepted:
            casework.accept(session, site.world, ref, sent)
    return ref


def refs(html: str) -> list[str]:
    return re.findall(r'<th scope="row".*?>(ZP-\d{4})</a>', html, re.DOTALL)


def found(site: Site, words: str, **narrowed: str) -> list[str]:
    asked = "".join(f"&{name}={quote(value)}" for name, value in narrowed.items())
    page = site.visitor().get(f"{TABLE}?q={quote(words)}{asked}")
    assert page.status == 200
    return refs(page.text)


def entries(session: Session) -> list[tuple[int, str]]:
    """The whole index, as the store keeps it."""
    return [
        tuple(row) for row in session.execute(text("SELECT rowid, CAST(tokens AS text) FROM comment_search ORDER BY 1"))
    ]


def assert_index_is_what_a_rebuild_makes(site: Site) -> None:
    with site.store.reading() as session:
        kept = entries(session)
    with site.store.writing() as session:
        written = search_index.rebuild(session)
        session.flush()
        assert entries(session) == kept
    assert written == len(kept)


def test_words_of_two_characters_latin_words_and_numbers_are_found(site: Site) -> None:
    ref = add(site, "推进产业园区建设，G60科创走廊投资13.5亿元，𠮷野家旁的路也要修。")
    add(site, "希望增加养老床位，业级不明。")
    for words in ("产业", "园区建设", "产业园区建设", "g60", "Ｇ６０", "13.5", "𠮷野", "科创 投资", "路"):
        assert found(site, words) == [ref], words
    for words in ("业区", "产业床位", "创科", "G6", "3.5", "设产业"):
        assert found(site, words) == [], words


def test_a_comment_is_found_by_its_number_however_it_is_typed(site: Site) -> None:
    numbers = [add(site, "建议增加接驳公交。", minutes=n) for n in range(3)]
    for typed in ("ZP-0002", "zp-0002", "ZP0002", "ｚｐ－0002", "0002"):
        assert found(site, typed) == ["ZP-0002"], typed
    assert found(site, "zp") == numbers[::-1]


def test_r46_a_name_is_found_only_while_its_owner_agrees(site: Site) -> None:
    ref = add(site, "建议增加接驳公交。", public_name="欧阳建国", consent_publish_name=True)
    assert add(site, "建议增加停车位。") not in found(site, "赵")
    assert found(site, "欧阳建国") == found(site, "欧阳") == [ref]
    with site.store.writing() as session:
        own_comment.revoke_name(session, ref, NOW)
    assert found(site, "欧阳建国") == found(site, "欧阳") == []
    assert found(site, "接驳公交") == [ref]
    assert_index_is_what_a_rebuild_makes(site)


def test_r27_nothing_is_found_before_it_is_accepted(site: Site) -> None:
    ref = add(site, "望江亭东侧建一座风雨连廊。", accepted=False)
    assert found(site, "风雨连廊") == found(site, ref) == []
    site.accept(ref)
    assert found(site, "风雨连廊") == [ref]


def test_r30_what_is_covered_is_not_found(site: Site) -> None:
    ref = add(site, "请联系我的邻居13800138001商量加装电梯。", accepted=False)
    covered = Acceptance(Publicity.REDACTED, redactions=(Covered(7, 18, PiiType.MOBILE, "邻居的电话"),))
    with site.store.writing() as session:
        casework.accept(session, site.world, ref, NOW, covered)
    assert found(site, "加装电梯") == [ref]
    assert found(site, "13800138001") == []
    assert_index_is_what_a_rebuild_makes(site)


def test_r39_a_hidden_comment_is_found_no_more_from_the_commit_that_hides_it(site: Site) -> None:
    ref = add(site, "望江亭东侧建一座风雨连廊。")
    with site.store.writing() as session:
        comment = moves.lock(session, ref)
        comment.hidden_at = NOW
        moves.refresh_standing(session, comment, NOW)
    assert found(site, "风雨连廊") == []
    with site.store.reading() as session:
        assert entries(session) == []


def test_r88_a_withdrawn_comment_is_found_no_more(site: Site) -> None:
    ref = add(site, "望江亭东侧建一座风雨连廊。")
    with site.store.writing() as session:
        own_comment.withdraw(session, ref, NOW, CIPHER)
    assert found(site, "风雨连廊") == []


def test_a_change_that_is_rolled_back_leaves_the_index_alone(site: Site) -> None:
    ref = add(site, "望江亭东侧建一座风雨连廊。", accepted=False)

    def accept_and_fail() -> None:
        with site.store.writing() as session:
            casework.accept(session, site.world, ref)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        accept_and_fail()
    assert found(site, "风雨连廊") == []


def test_replies_are_found_once_published_and_corrected_ones_by_their_new_words(site: Site) -> None:
    ref = add(site, "早高峰车太少。", accepted=False)
    with site.store.writing() as session:
        casework.submitted(session, site.world, ref)
    assert found(site, "接驳公交建议") == []
    with site.store.writing() as session:
        replies.sign_off(session, site.world.viewer("signer"), ref, casework.version(session, ref), CIPHER, NOW)
    assert found(site, "接驳公交建议") == [ref]
    assert found(site, "元江路改造") == [ref]
    with site.store.writing() as session:
        replies.correct(
            session,
            site.world.viewer("signer"),
            ref,
            casework.version(session, ref),
            replace(casework.GOOD_REPLY, body=casework.GOOD_REPLY.body.replace("两个班次", "三个车次")),
            "班次数更正。",
            CIPHER,
            NOW,
        )
    assert found(site, "三个车次") == [ref]
    assert found(site, "两个班次") == []
    assert_index_is_what_a_rebuild_makes(site)


def test_a_phrase_never_runs_from_one_text_into_the_next(site: Site) -> None:
    ref = add(site, "下面这句结尾是bus", accepted=False)
    with site.store.writing() as session:
        casework.in_progress(session, site.world, ref)
        draft = replace(casework.GOOD_REPLY, body="2026 " + casework.GOOD_REPLY.body)
        casework.draft_and_approve(session, site.world, ref, NOW, draft)
        replies.sign_off(session, site.world.viewer("signer"), ref, casework.version(session, ref), CIPHER, NOW)
    assert found(site, "bus") == found(site, "2026") == [ref]
    assert found(site, "bus-2026") == []


def test_filters_narrow_the_hits_and_follow_the_comment(site: Site) -> None:
    here, whole = add(site, "公交班次太少。", section="s3"), add(site, "公交线路太长。", section=None, minutes=1)
    assert found(site, "公交") == [whole, here]
    assert found(site, "公交", section="s3") == [here]
    assert found(site, "公交", section="whole") == [whole]
    assert found(site, "公交", outcome="waiting") == [whole, here]
    for nothing in ({"section": "s1"}, {"section": "none"}, {"unit": "JTW"}, {"unit": "none"}, {"outcome": "adopted"}):
        assert found(site, "公交", **nothing) == [], nothing
    answered = add(site, "公交站台太窄。", accepted=False, minutes=2)
    with site.store.writing() as session:
        casework.replied(session, site.world, answered, NOW + timedelta(minutes=2))
    assert found(site, "公交", unit="JTW") == [answered]
    assert found(site, "公交", outcome="partly_adopted") == [answered]
    assert found(site, "公交", outcome="waiting") == [whole, here]
    assert_index_is_what_a_rebuild_makes(site)


def test_another_consultation_is_not_searched(site: Site) -> None:
    with site.store.writing() as session:
        other = make_consultation(
            session, site.world.programme_id, site.world.units, site.world.items, slug="zhuanxiang", short_code="ZX"
        )
        ref = make_comment(session, other, body="公交班次太少。").receipt_no
        casework.accept(session, replace(other, staff=site.world.staff), ref)
    assert found(site, "公交") == []
    assert "ZX-0001" in site.visitor().get(f"/c/zhuanxiang/comments/?q={quote('公交')}").text


def test_pages_of_hits_show_each_once_newest_first_and_lead_back(site: Site) -> None:
    site.app.extensions["kaimen"] = replace(site.app.extensions["kaimen"], page_size=3)
    # Three at a time share a moment, and the oldest was entered last, as paper is.
    sent = [add(site, f"公交建议第{n}条", minutes=n // 3) for n in range(8)]
    late = add(site, "公交建议，纸质来信。", minutes=-60)
    wanted = [*sent[::-1], late]
    pages, path = [], f"{TABLE}?q={quote('公交')}"
    while path:
        html = site.visitor().get(path).text
        pages.append(refs(html))
        last = path
        path = link(html, "next")
    assert [one for page in pages for one in page] == wanted
    assert [len(page) for page in pages] == [3, 3, 3]
    back = []
    while last:
        html = site.visitor().get(last).text
        back.append(refs(html))
        last = link(html, "prev")
    assert back == pages[::-1]


def link(html: str, rel: str) -> str:
    hit = re.search(rf'href="([^"]+)" rel="{rel}"', html)
    return unescape(hit[1]) if hit else ""


def test_what_was_found_is_marked_and_nothing_of_a_comment_becomes_markup(site: Site) -> None:
    add(site, "<b>G60</b>沿线的产业园区，ＰＭ2.5偏高。")
    html = site.visitor().get(f"{TABLE}?q={quote('产业园 pm2.5')}").text
    assert re.findall(r"<mark>(.*?)</mark>", html) == ["产业园", "ＰＭ2.5"]
    assert "&lt;b&gt;G60&lt;/b&gt;" in html
    assert "含“产业园 pm2.5”的意见 1 条" in html


@pytest.mark.parametrize(
    "words",
    [
        *(
            "%",
            "*",
            '"',
            "'",
            "\\",
            "()",
            "AND",
            "a OR b",
            'NEAR("公", 2)',
            "公交*",
            '"公交"',
            "tokens:公交",
            "-公交",
            "^公交",
        ),
        *(
            "'公交' & !x",
            "公交:*",
            "<->",
            "😀",
            "\u202e公交",
            "é",
            "ﷺ" * 50,
            "x" * 50,
            "公" * 200,
            "０" * 60,
            "a b " * 40,
        ),
    ],
)
def test_odd_searches_are_no_fault_and_never_find_a_comment_without_the_words(site: Site, words: str) -> None:
    ref = add(site, "公交太少。")
    hits = found(site, words)
    # Signs are not searched for; what is left of these is the word itself.
    assert hits == ([ref] if "公交" in words and not re.search("tokens|NEAR|x", words) else []), words


def test_hits_are_counted_up_to_a_limit(site: Site) -> None:
    for n in range(3):
        add(site, "公交太少。", minutes=n)
    with site.store.reading() as session:
        counted = [
            published.matching(session, site.world.consultation_id, Filters(q="公交"), limit) for limit in (2, 3, 4)
        ]
    assert counted == [2, 3, 3]
    assert "含“公交”的意见 3 条" in site.visitor().get(f"{TABLE}?q={quote('公交')}").text


def test_a_store_whose_index_is_empty_is_told_apart_and_filled(site: Site) -> None:
    ref = add(site, "公交太少。")
    with site.store.writing() as session:
        assert not search_index.is_missing(session)
        session.execute(text("DELETE FROM comment_search"))
        assert search_index.is_missing(session)
    assert found(site, "公交") == []
    with site.store.writing() as session:
        assert search_index.rebuild(session) == 1
    assert found(site, "公交") == [ref]


def test_a_withheld_comment_leaves_the_index_with_the_second_person(site: Site) -> None:
    ref = add(site, "望江亭东侧建一座风雨连廊。")
    with site.store.writing() as session:
        proposal = screening.Proposal("withhold", "privacy")
        screening.propose(session, site.world.viewer("reviewer"), ref, casework.version(session, ref), proposal, NOW)
    assert found(site, "风雨连廊") == [ref]
    with site.store.writing() as session:
        screening.confirm(session, site.world.viewer("reviewer2"), ref, casework.version(session, ref), NOW)
    assert found(site, "风雨连廊") == []
    assert_index_is_what_a_rebuild_makes(site)
