"""/api/v1/: what it gives is what its description says and what the pages show (R-27, R-47, R-106)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from consult.db import Store
from consult.public.openapi import document
from consult.services import own_comment
from tests.support import casework
from tests.support.factories import NOW, make_comment
from tests.support.json_schema import faults
from tests.support.public_site import Site, open_site
from tests.support.visitors import Page

API = "/api/v1"
ONE = f"{API}/consultations/gangyao"
ATOM = "{http://www.w3.org/2005/Atom}"
ODD = (
    *("", " ", "'", '"', "%", "%00", "%ff%fe", "..", "../../etc", "<script>", "null", "-1", "0", "1e9", "9" * 400),
    *(quote("公交"), quote("😀" * 40), quote("\u202e"), "a" * 3000, "{}", "[]", "ZP-0001'", "NaN", "%25", "a%0ab"),
)


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        with store.writing() as session:
            texts = ("=1+1 早高峰公交太少\n请加密。", "建议 <b>加装</b> 电梯 & 坡道。", "未审核的意见", "请修路。")
            for number, body in enumerate(texts):
                sent = NOW + timedelta(minutes=number)
                named = {"public_name": "张三丰", "consent_publish_name": True} if number == 3 else {}
                section = "s3" if number else None
                make_comment(session, opened.world, sent, body=body, section=section, **named)  # type: ignore[arg-type]
            casework.replied(session, opened.world, "ZP-0001", NOW + timedelta(hours=1))
            casework.accept(session, opened.world, "ZP-0002", NOW + timedelta(hours=1))
            casework.assigned(session, opened.world, "ZP-0004", NOW + timedelta(hours=1))
        yield opened


def get(site: Site, path: str, **headers: str) -> Page:
    return site.visitor().ask("GET", path, None, **headers)


def data(site: Site, path: str) -> Any:
    page = get(site, path)
    assert page.status == 200, (path, page.status, page.text)
    assert page.headers["content-type"] == "application/json"
    return json.loads(page.text)


def described(path: str) -> str:
    """The name of the schema the description gives for a concrete address."""
    plain = path.removeprefix(API).partition("?")[0]
    for template, operation in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), plain):
            content = operation["get"]["responses"]["200"]["content"]
            return str(content["application/json"]["schema"]["$ref"])
    raise AssertionError(f"{path} is not described")


ADDRESSES = (
    *(f"{API}/consultations", ONE, f"{ONE}/sections", f"{ONE}/comments", f"{ONE}/comments?limit=1"),
    *(f"{ONE}/comments?outcome=partly_adopted", f"{ONE}/comments?q={quote('公交')}", f"{ONE}/comments?section=s3"),
    *(f"{ONE}/comments/ZP-0001", f"{ONE}/comments/ZP-0002", f"{ONE}/comments/ZP-0004", f"{API}/plan/items"),
    *(f"{API}/plan/items?kind=key_task", f"{API}/plan/items/T01", f"/en{ONE}/comments"),
)


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_answer_is_what_the_description_says(site: Site, path: str) -> None:
    found = list(faults(data(site, path), {"$ref": described(path.removeprefix("/en"))}, document()))
    assert found == []


def test_the_check_of_descriptions_notices_what_is_wrong(site: Site) -> None:
    body = data(site, f"{ONE}/comments")
    schema = {"$ref": "#/components/schemas/CommentList"}
    for change in ({"more": 1}, {"count": "3"}, {"generated_at": "2023-07-18T02:00:00Z"}, {"count": -1}):
        assert list(faults(body | change, schema, document())), change
    body["items"][0].pop("commenter")
    assert list(faults(body, schema, document())) == ["$.items[0]: commenter is missing"]


def test_the_description_names_every_address_and_every_parameter_of_it(site: Site) -> None:
    assert data(site, f"{API}/openapi.json") == json.loads(json.dumps(document()))
    rules = {str(rule).removeprefix(API) for rule in site.app.url_map.iter_rules() if str(rule).startswith(API)}
    told = {re.sub(r"\{(\w+)\}", r"<\1>", path) for path in document()["paths"]}
    assert told | {"/openapi.json"} == rules
    for path, operation in document()["paths"].items():
        in_path = {one["name"] for one in operation["get"]["parameters"] if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))


def test_the_description_points_at_nothing_that_is_not_there() -> None:
    text = json.dumps(document())
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) == set(document()["components"]["schemas"])


def test_r106_table_file_api_and_feed_say_the_same_words(site: Site) -> None:
    items = data(site, f"{ONE}/comments")["items"]
    html = site.visitor().get("/c/gangyao/comments/").text
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", html, re.DOTALL)
    page = [
        [unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in rows
    ]
    file = list(csv.reader(io.StringIO(get(site, "/c/gangyao/comments.csv").text.removeprefix("\ufeff"), newline="")))
    feed = ElementTree.fromstring(get(site, "/c/gangyao/feed.atom").text)
    told = {entry.findtext(f"{ATOM}id", ""): entry for entry in feed.iter(f"{ATOM}entry")}
    assert len(items) == len(page) == len(file) - 1 == 3
    for item, cells, line in zip(items, page, file[1:], strict=True):
        ref = item["receipt_no"]
        assert cells[0] == item["commenter"] + ref
        assert line[0] == item["commenter"]
        assert cells[1] == item["comment_body"]
        assert line[1].removeprefix("'") == item["comment_body"]
        entry = told[f"http://localhost/c/gangyao/comments/{ref}/"]
        assert entry.findtext(f"{ATOM}content") == item["comment_body"]
        assert entry.findtext(f"{ATOM}author/{ATOM}name") == item["commenter"]
        assert line[2] == item["reply_body"]
        assert line[3] == cells[3] == item["submitted_at"][:16].replace("T", " ")
        assert line[4] == cells[4] == (item["reply_unit"] or "")
        assert line[7] == cells[7] == item["section"]
        if item["replied_at"]:
            assert cells[2] == item["reply_body"]
            assert told[f"http://localhost/c/gangyao/comments/{ref}/#reply"].findtext(f"{ATOM}content") == cells[2]
            assert (line[5], line[6]) == (cells[5], cells[6])
            assert cells[6] == item["outcome"]
        else:
            assert item["reply_body"] == "办理中"
            assert cells[2].startswith(("办理中", "正在由区交通委办理"))
            assert (line[5], line[6], item["outcome"], item["outcome_code"]) == ("", "", None, None)
        own = data(site, f"{ONE}/comments/{ref}")
        assert {key: own[key] for key in item} == item


def test_r27_nothing_unpublished_is_there(site: Site) -> None:
    text = "".join(get(site, path).text for path in ADDRESSES)
    assert "未审核的意见" not in text
    assert "ZP-0003" not in text
    unpublished, unknown = get(site, f"{ONE}/comments/ZP-0003"), get(site, f"{ONE}/comments/ZP-9999")
    assert (unpublished.status, unpublished.text) == (unknown.status, unknown.text)
    assert unknown.status == 404
    assert "13800138000" not in text
    assert "赵晓梅" not in text


def test_r47_a_name_taken_back_is_masked_at_once(site: Site) -> None:
    path = f"{ONE}/comments/ZP-0004"
    before = get(site, path)
    assert json.loads(before.text)["commenter"] == "张三丰"
    with site.store.writing() as session:
        own_comment.revoke_name(session, "ZP-0004", NOW)
    after = get(site, path, **{"If-None-Match": before.headers["etag"]})
    assert after.status == 200
    assert json.loads(after.text)["commenter"] == "赵**"


def test_pages_follow_one_another_and_hold_each_comment_once(site: Site) -> None:
    path, seen = f"{ONE}/comments?limit=1", []
    while path:
        body = data(site, path)
        seen += [one["receipt_no"] for one in body["items"]]
        assert body["count"] == 3
        path = body["next"]
    assert seen == ["ZP-0004", "ZP-0002", "ZP-0001"]


def test_filters_narrow_and_are_told(site: Site) -> None:
    def refs(asked: str) -> list[str]:
        return [one["receipt_no"] for one in data(site, f"{ONE}/comments?{asked}")["items"]]

    assert refs("section=whole") == refs("outcome=partly_adopted") == refs(f"q={quote('公交太少')}") == ["ZP-0001"]
    assert refs("unit=JTW") == ["ZP-0004", "ZP-0001"]
    assert refs("section=none") == refs("unit=none") == []
    body = data(site, f"{ONE}/comments?section=s3&q=ZP0002&limit=5")
    assert (body["filters"], body["count"], body["count_is_exact"]) == ({"q": "ZP0002", "section": "s3"}, 1, True)


def test_what_did_not_change_is_answered_304_and_no_cookie_is_set(site: Site) -> None:
    for path in (*ADDRESSES, f"{API}/openapi.json"):
        first = get(site, path)
        again = get(site, path, **{"If-None-Match": first.headers["etag"]})
        assert (again.status, again.data) == (304, b""), path
        assert first.all_of("set-cookie") == again.all_of("set-cookie") == []
        assert first.headers["cache-control"] == "no-cache"
        assert site.visitor().ask("HEAD", path).data == b""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *[
            ("GET", path, 404)
            for path in (f"{API}/none", f"{API}/", f"{API}/consultations/none", f"{API}/plan/items/none")
        ],
        *[
            ("GET", f"{ONE}/comments?{asked}", 400)
            for asked in ("limit=0", "limit=201", "limit=x", "after=x", "outcome=x")
        ],
        *[("GET", f"{ONE}/comments?{asked}", 400) for asked in ("q=" + "a" * 51, "unit=" + "a" * 41, "limit=%D9%A1")],
        *[(method, f"{ONE}/comments", 405) for method in ("POST", "PUT", "DELETE", "PATCH")],
        ("GET", f"{API}/plan/items?kind=x", 400),
    ],
)
def test_errors_are_problem_details(site: Site, method: str, path: str, status: int) -> None:
    page = site.visitor().ask(method, path, b"{}" if method != "GET" else None)
    assert page.status == status
    assert page.headers["content-type"] == "application/problem+json"
    problem = json.loads(page.text)
    assert problem["status"] == status
    assert list(faults(problem, {"$ref": "#/components/schemas/Problem"}, document())) == []
    if status == 405:
        assert page.headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_store_that_cannot_answer_gives_a_problem_that_may_pass(site: Site) -> None:
    with site.store.writing() as session:
        session.connection().exec_driver_sql("ALTER TABLE consultation RENAME TO gone")
    site.app.config["KAIMEN_RAISE"] = False
    page = get(site, f"{API}/consultations")
    assert page.status in {500, 503}
    problem = json.loads(page.text)
    assert problem["status"] == page.status
    assert "gone" not in page.text
    assert "consultation" not in problem["detail"]


@pytest.mark.parametrize("odd", ODD)
def test_odd_addresses_and_parameters_are_no_fault(site: Site, odd: str) -> None:
    names = ("q", "section", "unit", "outcome", "after", "limit", "none")
    paths = [f"{ONE}/comments?{name}={odd}" for name in names]
    paths += [f"{ONE}/comments/{odd}", f"{API}/consultations/{odd}", f"{API}/consultations/{odd}/sections"]
    paths += [f"{API}/plan/items/{odd}", f"{API}/plan/items?kind={odd}", f"{API}/{odd}", f"{ONE}/comments?{odd}"]
    for path in paths:
        page = get(site, path)
        assert page.status in {200, 304, 400, 404, 308}, (path, page.status)
        if page.status >= 400 and path.startswith(API) and ".." not in path:
            assert page.headers["content-type"] == "application/problem+json", path


def test_a_position_with_an_extreme_moment_is_no_fault(site: Site) -> None:
    from consult.web import encode_cursor

    for moment in ("0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "1969-12-31T00:00:00+00:00"):
        for key in (0, -(2**62), 2**62):
            for asked in ("", f"&q={quote('公交')}"):
                assert get(site, f"{ONE}/comments?after={encode_cursor(moment, key)}{asked}").status == 200


def test_other_sites_may_read_it(site: Site) -> None:
    for path in (f"{ONE}/comments", f"{API}/none"):
        headers = get(site, path).headers
        assert headers["access-control-allow-origin"] == "*"
        assert headers["cross-origin-resource-policy"] == "cross-origin"


def test_a_page_size_of_its_own_is_used_where_none_is_asked_for(site: Site) -> None:
    site.app.extensions["kaimen"] = replace(site.app.extensions["kaimen"], page_size=2)
    assert len(data(site, f"{ONE}/comments")["items"]) == 2
