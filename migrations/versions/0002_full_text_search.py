"""Full-text search over published comments, and the newest replies without sorting

Revision ID: 0002
Revises: 0001
Create Date: 2026-11-24
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the empty index; `consult db upgrade` and `consult search rebuild` fill it."""
    op.create_index("ix_comment_replied_at_id", "comment", ["replied_at", "id"])
    if op.get_bind().dialect.name == "sqlite":
        # The tokens come cut and folded. Cn: letters younger than the tables of unicode61 are letters too.
        op.execute(
            "CREATE VIRTUAL TABLE comment_search USING fts5(tokens, "
            "tokenize=\"unicode61 remove_diacritics 0 categories 'L* N* Co Cn'\")"
        )
        return
    op.execute(
        "CREATE TABLE comment_search (rowid bigint PRIMARY KEY, consultation_id bigint NOT NULL, "
        "tokens tsvector NOT NULL)"
    )
    op.execute("CREATE INDEX ix_comment_search_place ON comment_search (consultation_id, rowid)")
    op.execute("CREATE INDEX ix_comment_search_tokens ON comment_search USING gin (tokens)")


def downgrade() -> None:
    """Drop the index; nothing in it is anywhere else missing."""
    op.execute("DROP TABLE comment_search")
    op.drop_index("ix_comment_replied_at_id", "comment")
