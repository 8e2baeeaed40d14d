"""Where templates, static files and migrations lie: inside the installed package, or in the checkout."""

from __future__ import annotations

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
