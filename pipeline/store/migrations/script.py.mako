"""${message}."""

import sqlalchemy as sa
from alembic import op
from pipeline.store import types

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One version up."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Not offered: restore the copy that `defnews db backup` made."""
    raise NotImplementedError("restore a backup instead")
