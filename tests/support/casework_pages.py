"""Opening a staff page and sending one of its forms, the way a browser without a script does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import unescape

from werkzeug.test import TestResponse

from consult.db import Store
from tests.support.factories import World, make_comment
from tests.support.staff_site import Browser


def submit(store: Store, world: World, **columns: object) -> str:
    """Submit a comment and return its 编号."""
    with store.writing() as session:
        return make_comment(session, world, **columns).receipt_no  # type: ignore[arg-type]


def hidden_fields(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the form that posts to `action`."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert found, f"no form for {action}"
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    return {name: unescape(value) for name, value in fields}


def act(
    browser: Browser, path: str, page: str, data: Mapping[str, str | Sequence[str]], form: str = ""
) -> TestResponse:
    """Open a page and send one of its forms with `data`; `form` is its address when a button sends it elsewhere."""
    shown = browser.get(page)
    assert shown.status_code == 200, shown.text
    return browser.send(path, {**hidden_fields(shown.text, form or path), **data})  # type: ignore[dict-item]
