"""The schema: migrations and tables agree on both databases; other versions are refused with advice."""

import stat
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from pipeline.errors import StoreError, UsageError
from pipeline.store import daemon_lock, open_store, redacted, schema
from pipeline.store.database import parse_url


def test_the_migrations_lead_to_what_the_tables_say(database_url: str) -> None:
    engine = schema.engine_for(database_url)
    command.check(schema.alembic_config(engine))
    engine.dispose()


def test_head_is_the_newest_migration(tmp_path: Path) -> None:
    engine = schema.engine_for(f"sqlite:///{tmp_path}/x.db")
    assert ScriptDirectory.from_config(schema.alembic_config(engine)).get_current_head() == schema.HEAD
    engine.dispose()


async def test_a_missing_database_is_made_for_its_owner_only(tmp_path: Path) -> None:
    async with await open_store(f"sqlite:///{tmp_path}/new.db") as store, store.db.read() as c:
        mode = (await c.exec_driver_sql("PRAGMA journal_mode")).scalar()
    assert mode == "wal"
    assert stat.S_IMODE((tmp_path / "new.db").stat().st_mode) == 0o600


@pytest.mark.parametrize(("found", "advice"), [("0000", "db upgrade"), ("9999", "newer defnews")])
async def test_another_version_is_refused_with_what_to_do(database_url: str, found: str, advice: str) -> None:
    engine = schema.engine_for(database_url)
    with engine.execution_options(defnews_write=True).begin() as c:
        c.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{found}'")
    engine.dispose()
    with pytest.raises(StoreError, match=advice):
        await open_store(database_url)


async def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/foreign.db"
    engine = schema.engine_for(url)
    with engine.execution_options(defnews_write=True).begin() as c:
        c.exec_driver_sql("CREATE TABLE theirs (id INTEGER)")
    engine.dispose()
    with pytest.raises(StoreError, match="theirs"):
        await open_store(url)


async def test_a_file_that_is_no_database_is_an_error_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("this is no database, " * 100)
    with pytest.raises(StoreError, match="cannot open"):
        await open_store(f"sqlite:///{path}")


async def test_a_directory_that_is_missing_is_an_error_not_a_crash(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot make"):
        await open_store(f"sqlite:///{tmp_path}/missing/x.db")


async def test_an_unreachable_server_is_an_error_not_a_crash() -> None:
    with pytest.raises(StoreError, match="cannot open"):
        await open_store("postgresql://nobody@127.0.0.1:1/none")


@pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", ""])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UsageError, match="DEFNEWS_DATABASE_URL"):
        parse_url(url)


def test_a_password_is_never_shown() -> None:
    assert redacted("postgresql://me:secret@db/news") == "postgresql://me:***@db/news"


def test_a_second_daemon_on_the_same_file_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with daemon_lock(url), pytest.raises(StoreError, match="another daemon"), daemon_lock(url):
        pass
    with daemon_lock(url):
        pass


def test_the_index_passes_its_own_check(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("FTS5 only")
    engine = schema.engine_for(database_url)
    with engine.execution_options(defnews_write=True).begin() as c:
        c.exec_driver_sql("INSERT INTO search_index(search_index, rank) VALUES ('integrity-check', 1)")
        c.exec_driver_sql("INSERT INTO search_index(search_index) VALUES ('rebuild')")
    engine.dispose()
