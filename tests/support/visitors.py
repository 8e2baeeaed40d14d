"""A visitor without JavaScript: opens pages, keeps cookies, fills the comment form the way a browser sends it.

The same visitor goes to a test client (`to_app`) and to a real server (`to_port`). Nothing here imports the
product, so that a thousand of them start quickly in processes of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

ANSWER = "test-answer"
BODY = "建议在示例路口增设一座过街天桥，早晚高峰老人过马路太危险。"
FILLED: Mapping[str, str] = {
    "section": "s3",
    "submitter_kind": "individual",
    "name": "张三丰",
    "contact": "13800138000",
    "email": "zhang.san@example.com",
    "body": BODY,
    "age_statement": "over_14",
    "consent_process": "yes",
}
"""A form that is accepted, but for the captcha and the token."""


@dataclass(frozen=True)
class Page:
    """An answer: `headers` are lower-case; of several with one name the last counts, all are in `header_list`."""

    status: int
    text: str
    header_list: tuple[tuple[str, str], ...] = ()
    data: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        """The headers by lower-case name."""
        return {name.lower(): value for name, value in self.header_list}

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.headers.get("location", "")

    def all_of(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for key, value in self.header_list if key.lower() == name.lower()]


Transport = Callable[[str, str, Mapping[str, str], "bytes | None"], Page]


def to_port(port: int, timeout: float = 30.0) -> Transport:
    """Send over a real socket, a new connection for each request."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Page:
        with closing(HTTPConnection("127.0.0.1", port, timeout=timeout)) as connection:
            connection.request(method, path, body=body, headers=dict(headers))
            answer = connection.getresponse()
            data = answer.read()
            return Page(answer.status, data.decode("utf-8", "replace"), tuple(answer.getheaders()), data)

    return send


def to_app(app: Any, address: str = "192.0.2.7") -> Transport:
    """Send to a Flask application in this process, from the given client address."""

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Page:
        client = app.test_client(use_cookies=False)
        answer = client.open(
            path, method=method, headers=dict(headers), data=body, environ_base={"REMOTE_ADDR": address}
        )
        return Page(
            answer.status_code, answer.get_data().decode("utf-8", "replace"), tuple(answer.headers), answer.data
        )

    return send


@dataclass
class Visitor:
    """One browser with its cookies; `memory` is for whoever drives it."""

    send: Transport
    slug: str = "gangyao"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    memory: dict[str, str] = field(default_factory=dict)

    @property
    def form_path(self) -> str:
        """Where the comment form is."""
        return f"/c/{self.slug}/comment/"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Page:
        """Send one request with this visitor's cookies and keep those of the answer."""
        sent = {**self.headers, **headers}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        page = self.send(method, path, sent, body)
        for line in page.all_of("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return page

    def get(self, path: str) -> Page:
        """Open a page."""
        return self.ask("GET", path)

    def post(self, path: str, fields: Mapping[str, str]) -> Page:
        """Send a form."""
        body = urlencode(fields).encode()
        return self.ask("POST", path, body, **{"Content-Type": "application/x-www-form-urlencoded"})

    def open_form(self, query: str = "") -> dict[str, str]:
        """Open the comment form and return its fields as they stand."""
        page = self.get(self.form_path + query)
        assert page.status == 200, (page.status, page.text[:500])
        return form_fields(page.text)

    def filled(self, query: str = "", **changes: str) -> dict[str, str]:
        """Open the form and fill it in, ready to be sent."""
        return {**self.open_form(query), **FILLED, "captcha_answer": ANSWER, **changes}

    def submit(self, fields: Mapping[str, str]) -> Page:
        """Send the comment form."""
        return self.post(self.form_path, fields)

    def comment(self, query: str = "", **changes: str) -> Page:
        """Open the form, fill it in and send it."""
        return self.submit(self.filled(query, **changes))

    def query_code(self, receipt: str) -> str:
        """Open the receipt and return the 查询码."""
        page = self.get(receipt)
        found = re.search(r'class="code"[^>]*>\s*([0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4})', page.text)
        assert found, page.text[-3000:]
        return found[1]

    def look_up(self, code: str) -> Page:
        """Ask for one's own comment by 查询码."""
        fields = form_fields(self.get("/status/").text, having="code")
        return self.post("/status/", {**fields, "code": code})


class _Forms(HTMLParser):
    """Collects the fields of every form as a browser would send them, without its buttons."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[dict[str, str]] = []
        self._textarea = ""
        self._text: list[str] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "form":
            self.forms.append({})
        elif not self.forms:
            return
        elif tag == "textarea" and name:
            self._textarea, self._text = name, []
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.forms[-1]):
            self.forms[-1][self._select] = given.get("value", "")
        elif tag == "input" and name:
            self._input(name, given)

    def _input(self, name: str, given: Mapping[str, str]) -> None:
        kind = given.get("type", "text")
        if kind in {"checkbox", "radio"}:
            if "checked" in given:
                self.forms[-1][name] = given.get("value", "on")
        elif kind not in {"submit", "button"}:
            self.forms[-1][name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._textarea:
            # HTML drops one line break right after the tag.
            self.forms[-1][self._textarea] = "".join(self._text).removeprefix("\n")
            self._textarea = ""
        elif tag == "select":
            self._select = ""


def all_forms(html: str) -> list[dict[str, str]]:
    """The fields of every form on a page."""
    parser = _Forms()
    parser.feed(html)
    parser.close()
    return parser.forms


def form_fields(html: str, having: str = "body") -> dict[str, str]:
    """The fields of the form that has a field of that name."""
    return next((form for form in all_forms(html) if having in form), {})


def error_fields(html: str) -> dict[str, str]:
    """The messages of the error summary by the name of their field; a message for no field is under ""."""
    summary = re.search(r'<div class="errors".*?</ul>', html, re.DOTALL)
    if not summary:
        return {}
    found = {}
    for item in re.findall(r"<li>(.*?)</li>", summary[0], re.DOTALL):
        link = re.match(r'<a href="#f-([^"]+)">(.*)</a>', item, re.DOTALL)
        found[link[1] if link else ""] = link[2] if link else item
    return found
