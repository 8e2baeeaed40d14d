"""Home, display settings, and the pages that explain."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from consult import clock, db, security, web
from consult.domain.errors import NotAllowed
from consult.extensions import chosen_language, csrf
from consult.public.presenters import commenting, overview
from consult.queries import published, reading

bp = Blueprint("pages", __name__)
_RECENT = 5
_YEAR = 365 * 24 * 3600
_CHOICES = {"size": {"standard", "large", "xlarge"}, "contrast": {"normal", "high"}}


@bp.get("/")
def home() -> ResponseReturnValue:
    """Show the programme, its consultations and recent replies."""
    now = clock.utc_now()
    with db.reading() as session:
        page = overview.home_page(
            reading.programme(session),
            reading.consultations(session, now),
            published.counts_of_all(session),
            published.latest_replies(session, _RECENT),
            now,
        )
    return render_template("public/home.html", page=page)


@bp.post("/preferences")
def preferences() -> ResponseReturnValue:
    """Keep the reader's display settings in cookies and go back to where they were."""
    if not security.same_origin():
        raise NotAllowed(object="preferences")
    target = security.safe_next(request.form.get("next", ""), "/")
    # The path a page sends lacks the prefix of its language; size and contrast keep the language.
    language = request.form.get("language") or chosen_language()
    if language == "en" and not target.startswith("/en/"):
        target = "/en" + target
    elif language == "zh-Hans" and target.startswith("/en/"):
        target = target[3:]
    response = make_response(redirect(target, HTTPStatus.SEE_OTHER))
    for name, allowed in _CHOICES.items():
        value = request.form.get(name)
        if value in allowed:
            response.set_cookie(
                name,
                value,
                max_age=_YEAR,
                path="/",
                secure=web.runtime().secure_cookies,
                httponly=True,
                samesite="Lax",
            )
    return response


# It changes nothing but the sender's own display, and a token would make every page set a cookie.
csrf.exempt(preferences)


@bp.get("/help/")
def help() -> ResponseReturnValue:  # noqa: A001 - the endpoint's name
    """Explain how to use the site."""
    return render_template("public/help.html", page=None)


@bp.get("/accessibility/")
def accessibility() -> ResponseReturnValue:
    """State how accessible the site is."""
    return render_template("public/accessibility.html", page=None)


@bp.get("/offline/")
def offline() -> ResponseReturnValue:
    """Explain how to comment without the internet."""
    return render_template("public/offline.html", page=None)


@bp.get("/privacy/")
def privacy() -> ResponseReturnValue:
    """Show the privacy notice in force."""
    now = clock.utc_now()
    with db.reading() as session:
        heads = reading.consultations(session, now)
        units = reading.possible_lead_units(session)
    site = web.runtime().site
    newest = max(heads, key=lambda head: head.starts_on, default=None)
    if newest:
        notice = commenting.notice(newest, units)
    else:
        lines = (site.contact_phone, site.contact_email, site.contact_address)
        notice = commenting.blank_notice(site.government, *lines)
    return render_template("public/privacy.html", page={"notice": notice})
