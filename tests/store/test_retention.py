"""Texts go when the settings no longer want them, and nothing comes back as new."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from pipeline.model import Label, Outcome
from pipeline.query import Query, parse
from pipeline.store import Cutoffs, Said, Store, open_store, verdicts
from pipeline.store.invariants import INVARIANTS, violations
from pipeline.store.retention import BATCH
from pipeline.store.tables import labels, marks
from tests import make
from tests.make import AT
from tests.store.filling import fill
from tests.store.test_kin import put, works_of
from tests.store.test_work import a_run

LATER = AT + timedelta(days=40)
ALL = Cutoffs({"defense": LATER, "other": LATER}, {})


async def filled(store: Store, count: int = 2) -> list[int]:
    """Articles, defense and other in turn; their ids by number."""
    articles = [make.article(n, text=make.text(n)) for n in range(count)]
    labels = (Label.DEFENSE, Label.OTHER)
    await fill(store, articles, [make.verdict(label=labels[n % 2]) for n in range(count)])
    found = {row.url: row.id for row in await store.search.find(Query(limit=1000))}
    return [found[article.canonical_url] for article in articles]


async def shown(store: Store, words: str = "") -> set[int]:
    return {row.id for row in await store.search.find(Query(parse(words, AT), limit=1000))}


async def test_what_is_purged_is_in_no_result_and_still_told(store: Store) -> None:
    tank, other = await filled(store)
    assert await store.retention.due(Cutoffs({"other": LATER}, {})) == {"other": 1}
    assert await store.retention.purge(Cutoffs({"other": LATER}, {}), LATER) == 1
    assert await shown(store) == {tank}
    known = await store.provenance.of_article(other)
    assert known is not None
    assert (known.found.text, known.found.label, known.article["purged_at"]) == ("", "other", LATER)
    assert await store.retention.due(ALL) == {"defense": 1}
    assert await violations(store.db) == [0] * len(INVARIANTS)


async def test_a_purged_article_is_found_by_no_word_and_has_no_marks(store: Store) -> None:
    tank, _ = await filled(store)
    word = make.text(0).split()[0]
    assert tank in await shown(store, word)
    await store.retention.purge(ALL, LATER)
    assert await shown(store, word) == set()
    async with store.db.read() as c:
        assert (await c.execute(select(func.count()).select_from(marks))).scalar_one() == 0


async def test_nothing_is_purged_before_its_time_or_without_a_rule(store: Store) -> None:
    await filled(store)
    for cutoffs in (Cutoffs({}, {}), Cutoffs({"defense": AT, "other": AT}, {}), Cutoffs({}, {1: None})):
        assert await store.retention.purge(cutoffs, LATER) == 0


async def test_the_rule_of_a_feed_goes_before_that_of_the_label(store: Store) -> None:
    await filled(store)
    (feed,) = await store.feeds.listing()
    assert await store.retention.due(Cutoffs(ALL.labels, {feed.feed.id: None})) == {}
    assert await store.retention.due(Cutoffs({}, {feed.feed.id: LATER})) == {"defense": 1, "other": 1}


async def test_what_a_person_labelled_keeps_its_text(store: Store) -> None:
    tank, _ = await filled(store)
    await store.labels.add(tank, Said.YES, "me", AT)
    assert await store.retention.purge(ALL, LATER) == 1
    assert await shown(store) == {tank}


async def test_more_than_a_batch_is_purged(store: Store) -> None:
    count = BATCH + 3
    await filled(store, count)
    assert await store.retention.purge(ALL, LATER) == count


async def test_a_purged_text_that_is_seen_elsewhere_is_an_appearance_of_its_article(store: Store) -> None:
    run = await a_run(store)
    (first,) = (await works_of(store, run, 0)).values()
    stored = await put(store, first, make.article(0, text=make.text(0)))
    await store.retention.purge(ALL, LATER)
    (again,) = (await works_of(store, run, 9)).values()
    ended = await put(store, again, make.article(9, text=make.text(0)))
    assert (ended.outcome, ended.article_id) == (Outcome.DUPLICATE, stored.article_id)
    assert await shown(store) == set()


@pytest.mark.parametrize(("number", "reason"), [(0, "unchanged"), (7, "revised")], ids=["same text", "another"])
async def test_a_purged_article_that_is_announced_anew_has_a_text_again_if_that_changed(
    store: Store, number: int, reason: str
) -> None:
    run = await a_run(store)
    (first,) = (await works_of(store, run, 0)).values()
    stored = await put(store, first, make.article(0, text=make.text(0)))
    await store.retention.purge(ALL, LATER)
    (again,) = (await works_of(store, run, 0, later=2)).values()
    assert (await put(store, again, make.article(0, text=make.text(number)))).reason == reason
    assert await shown(store) == ({stored.article_id} if number else set())
    assert await violations(store.db) == [0] * len(INVARIANTS)


async def test_what_a_person_labels_while_it_is_purged_keeps_its_text(store: Store, database_url: str) -> None:
    tank, _ = await filled(store)
    async with await open_store(database_url) as other:
        async with other.db.write() as c:
            await verdicts.lock(c, [tank])
            label = {"label": "yes", "who": "me", "text_hash": "", "created_at": AT}
            await c.execute(insert(labels).values(article_id=tank, **label))
            purging = asyncio.create_task(store.retention.purge(ALL, LATER))
            await asyncio.sleep(0.3)  # it has chosen by now, and waits
        assert await purging == 1
    assert await shown(store) == {tank}
