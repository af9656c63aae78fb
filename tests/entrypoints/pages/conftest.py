"""Fixtures: a store with news of all sorts, hostile ones among them, and clients of its pages."""

from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from pipeline.model import Article, Evidence
from pipeline.store import Store
from tests import make
from tests.conftest import StillClock
from tests.entrypoints.api.conftest import asking
from tests.store.filling import fill

HOSTILE = (
    "<script>document.title='owned'</script>",
    '"><img src=x onerror="document.title=\'owned\'">',
    "'><svg/onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "</title><iframe srcdoc=\"<script>parent.document.title='owned'</script>\">",
    "{{ 7 * 7 }} {% raw %} \x02mark\x03",
)


async def fill_with_news(store: Store, more: Sequence[Article] = ()) -> None:
    """Six hostile articles, one that is tagged, one of other news, one that is doubtful; more that are defense."""
    texts = [f"{make.text(n)}\n{payload} over Jeju" for n, payload in enumerate(HOSTILE, 10)]
    hostile = [
        make.article(n, title=payload, text=text, authors=(payload,))
        for n, (payload, text) in enumerate(zip(HOSTILE, texts, strict=True), 10)
    ]
    mean = make.tagged(entities=((HOSTILE[0], "system"),), evidence=(Evidence(HOSTILE[1], 0, 6, "text", 1.0),))
    news = [
        make.article(1, title="Bombers over Jeju"),
        make.article(2, title="Flower show opens", text=make.text(2)),
        make.article(3, title="Shipyard strike goes on", text=make.text(3)),
    ]
    judged = [make.tagged(), make.other(), make.verdict(score=0.52, needs_review=True)]
    verdicts = [*judged, *[mean] * len(hostile), *[make.verdict()] * len(more)]
    await fill(store, [*news, *hostile, *more], verdicts, feed=make.feed(title=HOSTILE[1]))


@pytest.fixture
async def filled(store: Store) -> Store:
    await fill_with_news(store)
    return store


@pytest.fixture
async def client(filled: Store, clock: StillClock) -> AsyncIterator[httpx.AsyncClient]:
    async with asking(filled, clock) as asked:
        yield asked
