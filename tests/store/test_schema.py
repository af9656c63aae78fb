"""The schema: migrations and tables agree on both databases; other versions are refused with advice."""

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import insert

from pipeline.errors import StoreError, UsageError
from pipeline.query import Filters, Query, parse
from pipeline.store import Said, daemon_lock, open_store, redacted, schema, tables
from pipeline.store.database import conninfo, parse_url
from pipeline.store.invariants import INVARIANTS, violations
from tests import postgres
from tests.make import AT


def test_the_migrations_lead_to_what_the_tables_say(database_url: str) -> None:
    engine = schema.engine_for(database_url)
    command.check(schema.alembic_config(engine))
    engine.dispose()


def test_head_is_the_newest_migration(tmp_path: Path) -> None:
    engine = schema.engine_for(f"sqlite:///{tmp_path}/x.db")
    assert ScriptDirectory.from_config(schema.alembic_config(engine)).get_current_head() == schema.HEAD
    engine.dispose()


async def test_a_database_of_the_first_version_is_upgraded_with_all_that_is_in_it(first_version_url: str) -> None:
    schema.upgrade(first_version_url)
    async with await open_store(first_version_url) as store:
        assert await violations(store.db) == [0] * len(INVARIANTS)
        (found,) = await store.search.find(Query(parse("drill", AT), Filters(topics=("operations",))))
        assert (found.id, found.label, found.topics, found.countries, found.entities) == (
            7,
            "defense",
            ("operations",),
            (),
            (),
        )
        known = await store.provenance.of_article(7)
        assert known is not None
        (verdict,) = known.verdicts
        assert (verdict["classifier"], verdict["score"], verdict["evidence"]) == ("old@1", 0.9, [{"term": "drill"}])
        assert (verdict["base"], verdict["countries"], verdict["entities"]) == (0.0, [], [])
        said = await store.labels.add(7, Said.NO, "me", AT)
        assert said.label == "other"


@pytest.fixture
def first_version_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[str]:
    """A database as the first version left it, with an article in it."""
    if database_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path}/first.db"
        _make_first_version(url)
        yield url
        return
    databases: postgres.Databases = request.getfixturevalue("databases")
    with databases.fresh(is_migrated=False) as url:
        _make_first_version(url)
        yield url


def _make_first_version(url: str) -> None:
    engine = schema.engine_for(url)
    command.upgrade(schema.alembic_config(engine), "0001")
    article = {
        **{"id": 7, "canonical_url": "https://a.example/", "url": "https://a.example/", "site": "a.example"},
        **{"title": "Air drill", "authors": [], "published_at": AT, "published_from": "page", "extractor": "x@1"},
        **{"text_hash": "0", "chars": 5, "first_seen_at": AT, "stored_at": AT},
        **{"label": "defense", "score": 0.9, "needs_review": True},
    }
    verdict = {
        **{"article_id": 7, "classifier": "old@1", "label": "defense", "score": 0.9, "threshold": 0.5},
        **{"needs_review": True, "topics": ["operations"], "evidence": [{"term": "drill"}]},
        **{"text_hash": "0", "created_at": AT},
    }
    with engine.execution_options(defnews_write=True).begin() as c:
        c.execute(insert(tables.articles).values(article))
        c.execute(insert(tables.texts).values(article_id=7, body="Jets."))
        c.execute(insert(tables.verdicts).values(verdict))
        c.exec_driver_sql("INSERT INTO tags(kind, name, article_id) VALUES ('topic', 'operations', 7)")
        c.execute(insert(tables.urls).values(url="https://a.example/", article_id=7, first_seen_at=AT))
        column, words = ("rowid, title, text", "7, 'Air drill', 'Jets.'")
        if engine.dialect.name != "sqlite":
            column, words = ("article_id, words", "7, to_tsvector('defnews', 'air drill jets')")
        c.exec_driver_sql(f"INSERT INTO search_index({column}) VALUES ({words})")
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


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://me:a%40b%2F%25c@db:5433/news?sslmode=require", {"password": "a@b/%c", "sslmode": "require"}),
        ("postgres://me:two words@[::1]/news", {"password": "two words", "host": "::1"}),
        ("postgresql+psycopg://me@/news?host=/var/run/postgresql", {"host": "/var/run/postgresql", "dbname": "news"}),
    ],
    ids=["escaped", "spaces", "socket"],
)
def test_the_queue_is_led_to_the_same_database(url: str, wanted: dict[str, str]) -> None:
    assert wanted.items() <= conninfo_to_dict(conninfo(url) or "").items()


def test_sqlite_has_no_address_for_the_queue() -> None:
    assert conninfo("sqlite:///news.db") is None


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
