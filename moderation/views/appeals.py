"""Objections: the list of what waits, and deciding one (R-37)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.calendar import local_day
from consult.domain.errors import FieldErrors, Refused
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms import appeals as forms
from moderation.forms.accounts import FormView
from moderation.forms.screening import seen_version, values
from moderation.presenters import appeals as present
from moderation.presenters import comment as comment_present
from moderation.presenters.moments import moment
from moderation.queries import appeals as read
from moderation.services import appeals
from moderation.services.appeals import Verdict

bp = Blueprint("appeals", __name__)


@bp.get("/appeals")
def index() -> ResponseReturnValue:
    """Objections that wait, or with `state=decided` those that were decided."""
    decided = request.args.get("state") == "decided"
    with db.reading() as session:
        calendar = work_calendar(session)
        found = read.rows(session, access.viewer(), decided=decided)
    return render_template(
        "staff/appeals.html",
        rows=present.rows(found, url_for, local_day(clock.utc_now()), calendar),
        decided=decided,
        done=request.args.get("done", ""),
    )


@bp.get("/appeals/<int(max=9007199254740991):appeal_id>")
def show(appeal_id: int) -> ResponseReturnValue:
    """One objection, what it is about, and the decision."""
    return _page(appeal_id, FormView())


@bp.post("/appeals/<int(max=9007199254740991):appeal_id>")
def decide(appeal_id: int) -> ResponseReturnValue:
    """Keep the decision or set it right."""
    now, typed = clock.utc_now(), forms.read_verdict(request.form)
    verdict = Verdict(typed.choice, typed.reason, typed.cover)
    try:
        with db.writing() as session:
            appeals.decide(
                session,
                access.viewer(),
                appeal_id,
                seen_version(request.form),
                verdict,
                web.runtime().cipher,
                work_calendar(session),
                now,
            )
    except FieldErrors as error:
        return _page(appeal_id, FormView(values(request.form), i18n.say_all(error))), HTTPStatus.UNPROCESSABLE_ENTITY
    except Refused as error:
        field = "cover_1" if error.field == "cover" else error.field or ""
        form = FormView(values(request.form), {field: i18n.say(error)})
        return _page(appeal_id, form), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("appeals.index", done=typed.choice), HTTPStatus.SEE_OTHER)


def _page(appeal_id: int, form: FormView) -> str:
    now = clock.utc_now()
    with db.reading() as session:
        calendar = work_calendar(session)
        page = read.show(session, access.viewer(), appeal_id)
        covers = _covers(session, page)
        barred = appeals.may_not_decide(session, access.viewer(), appeal_id)
    return render_template(
        "staff/appeals_show.html",
        page=page,
        form=form,
        kind=str(present.KINDS[page.kind]),
        why=present.decided_words(page),
        decided_on=moment(page.decision.at),
        asked=moment(page.asked_at),
        due=comment_present.due(page.due_on, local_day(now), calendar),
        state=comment_present.state_tag(page.handling_state),
        outcome=str(present.STATES[page.state]),
        closed=moment(page.decided_at) if page.decided_at else None,
        barred=i18n.say(barred) if barred else "",
        choices=present.choices(page),
        covers=covers,
        cover_lines=range(1, forms.COVERS + 1),
        publishes=page.kind == "withhold" and page.accepted and not page.sealed,
    )


def _covers(session: Any, page: read.AppealPage) -> tuple[tuple[str, str], ...]:
    if page.kind != "withhold" or page.sealed or page.state != "open" or not page.accepted:
        return ()
    text, spans = appeals.to_cover(session, page.receipt_no, web.runtime().cipher)
    return present.covers(text, spans)
