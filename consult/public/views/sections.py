"""Reading the draft: contents and whole text, one section."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.errors import NotFound
from consult.public import draft_cache, page_cache
from consult.public.presenters import compare as comparing
from consult.public.presenters import reading as presenter
from consult.queries import drafts, plan, published, reading
from consult.queries.drafts import VersionRow

bp = Blueprint("sections", __name__)


def _wanted(rows: tuple[VersionRow, ...]) -> VersionRow:
    """Return the version named by `?v=`, else the current one.

    Raises:
        NotFound: there is no such published version.
    """
    if not rows:
        raise NotFound(object="draft_version")
    asked = request.args.get("v", "")
    if not asked:
        return rows[-1]
    found = next((row for row in rows if str(row.number) == asked), None)
    if found is None:
        raise NotFound(object="draft_version")
    return found


@bp.get("/c/<slug>/draft/")
@page_cache.kept
def draft(slug: str) -> ResponseReturnValue:
    """Show the contents and the whole draft."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.required(session, slug, now)
        rows = drafts.versions(session, head.id, published_only=True)
        text = draft_cache.full(session, _wanted(rows))
        counts = published.place_counts(session, head.id)
    return render_template("public/draft.html", page=presenter.draft_page(head, rows, text, counts, now))


@bp.get("/c/<slug>/draft/<section>/")
@page_cache.kept
def section(slug: str, section: str) -> ResponseReturnValue:
    """Show one section with the public comments on it."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.required(session, slug, now)
        rows = drafts.versions(session, head.id, published_only=True)
        text = draft_cache.full(session, _wanted(rows))
        mine = next((one for one in text.sections if one.section.key == section), None)
        if mine is None:
            raise NotFound(object="section")
        counts = published.place_counts(session, head.id)
        comments = published.of_section(session, mine.section.section_id, web.runtime().page_size)
        units = plan.lead_names(session, (item.key for item in mine.items))
    page = presenter.section_page(head, rows, text, section, counts, comments, units, now)
    return render_template("public/section.html", page=page)


@bp.get("/c/<slug>/compare/")
def choose(slug: str) -> ResponseReturnValue:
    """Send the choice of two versions to its own address."""
    a, b = request.args.get("a", type=int), request.args.get("b", type=int)
    if a is None or b is None or a < 1 or b < 1:
        raise NotFound(object="draft_version")
    return redirect(url_for("sections.compare", slug=slug, a=min(a, b), b=max(a, b)), HTTPStatus.SEE_OTHER)


@bp.get("/c/<slug>/compare/<int:a>/<int:b>/")
def compare(slug: str, a: int, b: int) -> ResponseReturnValue:
    """Show what changed between two published versions."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.required(session, slug, now)
        rows = drafts.versions(session, head.id, published_only=True)
        by_number = {row.number: row for row in rows}
        if a not in by_number or b not in by_number:
            raise NotFound(object="draft_version")
        old, new = (draft_cache.full(session, by_number[number]) for number in (a, b))
    # Two published versions never change, so they are compared once per process.
    kept = web.runtime().cache.setdefault("comparisons", {})
    key = (old.version.id, new.version.id)
    if key not in kept:
        kept[key] = comparing.compare(old, new)
    page = comparing.page(head, rows, old, new, kept[key], now, url_for("sections.choose", slug=slug))
    return render_template("public/compare.html", page=page)
