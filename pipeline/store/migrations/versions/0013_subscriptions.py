"""Feeds can be pushed by hubs (WebSub)."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up."""
    op.create_table(
        "subscriptions",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("feed_id", types.Id, nullable=False),
        sa.Column("hub", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", types.Moment()),
        sa.Column("pushed_at", types.Moment()),
        sa.Column("missed_at", types.Moment()),
        sa.Column("usual_poll_at", types.Moment()),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_subscriptions_feed_id_feeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("token", name=op.f("uq_subscriptions_token")),
        sqlite_strict=True,
    )
    op.create_index("ix_subscriptions_due_at", "subscriptions", ["due_at"], unique=False)
    op.create_index("ix_subscriptions_feed_id", "subscriptions", ["feed_id"], unique=False)
    is_wanted = sa.text("state <> 'leaving'")
    op.create_index(
        "ix_subscriptions_wanted", "subscriptions", ["feed_id"], unique=True,
        sqlite_where=is_wanted, postgresql_where=is_wanted,
    )  # fmt: skip


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
