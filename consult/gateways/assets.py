"""Where templates, static files and migrations lie: inside the installed package, or in the checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def asset_root() -> Path:
    """Return the folder that holds `templates/`, `static/` and `migrations/`.

    A wheel carries them in `consult/_assets`; a checkout has them beside the packages.
    """
    installed = _PACKAGE / "_assets"
    return installed if installed.is_dir() else _PACKAGE.parent


def plan_data() -> Path:
    """Return the folder of the demonstration plan: units.csv, items.csv, fixes.csv, sections.csv and drafts."""
    return _PACKAGE / "demo_data"


@cache
def newest_migration() -> str:
    """Return the revision of the newest migration, read from its file's name.

    Alembic could tell, but it costs every web process 11 MB that only migrating needs.
    """
    names = sorted(file.name for file in (asset_root() / "migrations" / "versions").glob("[0-9]*_*.py"))
    return names[-1].partition("_")[0] if names else ""
