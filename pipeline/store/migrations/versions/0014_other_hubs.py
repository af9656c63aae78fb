"""Subscriptions know the other hubs of their feeds."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; the next poll that brings a body names them."""
    column = sa.Column("others", types.Json(), nullable=False, server_default=sa.text("'[]'"))
    op.add_column("subscriptions", column)


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
