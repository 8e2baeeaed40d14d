"""Putting same comments under one: what reads alike is suggested, a person merges (R-84 to R-86)."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.errors import ChangedMeanwhile, DomainError, FieldErrors, IllegalTransition, NotFound, Refused
from moderation import access
from moderation.forms import merging as forms
from moderation.forms.accounts import FormView
from moderation.forms.screening import seen_version, values
from moderation.presenters import merging as present
from moderation.presenters.refusals import say
from moderation.queries import similar
from moderation.services import merging
from moderation.views import conflict_page

bp = Blueprint("merging", __name__)


@bp.get("/comments/<receipt_no>/merge")
def show(receipt_no: str) -> ResponseReturnValue:
    """What reads like this comment, to be merged with it."""
    return _page(receipt_no, FormView(), ())


@bp.post("/comments/<receipt_no>/merge")
def into(receipt_no: str) -> ResponseReturnValue:
    """Put this comment under another one (T26, T27)."""
    now, seen = clock.utc_now(), seen_version(request.form)
    primary, reason = forms.primary(request.form), request.form.get("reason", "")[:1000]
    if not primary:
        return _again(receipt_no, {"primary": say(Refused("primary_required"))})
    try:
        with db.writing() as session:
            merging.merge(session, access.viewer(), receipt_no, seen, primary, reason, now)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return conflict_page(receipt_no, error)
    except NotFound as error:  # the primary; were it this one, its page would not be found either
        return _again(receipt_no, {"primary": say(error)})
    except FieldErrors as error:
        return _again(receipt_no, i18n.say_all(error))
    except Refused as error:
        return _again(receipt_no, {error.field or "primary": say(error)})
    return redirect(url_for("comment.show", receipt_no=receipt_no, done="merged"), HTTPStatus.SEE_OTHER)


@bp.post("/comments/<receipt_no>/gather")
def gather(receipt_no: str) -> ResponseReturnValue:
    """Put the ticked comments under this one, each in a transaction of its own; the page tells how each went."""
    now, reason = clock.utc_now(), request.form.get("gather_reason", "")[:1000]
    ticked = forms.ticked(request.form)
    if not ticked or not reason.strip():
        missing = {} if ticked else {"members": say(Refused("rows_required"))}
        if not reason.strip():
            missing["gather_reason"] = say(Refused("reason_required"))
        return _again(receipt_no, missing)
    with db.reading() as session:
        similar.merge_page(session, access.viewer(), receipt_no, web.runtime().cache, now)  # 404 before anything else
    results: list[tuple[str, DomainError | None]] = []
    for number, seen in ticked:
        try:
            with db.writing() as session:
                merging.merge(session, access.viewer(), number, seen, receipt_no, reason, now)
            results.append((number, None))
        except DomainError as error:
            results.append((number, error))
    return _page(receipt_no, FormView(), present.results(results))


def _again(receipt_no: str, errors: dict[str, str]) -> ResponseReturnValue:
    return _page(receipt_no, FormView(values(request.form), errors), ()), HTTPStatus.UNPROCESSABLE_ENTITY


def _page(receipt_no: str, form: FormView, results: tuple[present.ResultLine, ...]) -> str:
    with db.reading() as session:
        page = similar.merge_page(session, access.viewer(), receipt_no, web.runtime().cache, clock.utc_now())
    return render_template(
        "staff/comment_merge.html",
        page=page,
        form=form,
        results=results,
        rows=present.rows(page, url_for),
        ticked=frozenset(request.form.getlist("members")),
    )
