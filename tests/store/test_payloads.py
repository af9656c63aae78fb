"""What an archive holds of an entry waits with it, on both databases, and is gone when it is done."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from pipeline.model import Article, Outcome, Page
from pipeline.store import Candidates, Ending, Store, found_by
from pipeline.store.tables import entries, events
from tests import make
from tests.make import AT

PAGE = Page("https://site1.example/news/1", bytes(range(256)) * 20, "text/html; charset=koi8-r", AT)


ARTICLE = make.article(updated_at=AT, authors=("A", "B"), tags=("C",))


@pytest.mark.parametrize("held", [PAGE, ARTICLE], ids=["page", "article"])
async def test_what_is_held_comes_back_as_it_was_and_needs_no_host(store: Store, held: Page | Article) -> None:
    run = await store.runs.start("backfill", AT, {})
    given = replace(make.entry(), archive="warc", held=held, place="a.warc, byte 7")
    assert await store.candidates.add(run.id, Candidates((given,), {}), {}, AT) == (1, 0)
    (work,) = await store.work.claim(run.id, AT, 10, origin=found_by(run.id))
    assert (work.host, work.lead.entry.held) == ("", held)
    await store.endings.put(Ending(work, AT, Outcome.STORED, make.article(), make.verdict()))
    async with store.db.read() as c:
        assert (await c.execute(select(entries.c.payload))).scalars().all() == [None]
        seen = await c.execute(select(events.c.detail).where(events.c.kind == "seen"))
        assert seen.scalars().all() == [{"found_in": "a.warc, byte 7"}]
