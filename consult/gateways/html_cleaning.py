"""The one place where markup is made harmless: draft sections and official replies, when they are written.

The allow list is short on purpose (security guide §5). What is not on it is removed, its text stays. Comments of
the public never come here: they are plain text, escaped when shown.
"""

from __future__ import annotations

import re
from collections import Counter

import bleach

from consult.domain.errors import DomainError

CLEANER_VERSION = 1
"""Stored beside cleaned markup; raise it with the allow list, and what was cleaned before is cleaned again."""

SECTION_TAGS = frozenset(
    {"p", "br", "strong", "em", "ul", "ol", "li", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td", "a"}
)
REPLY_TAGS = frozenset({"p", "br", "strong", "em", "ul", "ol", "li", "a"})
ALLOWED_ATTRIBUTES = {"a": ["href"]}
ALLOWED_PROTOCOLS = frozenset({"http", "https", "mailto"})

MAX_SECTION_CHARACTERS = 200_000
MAX_REPLY_CHARACTERS = 20_000
MAX_TAGS = 20_000
MAX_DEPTH = 100

_ROUNDS = 6
"""Misnested links and tables settle in two or three; what is stored must read back as itself."""

_TAG = re.compile(r"<\s*(/?)\s*([a-zA-Z][a-zA-Z0-9]*)")
_CLOSE_THEMSELVES = frozenset(
    "br img hr input meta link wbr col area base source p li tr td th thead tbody".split()  # noqa: SIM905
)
_CODE = re.compile(r"<\s*(script|style)\b[^>]*>.*?<\s*/\s*\1\s*>", re.IGNORECASE | re.DOTALL)


class MarkupRefused(DomainError):  # noqa: N818 - a refusal, not a fault
    """The markup is too long, or nested so deep that cleaning it could be abused; nothing was cleaned.

    Codes: `markup_too_long` (params `length`, `limit`), `markup_too_deep` (param `limit`).
    """

    code = "markup_too_long"


def clean_section(html: str) -> str:
    """Markup of a draft section, reduced to the allow list.

    Raises:
        MarkupRefused: over `MAX_SECTION_CHARACTERS`, or nested deeper than `MAX_DEPTH`.
    """
    return _clean(html, SECTION_TAGS, MAX_SECTION_CHARACTERS)


def clean_reply(html: str) -> str:
    """Markup of an official reply: paragraphs, lists, emphasis and links.

    Raises:
        MarkupRefused: over `MAX_REPLY_CHARACTERS`, or nested deeper than `MAX_DEPTH`.
    """
    return _clean(html, REPLY_TAGS, MAX_REPLY_CHARACTERS)


def _clean(html: str, tags: frozenset[str], limit: int) -> str:
    if len(html) > limit:
        raise MarkupRefused("markup_too_long", length=len(html), limit=limit)
    _refuse_depth(html)
    cleaned = _CODE.sub("", html)
    for _ in range(_ROUNDS):
        before, cleaned = cleaned, _bleached(cleaned, tags)
        if cleaned == before:
            return cleaned
    raise MarkupRefused("markup_too_deep", limit=MAX_DEPTH)


def _bleached(html: str, tags: frozenset[str]) -> str:
    return str(
        bleach.clean(
            html,
            tags=tags,
            attributes=ALLOWED_ATTRIBUTES,
            protocols=ALLOWED_PROTOCOLS,
            strip=True,
            strip_comments=True,
        )
    )


def _refuse_depth(html: str) -> None:
    """An upper bound of the nesting before any tree is built: the tree builder's cost grows with its square."""
    still_open: Counter[str] = Counter()
    for count, found in enumerate(_TAG.finditer(html), start=1):
        name = found.group(2).lower()
        if name in _CLOSE_THEMSELVES:
            continue
        if not found.group(1):
            still_open[name] += 1
        elif still_open[name]:
            still_open[name] -= 1
        if count > MAX_TAGS or still_open[name] > MAX_DEPTH or still_open.total() > 2 * MAX_DEPTH:
            raise MarkupRefused("markup_too_deep", limit=MAX_DEPTH)
