"""意见采纳情况: what came in and what became of it, once it is published."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from consult import clock, db
from consult.domain.errors import NotFound
from consult.domain.periods import ConsultationState
from consult.public import draft_cache
from consult.public.presenters import overview as presenter
from consult.queries import published, reading

bp = Blueprint("results", __name__)


@bp.get("/c/<slug>/results/")
def show(slug: str) -> ResponseReturnValue:
    """Show the results notice; before it is published there is none."""
    now = clock.utc_now()
    with db.reading() as session:
        head = reading.consultation(session, slug, now)
        if head is None or head.state not in {ConsultationState.FEEDBACK_PUBLISHED, ConsultationState.ARCHIVED}:
            raise NotFound(object="results")
        page = presenter.results_page(
            head,
            draft_cache.current(session, head.id),
            published.counts(session, head.id),
            published.results(session, head.id),
            published.place_counts(session, head.id),
            now,
        )
    return render_template("public/results.html", page=page)
