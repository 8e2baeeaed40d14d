"""One comment: reading it, and every decision of reviewers, assigners and supervisors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db, i18n, web
from consult.domain.calendar import deadline_set, local_day
from consult.domain.errors import ChangedMeanwhile, FieldErrors, IllegalTransition, Refused
from consult.queries.calendars import work_calendar
from moderation import access
from moderation.forms import screening as forms
from moderation.forms.accounts import FormView
from moderation.forms.queue import read_carried
from moderation.forms.routing import read_routing
from moderation.presenters import comment as present
from moderation.presenters.moments import moment
from moderation.queries import comment_page as read
from moderation.queries import queue as queue_read
from moderation.queries import suggested_leads
from moderation.queries.queue import TABS
from moderation.services import claims, merging, returns, reveals, routing, screening, supplements
from moderation.services.routing import Designation, Routing
from moderation.services.screening import Acceptance, Covered, Proposal
from moderation.views import conflict_page, go_on

bp = Blueprint("comment", __name__)


@bp.get("/comments/<receipt_no>")
def show(receipt_no: str) -> ResponseReturnValue:
    """The comment's page."""
    return _page(receipt_no, FormView())


@bp.post("/comments/<receipt_no>/accept")
def accept(receipt_no: str) -> ResponseReturnValue:
    """Accept (T02)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    cipher = web.runtime().cipher

    def work(session: Any) -> None:
        acceptance = _acceptance(session, receipt_no)
        screening.accept(session, access.viewer(), receipt_no, seen, acceptance, cipher, now)

    return _do(receipt_no, work, "accepted")


@bp.post("/comments/<receipt_no>/accept-and-route")
def accept_and_route(receipt_no: str) -> ResponseReturnValue:
    """Accept, send to routing and route in one step (T02, T08, T09), then on to the next comment."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    cipher = web.runtime().cipher

    def work(session: Any) -> None:
        acceptance = _acceptance(session, receipt_no)
        screening.accept_and_route(
            session,
            access.viewer(),
            receipt_no,
            seen,
            acceptance,
            _routing(),
            cipher,
            work_calendar(session),
            now,
        )

    return _do(receipt_no, work, "routed")


@bp.post("/comments/<receipt_no>/route")
def route(receipt_no: str) -> ResponseReturnValue:
    """Send an accepted comment to routing (T08)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    return _do(receipt_no, lambda session: screening.route(session, access.viewer(), receipt_no, seen, now), "sent")


@bp.post("/comments/<receipt_no>/propose")
def propose(receipt_no: str) -> ResponseReturnValue:
    """Propose to withhold or not to accept; a second person decides."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    kind = "not_accept" if request.form.get("kind") == "not_accept" else "withhold"
    accused = tuple(code for code in request.form.getlist("accused_units") if code)
    note = request.form.get("note", "")[:1000]
    proposal = Proposal(kind, request.form.get("reason", ""), note, accused)
    return _do(
        receipt_no,
        lambda session: screening.propose(session, access.viewer(), receipt_no, seen, proposal, now),
        "proposed",
        # A suspected state secret is sealed at once: nobody, the proposer included, opens it again.
        leave=proposal.reason == "state_secret",
        reason_field=f"{kind}_reason",
    )


@bp.post("/comments/<receipt_no>/confirm")
def confirm(receipt_no: str) -> ResponseReturnValue:
    """Decide a proposal of somebody else."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    why = request.form.get("refusal", "")[:1000]
    if request.form.get("verdict") == "refuse":
        return _do(
            receipt_no,
            lambda session: screening.refuse(session, access.viewer(), receipt_no, seen, why, now),
            "refused",
            reason_field="refusal",
        )
    return _do(
        receipt_no, lambda session: screening.confirm(session, access.viewer(), receipt_no, seen, now), "confirmed"
    )


@bp.post("/comments/<receipt_no>/channel")
def channel(receipt_no: str) -> ResponseReturnValue:
    """Name another channel and close (T07)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    kind = request.form.get("channel", "")
    return _do(
        receipt_no,
        lambda session: screening.channel_notice(session, access.viewer(), receipt_no, seen, kind, now),
        "told",
    )


@bp.post("/comments/<receipt_no>/supplement")
def ask_supplement(receipt_no: str) -> ResponseReturnValue:
    """Ask the submitter to add something, once, within five working days (T03)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    points = request.form.get("points", "")[:2000]
    return _do(
        receipt_no,
        lambda session: supplements.ask(
            session, access.viewer(), receipt_no, seen, points, work_calendar(session), now
        ),
        "asked",
    )


@bp.post("/comments/<receipt_no>/unmerge")
def unmerge(receipt_no: str) -> ResponseReturnValue:
    """Take a merged comment out again (T28)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    why = request.form.get("unmerge_reason", "")[:1000]
    return _do(
        receipt_no,
        lambda session: merging.unmerge(session, access.viewer(), receipt_no, seen, why, now),
        "unmerged",
        reason_field="unmerge_reason",
    )


@bp.post("/comments/<receipt_no>/contact")
def reveal(receipt_no: str) -> ResponseReturnValue:
    """Look at the contact details; recorded, and shown on the page for a while."""
    now, purpose = clock.utc_now(), request.form.get("purpose", "")
    cipher = web.runtime().cipher
    return _do(
        receipt_no,
        lambda session: reveals.reveal(session, access.viewer(), receipt_no, purpose, cipher, now),
        "revealed",
        stay=True,
    )


@bp.post("/comments/<receipt_no>/assign")
def assign(receipt_no: str) -> ResponseReturnValue:
    """Route (T09), then on to the next comment."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    return _do(
        receipt_no,
        lambda session: routing.assign(
            session, access.viewer(), receipt_no, seen, _routing(), work_calendar(session), now
        ),
        "routed",
    )


@bp.post("/comments/<receipt_no>/designate")
def designate(receipt_no: str) -> ResponseReturnValue:
    """Designate the lead unit (T10)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    basis, dispute = request.form.get("basis", "")[:1000], request.form.get("dispute", "")[:1000]
    return _do(
        receipt_no,
        lambda session: routing.designate(
            session,
            access.viewer(),
            receipt_no,
            seen,
            Designation(_routing(), basis, dispute),
            work_calendar(session),
            now,
        ),
        "designated",
    )


@bp.post("/comments/<receipt_no>/return")
def decide_return(receipt_no: str) -> ResponseReturnValue:
    """Approve or refuse a return (T15, T16)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    why = request.form.get("refusal", "")[:1000]
    if request.form.get("verdict") == "approve":
        return _do(
            receipt_no,
            lambda session: returns.approve_return(session, access.viewer(), receipt_no, seen, now),
            "returned",
        )
    return _do(
        receipt_no,
        lambda session: returns.refuse_return(session, access.viewer(), receipt_no, seen, why, now),
        "return_refused",
        reason_field="refusal",
    )


@bp.post("/comments/<receipt_no>/extension")
def decide_extension(receipt_no: str) -> ResponseReturnValue:
    """Approve or refuse an extension (T18, T19)."""
    now, seen = clock.utc_now(), forms.seen_version(request.form)
    why = request.form.get("refusal", "")[:1000]
    if request.form.get("verdict") == "approve":
        return _do(
            receipt_no,
            lambda session: returns.approve_extension(
                session, access.viewer(), receipt_no, seen, work_calendar(session), now
            ),
            "extended",
        )
    return _do(
        receipt_no,
        lambda session: returns.refuse_extension(session, access.viewer(), receipt_no, seen, why, now),
        "extension_refused",
        reason_field="refusal",
    )


def _acceptance(session: Any, receipt_no: str) -> Acceptance:
    """Return the acceptance as typed, against the very text the services will judge it by."""
    page = read.load(session, access.viewer(), receipt_no, web.runtime().cipher, clock.utc_now())
    typed = forms.read_acceptance(request.form, page.text, page.findings)
    covered = tuple(Covered(one.start, one.end, one.type, one.reason or screening.DETECTED) for one in typed.spans)
    return Acceptance(typed.publicity, covered, typed.dismissed, typed.has_third_party)


def _routing() -> Routing:
    typed = read_routing(request.form)
    return Routing(typed.lead, typed.co_units, typed.note)


def _do(
    receipt_no: str,
    work: Callable[[Any], object],
    done: str,
    *,
    stay: bool = False,
    leave: bool = False,
    reason_field: str = "reason",
) -> ResponseReturnValue:
    """Do it in one transaction, then 303; a refusal shows the page again, a conflict both versions.

    A decision made in the queue (`onward`) gives the comment back and goes on to the next one of the same kind;
    `stay` shows this comment again, `leave` goes to the queue: nobody opens it any more. `reason_field` names the
    field in which this form asks for its reason.
    """
    viewer, within = access.viewer(), request.form.get("within", "")[:400]
    try:
        with db.writing() as session:
            work(session)
            if not stay:
                claims.release(session, viewer, receipt_no)
    except (ChangedMeanwhile, IllegalTransition) as error:
        return conflict_page(receipt_no, error)
    except (FieldErrors, Refused) as error:
        return _again(receipt_no, error, reason_field)
    if not stay and request.form.get("onward") in TABS:
        asked = replace(read_carried(within, ""), tab=request.form["onward"])
        return redirect(go_on(asked, within, done, leaving=receipt_no), HTTPStatus.SEE_OTHER)
    if leave:
        return redirect(url_for("queue.index", done=done), HTTPStatus.SEE_OTHER)
    target = url_for("comment.show", receipt_no=receipt_no, done=done, within=within or None)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _again(receipt_no: str, error: FieldErrors | Refused, reason_field: str) -> ResponseReturnValue:
    with db.reading() as session:
        present.with_unit_names(error, queue_read.unit_names(session))
    if isinstance(error, FieldErrors):
        errors = i18n.say_all(error)
    else:
        errors = {reason_field if error.field == "reason" else error.field or "": i18n.say(error)}
    return _page(receipt_no, FormView(forms.values(request.form), errors)), HTTPStatus.UNPROCESSABLE_ENTITY


def _page(receipt_no: str, form: FormView) -> str:
    now, viewer = clock.utc_now(), access.viewer()
    with db.reading() as session:
        calendar = work_calendar(session)
        page = read.load(session, viewer, receipt_no, web.runtime().cipher, now)
        units = queue_read.assignable_units(session, page.place.consultation_id, page.accused)
        loads = suggested_leads.load(session, local_day(now))
    can = present.can(page, viewer)
    near, others = present.co_choices(page.suggestions, units)
    today = local_day(now)
    return render_template(
        "staff/comment.html",
        page=page,
        form=form,
        can=can,
        done=request.args.get("done", ""),
        within=request.values.get("within", "")[:400],
        onward=present.tab_of(page, viewer),
        held_until=moment(page.held_until) if page.held_until else None,
        may_hold=any(viewer.may(one) for one in claims.WHO),
        state=present.state_tag(page.state),
        publicity=str(present.PUBLICITIES[page.publicity]),
        submitted=moment(page.submitted_at),
        identity=present.identity(page),
        way_in=present.way_in(page),
        pieces=present.pieces(page.text, page.findings if can.accept else ()),
        findings=present.finding_lines(page.text, page.findings),
        kinds=present.kinds(),
        manual_lines=range(1, forms.lines_shown(form.values) + 1),
        most_lines=forms.MOST_LINES,
        suggestions=present.suggestion_lines(page.suggestions, loads),
        near=near,
        others=others,
        units=present.unit_options(units, loads),
        accusable=units,
        chosen_co=request.form.getlist("co_units"),
        review_due=present.due(page.review_due_on, today, calendar),
        reply_due=present.due(page.reply_due_on, today, calendar),
        if_routed=present.due(deadline_set(calendar, now).reply_due, today, calendar),
        history=present.history(page.history),
        withhold=present.options(present.WITHHOLD),
        not_accept=present.options(present.NOT_ACCEPT),
        channels=present.options(present.CHANNELS),
        purposes=present.options(present.PURPOSES),
        decision=present.decision(page),
        supplement_due=present.supplement_due(calendar, now),
        supplements=present.supplements(page),
        request_words=present.request_words(page),
    )
