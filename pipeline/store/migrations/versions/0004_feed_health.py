"""Feeds remember what they ask for, and how they do."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; what is not known yet is learned at the next poll."""
    for name in ("skip_hours", "skip_days"):
        op.add_column("feed_states", sa.Column(name, types.Json(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("feed_states", sa.Column("whole_at", types.Moment(), nullable=True))


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
