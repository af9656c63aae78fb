"""Verdicts keep their base, countries and entities; the queue for review has its index."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; older verdicts named neither a base nor tags."""
    op.add_column("verdicts", sa.Column("base", types.Real, nullable=False, server_default=sa.text("0")))
    for name in ("countries", "entities"):
        op.add_column("verdicts", sa.Column(name, types.Json(), nullable=False, server_default=sa.text("'[]'")))
    op.create_index(
        "ix_articles_review",
        "articles",
        ["id"],
        unique=False,
        sqlite_where=sa.text("needs_review IS 1"),
        postgresql_where=sa.text("needs_review IS true"),
    )


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
