"""The pages that are measured: their addresses and what their answers must hold."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from bench import seed
from bench.stores import SLUG
from consult import web
from consult.db import Store
from consult.models.comments import Comment
from consult.models.consultations import Consultation

_TABLE_AFTER = 100  # rows skipped: "next 50" is a page in the middle, not the first


@dataclass(frozen=True)
class Page:
    """One page: `path` with `{section}` and `{after}`, a marker and how often it occurs at least or exactly."""

    path: str
    marker: str
    least: int
    count: int = 0
    staff: bool = False


PAGES = {
    "section": Page(f"/c/{SLUG}/draft/{{section}}/", '<p class="typed">', 20_000, count=50),
    "overview": Page(f"/c/{SLUG}/", "意见办理情况", 6_000),
    "table": Page(f"/c/{SLUG}/comments/?after={{after}}", '<tr><th scope="row"', 30_000, count=50),
    "queue": Page("/staff/queue?tab=review", "/staff/comments/ZP-", 30_000, staff=True),
    "form": Page(f"/c/{SLUG}/comment/?section={{section}}", 'name="captcha_id"', 10_000),
}
NAMES = tuple(PAGES)
KEPT_BY_THE_SITE = ("section", "overview", "table")
_PADDING = "x" * 300  # consult.public.page_cache keeps no page with so long an address
_after: dict[str, str] = {}


def busy_section(url: str) -> str:
    """Return the section with the most comments, and remember where the table's third page begins."""
    store = Store(url)
    try:
        with store.reading() as session:
            section = seed.busy_section(session.connection(), SLUG)
            at, key = session.execute(
                select(Comment.submitted_at, Comment.id)
                .join(Consultation, Consultation.id == Comment.consultation_id)
                .where(Consultation.slug == SLUG, Comment.standing == "public")
                .order_by(Comment.submitted_at.desc(), Comment.id.desc())
                .offset(_TABLE_AFTER)
                .limit(1)
            ).one()
    finally:
        store.dispose()
    _after[section] = web.encode_cursor(at, key)
    return section


def address(name: str, section: str, *, anew: bool = False) -> str:
    """Return where a page lies in the store last asked about; `anew` makes an address too long to be kept."""
    path = PAGES["form" if name == "submit" else name].path
    path = path.replace("{section}", section).replace("{after}", _after[section])
    return f"{path}{'&' if '?' in path else '?'}anew={_PADDING}" if anew else path
