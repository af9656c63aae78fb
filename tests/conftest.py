"""Fixtures: both databases, a clock that stands still, the newsroom."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest

from pipeline.store import Store, open_store, schema
from tests import postgres

hypothesis.settings.register_profile(  # machines are slow at times; laws have no deadline, nor have their examples
    "defnews", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("defnews")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of whole runs and commands come first: they take longest, so nothing waits for them at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("tests", "entrypoints"))


class StillClock:
    """Time moves only when somebody sleeps, or the test says so."""

    def __init__(self) -> None:
        self.at = datetime(2025, 7, 11, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=max(seconds, 0))

    def advance(self, **units: float) -> datetime:
        self.at += timedelta(**units)
        return self.at


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(scope="session")
def databases() -> Iterator[postgres.Databases | None]:
    with postgres.server() as address:
        if address is None:
            yield None
            return
        with postgres.Databases.at(address) as databases:
            yield databases


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file that was migrated once, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    schema.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Iterator[str]:
    """A fresh database of each kind, migrated."""
    if request.param == "sqlite":
        shutil.copyfile(migrated_file, tmp_path / "test.db")
        yield f"sqlite:///{tmp_path}/test.db"
        return
    yield request.getfixturevalue("postgres_url")


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A fresh database of PostgreSQL, migrated."""
    databases: postgres.Databases | None = request.getfixturevalue("databases")
    if databases is None:
        pytest.skip("no PostgreSQL server binaries on this machine")
    with databases.fresh() as url:
        yield url


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    async with await open_store(database_url) as opened:
        yield opened


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """Third-party data for development; not part of the project."""
    path = os.environ.get("DEFNEWS_DEV_DATA")
    if not path or not Path(path).is_dir():
        pytest.skip("DEFNEWS_DEV_DATA names no directory")
    return Path(path)
