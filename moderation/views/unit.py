"""A unit's inbox: signing for receipt, drafting and approving replies, handing back, extensions, co-unit answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.calendar import local_day, start_of_day
from consult.domain.errors import ChangedMeanwhile, FieldErrors, IllegalTransition, NotFound, Refused
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms import replies as forms
from moderation.forms.accounts import FormView, whole_number
from moderation.forms.routing import read_return
from moderation.forms.screening import seen_version, values
from moderation.permissions import Permission
from moderation.presenters import comment as comment_present
from moderation.presenters import unit as present
from moderation.presenters.moments import moment
from moderation.queries import comment_page as read
from moderation.queries import queue as queue_read
from moderation.queries import unit_inbox
from moderation.services import replies, returns, routing, supervision
from moderation.services.replies import ReplyDraft

bp = Blueprint("unit", __name__)


@bp.get("/unit")
def index() -> ResponseReturnValue:
    """One tab of the unit's inbox."""
    now, viewer = clock.utc_now(), access.viewer()
    tab = request.args.get("tab", "")
    may_answer = viewer.may(Permission.DRAFT_REPLY) or viewer.may(Permission.SUBMIT_REPLY)
    tab = tab if tab in unit_inbox.TABS else "receipt"
    with db.reading() as session:
        calendar = work_calendar(session)
        found = unit_inbox.page(session, viewer, tab, _after(), web.runtime().queue_size)
    older = ""
    if found.rows and found.more:
        day, key = unit_inbox.position(found.rows[-1])
        older = web.encode_cursor(start_of_day(day), key)
    page = present.inbox(found, tab, url_for, older, local_day(now), calendar, may_answer)
    may_sign = viewer.may(Permission.DRAFT_REPLY)
    return render_template(
        "staff/unit.html", page=page, may_sign=may_sign, unit=viewer.unit_name, done=request.args.get("done", "")
    )


def _after() -> tuple[date, int] | None:
    position = web.decode_cursor(request.args.get("after", ""))
    return None if position is None else (local_day(position[0]), position[1])


@bp.post("/unit/<receipt_no>/receipt")
def receipt(receipt_no: str) -> ResponseReturnValue:
    """Sign for receipt (T11), from the list or from the comment."""
    now, seen = clock.utc_now(), seen_version(request.form)
    return _do(
        receipt_no,
        lambda session: routing.sign_receipt(session, access.viewer(), receipt_no, seen, now),
        url_for("unit.index", tab="receipt", done="signed"),
    )


@bp.get("/unit/<receipt_no>/reply")
def reply(receipt_no: str) -> ResponseReturnValue:
    """The reply page: the lead unit writes, its leader approves."""
    return _page(receipt_no, None)


@bp.post("/unit/<receipt_no>/reply")
def save_reply(receipt_no: str) -> ResponseReturnValue:
    """Keep the draft, put it before the leader, or only look at the preview."""
    now, seen = clock.utc_now(), seen_version(request.form)
    step = request.form.get("step", "save")
    if step == "preview":
        return _page(receipt_no, FormView(values(request.form)))
    keep = replies.send_to_leader if step == "leader" else replies.save_draft
    return _do(
        receipt_no,
        lambda session: keep(session, access.viewer(), receipt_no, seen, _draft(), now),
        url_for("unit.reply", receipt_no=receipt_no, done="sent" if step == "leader" else "saved"),
    )


@bp.post("/unit/<receipt_no>/approve")
def approve(receipt_no: str) -> ResponseReturnValue:
    """The leader confirms and submits to sign-off (T20)."""
    now, seen = clock.utc_now(), seen_version(request.form)
    note, cipher = request.form.get("note", "")[:1000], web.runtime().cipher
    return _do(
        receipt_no,
        lambda session: replies.approve(
            session, access.viewer(), receipt_no, seen, note, cipher, work_calendar(session), now
        ),
        url_for("unit.index", tab="sign_off", done="submitted"),
    )


@bp.post("/unit/<receipt_no>/return")
def request_return(receipt_no: str) -> ResponseReturnValue:
    """The leader asks to hand the comment back (T13, T14)."""
    now, seen = clock.utc_now(), seen_version(request.form)
    return _do(
        receipt_no,
        lambda session: returns.request_return(
            session, access.viewer(), receipt_no, seen, read_return(request.form), now
        ),
        url_for("unit.reply", receipt_no=receipt_no, done="return_asked"),
        reason_field="return_reason",
    )


@bp.post("/unit/<receipt_no>/extension")
def request_extension(receipt_no: str) -> ResponseReturnValue:
    """The officer asks for the one extension (T17)."""
    now, seen = clock.utc_now(), seen_version(request.form)
    reason = request.form.get("extension_reason", "")[:1000]
    until = whole_number(request.form.get("until_working_day", "15")) or 0
    return _do(
        receipt_no,
        lambda session: returns.request_extension(session, access.viewer(), receipt_no, seen, reason, now, until),
        url_for("unit.reply", receipt_no=receipt_no, done="extension_asked"),
        reason_field="extension_reason",
    )


@bp.post("/unit/<receipt_no>/feedback")
def co_feedback(receipt_no: str) -> ResponseReturnValue:
    """A co-unit answers (R-74)."""
    now, seen = clock.utc_now(), seen_version(request.form)
    text = request.form.get("feedback", "")[:5000]
    try:
        with db.writing() as session:
            routing.co_feedback(session, access.viewer(), receipt_no, seen, text, now)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return _conflict(receipt_no, error, url_for("comment.show", receipt_no=receipt_no))
    return redirect(url_for("unit.index", tab="co", done="fed_back"), HTTPStatus.SEE_OTHER)


def _draft() -> ReplyDraft:
    typed = forms.read_reply(request.form)
    return ReplyDraft(typed.outcome, typed.body, typed.reason, typed.section_key, typed.version, typed.place_detail)


def _do(
    receipt_no: str, work: Callable[[Any], object], target: str, reason_field: str = "reason"
) -> ResponseReturnValue:
    """Do it in one transaction, then 303; a refusal shows the page again with everything typed.

    `reason_field` names the field in which this form asks for its reason.
    """
    try:
        with db.writing() as session:
            work(session)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return _conflict(receipt_no, error, url_for("unit.reply", receipt_no=receipt_no))
    except FieldErrors as error:
        _count_boilerplate(receipt_no, error)
        return _again(receipt_no, i18n.say_all(error))
    except Refused as error:
        return _again(receipt_no, {reason_field if error.field == "reason" else error.field or "": i18n.say(error)})
    return redirect(target, HTTPStatus.SEE_OTHER)


def _count_boilerplate(receipt_no: str, error: FieldErrors) -> None:
    """Count a reply refused as boilerplate, in a transaction of its own: the refusal ended the other (R-78)."""
    if any(one.code == "boilerplate_reply" for refusals in error.errors.values() for one in refusals):
        with db.writing() as session:
            supervision.note_refused_reply(session, access.viewer(), receipt_no, clock.utc_now())


def _again(receipt_no: str, errors: dict[str, str]) -> ResponseReturnValue:
    return _page(receipt_no, FormView(values(request.form), errors)), HTTPStatus.UNPROCESSABLE_ENTITY


def _conflict(receipt_no: str, error: ChangedMeanwhile | IllegalTransition, back_url: str) -> ResponseReturnValue:
    page = _load(receipt_no, clock.utc_now())
    shown = comment_present.conflict(page, request.form, error)
    return render_template("staff/conflict.html", page=shown, back_url=back_url), HTTPStatus.CONFLICT


def _load(receipt_no: str, now: datetime) -> read.CommentPage:
    with db.reading() as session:
        return read.load(session, access.viewer(), receipt_no, web.runtime().cipher, now)


def _page(receipt_no: str, form: FormView | None) -> str:
    """Return the reply page; `form` is what was typed, None for what is stored.

    Raises:
        NotFound: the viewer's unit does not lead here.
    """
    now, viewer = clock.utc_now(), access.viewer()
    with db.reading() as session:
        calendar = work_calendar(session)
        page = read.load(session, viewer, receipt_no, web.runtime().cipher, now)
        places = unit_inbox.sections(session, page.place.consultation_id)
        units = queue_read.assignable_units(session, page.place.consultation_id)
    if not page.is_lead or page.assignment is None:
        raise NotFound(object="comment")
    latest = page.replies[0] if page.replies else None
    # An approval or a request posts other fields than the reply's: then the stored reply stays on the page.
    stored = present.stored_values(latest)
    shown = FormView({**stored, **form.values}, form.errors) if form is not None else FormView(stored)
    words = {name: str(shown.values.get(name, "")) for name in ("outcome", "body", "reason", "place_detail")}
    section = str(shown.values.get("draft_location", ""))
    label = next((one.label for one in places if f"{one.key}@{one.version}" == section), "")
    location = read.PLACE_SEPARATOR.join(part for part in (label, words["place_detail"]) if part)
    today = local_day(now)
    return render_template(
        "staff/reply.html",
        page=page,
        form=shown,
        can=present.abilities(page, viewer),
        done=request.args.get("done", ""),
        state=comment_present.state_tag(page.state),
        submitted=moment(page.submitted_at),
        due=comment_present.due(page.reply_due_on, today, calendar),
        return_due=comment_present.due(page.assignment.return_due_on, today, calendar),
        outcomes=present.outcome_options(),
        places=present.places(places),
        preview=present.preview(page, words["outcome"], words["body"], words["reason"], location),
        warnings=present.warnings(page, words["body"], words["reason"], location),
        versions=present.versions(page.replies),
        latest=latest,
        return_reasons=comment_present.options(comment_present.RETURNS),
        units=(comment_present.Option("", ""), *units),
        history=comment_present.history(page.history),
    )
