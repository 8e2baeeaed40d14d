"""Tables: columns and constraints, no rules."""

from consult.models import comments, consultations, plan
from consult.models.base import Base

__all__ = ["Base", "comments", "consultations", "plan"]
