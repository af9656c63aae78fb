"""Articles keep their section, their publisher's tags, and whether they are only a teaser."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; of older articles none of this is known."""
    op.add_column("articles", sa.Column("section", sa.Text(), nullable=True))
    op.add_column("articles", sa.Column("tags", types.Json(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("articles", sa.Column("is_teaser", types.Flag(), nullable=False, server_default=sa.text("false")))


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
