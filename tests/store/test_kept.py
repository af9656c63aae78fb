"""Kept pages: what was written is read again, by whoever wrote it and however its writer died."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import Enclosure, Entry, Outcome, Response
from pipeline.query import Query
from pipeline.store import Ending, Kept, KeptAt, PageFiles, Store
from pipeline.store.pages import LastPage
from pipeline.store.records import pack, read, whole_bytes
from tests import make
from tests.make import AT
from tests.store.test_work import a_run, polled

HTML = b"<html><body><p>Allies fly.</p></body></html>"
HEADERS = (("content-type", "text/html; charset=utf-8"), ("content-encoding", "gzip"), ("set-cookie", "id=1"))
FULL = make.entry(
    summary="A summary\u2028with a separator \ud800", content="<p>x</p>", authors=("A", "B"), tags=("t",), lang="en",
    updated_at=AT, enclosures=(Enclosure("https://a.example/x.mp3", None, 3),), copy="https://archive.example/x",
    archive="wayback",
)  # fmt: skip


def response(body: bytes = HTML, **changes: object) -> Response:
    return replace(Response("https://site1.example/news/1", 200, HEADERS, body, AT), **changes)  # type: ignore[arg-type]


def kept_files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir())


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[PageFiles]:
    opened = PageFiles(tmp_path / "pages")
    yield opened
    opened.close()


@given(st.binary(max_size=2000), st.sampled_from((FULL, make.entry())), st.booleans())
def test_a_page_and_its_entry_are_read_as_they_were(body: bytes, entry: Entry, is_copy: bool) -> None:
    given_at = AT + timedelta(microseconds=7)
    found = read(io.BytesIO(pack(response(body, received_at=given_at), entry, is_copy=is_copy)))
    kept = (HEADERS[0], ("content-length", str(len(body))))
    assert found == Kept(response(body, received_at=given_at, headers=kept), entry, is_copy)


def test_no_cookie_and_no_coding_that_was_taken_off_is_kept() -> None:
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(pack(response(), FULL, is_copy=False))
    assert b"set-cookie" not in plain
    assert b"gzip" not in plain
    assert f"content-length: {len(HTML)}\r\n\r\n".encode() + HTML in plain


async def test_pages_are_appended_and_each_is_found_at_its_place(files: PageFiles, tmp_path: Path) -> None:
    bodies = [b"one", b"two" * 100_000, b"three"]
    places = await asyncio.gather(*(files.keep(response(body), FULL) for body in bodies))
    assert len(kept_files(tmp_path / "pages")) == 1
    for body, at in zip(bodies, places, strict=True):
        assert (await found(files, at)).response.body == body


async def found(files: PageFiles, at: KeptAt | None) -> Kept:
    assert at is not None
    kept = await files.read(at)
    assert kept is not None
    return kept


async def test_each_day_has_its_file_and_a_late_page_stays_in_the_newest(files: PageFiles) -> None:
    days = [await files.keep(response(received_at=AT + timedelta(days=n)), FULL) for n in (0, 1, 0)]
    assert [at and at.file[:10] for at in days] == ["2025-07-11", "2025-07-12", "2025-07-12"]


async def test_two_writers_never_share_a_file(files: PageFiles, tmp_path: Path) -> None:
    rival = PageFiles(tmp_path / "pages")
    ours, theirs = await files.keep(response(), FULL), await rival.keep(response(), FULL)
    rival.close()
    assert ours is not None
    assert theirs is not None
    assert ours.file != theirs.file
    assert (ours.offset, theirs.offset) == (0, 0)


@pytest.mark.parametrize("cut", [1, 3, 20, 150, 300])
async def test_a_cut_file_is_read_up_to_the_cut_and_appended_to_again(tmp_path: Path, cut: int) -> None:
    first = PageFiles(tmp_path)
    whole, last = await first.keep(response(b"whole"), FULL), await first.keep(response(b"last"), FULL)
    first.close()
    (path,) = kept_files(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    second = PageFiles(tmp_path)
    assert last is not None
    assert (await second.read(last) is None) == (cut > 4)  # of the page, not only of the checksum behind it
    again = await second.keep(response(b"again"), FULL)
    second.close()
    assert again is not None
    assert again.file == last.file
    assert [(await found(second, at)).response.body for at in (whole, again)] == [b"whole", b"again"]
    with path.open("rb") as file:
        assert whole_bytes(file) == path.stat().st_size
    with zstandard.ZstdDecompressor().stream_reader(path.open("rb"), read_across_frames=True) as plain:
        assert plain.read().count(b"\r\n\r\nagain\r\n\r\n") == 1


async def test_a_file_that_is_none_of_ours_is_left_alone(files: PageFiles, tmp_path: Path) -> None:
    at = await files.keep(response(), FULL)
    files.close()
    assert at is not None
    (tmp_path / "pages" / at.file).write_bytes(b"somebody's own notes, long enough")
    other = await files.keep(response(), FULL)
    assert other is not None
    assert other.file != at.file
    assert (tmp_path / "pages" / at.file).read_bytes() == b"somebody's own notes, long enough"


async def test_a_disk_that_refuses_costs_no_page_but_its_copy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert await PageFiles(tmp_path / "file").keep(response(), FULL) is None


async def test_a_file_that_is_gone_is_no_error(files: PageFiles) -> None:
    assert await files.read(KeptAt("2025-07-11-x-0.warc.zst", 0)) is None


async def test_the_files_of_earlier_days_are_deleted_with_their_places(
    files: PageFiles, store: Store, tmp_path: Path
) -> None:
    old, new = [await files.keep(response(received_at=AT + timedelta(days=n)), FULL) for n in (0, 1)]
    run = await a_run(store)
    await polled(store, run, make.entry(1), make.entry(2))
    for work, at in zip(await store.work.claim(run.id, AT, 10), (old, new), strict=True):
        number = int(work.lead.entry.id[-1])
        await store.endings.put(Ending(work, AT, Outcome.STORED, make.article(number), make.verdict(), kept=at))
    (tmp_path / "pages" / "notes.txt").write_text("mine")
    await store.pages.forget_before(date(2025, 7, 12))
    assert await files.remove_before(date(2025, 7, 12)) == 1
    assert [path.name[:10] for path in kept_files(tmp_path / "pages")] == ["2025-07-12", "notes.txt"]
    ids = [found.id for found in await store.search.find(Query())]
    assert new is not None
    assert list((await store.pages.of_articles(ids)).values()) == [LastPage(new, False, AT)]


async def test_an_article_leads_to_the_page_that_it_was_read_from_last(store: Store) -> None:
    """A revision whose page was not kept leaves no older one in its place."""
    run = await a_run(store)
    revised = make.entry(1, updated_at=AT + timedelta(days=1))
    places = [KeptAt("2025-07-11-x-0.warc.zst", 0), KeptAt("2025-07-12-x-0.warc.zst", 9), None]
    seen = []
    for number, at in enumerate(places):
        entry = replace(revised, updated_at=AT + timedelta(days=number)) if number else make.entry(1, updated_at=AT)
        await polled(store, run, entry)
        now = AT + timedelta(days=2 * number)
        (work,) = await store.work.claim(run.id, now, 10)
        article = make.article(1, text=make.TEXT + f"\nRevision {number}.")
        ended = await store.endings.put(Ending(work, now, Outcome.STORED, article, make.verdict(), kept=at))
        assert ended.article_id is not None
        seen.append((await store.pages.of_articles([ended.article_id])).get(ended.article_id))
    assert seen == [LastPage(places[0], False, AT), LastPage(places[1], True, AT), None]  # type: ignore[arg-type]


async def test_what_became_of_a_url_says_where_its_page_is_kept(store: Store) -> None:
    run = await a_run(store)
    await polled(store, run, make.entry(1))
    (work,) = await store.work.claim(run.id, AT, 10)
    at = KeptAt("2025-07-11-x-0.warc.zst", 12)
    await store.endings.put(Ending(work, AT, Outcome.DROPPED, reason="too-short", kept=at))
    (appearance,) = await store.provenance.of_url(make.entry(1).url or "")
    assert appearance.kept_at == "2025-07-11-x-0.warc.zst:12"
