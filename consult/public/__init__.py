"""The public site: forms, presenters and views."""

from __future__ import annotations

from flask import Flask


def register_public_site(app: Flask) -> None:
    """Register the pages everybody may open."""
    from consult.public.views import (
        captcha,
        comments,
        consultations,
        pages,
        plan,
        receipts,
        results,
        sections,
        status,
        table,
    )

    for module in (pages, consultations, sections, plan, comments, captcha, receipts, status, table, results):
        app.register_blueprint(module.bp)
