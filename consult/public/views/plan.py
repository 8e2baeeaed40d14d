"""The plan's items with their lead units, by annex."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from consult import clock, db
from consult.domain.errors import NotFound
from consult.i18n import _
from consult.public import draft_cache
from consult.public.presenters import overview as presenter
from consult.queries import plan, reading, units

bp = Blueprint("plan", __name__)


@bp.get("/plan/")
def index() -> ResponseReturnValue:
    """List the items."""
    with db.reading() as session:
        items = plan.list_items(session)
    kind = request.args.get("kind", "")
    page = presenter.plan_index(
        items,
        kind if kind in presenter.KIND_ORDER else "",
        request.args.get("unit", "")[:40],
        _("规划事项和责任单位"),
    )
    return render_template("public/plan_index.html", page=page)


@bp.get("/plan/<key>/")
def item(key: str) -> ResponseReturnValue:
    """Show one item, the source text as it stands and the editorial notes beside it (R-12)."""
    now = clock.utc_now()
    with db.reading() as session:
        items = plan.list_items(session)
        place = next((n for n, one in enumerate(items) if one.key == key), None)
        if place is None:
            raise NotFound(object="plan_item")
        found = plan.item(session, key)
        members = [
            member.short_name
            for unit in found.item.units
            if unit.is_group
            for member in units.members(session, unit.code)
        ]
        sections = []
        for head in reading.consultations(session, now):
            draft = draft_cache.current(session, head.id)
            sections += [
                (head.slug, one.section.key, one.section.heading, head.title)
                for one in (draft.sections if draft else ())
                if any(linked.key == key for linked in one.items)
            ]
    neighbours = (items[place - 1] if place else None, items[place + 1] if place + 1 < len(items) else None)
    return render_template("public/plan_item.html", page=presenter.plan_item(found, neighbours, members, sections))
