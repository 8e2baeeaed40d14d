"""/api/v1/: the published data for machines. Read-only, no cookies, every answer with an ETag."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest

from consult import clock, db, web
from consult.domain.errors import NotFound
from consult.public import draft_cache, table_filters
from consult.public.openapi import LARGEST_PAGE, LONGEST, document
from consult.public.presenters import api as presenter
from consult.queries import plan, published, reading

bp = Blueprint("api", __name__, url_prefix="/api/v1")
_COUNT_AT_MOST = 1_000
_FILTERS = ("q", "section", "unit", "outcome")


@bp.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Describe the interface."""
    return _answer(document())


@bp.get("/consultations")
def consultations() -> ResponseReturnValue:
    """List every published consultation."""
    with db.reading() as session:
        heads = reading.consultations(session, clock.utc_now())
        counts = published.counts_of_all(session)
    return _answer(presenter.consultations(heads, counts))


@bp.get("/consultations/<slug>")
def consultation(slug: str) -> ResponseReturnValue:
    """Give one consultation."""
    with db.reading() as session:
        head = reading.required(session, slug, clock.utc_now())
        counts = published.counts(session, head.id)
    return _answer(presenter.consultation(head, counts))


@bp.get("/consultations/<slug>/sections")
def sections(slug: str) -> ResponseReturnValue:
    """Give the outline of the current draft."""
    with db.reading() as session:
        head = reading.required(session, slug, clock.utc_now())
        draft = draft_cache.current(session, head.id)
        places = published.place_counts(session, head.id)
    return _answer(presenter.sections(head, draft, places))


@bp.get("/consultations/<slug>/comments")
def comments(slug: str) -> ResponseReturnValue:
    """Give one page of the public table, newest first, narrowed like the page of the site."""
    for name in _FILTERS:
        if len(request.args.get(name, "")) > LONGEST[name]:
            raise BadRequest(f"{name}: at most {LONGEST[name]} characters")
    outcome = request.args.get("outcome", "")
    if outcome and outcome not in table_filters.OUTCOMES:
        raise BadRequest(f"outcome: one of {', '.join(table_filters.OUTCOMES)}")
    limit = _limit()
    given = request.args.get("after", "")
    after = web.decode_cursor(given) if given else None
    if given and after is None:
        raise BadRequest("after: not a position; take it from `next`")
    filters = table_filters.read(request.args)
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.required(session, slug, clock.utc_now())
        page = published.table_page(session, head.id, filters, limit, after=after)
        if filters.any:
            count = published.matching(session, head.id, filters, _COUNT_AT_MOST + 1)
        else:
            count = published.counts(session, head.id).public
    counted_all = not filters.any or count <= _COUNT_AT_MOST
    last = page.rows[-1] if page.rows and page.has_older else None
    body = presenter.comments(
        head,
        page,
        filters,
        count if counted_all else _COUNT_AT_MOST,
        now,
        counted_all=counted_all,
        path=request.path,
        after=web.encode_cursor(last.submitted_at, last.id) if last else "",
        limit=limit,
    )
    return _answer(body, unstable="generated_at")


@bp.get("/consultations/<slug>/comments/<ref>")
def comment(slug: str, ref: str) -> ResponseReturnValue:
    """Give one published comment; unknown and unpublished look the same (R-27)."""
    with db.reading() as session:
        head = reading.required(session, slug, clock.utc_now())
        found = published.one(session, head.id, ref[:24])
    if found is None:
        raise NotFound(object="comment")
    return _answer(presenter.comment(head, found))


@bp.get("/plan/items")
def plan_items() -> ResponseReturnValue:
    """List the items of the plan, of one kind when asked."""
    kind = request.args.get("kind") or None
    if kind is not None and kind not in plan.KINDS:
        raise BadRequest(f"kind: one of {', '.join(plan.KINDS)}")
    with db.reading() as session:
        rows = plan.list_items(session, kind)
    return _answer(presenter.plan_items(rows))


@bp.get("/plan/items/<key>")
def plan_item(key: str) -> ResponseReturnValue:
    """Give one item of the plan with its editorial notes."""
    with db.reading() as session:
        found = plan.item(session, key)
    return _answer(presenter.plan_item(found))


def _limit() -> int:
    given = request.args.get("limit", "")
    if not given:
        return web.runtime().page_size
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= LARGEST_PAGE):
        raise BadRequest(f"limit: a whole number from 1 to {LARGEST_PAGE}")
    return int(given)


def _answer(body: dict[str, Any], unstable: str = "") -> Response:
    """Return JSON with an ETag over its content; `unstable` names what changes without the content changing."""
    stable = {name: value for name, value in body.items() if name != unstable}
    digest = hashlib.sha256(json.dumps(stable, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()[:32]
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(text, mimetype="application/json")
    response.set_etag(digest, weak=bool(unstable))
    # Asked anew each time, so that what is withdrawn is gone at once.
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.make_conditional(request)
    return response
