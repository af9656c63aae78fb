"""Exports: Parquet as documented, and no file that is not whole."""

import re
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest

from pipeline.entrypoints.exporting import COLUMNS, GROUP
from pipeline.store import open_store
from tests import make
from tests.running import ROOT, Place, place
from tests.store.filling import fill


@pytest.fixture
async def here(tmp_path: Path, migrated_file: Path) -> Place:
    here = place(tmp_path)
    shutil.copyfile(migrated_file, here.database)
    async with await open_store(f"sqlite:///{here.database}") as store:
        articles = [make.article(1, authors=("A. One", "B. Two")), make.article(2, lang=None)]
        await fill(store, articles, [make.tagged(), make.other()])
    return here


def test_the_documentation_names_every_field_with_its_type() -> None:
    told = re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs/export.md").read_text(), re.MULTILINE)
    assert told == list(COLUMNS.items())
    assert f"row groups of {GROUP:,} articles" in (ROOT / "docs/export.md").read_text()


async def test_parquet_holds_what_was_stored(here: Place) -> None:
    ended = await here.run("export", "all.parquet")
    assert ended.code == 0, ended.err
    table = pyarrow.parquet.read_table(here.directory / "all.parquet")
    assert table.column_names == list(COLUMNS)
    kinds = {str(table.schema.field(name).type) for name in ("published_at", "entities", "topics")}
    assert kinds >= {"timestamp[us, tz=UTC]"}
    first, second = table.to_pylist()
    assert (first["url"], first["text"]) == (make.article(1).url, make.text(1))
    assert (first["authors"], first["published_at"]) == (["A. One", "B. Two"], make.article(1).published_at)
    assert first["entities"][0] == {"name": "B-52H", "kind": "aircraft"}
    assert (second["lang"], second["entities"], second["needs_review"]) == (None, [], False)


async def test_nothing_found_is_a_whole_file_without_rows(here: Place) -> None:
    assert (await here.run("export", "none.parquet", "zeppelin")).code == 0
    assert pyarrow.parquet.read_table(here.directory / "none.parquet").num_rows == 0


@pytest.mark.parametrize("name", ["all.parquet.gz", "all.txt", "all.gz"])
async def test_a_name_that_says_no_format_is_refused(here: Place, name: str) -> None:
    assert (await here.run("export", name)).code == 2
    assert [path.name for path in here.directory.glob("all*")] == []
