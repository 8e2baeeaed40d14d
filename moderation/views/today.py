"""What waits for me today, and the list of keyboard shortcuts."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import clock, db
from consult.domain.calendar import local_day
from moderation import access
from moderation.presenters import today as present
from moderation.queries import today as read
from moderation.services import accounts

bp = Blueprint("today", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """Counts of what waits, by role, each with its page."""
    now = clock.utc_now()
    with db.reading() as session:
        waiting = read.waiting(session, access.viewer(), local_day(now), now)
    access.show_counts(present.menu_counts(waiting))
    return render_template("staff/today.html", work=present.work(waiting, current_app.view_functions, url_for))


@bp.route("/shortcuts", methods=["GET", "POST"])
def shortcuts() -> ResponseReturnValue:
    """The list of single keys, and the switch for them (WCAG 2.1.4)."""
    if request.method == "POST":
        with db.writing() as session:
            accounts.set_shortcuts(session, access.viewer().staff_id, request.form.get("shortcuts") == "on")
        return redirect(url_for("today.shortcuts"), HTTPStatus.SEE_OTHER)
    return render_template("staff/account_shortcuts.html", on=access.viewer().shortcuts)
