"""Kept pages have their places; gaps say what a backfill found of them."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; no page was kept before, no gap repaired."""
    op.create_table(
        "pages",
        sa.Column("entry_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("offset", types.Id, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_pages_entry_id_entries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_pages")),
        sqlite_strict=True,
    )
    op.create_index("ix_pages_file", "pages", ["file"], unique=False)
    with op.batch_alter_table("gaps", schema=None) as batch_op:
        batch_op.add_column(sa.Column("run_id", types.Id, nullable=True))
        batch_op.add_column(sa.Column("found", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("repaired_at", types.Moment(), nullable=True))
        batch_op.create_foreign_key(op.f("fk_gaps_run_id_runs"), "runs", ["run_id"], ["id"])


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
