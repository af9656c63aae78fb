"""Sites have a memory of what they repeat; articles and verdicts name the one that was used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
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


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
