"""The schema's version: making it, upgrading it, checking that it is what the code expects."""

from importlib import resources
from typing import Any

import sqlalchemy.exc
from sqlalchemy import Engine, create_engine, event, inspect, text

from pipeline.errors import StoreError
from pipeline.store.database import _on_begin, _on_connect, _private_file, file_of, parse_url, redacted

HEAD = "0016"  # the newest migration; a test compares


def engine_for(url: str) -> Engine:
    """A plain (not async) engine, for migrations."""
    engine = create_engine(parse_url(url).set(drivername="sqlite" if file_of(url) else "postgresql+psycopg"))
    if engine.dialect.name == "sqlite":
        _private_file(file_of(url))
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    return engine


def version(url: str) -> str | None:
    """The version of the schema; None for an empty database.

    Raises:
        StoreError: the database cannot be reached, or holds tables that are not ours.
    """
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            tables = inspect(connection).get_table_names()
            if "alembic_version" in tables:
                return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if tables:
                raise StoreError(
                    f"{redacted(url)} holds other tables ({', '.join(sorted(tables)[:3])} ...), not defnews"
                )
            return None
    except sqlalchemy.exc.DBAPIError as e:
        raise StoreError(f"cannot open {redacted(url)}: {str(e.orig).strip()}") from e
    finally:
        engine.dispose()


def require(url: str) -> None:
    """Make a missing database; refuse one of another version.

    Raises:
        StoreError: says what to run.
    """
    found = version(url)
    if found is None:
        upgrade(url)
    elif found != HEAD:
        advice = "run: defnews db upgrade" if found < HEAD else "it was written by a newer defnews: upgrade the program"
        raise StoreError(f"the schema of {redacted(url)} is {found}, this program needs {HEAD}; {advice}")


def alembic_config(engine: Engine) -> Any:
    """Alembic's configuration, without an ini file."""
    from alembic.config import Config  # noqa: PLC0415 - slow to import, rarely needed

    config = Config()
    config.set_main_option("script_location", str(resources.files("pipeline.store") / "migrations"))
    config.attributes["engine"] = engine
    return config


def upgrade(url: str) -> None:
    """Bring the schema to this program's version; does nothing when it is there.

    Raises:
        StoreError: it was written by a newer program, or cannot be reached.
    """
    from alembic import command  # noqa: PLC0415

    found = version(url)
    if found is not None and found > HEAD:
        raise StoreError(f"the schema of {redacted(url)} is {found}, newer than this program's {HEAD}")
    engine = engine_for(url)
    try:
        command.upgrade(alembic_config(engine), "head")
    finally:
        engine.dispose()
