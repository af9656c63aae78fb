"""`backfill` from lists and from articles that were extracted already."""

from pathlib import Path

from pipeline.newsroom.room import Newsroom
from tests import warcs
from tests.entrypoints.test_warc import records, room, stored, urls_in
from tests.running import Place, place

__all__ = ["records", "room"]

ROWS = """
    SELECT canonical_url, title, text_hash, label, section, tags, is_teaser, date(published_at / 1000000, 'unixepoch')
    FROM articles ORDER BY 1
"""


async def exported(here: Place, name: str) -> Path:
    assert (await here.run("export", name)).code == 0
    return here.directory / name


async def test_what_was_exported_is_imported_as_it_was_without_a_fetch(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    first, second = place(tmp_path / "first", room.feeds), place(tmp_path / "second", room.feeds)
    (tmp_path / "crawl.warc.gz").write_bytes(warcs.gzipped(records))
    await first.run("backfill", "--input", str(tmp_path / "crawl.warc.gz"))
    path = await exported(first, "all.jsonl")
    path.write_text(path.read_text() + "{}\n")
    ended = await second.run("backfill", "--via", "jsonl", "--input", str(path), "--input", "missing.jsonl")
    assert ended.code == 1
    assert (ended.row["bad_lines"], ended.row["failed_files"]) == (1, 1)
    assert urls_in(second) == stored(room)
    assert second.ask(ROWS) == first.ask(ROWS)
    assert (await second.run("db", "check")).code == 0
