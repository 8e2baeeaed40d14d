"""Reading. Functions of a session that return frozen dataclasses; published.py alone says what is public."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy.orm import Session

Reader: TypeAlias = Session
"""An open reading session, for page code that hands one on without knowing what it is."""
