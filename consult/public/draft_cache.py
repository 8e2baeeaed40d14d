"""Published drafts kept in memory: a published version never changes (R-11), so it is read once per process.

It carries the names of its lead units, which do change: after a renaming it is read again.
"""

from __future__ import annotations

from consult import web
from consult.domain.errors import NotFound
from consult.queries import Reader, drafts, plan
from consult.queries.drafts import FullDraft, VersionRow

_KEPT_DRAFTS = 32


def full(session: Reader, version: VersionRow) -> FullDraft:
    """Return a published version with all its text."""
    kept = web.runtime().cache.setdefault("drafts", {})
    key = (version.id, plan.unit_names(session))
    found: FullDraft | None = kept.get(key)
    if found is None:
        found = drafts.full_draft(session, version)
        while len(kept) >= _KEPT_DRAFTS:
            kept.pop(next(iter(kept)), None)
        kept[key] = found
    return found


def current(session: Reader, consultation_id: int) -> FullDraft | None:
    """Return the current version with all its text, or None when nothing is published."""
    try:
        return full(session, drafts.published_version(session, consultation_id))
    except NotFound:
        return None
