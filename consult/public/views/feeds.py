"""Published comments for feed readers, spreadsheets and search engines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import chain
from urllib.parse import quote

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from consult import clock, db, web
from consult.domain import public_table
from consult.domain.calendar import BEIJING
from consult.domain.tables import Row
from consult.gateways.csv_file import csv_stream
from consult.public import draft_cache, table_filters
from consult.public.presenters import feeds as presenter
from consult.public.presenters.public_view import view
from consult.queries import plan, published, reading
from consult.queries.published import Filters

bp = Blueprint("feeds", __name__)
_BATCH = 500
_COMMENTS_ON_THE_MAP = 1_000
_FILES = ("20 per hour",)
_ROBOTS = """User-agent: *
Disallow: /staff/
Disallow: /status/
Disallow: /captcha/
Disallow: /preferences
Disallow: /api/
Disallow: /*/comment/
Disallow: /*/receipt/
Disallow: /*/comments.csv
Disallow: /*?q=
Disallow: /*&q=

Sitemap: {root}/sitemap.xml
"""


def _root() -> str:
    """Return the site's own address without a slash at its end."""
    return (web.runtime().base_url or request.host_url).rstrip("/")


@bp.get("/c/<slug>/feed.atom")
def feed(slug: str) -> ResponseReturnValue:
    """Give the newest published comments and replies as Atom (RFC 4287)."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.required(session, slug, now)
        comments = published.table_page(session, head.id, Filters(), presenter.ENTRIES).rows
        replies = published.latest_replies(session, presenter.ENTRIES, head.id)
    government = web.runtime().site.government
    answered = tuple(one for _, one in replies)
    context = presenter.feed(head, comments, answered, _root() + request.script_root, government)
    return _xml(render_template("public/feed.atom.xml", page=context), "application/atom+xml")


@bp.get("/c/<slug>/comments.csv")
def comments_csv(slug: str) -> ResponseReturnValue:
    """Give the public table as a file, narrowed like the page, in one moment of the store (exports.md §1)."""
    now = clock.utc_now()
    if wait := web.admit("public_csv", web.client(), _FILES):
        raise TooManyRequests(retry_after=wait)
    with db.reading() as session:
        head = reading.required(session, slug, now)
    pieces = csv_stream(public_table.COLUMNS, _rows(db.current(), head.id, table_filters.read(request.args)))
    # The first piece is made here, so that a store that cannot answer gives an error page and not half a file.
    response = Response(chain((next(pieces),), pieces), mimetype="text/csv")
    name = f"{head.short_code}_{public_table.TITLE}_{now.astimezone(BEIJING):%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = f"attachment; filename=\"comments.csv\"; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _rows(store: db.Store, consultation_id: int, filters: Filters) -> Iterator[Row]:
    after = None
    with store.reading() as session:
        while True:
            page = published.table_page(session, consultation_id, filters, _BATCH, after=after)
            yield from (view(one).row() for one in page.rows)
            if not page.has_older or not page.rows:
                return
            after = (page.rows[-1].submitted_at, page.rows[-1].id)


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """Keep search engines to what is published (R-106)."""
    return Response(_ROBOTS.format(root=_root()), mimetype="text/plain")


@bp.get("/sitemap.xml")
def site_map() -> ResponseReturnValue:
    """List the addresses of published pages, of comments the newest."""
    now = clock.utc_now()
    with db.reading() as session:
        heads = [
            (
                head,
                draft_cache.current(session, head.id),
                published.newest_numbers(session, head.id, _COMMENTS_ON_THE_MAP),
            )
            for head in reading.consultations(session, now)
        ]
        items = [row.key for row in plan.list_items(session)]
    context = presenter.site_map(heads, items, _root())
    return _xml(render_template("public/sitemap.xml", page={"addresses": context}), "application/xml")


def _xml(text: str, mimetype: str) -> Response:
    response = Response(text, mimetype=mimetype)
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.headers["Cache-Control"] = "no-cache"
    response.make_conditional(request)
    return response
