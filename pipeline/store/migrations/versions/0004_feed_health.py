"""Feeds remember what they ask for, and how they do."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; what is not known yet is learned at the next poll."""
    for name in ("skip_hours", "skip_days"):
        op.add_column("feed_states", sa.Column(name, types.Json(), nullable=False, server_default=sa.text("'[]'")))
    for column in (
        sa.Column("fresh_for_s", types.Real, nullable=True),
        sa.Column("whole_at", types.Moment(), nullable=True),
        sa.Column("health", sa.Text(), nullable=False, server_default="new"),
        sa.Column("seen", sa.Text(), nullable=False, server_default=""),
        sa.Column("newest_at", types.Moment(), nullable=True),
        sa.Column("usual_gap_s", types.Real, nullable=True),
        sa.Column("moving_to", sa.Text(), nullable=True),
        sa.Column("moving_days", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("rhythm", types.Json(), nullable=True),
    ):
        op.add_column("feed_states", column)
    op.add_column("feeds", sa.Column("tags", types.Json(), nullable=False, server_default=sa.text("'[]'")))
    op.add_column("hosts", sa.Column("rest_s", types.Real, nullable=True))
    op.create_table(
        "gaps",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("feed_id", types.Id, nullable=False),
        sa.Column("since_at", types.Moment(), nullable=False),
        sa.Column("until_at", types.Moment(), nullable=False),
        sa.Column("found_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(["feed_id"], ["feeds.id"], name=op.f("fk_gaps_feed_id_feeds"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gaps")),
        sqlite_strict=True,
    )
    op.create_index("ix_gaps_feed_id", "gaps", ["feed_id"], unique=False)
    op.create_table(
        "budgets",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("price", types.Real, nullable=False),
        sa.Column("since_at", types.Moment(), nullable=False),
        sa.Column("made", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budgets")),
        sqlite_strict=True,
    )
    op.create_table(
        "outages",
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("since_at", types.Moment(), nullable=False),
        sa.PrimaryKeyConstraint("machine", name=op.f("pk_outages")),
        sqlite_strict=True,
    )
    op.execute("UPDATE feed_states SET health = 'active' WHERE last_success_at IS NOT NULL")
    op.execute("UPDATE feed_states SET health = 'failing' WHERE failures > 0")
    op.execute("UPDATE feed_states SET health = 'gone' WHERE gone IS TRUE")


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
