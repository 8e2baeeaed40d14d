"""register_staff_site: the staff pages join the public site here."""

from __future__ import annotations

from typing import Any

from flask import Flask, request, url_for

from consult.extensions import csrf
from moderation import access
from moderation.presenters import frame
from moderation.views import (
    appeals,
    audit,
    calendar_admin,
    comment,
    consultations_admin,
    exports,
    merging,
    queue,
    reissue,
    sealed,
    sign_in,
    sign_off,
    supervision,
    today,
    unit,
    units_admin,
    users_admin,
)

BLUEPRINTS = (
    sign_in.bp,
    today.bp,
    queue.bp,
    comment.bp,
    merging.bp,
    sealed.bp,
    unit.bp,
    sign_off.bp,
    supervision.bp,
    exports.bp,
    consultations_admin.bp,
    users_admin.bp,
    units_admin.bp,
    calendar_admin.bp,
    appeals.bp,
    reissue.bp,
    audit.bp,
)


def register_staff_site(app: Flask) -> None:
    """Add every staff page to the application, behind the one check of `access`."""
    access.init(app)
    for blueprint in BLUEPRINTS:
        # `access.check` looks at the token itself, after it knows who asks and what the body may weigh.
        csrf.exempt(blueprint)
        app.register_blueprint(blueprint, url_prefix=access.PREFIX)

    @app.context_processor
    def _frame() -> dict[str, Any]:
        signed = access.signed_in()
        if signed is None or not access.is_staff_request():
            return {}
        return {
            "menu": frame.menu(
                signed.viewer,
                app.view_functions,
                url_for,
                request.endpoint or "",
                access.menu_counts(),
            ),
            "viewer": frame.person(signed.viewer),
            "keys": "on" if signed.viewer.shortcuts else "off",
        }
