"""Reports of one event are a story."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; articles stored before are in no story until `defnews stories find` looks for theirs."""
    op.create_table(
        "stories",
        sa.Column("id", types.Id, autoincrement=False, nullable=False),
        sa.Column("central_id", types.Id, nullable=False),
        sa.Column("first_at", types.Moment(), nullable=False),
        sa.Column("last_at", types.Moment(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("outlets", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["central_id"], ["articles.id"], name=op.f("fk_stories_central_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stories")),
        sqlite_strict=True,
    )
    op.create_index("ix_stories_central_id", "stories", ["central_id"], unique=False)
    op.create_index("ix_stories_last_at", "stories", ["last_at"], unique=False)
    op.create_table(
        "story_members",
        sa.Column("article_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("story_id", types.Id, nullable=False),
        sa.Column("published_at", types.Moment(), nullable=False),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.Column("is_pinned", types.Flag(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name=op.f("fk_story_members_article_id_articles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_story_members")),
        sqlite_strict=True,
    )
    op.create_index("ix_story_members_story_id", "story_members", ["story_id"], unique=False)
    op.create_index(
        "ix_story_members_pinned",
        "story_members",
        ["story_id"],
        unique=False,
        sqlite_where=sa.text("is_pinned IS 1"),
        postgresql_where=sa.text("is_pinned IS true"),
    )
    op.create_table(
        "story_keys",
        sa.Column("key", types.Id, autoincrement=False, nullable=False),
        sa.Column("article_id", types.Id, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "article_id", name=op.f("pk_story_keys")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
