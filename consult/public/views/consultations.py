"""One consultation: what, why, until when, how, and numbers that reconcile."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.public import draft_cache, page_cache
from consult.public.presenters import overview as presenter
from consult.public.presenters.feeds import sharing
from consult.queries import published, reading

bp = Blueprint("consultations", __name__)


@bp.get("/c/<slug>/")
@page_cache.kept
def overview(slug: str) -> ResponseReturnValue:
    """Show one consultation."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.required(session, slug, now)
        page = presenter.overview_page(
            head,
            draft_cache.current(session, head.id),
            published.counts(session, head.id),
            published.place_counts(session, head.id),
            reading.extensions_of(session, head.id),
            now,
        )
    shared = sharing(head.title, head.drafting_note or head.title, web.runtime().base_url, request.path)
    return render_template("public/overview.html", page=page, sharing=shared)
