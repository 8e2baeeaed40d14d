"""Published drafts kept in memory: a published version never changes (R-11), so it is read once per process."""

from __future__ import annotations

from consult import web
from consult.domain.errors import NotFound
from consult.queries import Reader, drafts
from consult.queries.drafts import FullDraft, VersionRow

_KEPT_DRAFTS = 32


def full(session: Reader, version: VersionRow) -> FullDraft:
    """Return a published version with all its text."""
    kept = web.runtime().cache.setdefault("drafts", {})
    found: FullDraft | None = kept.get(version.id)
    if found is None:
        found = drafts.full_draft(session, version)
        while len(kept) >= _KEPT_DRAFTS:
            kept.pop(next(iter(kept)), None)
        kept[version.id] = found
    return found


def current(session: Reader, consultation_id: int) -> FullDraft | None:
    """Return the current version with all its text, or None when nothing is published."""
    try:
        return full(session, drafts.published_version(session, consultation_id))
    except NotFound:
        return None
