"""The public site: forms, presenters and views."""

from __future__ import annotations

from flask import Flask


def register_public_site(app: Flask) -> None:
    """Register the pages everybody may open."""
    from consult.public.views import (
        api,
        captcha,
        comments,
        consultations,
        feeds,
        pages,
        plan,
        receipts,
        results,
        sections,
        status,
        table,
    )

    shown = (pages, consultations, sections, plan, comments, captcha, receipts, status, table, results)
    for module in (*shown, feeds, api):
        app.register_blueprint(module.bp)
