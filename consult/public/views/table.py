"""公众意见: the public table and one published comment."""

from __future__ import annotations

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.errors import NotFound
from consult.public import draft_cache, page_cache, table_filters
from consult.public.presenters import overview as presenter
from consult.public.presenters.feeds import sharing
from consult.queries import published, reading

bp = Blueprint("table", __name__)
_COUNT_AT_MOST = 10_000
_HITS_AT_MOST = 1_000  # counting hits costs as much as finding them


@bp.get("/c/<slug>/comments/")
@page_cache.kept
def index(slug: str) -> ResponseReturnValue:
    """Show one page of the public table, newest first."""
    now = clock.utc_now()
    asked = request.args
    filters = table_filters.read(asked)
    with db.reading() as session:
        head = reading.required(session, slug, now)
        draft = draft_cache.current(session, head.id)
        page = published.table_page(
            session,
            head.id,
            filters,
            web.runtime().page_size,
            after=web.decode_cursor(asked.get("after", "")),
            before=web.decode_cursor(asked.get("before", "")),
        )
        counts = published.counts(session, head.id)
        units = published.lead_units(session, head.id)
        at_most = _HITS_AT_MOST if filters.q else _COUNT_AT_MOST
        matched = published.matching(session, head.id, filters, at_most + 1) if filters.any else None
    first, last = (page.rows[0], page.rows[-1]) if page.rows else (None, None)
    context = presenter.table_page(
        head,
        draft,
        page,
        filters,
        counts,
        units,
        None if matched is None else f"{at_most}+" if matched > at_most else str(matched),
        now,
        base=url_for("table.index", slug=slug),
        file=url_for("feeds.comments_csv", slug=slug),
        newer=web.encode_cursor(first.submitted_at, first.id) if first and page.has_newer else "",
        older=web.encode_cursor(last.submitted_at, last.id) if last and page.has_older else "",
    )
    return render_template("public/table.html", page=context)


@bp.get("/c/<slug>/comments/<ref>/")
@page_cache.kept
def comment(slug: str, ref: str) -> ResponseReturnValue:
    """Show one published comment with its reply; unknown and unpublished look the same (R-27)."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.consultation(session, slug, now)
        found = published.one(session, head.id, ref[:24]) if head else None
    if head is None or found is None:
        raise NotFound(object="comment")
    page = presenter.comment_page(head, found, now, url_for("sections.draft", slug=slug))
    shared = sharing(f"{found.receipt_no} · {head.title}", found.body, web.runtime().base_url, request.path)
    return render_template("public/comment.html", page=page, sharing=shared)
