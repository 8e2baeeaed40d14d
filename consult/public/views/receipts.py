"""The receipt: 编号 and 查询码, for the same visitor, for 30 minutes."""

from __future__ import annotations

import re

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from consult import clock, db, web
from consult.domain.errors import NotFound
from consult.domain.public_codes import show_query_code
from consult.gateways.qr_code import svg
from consult.public.presenters import commenting
from consult.queries import calendars, reading, status

bp = Blueprint("receipts", __name__)
_HANDLE = re.compile(r"[0-9a-f]{32}")


@bp.get("/c/<slug>/receipt/<handle>/")
def show(slug: str, handle: str) -> ResponseReturnValue:
    """Show the receipt to whom it belongs; to anybody else only how to look a comment up."""
    now, runtime = clock.utc_now(), web.runtime()
    with db.reading() as session:
        head = reading.consultation(session, slug, now)
        if head is None or not _HANDLE.fullmatch(handle):
            raise NotFound(object="receipt")
        visitor = web.known_visitor()
        kept = runtime.short_lived.get_receipt(handle, visitor, now) if visitor else None
        facts = status.receipt(session, handle) if kept else None
        calendar = calendars.work_calendar(session)
    code = show_query_code(runtime.cipher.decrypt(kept)) if kept and facts else ""
    # The picture leads to the page of the look-up and never carries the code itself.
    picture = Markup(svg(runtime.base_url + url_for("status.lookup"))) if runtime.base_url else None  # noqa: S704
    page = commenting.receipt_page(head, facts, code, now, calendar, picture, url_for("sections.draft", slug=slug))
    response = make_response(render_template("public/receipt.html", page=page))
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
