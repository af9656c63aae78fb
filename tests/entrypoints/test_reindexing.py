"""`defnews db check` tells what the search index lacks, and `defnews db reindex` mends it."""

import shutil
from pathlib import Path

from pipeline.store import open_store
from tests import make
from tests.running import place
from tests.store.filling import fill


async def test_a_text_that_search_does_not_know_is_told_and_mended(tmp_path: Path, migrated_file: Path) -> None:
    here = place(tmp_path)
    shutil.copyfile(migrated_file, here.database)
    async with await open_store(f"sqlite:///{here.database}") as store:
        await fill(store, [make.article(n, text="Ships sail.") for n in (1, 2, 3)], [make.verdict()] * 3)
    here.ask("DELETE FROM search_index_places WHERE article_id = (SELECT max(id) FROM articles)")
    told = await here.run("db", "check")
    assert (told.code, {row["check"] for row in told.rows if not row["holds"]} >= {"every text is indexed"}) == (
        1,
        True,
    )
    assert (await here.run("db", "reindex")).row == {"indexed": 3}
    assert (await here.run("db", "check")).code == 0
    assert (await here.run("db", "reindex")).row == {"indexed": 0}
    assert (await here.run("db", "reindex", "--anew")).row == {"indexed": 3}
    assert len((await here.run("search", "ships")).rows) == 3
