"""Sealed comments: the second person confirms or refuses from what may be known of them (R-38)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n
from consult.domain.errors import Refused
from moderation import access
from moderation.forms.accounts import FormView
from moderation.forms.screening import seen_version, values
from moderation.presenters import comment as present
from moderation.presenters.moments import moment
from moderation.queries import sealed as read
from moderation.services import screening

bp = Blueprint("sealed", __name__)


@bp.get("/sealed")
def index() -> ResponseReturnValue:
    """What is sealed and waits for its second person."""
    with db.reading() as session:
        found = read.waiting(session, access.viewer())
    rows = tuple((one, moment(one.proposed_at)) for one in found)
    return render_template("staff/sealed.html", rows=rows, done=request.args.get("done", ""))


@bp.get("/sealed/<receipt_no>")
def show(receipt_no: str) -> ResponseReturnValue:
    """One of them: its metadata and the decision."""
    return _page(receipt_no, FormView())


@bp.post("/sealed/<receipt_no>")
def decide(receipt_no: str) -> ResponseReturnValue:
    """Confirm that it stays withheld, or refuse, which opens it again."""
    now, seen, viewer = clock.utc_now(), seen_version(request.form), access.viewer()
    confirmed = request.form.get("verdict") == "confirm"
    with db.reading() as session:
        read.one(session, viewer, receipt_no)  # what is not sealed is decided on its own page
    try:
        with db.writing() as session:
            if confirmed:
                screening.confirm(session, viewer, receipt_no, seen, now)
            else:
                screening.refuse(session, viewer, receipt_no, seen, request.form.get("refusal", "")[:1000], now)
    except Refused as error:
        field = "refusal" if error.field == "reason" else error.field or ""
        form = FormView(values(request.form), {field: i18n.say(error)})
        return _page(receipt_no, form), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("sealed.index", done="confirmed" if confirmed else "refused"), HTTPStatus.SEE_OTHER)


def _page(receipt_no: str, form: FormView) -> str:
    with db.reading() as session:
        page = read.one(session, access.viewer(), receipt_no)
    return render_template(
        "staff/sealed_show.html",
        page=page,
        form=form,
        state=present.state_tag(page.state),
        reason=str(present.WITHHOLD.get(page.reason, page.reason)),
        submitted=moment(page.submitted_at),
        proposed=moment(page.proposed_at),
        way_in=present.channel_words(page.channel),
    )
