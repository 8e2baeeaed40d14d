"""The Atom feed, the list of addresses for search engines, and what a page says about itself when it is shared."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from consult.domain.calendar import local_day
from consult.domain.tables import iso_text
from consult.i18n import _
from consult.public.presenters.public_view import view
from consult.queries.drafts import FullDraft
from consult.queries.published import PublishedComment
from consult.queries.reading import ConsultationHead

ENTRIES = 50
_NOT_IN_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DESCRIBED = 120


@dataclass(frozen=True)
class Entry:
    """One entry: a published comment, or the reply to one."""

    id: str
    url: str
    title: str
    author: str
    text: str
    published: str
    updated: str


@dataclass(frozen=True)
class SiteAddress:
    """One address of the site map."""

    url: str
    changed: str


@dataclass(frozen=True)
class Sharing:
    """What a page says to those who link to it; `url` is empty where the site does not know its own address."""

    title: str
    description: str
    url: str


def feed(
    head: ConsultationHead,
    comments: Sequence[PublishedComment],
    replies: Sequence[PublishedComment],
    root: str,
    government: str,
) -> dict[str, object]:
    """Return what feed.atom.xml is given; `root` is the address of the site without a slash at its end."""
    page = f"{root}/c/{head.slug}/"
    dated = [(one.submitted_at, 0, one) for one in comments]
    dated += [(one.replied_at, 1, one) for one in replies if one.replied_at is not None]
    dated.sort(key=lambda each: (each[0], each[2].id, each[1]), reverse=True)
    newest = dated[:ENTRIES]
    entries = tuple((_reply if kind else _comment)(page, one, government) for _at, kind, one in newest)
    updated = max((at for at, _kind, _one in newest), default=head.published_at)
    return {
        "id": f"{page}feed.atom",
        "url": f"{page}comments/",
        "title": f"{_('公众意见')} · {clean(head.title)}",
        "updated": iso_text(updated) if updated else iso_text(head.window.opens_at),
        "author": clean(head.owner_unit_name),
        "entries": entries,
    }


def _comment(page: str, one: PublishedComment, _government: str) -> Entry:
    seen = view(one)
    url = f"{page}comments/{one.receipt_no}/"
    title = f"{_('意见 %(ref)s', ref=one.receipt_no)} · {seen.section}"
    at = iso_text(one.submitted_at)
    return Entry(url, url, clean(title), clean(seen.commenter), clean(seen.comment_body), at, at)


def _reply(page: str, one: PublishedComment, government: str) -> Entry:
    seen = view(one)
    url = f"{page}comments/{one.receipt_no}/"
    title = f"{_('答复')} · {_('意见 %(ref)s', ref=one.receipt_no)} · {seen.outcome}"
    at = iso_text(one.replied_at or one.submitted_at)
    return Entry(
        f"{url}#reply", url, clean(title), clean(seen.reply_unit or government), clean(seen.reply_body), at, at
    )


def clean(text: str) -> str:
    """Return text without the characters XML cannot carry."""
    return _NOT_IN_XML.sub("", text)


def site_map(
    heads: Iterable[tuple[ConsultationHead, FullDraft | None, Sequence[tuple[str, datetime]]]],
    items: Iterable[str],
    root: str,
) -> tuple[SiteAddress, ...]:
    """Return the addresses search engines should know: what is published, and nothing about persons' own matters."""
    found = [SiteAddress(f"{root}{path}", "") for path in ("/", "/plan/", "/help/", "/offline/", "/accessibility/")]
    for head, draft, comments in heads:
        base = f"{root}/c/{quote(head.slug)}/"
        found += [SiteAddress(base, ""), SiteAddress(f"{base}comments/", "")]
        if head.feedback_published_at is not None:
            found.append(SiteAddress(f"{base}results/", local_day(head.feedback_published_at).isoformat()))
        if draft is not None:
            changed = local_day(draft.version.published_at or draft.version.imported_at)
            found.append(SiteAddress(f"{base}draft/", changed.isoformat()))
            keys = (quote(one.section.key) for one in draft.sections)
            found += [SiteAddress(f"{base}draft/{key}/", changed.isoformat()) for key in keys]
        found += [SiteAddress(f"{base}comments/{ref}/", local_day(at).isoformat()) for ref, at in comments]
    found += [SiteAddress(f"{root}/plan/{quote(key)}/", "") for key in items]
    return tuple(found)


def sharing(title: str, text: str, base_url: str, path: str) -> Sharing:
    """Return what a page says about itself; an address only if the site was told its own (never the asker's)."""
    line = " ".join(text.split())
    described = line if len(line) <= _DESCRIBED else line[: _DESCRIBED - 1] + "…"
    root = base_url.rstrip("/")
    return Sharing(title, described, f"{root}{path}" if root else "")
