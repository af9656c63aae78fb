"""What docs/python.md and docs/datasette.md say to do can be done."""

import ast
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pipeline.query.words import paired
from pipeline.store import Store, open_store
from pipeline.store.types import unpack
from tests import make
from tests.store.filling import fill

DOCS = Path(__file__).parent.parent / "docs"


def blocks(name: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / name).read_text(), re.DOTALL)


@pytest.fixture
async def sqlite_store(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Store]:
    shutil.copyfile(migrated_file, tmp_path / "test.db")
    async with await open_store(f"sqlite:///{tmp_path}/test.db") as opened:
        yield opened


async def test_every_line_of_the_notebook_runs(sqlite_store: Store) -> None:
    await fill(sqlite_store, [make.article(title="A drone")], [make.verdict()])
    lines = "\n".join(blocks("python.md", "python")).replace("sqlite:///defnews.db", sqlite_store.db.url)
    lines = lines.replace("published:7d", "published:2000-01-01..")
    code = compile(lines, "python.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    given: dict[str, object] = {}
    await eval(code, given)
    assert given["found"].title == "A drone"  # type: ignore[attr-defined]
    assert given["known"] is not None


@pytest.mark.parametrize("query", blocks("datasette.md", "sql"))
async def test_every_query_is_answered(sqlite_store: Store, query: str) -> None:
    await fill(sqlite_store, [make.article(title="A frigate")], [make.verdict()])
    connection = sqlite3.connect(f"file:{sqlite_store.db.url.removeprefix('sqlite:///')}?mode=ro", uri=True)
    rows = connection.execute(query).fetchall()
    assert "unixepoch()" in query or len(rows) == 1
    connection.close()


async def test_texts_are_read_through_the_functions(sqlite_store: Store) -> None:
    await fill(sqlite_store, [make.article(text="Ships sail.")], [make.verdict()])
    connection = sqlite3.connect(sqlite_store.db.url.removeprefix("sqlite:///"))
    for name, function in (("unpack", unpack), ("paired", paired)):
        connection.create_function(name, 1, function, deterministic=True)
    query = "SELECT unpack(t.body) FROM articles a JOIN texts t ON t.article_id = a.id"
    assert connection.execute(query).fetchall() == [("Ships sail.",)]
    connection.close()
