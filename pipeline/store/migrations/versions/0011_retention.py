"""Articles may be purged of their texts, and say when."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; nothing was purged before."""
    op.add_column("articles", sa.Column("purged_at", types.Moment(), nullable=True))


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
