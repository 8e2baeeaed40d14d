"""What a published comment looks like from outside: the one masked view behind table, file, API and feed (R-106)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consult.domain import public_table
from consult.domain.tables import Row
from consult.queries.published import PublishedComment


@dataclass(frozen=True)
class PublicView:
    """One row of the public table, by the keys of exports.md §1; empty texts are nothing."""

    commenter: str
    comment_body: str
    reply_body: str
    submitted_at: datetime
    reply_unit: str
    replied_at: datetime | None
    outcome: str
    section: str

    @property
    def answered(self) -> bool:
        """Whether a reply is published."""
        return self.replied_at is not None

    def row(self) -> Row:
        """Return the cells in the order of `public_table.COLUMNS`; what is empty is None."""
        values = (getattr(self, column.key) for column in public_table.COLUMNS)
        return tuple(None if value == "" else value for value in values)


def view(one: PublishedComment) -> PublicView:
    """Return the masked view; a merged comment's reply has its own remark under the common words (R-85)."""
    answered = bool(one.reply_body)
    reply = one.reply_body + (f"\n{one.reply_note}" if one.reply_note else "")
    return PublicView(
        commenter=one.commenter,
        comment_body=one.body,
        reply_body=reply if answered else public_table.UNANSWERED,
        submitted_at=one.submitted_at,
        reply_unit=one.reply_unit,
        replied_at=one.replied_at if answered else None,
        outcome=public_table.OUTCOMES.get(one.outcome, "") if answered else "",
        section=one.section_heading or public_table.WHOLE_REPORT,
    )
