"""Copies: between both databases, everything or nothing, compared; backups while others write."""

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect

from pipeline.errors import CommandError
from pipeline.query import Query, parse
from pipeline.store import Said, Store, open_store, schema
from pipeline.store.backup import backup
from pipeline.store.copying import TABLES, copy
from pipeline.store.invariants import INVARIANTS, violations
from tests import make, postgres
from tests.make import AT
from tests.store.filling import fill


@pytest.fixture(params=["sqlite", "postgresql"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Another database of each kind, empty."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/target.db"
        return
    databases: postgres.Databases | None = request.getfixturevalue("databases")
    if databases is None:
        pytest.skip("no PostgreSQL server binaries on this machine")
    with databases.fresh(is_migrated=False) as url:
        yield url


async def filled(store: Store) -> None:
    articles = [make.article(n, text=make.text(n) + " 훈련 \U0001f6e9") for n in range(1, 6)]
    await fill(store, articles, [make.tagged(score=0.1 + 0.2)] * 5)
    (found,) = await store.search.find(Query(limit=1))
    await store.labels.add(found.id, Said.NO, "me", AT)
    await store.saved.add("drills", "drill", {"country": ["KR"]}, {"webhook": "https://x.example/"}, AT)


async def test_a_copy_answers_as_the_original_does(store: Store, database_url: str, target_url: str) -> None:
    await filled(store)
    counts = await copy(database_url, target_url)
    assert set(counts) == {table.name for table in TABLES}
    assert (counts["articles"], counts["labels"], counts["saved_searches"]) == (5, 1, 1)
    async with await open_store(target_url) as other:
        assert await violations(other.db) == [0] * len(INVARIANTS)
        for query in (Query(), Query(parse("B-52H country:KR", AT))):
            assert await other.search.find(query) == await store.search.find(query) != ()


def test_no_table_is_forgotten(database_url: str) -> None:
    engine = schema.engine_for(database_url)
    made = set(inspect(engine).get_table_names())
    engine.dispose()
    assert {name for name in made if not name.startswith("search_")} == {t.name for t in TABLES} | {"alembic_version"}


async def test_a_copy_can_be_written_to(store: Store, database_url: str, target_url: str) -> None:
    await filled(store)
    await copy(database_url, target_url)
    async with await open_store(target_url) as other:
        await other.runs.start("poll", AT)
        (found,) = await other.search.find(Query(limit=1))
        await other.labels.add(found.id, Said.YES, "me", AT)
        assert [row["label"] for row in (await other.provenance.of_article(found.id)).labels] == ["yes", "no"]  # type: ignore[union-attr]


async def test_a_database_that_holds_something_is_no_target(store: Store, database_url: str, target_url: str) -> None:
    await filled(store)
    await copy(database_url, target_url)
    with pytest.raises(CommandError, match=r"holds .* already"):
        await copy(database_url, target_url)


async def test_a_copy_that_fails_leaves_nothing(store: Store, database_url: str, target_url: str) -> None:
    await filled(store)
    async with await open_store(target_url) as other, other.db.write() as c:
        await c.exec_driver_sql("ALTER TABLE saved_searches RENAME COLUMN words TO other_words")
    with pytest.raises(Exception, match="words"):
        await copy(database_url, target_url)
    async with await open_store(target_url) as other, other.db.write() as c:
        await c.exec_driver_sql("ALTER TABLE saved_searches RENAME COLUMN other_words TO words")
    assert (await copy(database_url, target_url))["articles"] == 5


async def test_a_backup_is_a_whole_database_of_its_owner(store: Store, database_url: str, tmp_path: Path) -> None:
    await filled(store)
    path = tmp_path / "backup.db"
    if not database_url.startswith("sqlite"):
        with pytest.raises(CommandError, match="pg_dump"):
            backup(database_url, path)
        return
    async with store.db.write() as c:
        await c.exec_driver_sql("DELETE FROM runs WHERE id = 99")
        assert backup(database_url, path) == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.glob("backup*")) == ["backup.db"]
    with closing(sqlite3.connect(path)) as copied:
        assert copied.execute("SELECT count(*) FROM articles").fetchone() == (5,)
    async with await open_store(f"sqlite:///{path}") as other:
        assert await violations(other.db) == [0] * len(INVARIANTS)
    with pytest.raises(CommandError, match="exists already"):
        backup(database_url, path)
    with pytest.raises(CommandError, match="No such file"):
        backup(database_url, tmp_path / "no" / "backup.db")
