"""Searches can be saved; alerts tell of what they find from then on."""

import sqlalchemy as sa
from alembic import op

from pipeline.store import types

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up; new articles are found by when they were stored."""
    op.create_index("ix_articles_stored_at", "articles", ["stored_at"], unique=False)
    op.create_table(
        "saved_searches",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("filters", types.Json(), nullable=False),
        sa.Column("webhook", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("slack", sa.Text()),
        sa.Column("created_at", types.Moment(), nullable=False),
        sa.Column("since_at", types.Moment(), nullable=False),
        sa.Column("through_at", types.Moment(), nullable=False),
        sa.Column("paused_at", types.Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("name", name=op.f("uq_saved_searches_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "alerts",
        sa.Column("id", types.Id, nullable=False),
        sa.Column("saved_id", types.Id, nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("articles", types.Json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("made_at", types.Moment(), nullable=False),
        sa.Column("due_at", types.Moment(), nullable=False),
        sa.Column("ended_at", types.Moment()),
        sa.ForeignKeyConstraint(
            ["saved_id"], ["saved_searches.id"], name=op.f("fk_alerts_saved_id_saved_searches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sqlite_strict=True,
    )
    op.create_index("ix_alerts_saved_id", "alerts", ["saved_id"], unique=False)
    is_waiting = sa.text("state = 'waiting'")
    op.create_index("ix_alerts_waiting", "alerts", ["due_at"], sqlite_where=is_waiting, postgresql_where=is_waiting)
    op.create_table(
        "alert_hits",
        sa.Column("saved_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("article_id", types.Id, autoincrement=False, nullable=False),
        sa.Column("found_at", types.Moment(), nullable=False),
        sa.ForeignKeyConstraint(
            ["saved_id"], ["saved_searches.id"], name=op.f("fk_alert_hits_saved_id_saved_searches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("saved_id", "article_id", name=op.f("pk_alert_hits")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    """Not offered: restore a backup."""
    raise NotImplementedError("restore a backup instead")
