"""The filters of the queue somebody keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from moderation.models import SavedFilter
from moderation.permissions import Viewer


@dataclass(frozen=True)
class KeptFilter:
    """A filter under its name."""

    id: int
    name: str
    criteria: Mapping[str, Any]


def mine(session: Session, viewer: Viewer) -> tuple[KeptFilter, ...]:
    """Return the viewer's filters by name."""
    rows = session.execute(
        select(SavedFilter.id, SavedFilter.name, SavedFilter.criteria)
        .where(SavedFilter.staff_id == viewer.staff_id)
        .order_by(SavedFilter.name)
    )
    return tuple(KeptFilter(*row) for row in rows)
