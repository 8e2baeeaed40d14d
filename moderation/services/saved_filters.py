"""Filters of the queue that somebody keeps for themselves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from consult.domain.errors import NotFound, Refused
from moderation.models import SavedFilter
from moderation.permissions import Viewer

MOST = 8
LONGEST_NAME = 20


def save(session: Session, viewer: Viewer, name: str, criteria: Mapping[str, str], now: datetime) -> None:
    """Keep a filter under a name; one of the same name is replaced.

    Raises:
        Refused: `filter_name_required`, `filter_name_long`, `filters_too_many`.
    """
    name = " ".join(name.split())
    if not name:
        raise Refused("filter_name_required", field="name")
    if len(name) > LONGEST_NAME:
        raise Refused("filter_name_long", field="name", maximum=LONGEST_NAME)
    mine = SavedFilter.staff_id == viewer.staff_id
    kept = session.scalar(select(SavedFilter).where(mine, SavedFilter.name == name))
    if kept is None:
        if (session.scalar(select(func.count()).select_from(SavedFilter).where(mine)) or 0) >= MOST:
            raise Refused("filters_too_many", field="name", maximum=MOST)
        kept = SavedFilter(staff_id=viewer.staff_id, name=name)
        session.add(kept)
    kept.criteria, kept.saved_at = {key: value for key, value in criteria.items() if value}, now
    session.flush()


def forget(session: Session, viewer: Viewer, filter_id: int) -> None:
    """Forget one of the viewer's filters.

    Raises:
        NotFound: there is none of that number, or it is somebody else's.
    """
    gone = session.execute(
        delete(SavedFilter).where(SavedFilter.id == filter_id, SavedFilter.staff_id == viewer.staff_id)
    )
    if gone.rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(object="filter")
