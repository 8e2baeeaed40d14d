"""The English catalogue: complete, up to date; dates, refusals and Chinese data in both languages."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from markupsafe import Markup

from consult import i18n
from consult.db import Store
from consult.domain.errors import Refused
from consult.public.presenters import wording
from tests.support.public_site import Site, open_site

ROOT = Path(__file__).resolve().parents[2]
CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")
ALLOWED: frozenset[str] = frozenset()
"""Chinese words an English translation may quote: none is needed."""


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("translations", ROOT / "scripts" / "translations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["translations"] = module
    spec.loader.exec_module(module)
    return module


translations = _load()
KEPT = translations.read()


@pytest.fixture(scope="module")
def sources() -> Any:
    return translations.extracted()


# -- the catalogue ----------------------------------------------------------------------------------


def test_the_catalogue_holds_exactly_the_messages_of_the_sources(sources: Any) -> None:
    wanted = {translations.key(one) for one in translations.messages(sources)}
    kept = {translations.key(one) for one in translations.messages(KEPT)}
    assert wanted - kept == set(), "run `python scripts/translations.py` and translate what it lists"
    assert kept - wanted == set(), "run `python scripts/translations.py`"


def test_every_message_is_translated_with_the_same_placeholders() -> None:
    assert translations.flaws(KEPT) == []


def test_no_translation_holds_chinese() -> None:
    found = {
        text
        for one in translations.messages(KEPT)
        for text in translations.strings(one)
        if CHINESE.search(text) and text not in ALLOWED
    }
    assert found == set()


def test_the_compiled_catalogue_says_what_the_written_one_says() -> None:
    compiled = GNUTranslations(BytesIO(translations.MO.read_bytes()))
    fresh = GNUTranslations(BytesIO(translations.mo_bytes(KEPT)))
    assert compiled._catalog == fresh._catalog  # type: ignore[attr-defined]
    assert compiled.gettext("采纳") == "Adopted"


def test_writing_the_catalogue_again_changes_nothing() -> None:
    text = translations.PO.read_bytes()
    assert translations.po_bytes(KEPT) == text
    assert b"POT-Creation-Date" not in text
    assert str(ROOT).encode() not in text


def test_a_flaw_is_named(sources: Any) -> None:
    message = next(one for one in translations.messages(sources) if one.id == "错误号 %(id)s")
    made = type(sources)(locale="en")
    made.add(message.id, "Error number %(number)s")
    made.add("采纳", "")
    assert translations.flaws(made) == ["placeholders differ: 错误号 %(id)s", "untranslated: 采纳"]


# -- dates and the helpers of pages -----------------------------------------------------------------


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    with open_site(store, tmp_path) as opened:
        yield opened


MORNING = datetime(2023, 8, 14, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "/",
            (
                "8月14日",
                "2023年8月14日",
                "2023年8月14日 09:05",
                "8月14日（周一）24:00",
                "2023年8月13日 24:00",
                "第二稿",
                "天",
            ),
        ),
        (
            "/en/",
            (
                "14 August",
                "14 August 2023",
                "14 August 2023, 09:05",
                "24:00 on Monday 14 August",
                "13 August 2023, 24:00",
                "Draft 2",
                " day",
            ),
        ),
    ],
)
def test_dates_and_numbers_follow_the_language_of_the_page(site: Site, path: str, expected: tuple[str, ...]) -> None:
    seen: list[str] = []

    def look() -> str:
        value = date(2023, 8, 14)
        seen.extend(
            [
                wording.day(value),
                wording.full_day(value),
                wording.moment(MORNING).text,
                wording.due(value),
                i18n.end_of_period(MORNING),
                wording.ordinal(2),
                i18n.plural("天", "天", 1),
            ]
        )
        return ""

    site.app.view_functions["pages.home"] = look
    assert site.visitor().get(path).status == 200
    assert tuple(seen) == expected


def test_chinese_data_is_marked_on_an_english_page_and_escaped_on_both(site: Site) -> None:
    def look() -> str:
        unit = i18n.zh("区<交通委")
        return "|".join([str(Markup("{}").format(unit)), i18n._("正在由%(unit)s办理。", unit=unit), i18n.zh("JTW")])

    site.app.view_functions["pages.home"] = look
    assert site.visitor().get("/").text == "区&lt;交通委|正在由区<交通委办理。|JTW"
    marked = '<span lang="zh-Hans">区&lt;交通委</span>'
    assert site.visitor().get("/en/").text == f"{marked}|Being handled by {marked}.|JTW"


def test_a_refusal_is_said_in_the_language_of_the_page(site: Site) -> None:
    refusal = Refused("body_too_short", minimum=10, n=3)
    site.app.view_functions["pages.home"] = lambda: i18n.say(refusal)
    assert site.visitor().get("/").text == "意见至少 10 个字，现在 3 个字。"
    assert site.visitor().get("/en/").text == "Write at least 10 characters; there are 3 now."
