"""The page of a conflict: what somebody had typed beside what stands now (R-91)."""

from __future__ import annotations

from http import HTTPStatus

from flask import render_template, request, url_for

from consult import clock, db, web
from consult.domain.errors import ChangedMeanwhile, IllegalTransition
from moderation import access
from moderation.presenters import comment as present
from moderation.queries import comment_page as read


def conflict_page(
    receipt_no: str, error: ChangedMeanwhile | IllegalTransition, back_url: str = ""
) -> tuple[str, HTTPStatus]:
    """Return the page and 409; `back_url` leads to the newest state, the comment's page when empty.

    Raises:
        NotFound: the comment is out of the viewer's reach by now.
    """
    with db.reading() as session:
        page = read.load(session, access.viewer(), receipt_no, web.runtime().cipher, clock.utc_now())
    shown = present.conflict(page, request.form, error)
    back = back_url or url_for("comment.show", receipt_no=receipt_no)
    return render_template("staff/conflict.html", page=shown, back_url=back), HTTPStatus.CONFLICT
