"""Stored articles read again from kept bytes: the same bytes, the same rows; what differs is told and stored."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.entrypoints.reprocess import BATCH, Again, Parts, as_stored, differences
from pipeline.errors import ExtractError
from pipeline.model import Article, DateOrigin, Entry, Outcome, Page, Response
from pipeline.query import Query, parse
from pipeline.store import Ending, PageFiles, Run, Said, Store
from pipeline.store.invariants import INVARIANTS, violations
from tests import make
from tests.conftest import StillClock
from tests.entrypoints.test_judging import Judge
from tests.make import AT
from tests.running import ROWS, healed, place, serving
from tests.store.test_work import a_run, polled


class Reader:
    """Stands where the process pool does: reads the title out of a page's bytes, and everything else as it was."""

    def __init__(self, **changes: Any) -> None:
        self.changes, self.fails, self.dies_at = changes, False, "nowhere"
        self.read: list[str] = []

    async def __call__(self, _fn: Any, page: Page | Entry, *rest: Any) -> Article:
        title = page.body.decode() if isinstance(page, Page) else ""
        if title == self.dies_at:
            raise RuntimeError
        if self.fails or not title:
            raise ExtractError("x", "too-short")
        self.read.append(title)
        number = int(title.split()[-1])
        return make.article(number, **{"title": title, **self.changes})


class Kept:
    """A store whose articles' pages are kept."""

    def __init__(self, store: Store, files: PageFiles, clock: StillClock) -> None:
        self.store, self.files, self.clock = store, files, clock
        self.told: list[dict[str, Any]] = []
        self.reader, self.judge = Reader(), Judge("News 1", name="judge@1")

    async def ingest(self, *numbers: int, is_kept: bool = True, **changes: Any) -> None:
        run = await a_run(self.store)
        await polled(self.store, run, *(make.entry(n, **changes) for n in numbers))
        endings = []
        for work in await self.store.work.claim(run.id, self.clock.now(), 1000):
            entry = work.lead.entry
            number = int(entry.id.rsplit("/", 1)[-1])
            title = f"News {number}"
            at = (
                await self.files.keep(Response(entry.url or "", 200, (), title.encode(), AT), entry)
                if is_kept
                else None
            )
            article = make.article(number, title=title)
            verdict = self.judge.classify(article)
            endings.append(Ending(work, self.clock.now(), Outcome.STORED, article, verdict, kept=at))
        await asyncio.gather(*map(self.store.endings.put, endings))
        await self.store.runs.end(run.id, "done", AT)

    async def again(self, run: Run | None = None, *, is_dry: bool = False) -> dict[str, int]:
        run = run or await self.store.runs.start("reprocess", self.clock.now())
        parts = Parts(self.store, self.files, self.reader, self.judge, self.clock, False)  # type: ignore[arg-type]
        again = Again(parts, self.told.append, None if is_dry else run)
        await again.read(Query())
        return {name: count for name, count in again.counts.items() if count}

    async def titles(self) -> list[str]:
        return [found.title async for found in self.store.search.stream(Query(limit=1000))]


@pytest.fixture
async def kept(store: Store, tmp_path: Path, clock: StillClock) -> AsyncIterator[Kept]:
    files = PageFiles(tmp_path / "pages")
    yield Kept(store, files, clock)
    files.close()


async def test_what_is_read_as_before_changes_no_row(kept: Kept) -> None:
    await kept.ingest(1, 2)
    assert await kept.again() == {"read": 2, "same": 2}
    assert kept.told == []


async def test_what_is_read_differently_is_stored_told_and_found(kept: Kept) -> None:
    await kept.ingest(1, 2)
    kept.reader = Reader(text=make.TEXT + "\nA submarine surfaced.", published_at=AT - timedelta(days=9), lang="ko")
    dry = await kept.again(is_dry=True)
    assert await kept.store.search.find(Query(parse("submarine", AT))) == ()
    assert await kept.again() == dry == {"read": 2, "text": 2, "date": 2, "details": 2}
    (row, *_) = kept.told
    assert (row["change"], row["old_title"]) == (("text", "date", "details"), None)
    assert row["new_chars"] - row["old_chars"] == 22
    found = await kept.store.search.find(Query(parse("submarine", AT)))
    assert {one.published_at for one in found} == {AT - timedelta(days=9)}
    known = await kept.store.provenance.of_article(row["id"])
    assert known is not None
    assert [verdict["classifier"] for verdict in known.verdicts] == ["judge@1/ko", "judge@1"]
    assert known.trail[-1]["kind"] == "renewed"
    assert await violations(kept.store.db) == [0] * len(INVARIANTS)
    assert await kept.again() == {"read": 2, "same": 2}


async def test_a_changed_title_is_judged_again_and_a_persons_word_stands(kept: Kept) -> None:
    await kept.ingest(1, 2)
    ids = {found.title: found.id for found in await kept.store.search.find(Query())}
    await kept.store.labels.add(ids["News 1"], Said.YES, "me", AT)
    kept.reader = Reader(title="Bread 3")
    assert await kept.again() == {"read": 2, "title": 2, "kept_by_person": 1}
    (said,) = [row for row in kept.told if row["id"] == ids["News 1"]]
    assert (said["old_title"], said["title"], said["new_label"]) == ("News 1", "Bread 3", "defense")
    assert "kept_by_person" in said["change"]


async def test_a_page_that_is_no_article_any_more_leaves_the_row_as_it_is(kept: Kept) -> None:
    await kept.ingest(1)
    kept.reader.fails = True
    assert await kept.again() == {"read": 1, "failed": 1}
    assert [(row["change"], row["reason"]) for row in kept.told] == [(("failed",), "too-short")]
    assert await kept.titles() == ["News 1"]


async def test_articles_without_kept_bytes_are_counted(kept: Kept, tmp_path: Path) -> None:
    await kept.ingest(1, is_kept=False)
    await kept.ingest(2)
    kept.files.close()
    for path in (tmp_path / "pages").iterdir():
        path.unlink()
    assert await kept.again() == {"not_kept": 2}


async def test_a_run_that_was_killed_goes_on_where_it_was(kept: Kept) -> None:
    count = BATCH + 30
    await kept.ingest(*range(1, count + 1))
    run = await kept.store.runs.start("reprocess", AT)
    kept.reader = Reader(section="world")
    kept.reader.dies_at = f"News {BATCH + 10}"
    with pytest.raises(RuntimeError):
        await kept.again(run)
    kept.reader = Reader(section="world")
    assert await kept.again(await kept.store.runs.get(run.id)) == {"read": count, "details": count}
    assert len(kept.reader.read) == 30
    assert len(kept.told) == count


async def test_an_article_that_was_judged_meanwhile_is_left_as_it_is(kept: Kept) -> None:
    await kept.ingest(1)
    (standing,) = await kept.store.verdicts.page(Query(), None, 1)
    run = await kept.store.runs.start("reprocess", AT)
    late = Again(
        Parts(kept.store, kept.files, Reader(section="world"), kept.judge, kept.clock, False),  # type: ignore[arg-type]
        kept.told.append,
        run,
    )
    found = await late._renewals([standing])
    kept.reader = Reader(title="Newer 1")
    await kept.again()
    await late._put([standing], found, standing.article_id)
    assert +late.counts == {"skipped": 1}
    assert await kept.titles() == ["Newer 1"]


def test_after_a_revision_the_first_date_stays() -> None:
    old = make.article(1, published_from=DateOrigin.FEED)
    read = replace(old, published_at=AT + timedelta(days=3), published_from=DateOrigin.PAGE, canonical_url="https://x/")
    assert differences(old, as_stored(old, read, is_revision=True)) == ()
    assert differences(old, as_stored(old, read, is_revision=False)) == ("date",)


async def test_the_same_bytes_and_versions_give_the_same_rows(tmp_path: Path) -> None:
    keeping = {"DEFNEWS_PAGES__DIRECTORY": "pages"}
    rows = "SELECT a.*, body FROM articles a JOIN texts ON article_id = a.id ORDER BY a.id"
    async with serving() as server:
        healed(server)
        here = place(tmp_path, server.room.feeds)
        stored = (await here.run("poll", **keeping)).row["stored"]
    before = here.ask(rows), here.ask(ROWS)
    same = (await here.run("reprocess", **keeping)).row
    assert (same["read"], same["same"], same["not_kept"]) == (stored, stored, 0)
    assert (here.ask(rows), here.ask(ROWS)) == before
    here.ask("UPDATE articles SET authors = '[\"?\"]', section = '?', published_at = published_at + 1000000")
    *changed, counts = (await here.run("reprocess", **keeping)).rows
    assert len(changed) == counts["date"] == counts["details"] == stored
    assert here.ask(rows) == before[0]
    assert (await here.run("reprocess")).code == 2
