"""The receipt, and looking up one's own comment by 查询码 (R-19 to R-21, R-47, R-88)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from consult import clock
from consult.db import Store
from consult.domain.public_codes import parse_query_code
from tests.support import casework
from tests.support.factories import NOW
from tests.support.public_site import Site, open_site
from tests.support.visitors import BODY, Page, Visitor, all_forms


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def without_tokens(page: Page) -> str:
    return re.sub(r'(?<=name="csrf_token" value=")[^"]+', "-", page.text)


def action(page: Page, name: str, visitor: Visitor) -> Page:
    form = next(one for one in all_forms(page.text) if "token" in one)
    return visitor.post("/status/", {**form, "action": name})


def test_r19_the_receipt_tells_both_numbers_to_who_sent_the_comment(site: Site) -> None:
    visitor = site.visitor()
    page = visitor.get(visitor.comment().location)
    assert page.status == 200
    assert "ZP-0001" in page.text
    code = re.search(r"[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}", page.text)
    assert code
    assert parse_query_code(code[0])
    assert page.headers["cache-control"] == "no-store"
    assert code[0] not in str(visitor.cookies)


def test_the_receipt_tells_nobody_else_anything(site: Site) -> None:
    receipt = site.visitor().comment().location
    for stranger in (site.visitor(), site.visitor("192.0.2.99")):
        page = stranger.get(receipt)
        assert page.status == 200
        assert "ZP-0001" not in page.text
        assert not re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", page.text)
        assert "/status/" in page.text
    curious = site.visitor()
    curious.open_form()
    assert "ZP-0001" not in curious.get(receipt).text


def test_the_receipt_is_there_for_half_an_hour(site: Site) -> None:
    visitor = site.visitor()
    receipt = visitor.comment().location
    clock.start_at(NOW + timedelta(minutes=29))
    assert "ZP-0001" in visitor.get(receipt).text
    clock.start_at(NOW + timedelta(minutes=31))
    page = visitor.get(receipt)
    assert page.status == 200
    assert "ZP-0001" not in page.text
    assert "/status/" in page.text


@pytest.mark.parametrize("handle", ["x", "0" * 32, "0" * 31, "Z" * 32, "..%2f..", "%00"])
def test_a_made_up_receipt_tells_nothing(site: Site, handle: str) -> None:
    page = site.visitor().get(f"/c/gangyao/receipt/{handle}/")
    assert page.status in {200, 404}
    assert "ZP-" not in page.text


def test_r20_the_code_opens_the_comment_however_it_is_typed(site: Site) -> None:
    visitor = site.visitor()
    code = visitor.query_code(visitor.comment().location)
    ways = [code, code.lower(), code.replace("-", ""), code.replace("-", " "), f"  {code} "]
    ways += [code.replace("0", "O").replace("1", "l"), code.replace("1", "I")]
    for way in ways:
        page = site.visitor().look_up(way)
        assert page.status == 200, way
        assert "ZP-0001" in page.text
        assert BODY in page.text
        assert "13800138000" not in page.text
        assert page.headers["cache-control"] == "no-store"


def test_r20_only_a_keyed_digest_of_the_code_is_stored(site: Site) -> None:
    visitor = site.visitor()
    code = visitor.query_code(visitor.comment().location)
    stored = site.newest().query_code_digest
    assert re.fullmatch(r"[0-9a-f]{64}", stored)
    assert code.replace("-", "").lower() not in stored


def test_r21_every_failure_reads_the_same(site: Site) -> None:
    site.visitor().comment()
    answers = {
        (page.status, without_tokens(page))
        for page in (
            site.visitor().look_up(code)
            for code in (
                "0000-0000-0000",
                "ZZZZ-ZZZZ-ZZZZ",
                "",
                "1",
                "ZP-0001",
                "x" * 500,
                "一二三四",
                "\x00",
                "0" * 12,
            )
        )
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 422


def test_the_number_alone_opens_nothing(site: Site) -> None:
    site.visitor().comment()
    assert BODY not in site.visitor().look_up("ZP-0001").text
    assert site.visitor().get("/status/ZP-0001/").status == 404
    assert BODY not in site.visitor().get("/status/?code=ZP-0001").text


def test_lookups_are_limited_by_address(store: Store, tmp_path: Path) -> None:
    with open_site(store, tmp_path, limits_on=True) as site:
        answers = [site.visitor("192.0.2.50").look_up("0000-0000-0000") for _ in range(11)]
        assert [page.status for page in answers] == [422] * 10 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert site.visitor("192.0.2.51").look_up("0000-0000-0000").status == 422


def test_r88_withdrawing_removes_it_from_every_page_at_once(site: Site) -> None:
    visitor = site.visitor()
    code = visitor.query_code(visitor.comment().location)
    site.accept("ZP-0001")
    assert BODY in site.visitor().get("/c/gangyao/comments/").text
    own = visitor.look_up(code)
    asked = action(own, "withdraw", visitor)
    assert BODY in site.visitor().get("/c/gangyao/comments/").text  # nothing happens before it is confirmed
    assert action(asked, "withdraw", visitor).status == 200
    assert BODY not in site.visitor().get("/c/gangyao/comments/").text
    assert site.visitor().get("/c/gangyao/comments/ZP-0001/").status == 404
    # a second click finds it withdrawn, changes nothing and is no fault
    assert action(asked, "withdraw", visitor).status in {200, 409}
    assert site.newest().handling_state == "withdrawn"


def test_nobody_else_can_use_the_token_of_a_looked_up_comment(site: Site) -> None:
    visitor, thief = site.visitor(), site.visitor()
    own = visitor.look_up(visitor.query_code(visitor.comment().location))
    form = next(one for one in all_forms(own.text) if "token" in one)
    thief.open_form()
    stolen = {**form, "csrf_token": thief.open_form()["csrf_token"], "action": "withdraw"}
    assert thief.post("/status/", stolen).status == 422
    assert site.newest().handling_state == "pending_review"


@pytest.mark.parametrize("name", ["", "accept", "withdraw\x00", "__class__", "reply"])
def test_unknown_actions_do_nothing(site: Site, name: str) -> None:
    visitor = site.visitor()
    own = visitor.look_up(visitor.query_code(visitor.comment().location))
    assert action(own, name, visitor).status in {200, 422}
    assert site.newest().handling_state == "pending_review"


def test_a_token_with_a_nul_is_no_fault(site: Site) -> None:
    visitor = site.visitor()
    token = visitor.open_form()["csrf_token"]
    assert visitor.post("/status/", {"csrf_token": token, "action": "withdraw", "token": "\x00"}).status == 422


def test_r28_a_withheld_comment_is_answered_to_its_writer_all_the_same(site: Site) -> None:
    visitor = site.visitor()
    code = visitor.query_code(visitor.comment().location)
    with site.store.writing() as session:
        comment = casework.get(session, "ZP-0001")
        comment.publicity = "withheld"
    page = site.visitor().look_up(code)
    assert page.status == 200
    assert BODY in page.text
