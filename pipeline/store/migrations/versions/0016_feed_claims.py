"""Who polls a feed stands in a table of its own."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; nobody polls while the schema is upgraded, so that no claim is taken over."""
    op.create_table(
        "feed_claims",
        sa.Column("feed_id", types.Id, nullable=False),
        sa.Column("run_id", types.Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_feed_claims_feed_id_feeds"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_feed_claims_run_id_runs")),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_feed_claims")),
        sqlite_strict=True,
    )
    op.create_index("ix_feed_claims_run_id", "feed_claims", ["run_id"], unique=False)
    op.drop_index("ix_feed_states_claimed", "feed_states")
    with op.batch_alter_table("feed_states", table_kwargs={"sqlite_strict": True}) as batch_op:
        batch_op.drop_constraint("fk_feed_states_run_id_runs", type_="foreignkey")
        batch_op.drop_column("run_id")


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
