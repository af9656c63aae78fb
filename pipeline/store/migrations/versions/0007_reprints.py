"""Near-duplicates are found by marks of texts; what an article said before it was changed is kept."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; articles stored before have no agency, and no marks: nothing is a near-duplicate of them."""
    op.add_column("articles", sa.Column("agency", sa.Text()))
    op.create_table(
        "marks",
        sa.Column("mark", types.Id, autoincrement=False, nullable=False),
        sa.Column("article_id", types.Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("mark", "article_id", name=op.f("pk_marks")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reprints",
        sa.Column("entry_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("outlet", sa.Text()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text()),
        sa.Column("shared", types.Real, nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entries.id"], name=op.f("fk_reprints_entry_id_entries"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_reprints")),
        sqlite_strict=True,
    )
    op.create_table(
        "revisions",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("article_id", types.Id, nullable=False),
        sa.Column("until_at", types.Moment(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("body", types.Packed(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_revisions_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revisions")),
        sqlite_strict=True,
    )
    op.create_index("ix_revisions_article_id", "revisions", ["article_id"], unique=False)


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
