"""`backfill` from WARC files: nothing is fetched, what is stored is what the newsroom's writers wrote."""

import gzip
import json
import random
import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.newsroom.room import Newsroom
from tests import warcs
from tests.running import ROWS, Place, place
from tests.test_flow import kill_when
from tests.web.internet import Asked, reply
from tests.web.internet import serving as answering

NOW = datetime.now(UTC) - timedelta(minutes=1)  # noqa: TID251


@pytest.fixture(scope="module")
def room() -> Newsroom:
    return Newsroom(seed=1, at=NOW)


@pytest.fixture(scope="module")
def records(room: Newsroom) -> list[bytes]:
    return warcs.of_room(room)


def stored(room: Newsroom) -> set[str]:
    return {article.url for article in room.articles if article.outcome == "stored"}


def urls_in(here: Place) -> set[str]:
    return {row[0] for row in here.ask("SELECT canonical_url FROM articles")}


async def test_pages_of_a_warc_are_stored_without_a_fetch_and_say_where_they_were_kept(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    here = place(tmp_path, room.feeds)
    (tmp_path / "crawl.warc.gz").write_bytes(warcs.gzipped([*records, warcs.record("https://elsewhere.example/")]))
    ended = await here.run("backfill", "--input", "crawl.warc.gz")
    assert ended.code == 0
    assert urls_in(here) == stored(room)
    assert (ended.row["other-site"], ended.row["records"]) == (1, len(records) + 1)
    assert ended.row["http-404"] + ended.row["http-410"] == len(records) - ended.row["candidates"]
    truth = room.truth
    titles = dict(here.ask("SELECT canonical_url, title FROM articles"))
    assert {url for url, title in titles.items() if url in truth and truth[url].title not in title} == set()
    shown = (await here.run("show", next(iter(stored(room))), "--format", "json")).out
    assert '"found_in": "crawl.warc.gz, byte ' in shown.replace('":"', '": "')
    assert here.ask("SELECT DISTINCT archive FROM articles") == [("warc",)]
    again = (await here.run("backfill", "--input", "crawl.warc.gz", "--since", "60d")).row
    assert (again["new"], again["known"]) == (0, again["candidates"])


async def test_only_pages_of_the_sites_of_named_feeds_are_taken(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    here = place(tmp_path, room.feeds)
    (tmp_path / "crawl.warc").write_bytes(warcs.plain(records))
    feed = room.feeds[0]
    done = (await here.run("backfill", "--input", "crawl.warc", "--feed", feed.url)).row
    assert urls_in(here) == {a.url for a in room.articles if a.site == feed.site and a.outcome == "stored"}
    assert done["other-site"] == sum(
        article.site != feed.site for article in room.articles if article.reason != "robots"
    )


async def test_what_is_out_of_the_range_is_dropped_with_that_reason(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    whole, ranged = place(tmp_path / "whole"), place(tmp_path / "ranged")
    path = tmp_path / "crawl.warc.zst"
    path.write_bytes(warcs.zstandard_frames(records))
    newest = max(article.published_at for article in room.articles)
    since, until = ((newest - timedelta(days=days)).date().isoformat() for days in (12, 6))
    every = ("backfill", "--input", str(path), "--all-sites")
    await whole.run(*every)
    await ranged.run(*every, "--since", since, "--until", until)
    by_day = "SELECT canonical_url, date(published_at / 1000000, 'unixepoch') FROM articles"
    assert urls_in(ranged) == {url for url, day in whole.ask(by_day) if since <= day <= until}
    assert len(urls_in(ranged)) > 10
    others = "reason = 'out-of-range' AND date(published_at / 1000000, 'unixepoch') BETWEEN"
    assert ranged.ask(f"SELECT count(*) FROM entries WHERE {others} '{since}' AND '{until}'") == [(0,)]
    assert ranged.ask("SELECT count(*) > 10 FROM entries WHERE reason = 'out-of-range'") == [(1,)]


async def test_files_that_cannot_be_read_are_named_and_the_others_are_read(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    here = place(tmp_path, room.feeds)
    whole = warcs.gzipped(records)
    (tmp_path / "cut.warc.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.warc").write_bytes(b"")
    (tmp_path / "none.warc.gz").write_bytes(b"this is no WARC")
    (tmp_path / "bad.wacz").write_bytes(b"this is no ZIP")
    with zipfile.ZipFile(tmp_path / "good.wacz", "w") as packed:
        packed.writestr("archive/data.warc.gz", warcs.gzipped(records[len(records) // 2 - 5 :]))
    names = ("missing.warc", "none.warc.gz", "bad.wacz", "cut.warc.gz", "good.wacz", "empty.warc")
    ended = await here.run("backfill", *(word for name in names for word in ("--input", name)))
    assert ended.code == 1
    assert (ended.row["failed_files"], ended.row["damaged"]) == (3, 2)
    for name in names[:4]:
        assert name in ended.err
    assert urls_in(here) == stored(room)


async def test_after_kill_9_a_warc_is_read_on_to_the_same_rows_and_a_missing_file_counts_once(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    files = []
    for number in range(4):
        path = tmp_path / f"{number}.warc.gz"
        path.write_bytes(warcs.gzipped(records[number::4]))
        files += ["--input", str(path)]
    files += ["--input", "missing.warc"]
    calm, killed = (place(tmp_path / name, room.feeds) for name in ("calm", "killed"))
    await calm.run("backfill", *files)
    for articles in (3, 30):
        await kill_when(killed, ("backfill", *files), articles)
    assert len(killed.ask(ROWS)) < len(calm.ask(ROWS))
    ended = await killed.run("backfill", *files)
    assert (ended.code, ended.row["failed_files"]) == (1, 1)
    ((counts,),) = killed.ask("SELECT json_extract(cursor, '$.found.warc') FROM runs WHERE kind = 'backfill'")
    assert (json.loads(counts)["documents"], json.loads(counts)["failed_files"]) == (4, 1)
    assert killed.ask(ROWS) == calm.ask(ROWS)
    assert killed.ask("SELECT count(*) FROM runs WHERE kind = 'backfill'") == [(1,)]
    assert (await killed.run("db", "check")).code == 0


def month_of(room: Newsroom, records: list[bytes]) -> dict[str, bytes]:
    """The news crawl with one file, begun just now, and its list; larger than the block that is asked for at once."""
    filler = [warcs.record(f"https://large.example/{n}", random.Random(n).randbytes(3_000_000)) for n in range(2)]
    month, begun = f"{room.at:crawl-data/CC-NEWS/%Y/%m}", f"{room.at:%Y%m%d%H%M%S}"
    name = f"{month}/CC-NEWS-{begun}-00001.warc.gz"
    gone = f"{month}/CC-NEWS-{begun}-00002.warc.gz"
    listed = gzip.compress(f"{name}\n{gone}\nnonsense\n".encode())
    return {f"{month}/warc.paths.gz": listed, name: warcs.gzipped([*records[:80], *filler, *records[80:]])}


def in_parts(files: dict[str, bytes]) -> Callable[[Asked], bytes]:
    def answer(asked: Asked) -> bytes:
        body = files.get(asked.path.removeprefix("/mirror/"))
        if body is None:
            return reply(b"", "404 Not Found")
        wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", asked.header("range") or "")
        if wanted is None:
            return reply(body)
        start, end = int(wanted[1]), min(int(wanted[2]) + 1, len(body))
        return reply(body[start:end], "206 Partial Content", Content_Range=f"bytes {start}-{end - 1}/{len(body)}")

    return answer


async def test_the_news_crawl_is_read_from_a_mirror_in_blocks_and_from_a_directory(
    tmp_path: Path, room: Newsroom, records: list[bytes]
) -> None:
    far, near = place(tmp_path / "far"), place(tmp_path / "near")
    files = month_of(room, records)
    for name, body in files.items():
        (tmp_path / "near" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "near" / name).write_bytes(body)
    every = ("backfill", "--via", "ccnews", "--all-sites", "--since", "60d")
    async with answering(in_parts(files)) as mirror:
        ended = await far.run(*every, "--input", mirror.url("/mirror", host="127.0.0.1"))
    assert ended.code == 0
    assert (ended.row["bad_lines"], urls_in(far)) == (1, stored(room))
    assert sum(path.endswith("00001.warc.gz") for path in mirror.paths) == 2
    assert ended.row["missed"] >= 1
    assert "00002.warc.gz" in ended.err
    await near.run(*every, "--input", ".")
    assert near.ask(ROWS) == far.ask(ROWS)
    assert far.ask("SELECT DISTINCT archive FROM articles") == [("ccnews",)]
