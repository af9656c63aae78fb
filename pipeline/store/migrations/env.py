"""How Alembic reaches the database: one transaction for the whole upgrade, on both engines."""

from typing import Any

from alembic import context
from sqlalchemy import text

from pipeline.store import push_tables, saved_tables, search_index, story_tables  # noqa: F401 - all tables are compared
from pipeline.store.tables import metadata


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The search index and its shadow tables are made by hand."""
    return not (kind in ("table", "index") and name is not None and search_index.TABLE in name)


with context.config.attributes["engine"].connect() as plain:
    connection = plain.execution_options(defnews_write=True)
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_name=_is_ours,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        user_module_prefix="types.",
        transactional_ddl=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":  # SQLite is locked by BEGIN IMMEDIATE
            connection.execute(text("SELECT pg_advisory_xact_lock(720173)"))
        context.run_migrations()
