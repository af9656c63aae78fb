"""Stories are listed by size from an index."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up."""
    op.create_index("ix_stories_size", "stories", ["size"])
