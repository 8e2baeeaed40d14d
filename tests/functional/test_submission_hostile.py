"""The corpus of hostile inputs through the form and back out on the pages (security guide, chapters 5 and 7).

Comments shorter than ten characters are padded, because the corpus is not about length.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from consult.db import Store
from consult.domain.comment_states import Action, Publicity
from consult.services import events, moves
from tests.support.factories import NOW
from tests.support.public_site import Site, open_site
from tests.support.visitors import Page, Visitor, error_fields, form_fields

CORPUS: list[dict[str, Any]] = [
    json.loads(line)
    for line in (Path(__file__).parents[1] / "data" / "hostile_inputs.jsonl").read_text("utf-8").splitlines()
]
PADDING = "（补足十个字以上的说明文字）"
BIDI = dict.fromkeys(map(ord, "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
LONGEST = 2_000


def of_field(field: str, *, rejected: bool) -> list[dict[str, Any]]:
    return [one for one in CORPUS if one["field"] == field and one["expected"].startswith("reject") is rejected]


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


def publish(site: Site) -> str:
    """Accept the newest comment as it is, whatever the detector thinks of it."""
    ref = site.newest().receipt_no
    with site.store.writing() as session:
        actor = events.staff(site.world.viewer("reviewer").staff_id, "reviewer")
        moves.move(session, moves.lock(session, ref), Action.ACCEPT, actor, NOW, publicity=Publicity.FULL)
    return ref


def normalised(text: str) -> str:
    """What guide and rules say is stored: LF for every line break, NFC, nothing else."""
    return unicodedata.normalize("NFC", re.sub("\r\n|[\r\u2028\u2029\u0085]", "\n", text))


def shown_in(page: Page, pattern: str) -> list[str]:
    """The texts a page shows at a place; none of them holds markup of its own."""
    found = re.findall(pattern, page.text, re.DOTALL)
    assert not any("<" in one or ">" in one for one in found), found
    return [unescape(one) for one in found]


def send(visitor: Visitor, fields: dict[str, str], raw_body: str = "") -> Page:
    """Send the form; `raw_body` is appended percent-encoded as it is, when the bytes are no UTF-8."""
    if not raw_body:
        return visitor.submit(fields)
    rest = urlencode({name: value for name, value in fields.items() if name != "body"})
    body = f"{rest}&body={quote(PADDING)}{raw_body}".encode("ascii")
    return visitor.ask("POST", visitor.form_path, body, **{"Content-Type": "application/x-www-form-urlencoded"})


def test_accepted_comments_come_back_exactly_as_typed(site: Site) -> None:
    visitor = site.visitor()
    for one in of_field("comment", rejected=False):
        typed = one["input"] if len(one["input"]) >= 12 else one["input"] + PADDING
        page = visitor.comment(body=typed)
        if len(typed) > LONGEST:
            assert page.status == 422, one["id"]
            assert form_fields(page.text)["body"] == typed
            continue
        assert page.status == 303, (one["id"], error_fields(page.text))
        assert site.newest().body == normalised(typed), one["id"]
        expected = normalised(typed).translate(BIDI)
        ref = publish(site)
        detail = site.visitor().get(f"/c/gangyao/comments/{ref}/")
        assert shown_in(detail, r'<p class="typed">(.*?)</p>') == [expected], one["id"]
        table = site.visitor().get("/c/gangyao/comments/")
        assert expected in shown_in(table, r'<td class="typed" data-l="意见与建议">(.*?)</td>'), one["id"]
        section = site.visitor().get("/c/gangyao/draft/s3/")
        assert section.status == 200, one["id"]
        found = site.visitor().get("/c/gangyao/comments/?q=" + quote(typed[:20]))
        assert found.status == 200, one["id"]


def test_refused_comments_get_a_field_error_and_everything_back(site: Site) -> None:
    visitor = site.visitor()
    for one in of_field("comment", rejected=True):
        fields = visitor.filled(body=one["input"])
        page = send(visitor, fields, one["input"] if one["category"] == "invalid-utf8" else "")
        assert page.status == 422, one["id"]
        assert "body" in error_fields(page.text), one["id"]
        again = form_fields(page.text)
        assert (again["name"], again["contact"], again["email"]) == (fields["name"], fields["contact"], fields["email"])
        assert again["captcha_id"] == fields["captcha_id"], "a field error spends no challenge"
    assert site.count() == 0


def test_accepted_names_come_back_escaped_when_their_owner_agrees(site: Site) -> None:
    visitor = site.visitor()
    for one in of_field("name", rejected=False):
        page = visitor.comment(name=one["input"], consent_publish_name="yes")
        assert page.status == 303, (one["id"], error_fields(page.text))
        ref = publish(site)
        detail = site.visitor().get(f"/c/gangyao/comments/{ref}/")
        assert shown_in(detail, "<bdi>(.*?)</bdi>") == [unicodedata.normalize("NFC", one["input"])], one["id"]


def test_refused_names_get_a_field_error(site: Site) -> None:
    visitor = site.visitor()
    for one in of_field("name", rejected=True):
        page = visitor.comment(name=one["input"])
        assert page.status == 422, one["id"]
        assert "name" in error_fields(page.text), one["id"]
    assert site.count() == 0


def test_contacts_are_accepted_or_refused_as_the_corpus_says(site: Site) -> None:
    visitor = site.visitor()
    for rejected in (True, False):
        for one in of_field("contact", rejected=rejected):
            field = "email" if "@" in one["input"] else "contact"
            page = visitor.comment(**{field: one["input"]})
            assert page.status == (422 if rejected else 303), one["id"]
            assert not rejected or field in error_fields(page.text), one["id"]


def test_codes_of_the_corpus_get_one_and_the_same_answer(site: Site) -> None:
    answers = set()
    for one in (one for one in CORPUS if one["field"] == "code"):
        page = site.visitor().look_up(one["input"])
        answers.add((page.status, re.sub(r'(?<=name="csrf_token" value=")[^"]+', "-", page.text)))
    assert len(answers) == 1


def test_no_redirect_leads_off_the_site(site: Site) -> None:
    for one in (one for one in CORPUS if one["field"] == "next"):
        page = site.visitor().post("/preferences", {"next": one["input"], "size": "large"})
        assert page.status == 303, one["id"]
        expected = "/" if one["expected"].startswith("reject") else one["input"]
        assert page.location == expected, one["id"]


@pytest.mark.parametrize(
    "path",
    [
        *("/c/%00/", "/c/gangyao/comments/%00/", "/c/gangyao/draft/%00/", "/plan/%00/", "/%00", "/c/gangyao/%00"),
        *("/c/gangyao/comments/?q=%00", "/c/gangyao/comments/?section=%00", "/c/gangyao/comments/?unit=%00"),
        *("/c/gangyao/comments/?after=%00", "/c/gangyao/comment/?section=%00", "/c/gangyao/comment/?block=%00"),
        *("/c/gangyao/comments/?after=" + "W1" * 50, "/c/gangyao/comments/?after=" + "Wzds" * 800),
        "/c/gangyao/comments/?after=WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAwIiwxXQ",
        "/c/gangyao/comments/?after=WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTE0OjAwIiwxXQ",
        "/c/gangyao/comments/?after=WyIyMDIzLTA3LTE4VDAyOjAwOjAwKzAwOjAwIiwxZTk5XQ",
        *("/c/gangyao/comments/?before=abc", "/c/gangyao/comments/?q=%25_%5C", "/c/gangyao/comments/?q=%ED%A0%80"),
        *("/c/gangyao/draft/?v=%FF", "/c/gangyao/draft/?v=-1", "/c/gangyao/compare/1/99999999999999999999/"),
        *("/c/gangyao/compare/?a=x", "/c/gangyao/comments/?section=" + "x" * 3000, "/c/%ED%A0%80/", "/captcha/%00.png"),
        *("/%2e%2e/%2e%2e/etc/passwd", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py", "/en/en/en/", "/en%00/"),
    ],
)
def test_an_odd_address_is_no_fault(site: Site, path: str) -> None:
    page = site.visitor().get(path)
    assert page.status in {200, 303, 308, 404}, path
    assert "root:" not in page.text


def test_an_odd_challenge_request_is_no_fault(site: Site) -> None:
    visitor = site.visitor()
    token = visitor.open_form()["csrf_token"]
    for form in ("\x00", "x" * 5_000, "\ufffe", ""):
        assert visitor.post("/captcha/", {"csrf_token": token, "form": form}).status == 200
