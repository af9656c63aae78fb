"""`backfill` from lists of feeds, and from articles that were extracted already."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipeline.newsroom import RoomFeed
from pipeline.newsroom.room import Newsroom
from tests import make, warcs
from tests.entrypoints.test_warc import records, room, stored, urls_in
from tests.running import Place, healed, place, serving
from tests.test_backfill import kept_at

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


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
async def test_what_was_exported_packed_is_imported_and_a_cut_file_is_told_after_what_it_holds(
    tmp_path: Path, suffix: str
) -> None:
    first, second = place(tmp_path / "first"), place(tmp_path / "second")
    rows = [json.dumps({"url": make.article(n).url, "title": f"Title {n}", "text": make.text(n)}) for n in range(30)]
    (first.directory / "all.jsonl").write_text("\n".join(rows))
    assert (await first.run("backfill", "--via", "jsonl", "--input", "all.jsonl")).row["stored"] == 30
    path = await exported(first, f"all.jsonl{suffix}")
    ended = await second.run("backfill", "--via", "jsonl", "--input", str(path))
    assert (ended.code, ended.row["bad_lines"], second.ask(ROWS)) == (0, 0, first.ask(ROWS))
    counted = await second.run("backfill", "--input", str(path), "--dry-run")  # as a list of URLs
    assert (counted.row["known"], counted.row.get("bad_lines", 0)) == (30, 0)
    path.write_bytes(path.read_bytes()[:-20])
    cut = await second.run("backfill", "--via", "jsonl", "--input", str(path))
    assert (cut.code, cut.row["failed_files"]) == (1, 1)


OPML = '<opml version="2.0"><body><outline text="Mine">{}</outline></body></opml>'


def listed(feeds: Iterable[RoomFeed]) -> str:
    return OPML.format("".join(f'<outline text="{feed.site}" xmlUrl="{feed.url}"/>' for feed in feeds))


async def test_the_feeds_of_a_list_are_added_and_their_past_is_found_like_that_of_any_feed(tmp_path: Path) -> None:
    async with serving() as server:
        feeds = [next(feed for feed in server.room.feeds if feed.site == site) for site in ("corvid", "keel", "vector")]
        healed(server)
        here = place(tmp_path, feeds[:2])
        await here.run("feeds", "list")
        await here.run("feeds", "remove", feeds[1].url)
        (tmp_path / "mine.opml").write_text(listed(feeds[1:]))
        ended = await here.run("backfill", "--input", "mine.opml", "--since", "20d", "--dry-run", **kept_at(server))
        bad = await here.run("backfill", "--input", "feeds.toml", "--via", "opml", "--since", "20d")
    assert ended.code == 0
    assert [row["via"] for row in ended.rows][:2] == ["rfc5005", "wordpress"]
    asked = [feed.site for feed in feeds if feed.url in {seen.url for seen in server.log}]
    assert asked == ["vector"]  # the first is not in the list, and a removed one stays removed
    assert here.ask("SELECT count(*) FROM feeds WHERE removed_at IS NULL") == [(2,)]
    assert (bad.code, "malformed-xml" in bad.err) == (1, True)
