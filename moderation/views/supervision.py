"""The supervision board, the comments behind its numbers, one comment's cases, and what is done about them."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import date
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, web
from consult.domain.calendar import local_day, start_of_day
from consult.domain.errors import ChangedMeanwhile, FieldErrors, IllegalTransition, Refused
from consult.domain.workbook_text import file_name
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms.accounts import FormView, whole_number
from moderation.forms.screening import seen_version
from moderation.forms.supervision import read_answer, read_measure
from moderation.permissions import Permission
from moderation.presenters import comment as comment_present
from moderation.presenters import supervision as present
from moderation.presenters.moments import moment
from moderation.queries import comment_page as comment_read
from moderation.queries import supervision as read
from moderation.queries import supervision_cases
from moderation.queries.supervision import Asked, ListAsked
from moderation.services import supervision, supervision_list

bp = Blueprint("supervision", __name__)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/supervision")
def index() -> ResponseReturnValue:
    """How the units keep their days, and what is under supervision."""
    now, viewer = clock.utc_now(), access.viewer()
    today, slug = local_day(now), _consultation()
    with db.reading() as session:
        calendar = work_calendar(session)
        found = read.board(session, viewer, Asked(today, slug), calendar)
    return render_template(
        "staff/supervision.html",
        page=present.board(found, slug, moment(now), today, calendar, url_for),
        filters=FormView({"consultation": slug}),
        may_urge=viewer.may(Permission.URGE),
        may_export=viewer.may(Permission.DESIGNATE),
        done=request.args.get("done", ""),
        urged=whole_number(request.args.get("n", "")) or 0,
    )


@bp.get("/supervision/list")
def listing() -> ResponseReturnValue:
    """The comments behind a number, exactly those."""
    now, viewer = clock.utc_now(), access.viewer()
    today = local_day(now)
    asked = ListAsked(
        read_measure(request.args.get("measure", "")),
        request.args.get("unit", "").strip()[:40],
        _consultation(),
        _after(),
    )
    with db.reading() as session:
        calendar = work_calendar(session)
        found = read.listed(session, viewer, asked, today, calendar, web.runtime().queue_size)
    older = ""
    if found.rows and found.more:
        day, key = read.position(found.rows[-1])
        older = url_for(
            "supervision.listing",
            measure=asked.measure,
            unit=asked.unit or None,
            consultation=asked.consultation or None,
            after=web.encode_cursor(start_of_day(day), key),
        )
    return render_template(
        "staff/supervision_list.html",
        title=present.list_title(asked.measure, found),
        rows=present.list_lines(found.rows, viewer.may(Permission.URGE), today, calendar, url_for),
        older_url=older,
        unit=asked.unit,
        consultation=asked.consultation,
        may_urge_all=asked.measure == "overdue" and bool(asked.unit) and viewer.may(Permission.URGE),
    )


@bp.get("/supervision/comments/<receipt_no>")
def show(receipt_no: str) -> ResponseReturnValue:
    """One comment: why it is under supervision, what was said, what can be done."""
    return _page(receipt_no, FormView())


@bp.post("/supervision/comments/<receipt_no>/urge")
def urge(receipt_no: str) -> ResponseReturnValue:
    """Urge whoever the comment waits for."""
    now, seen = clock.utc_now(), seen_version(request.form)
    return _do(
        receipt_no,
        lambda session: supervision.urge(session, access.viewer(), receipt_no, seen, work_calendar(session), now),
        "urged",
    )


@bp.post("/supervision/units/<code>/urge")
def urge_unit(code: str) -> ResponseReturnValue:
    """Urge a unit about everything of it that is overdue."""
    now, slug = clock.utc_now(), request.form.get("consultation", "").strip()[:80]
    with db.writing() as session:
        n = supervision.urge_unit(session, access.viewer(), code, work_calendar(session), now, slug)
    target = url_for("supervision.index", done="urged", n=n, consultation=slug or None)
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.post("/supervision/comments/<receipt_no>/supervise")
def supervise(receipt_no: str) -> ResponseReturnValue:
    """Put a comment under supervision, with a reason."""
    now, seen = clock.utc_now(), seen_version(request.form)
    reason = request.form.get("reason", "")[:1000]
    return _do(
        receipt_no,
        lambda session: supervision.supervise(
            session, access.viewer(), receipt_no, seen, reason, work_calendar(session), now
        ),
        "supervised",
    )


@bp.post("/supervision/comments/<receipt_no>/reopen")
def reopen(receipt_no: str) -> ResponseReturnValue:
    """Have an answered comment handled again (T24, T25)."""
    now, seen = clock.utc_now(), seen_version(request.form)
    reason = request.form.get("reopen_reason", "")[:1000]
    return _do(
        receipt_no,
        lambda session: supervision.reopen(
            session, access.viewer(), receipt_no, seen, reason, work_calendar(session), now
        ),
        "reopened",
        reason_field="reopen_reason",
    )


@bp.get("/supervision/answers")
def mine() -> ResponseReturnValue:
    """The cases the leader's unit has to explain."""
    now = clock.utc_now()
    with db.reading() as session:
        calendar = work_calendar(session)
        found = supervision_cases.own_cases(session, access.viewer())
    lines = tuple(present.case_line(one, local_day(now), calendar, url_for) for one in found)
    return render_template("staff/supervision_answers.html", cases=lines, unit=access.viewer().unit_name)


@bp.post("/supervision/comments/<receipt_no>/answer")
def answer(receipt_no: str) -> ResponseReturnValue:
    """A unit's leader explains in writing and promises a day (R-73)."""
    now, typed = clock.utc_now(), read_answer(request.form)
    return _do(
        receipt_no,
        lambda session: supervision.answer(
            session, access.viewer(), receipt_no, typed.case_id, typed.text, typed.promised, now
        ),
        "answered",
    )


@bp.post("/supervision/export")
def export() -> ResponseReturnValue:
    """The list of supervised comments as a workbook."""
    now, viewer = clock.utc_now(), access.viewer()
    slug = request.form.get("consultation", "").strip()[:80]
    with db.reading() as session:
        calendar = work_calendar(session)
        cases = supervision_cases.cases(session, viewer, slug, all_of_them=True)
    words = {name: str(label) for name, label in present.CAUSES.items()}
    made = supervision_list.make(cases, words, calendar, viewer.unit_name, now)
    with db.writing() as session:
        supervision_list.record(session, access.by(Permission.DESIGNATE), made, slug, now)
    name = file_name(slug or "全部征集", supervision_list.TITLE, now, "xlsx")
    return send_file(io.BytesIO(made.content), mimetype=_XLSX, as_attachment=True, download_name=name)


def _consultation() -> str:
    return request.args.get("consultation", "").strip()[:80]


def _after() -> tuple[date, int] | None:
    position = web.decode_cursor(request.args.get("after", ""))
    return None if position is None else (local_day(position[0]), position[1])


def _do(receipt_no: str, work: Callable[[Any], object], done: str, reason_field: str = "reason") -> ResponseReturnValue:
    """Do it in one transaction, then 303; a refusal shows the page again with everything typed."""
    try:
        with db.writing() as session:
            work(session)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return _conflict(receipt_no, error)
    except FieldErrors as error:
        return _again(receipt_no, present.say_all(error))
    except Refused as error:
        return _again(receipt_no, {reason_field if error.field == "reason" else error.field or "": present.say(error)})
    return redirect(url_for("supervision.show", receipt_no=receipt_no, done=done), HTTPStatus.SEE_OTHER)


def _again(receipt_no: str, errors: Mapping[str, str]) -> ResponseReturnValue:
    typed = {name: request.form.get(name, "") for name in ("reason", "reopen_reason", "answer", "promised_on", "case")}
    return _page(receipt_no, FormView(typed, errors)), HTTPStatus.UNPROCESSABLE_ENTITY


def _conflict(receipt_no: str, error: ChangedMeanwhile | IllegalTransition) -> ResponseReturnValue:
    with db.reading() as session:
        page = comment_read.load(session, access.viewer(), receipt_no, web.runtime().cipher, clock.utc_now())
    shown = comment_present.conflict(page, request.form, error)
    back = url_for("supervision.show", receipt_no=receipt_no)
    return render_template("staff/conflict.html", page=shown, back_url=back), HTTPStatus.CONFLICT


def _page(receipt_no: str, form: FormView) -> str:
    now, viewer = clock.utc_now(), access.viewer()
    with db.reading() as session:
        calendar = work_calendar(session)
        found = supervision_cases.comment_cases(session, viewer, receipt_no)
    since = None if found.accepted_at is None else local_day(found.accepted_at)
    return render_template(
        "staff/supervision_show.html",
        page=present.comment_page(
            found, viewer, local_day(now), calendar, since, url_for, str(form.values.get("case", ""))
        ),
        form=form,
        done=request.args.get("done", ""),
        board=viewer.may(Permission.DESIGNATE) or viewer.may(Permission.URGE),
    )
