"""Articles that were read twice: both verdicts are kept, the second one counts; and how many a classifier has given."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from pipeline.model import Label, Outcome, Verdict
from pipeline.query import Filters, Query
from pipeline.store import Ending, Found, PollEnding, Said, Store
from pipeline.store.invariants import INVARIANTS, violations
from pipeline.store.tables import verdicts
from tests import make
from tests.make import AT

LLM = "llm-small@1"
LATER = AT + timedelta(days=100)  # every feed is due again
UNSURE = make.tagged(score=0.55, needs_review=True)
DENIED = make.verdict(
    label=Label.OTHER, score=0.1, topics=(), evidence=(), classifier=LLM, tagger="tags@1", countries=("KR",)
)


async def stored(store: Store, first: Verdict, second: Verdict | None, number: int = 1, day: int = 0) -> Ending:
    """An article of a feed of its own, stored with these verdicts."""
    at = AT + timedelta(days=day)
    run = await store.runs.start("poll", at)
    await store.feeds.add([make.feed(number)], at)
    ((feed, _),) = await store.feeds.claim(run.id, at, 1)
    article = make.article(number)
    entry = make.entry(number, id=article.url, url=article.url, updated_at=AT)
    await store.feeds.finish(PollEnding(feed, run.id, make.state(next_poll_at=AT + timedelta(days=99)), at, (entry,)))
    (work,) = await store.work.claim(run.id, at, 1)
    return await store.endings.put(Ending(work, at, Outcome.STORED, article, first, second=second))


async def only(store: Store) -> Found:
    (found,) = await store.search.find(Query())
    return found


async def given_verdicts(store: Store) -> list[tuple[str, str]]:
    async with store.db.read() as c:
        rows = await c.execute(select(verdicts.c.classifier, verdicts.c.label).order_by(verdicts.c.id))
        return [(row.classifier, row.label) for row in rows]


async def test_both_verdicts_are_kept_and_the_second_counts(store: Store) -> None:
    ending = await stored(store, UNSURE, DENIED)
    assert ending.label is Label.OTHER
    assert await given_verdicts(store) == [("test@1", "defense"), (LLM, "other")]
    found = await only(store)
    assert (found.label, found.needs_review) == ("other", False)
    assert found.score == pytest.approx(0.1)
    assert len(await store.search.find(Query(filters=Filters(labels=("other",), countries=("KR",))))) == 1
    assert await store.search.find(Query(filters=Filters(labels=("defense",)))) == ()
    assert await violations(store.db) == [0] * len(INVARIANTS)


async def test_without_a_second_verdict_the_first_counts(store: Store) -> None:
    assert (await stored(store, UNSURE, None)).label is Label.DEFENSE
    assert await given_verdicts(store) == [("test@1", "defense")]
    assert (await only(store)).needs_review


async def test_a_revision_is_read_twice_too_and_a_person_wins_over_both(store: Store) -> None:
    await stored(store, UNSURE, None)
    await store.labels.add((await only(store)).id, Said.YES, "me", AT)
    run = await store.runs.start("poll", LATER)
    ((feed, _),) = await store.feeds.claim(run.id, LATER, 1)
    article = make.article(1, text=f"{make.TEXT}\nMore is known now.")
    entry = make.entry(1, id=article.url, url=article.url, updated_at=LATER)
    await store.feeds.finish(PollEnding(feed, run.id, make.state(), LATER, (entry,)))
    (work,) = await store.work.claim(run.id, LATER, 1)
    ending = await store.endings.put(Ending(work, LATER, Outcome.STORED, article, UNSURE, second=DENIED))
    assert ending.reason == "revised"
    assert [classifier for classifier, _ in await given_verdicts(store)] == ["test@1", "test@1", LLM]
    found = await only(store)
    assert found.label == "defense"
    assert found.score == pytest.approx(0.1)


async def test_verdicts_are_counted_by_classifier_and_from_a_moment_on(store: Store) -> None:
    assert await store.verdicts.given(LLM, AT) == 0
    for number, second in enumerate((DENIED, None, DENIED, DENIED), 1):
        await stored(store, UNSURE, second, number, day=number)
    counts = [await store.verdicts.given(LLM, AT + timedelta(days=day)) for day in (0, 2, 3, 4, 5)]
    assert counts == [3, 2, 2, 1, 0]
    assert await store.verdicts.given("test@1", AT) == 4
    assert await store.verdicts.given("llm-other@1", AT) == 0
