"""Sites have a memory of what they repeat, which articles and verdicts name; feeds are trusted with whole texts."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; memories begin empty."""
    op.add_column("articles", sa.Column("site_memory", sa.Text(), nullable=True))
    op.add_column("verdicts", sa.Column("site_memory", sa.Text(), nullable=True))
    op.create_table(
        "site_memories",
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("blocks", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("site", name=op.f("pk_site_memories")),
        sqlite_strict=True,
    )
    op.create_table(
        "feed_trusts",
        sa.Column("feed_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.Column("is_doubted", types.Flag(), nullable=False),
        sa.Column("unchecked", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_feed_trusts_feed_id_feeds"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_feed_trusts")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
