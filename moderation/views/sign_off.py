"""Sign-off: the list of what waits, the reply read-only, publishing it or sending it back."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.calendar import local_day
from consult.domain.errors import ChangedMeanwhile, FieldErrors, IllegalTransition, NotFound, Refused
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms.accounts import FormView
from moderation.forms.replies import read_reply
from moderation.forms.screening import seen_version, values
from moderation.presenters import comment as comment_present
from moderation.presenters import sign_off as present
from moderation.presenters import unit as unit_present
from moderation.presenters.moments import moment
from moderation.queries import comment_page as read
from moderation.queries import sign_off_list, unit_inbox
from moderation.services import replies
from moderation.services.replies import ReplyDraft
from moderation.views import conflict_page

bp = Blueprint("sign_off", __name__)


@bp.get("/sign-off")
def index() -> ResponseReturnValue:
    """Replies that wait for sign-off."""
    now = clock.utc_now()
    with db.reading() as session:
        calendar = work_calendar(session)
        found = sign_off_list.rows(session, access.viewer())
    return render_template(
        "staff/sign_off.html",
        rows=present.rows(found, url_for, local_day(now), calendar),
        done=request.args.get("done", ""),
    )


@bp.get("/sign-off/<receipt_no>")
def show(receipt_no: str) -> ResponseReturnValue:
    """One reply, as the public will see it, with its trail."""
    return _page(receipt_no, FormView())


@bp.post("/sign-off/<receipt_no>/publish")
def publish(receipt_no: str) -> ResponseReturnValue:
    """Sign off and publish (T22)."""
    now, seen, cipher = clock.utc_now(), seen_version(request.form), web.runtime().cipher
    return _do(
        receipt_no,
        lambda session: replies.sign_off(session, access.viewer(), receipt_no, seen, cipher, now),
        "published",
    )


@bp.post("/sign-off/<receipt_no>/reject")
def reject(receipt_no: str) -> ResponseReturnValue:
    """Send it back for change (T21)."""
    now, seen, why = clock.utc_now(), seen_version(request.form), request.form.get("reason", "")[:2000]
    return _do(
        receipt_no,
        lambda session: replies.reject(session, access.viewer(), receipt_no, seen, why, work_calendar(session), now),
        "rejected",
    )


@bp.get("/sign-off/<receipt_no>/correction")
def correction(receipt_no: str) -> ResponseReturnValue:
    """The form to correct a published reply, filled with what stands (R-82)."""
    return _correction(receipt_no, None)


@bp.post("/sign-off/<receipt_no>/correction")
def correct(receipt_no: str) -> ResponseReturnValue:
    """Publish the correction as a new version, or only look at the preview."""
    now, seen, cipher = clock.utc_now(), seen_version(request.form), web.runtime().cipher
    if request.form.get("step") == "preview":
        return _correction(receipt_no, FormView(values(request.form)))
    typed = read_reply(request.form)
    words = ReplyDraft(typed.outcome, typed.body, typed.reason, typed.section_key, typed.version, typed.place_detail)
    note = request.form.get("note", "")[:1000]
    try:
        with db.writing() as session:
            replies.correct(session, access.viewer(), receipt_no, seen, words, note, cipher, now)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return conflict_page(receipt_no, error)
    except (FieldErrors, Refused) as error:
        errors = i18n.say_all(error) if isinstance(error, FieldErrors) else {error.field or "": i18n.say(error)}
        return _correction(receipt_no, FormView(values(request.form), errors)), HTTPStatus.UNPROCESSABLE_ENTITY
    return redirect(url_for("sign_off.show", receipt_no=receipt_no, done="corrected"), HTTPStatus.SEE_OTHER)


def _correction(receipt_no: str, form: FormView | None) -> str:
    """Return the page of a correction; `form` is what was typed, None for what stands.

    Raises:
        NotFound: nothing is published.
    """
    with db.reading() as session:
        page = read.load(session, access.viewer(), receipt_no, web.runtime().cipher, clock.utc_now())
        places = unit_inbox.sections(session, page.place.consultation_id)
    standing = next((one for one in page.replies if one.state == "published"), None)
    if standing is None:
        raise NotFound(object="reply")
    stored = unit_present.stored_values(standing)
    shown = FormView({**stored, **form.values}, form.errors) if form is not None else FormView(stored)
    words = {name: str(shown.values.get(name, "")) for name in ("outcome", "body", "reason", "place_detail")}
    chosen = str(shown.values.get("draft_location", ""))
    options = unit_present.places(places)
    if chosen and chosen not in {one.value for one in options}:
        # The reply names a section of an older version; it may stay as it is.
        label = standing.draft_location.partition(read.PLACE_SEPARATOR)[0]
        options = (*options, comment_present.Option(chosen, label))
    label = next((one.label for one in options if one.value and one.value == chosen), "")
    location = read.PLACE_SEPARATOR.join(part for part in (label, words["place_detail"]) if part)
    return render_template(
        "staff/sign_off_correct.html",
        page=page,
        form=shown,
        reply=standing,
        outcomes=unit_present.outcome_options(),
        places=options,
        preview=unit_present.preview(page, words["outcome"], words["body"], words["reason"], location),
        warnings=unit_present.warnings(page, words["body"], words["reason"], location),
        versions=unit_present.versions(page.replies),
        history=comment_present.history(page.history),
    )


def _do(receipt_no: str, work: Callable[[Any], object], done: str) -> ResponseReturnValue:
    try:
        with db.writing() as session:
            work(session)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return conflict_page(receipt_no, error)
    except FieldErrors as error:
        return _again(receipt_no, {"": " ".join(i18n.say_all(error).values())})
    except Refused as error:
        return _again(receipt_no, {error.field or "": i18n.say(error)})
    return redirect(url_for("sign_off.index", done=done), HTTPStatus.SEE_OTHER)


def _again(receipt_no: str, errors: dict[str, str]) -> ResponseReturnValue:
    return _page(receipt_no, FormView(values(request.form), errors)), HTTPStatus.UNPROCESSABLE_ENTITY


def _page(receipt_no: str, form: FormView) -> str:
    """Return the page of one reply.

    Raises:
        NotFound: there is no reply yet.
    """
    now = clock.utc_now()
    with db.reading() as session:
        calendar = work_calendar(session)
        page = read.load(session, access.viewer(), receipt_no, web.runtime().cipher, now)
    if not page.replies:
        raise NotFound(object="reply")
    reply = page.replies[0]
    today = local_day(now)
    return render_template(
        "staff/sign_off_show.html",
        page=page,
        reply=reply,
        form=form,
        waits=page.state == "pending_sign_off",
        state=comment_present.state_tag(page.state),
        submitted=moment(page.submitted_at),
        due=comment_present.due(reply.sign_off_due_on, today, calendar),
        preview=unit_present.preview(page, reply.outcome, reply.body, reply.reason, reply.draft_location),
        warnings=unit_present.warnings(page, reply.body, reply.reason, reply.draft_location),
        versions=unit_present.versions(page.replies),
        history=comment_present.history(page.history),
        done=request.args.get("done", ""),
        may_correct=page.state in ("replied", "closed") and any(one.state == "published" for one in page.replies),
    )
