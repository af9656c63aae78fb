"""Stories in the store: reports of one event find each other, whatever the order, and people have the last word."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select, true

from pipeline.errors import UsageError
from pipeline.model import Article, Outcome, Verdict
from pipeline.query import Filters, Query, parse
from pipeline.store import Ending, Judgement, Said, Store, StoriesAsked, StorySort
from pipeline.store.invariants import INVARIANTS, violations
from pipeline.store.joining import MOST_OF_KEY
from pipeline.store.story_tables import stories, story_keys, story_members
from pipeline.store.tables import articles as article_rows
from pipeline.store.tables import events
from tests import make
from tests.make import AT
from tests.store.filling import fill
from tests.store.test_work import a_run, polled

DRILL = (
    (
        "South Korea, US and Japan fly joint air drill with B-52H bomber",
        "South Korea, the United States and Japan held a trilateral air drill off Jeju island on Friday, with a US"
        " B-52H bomber escorted by South Korean KF-16 and Japanese F-2 fighters, Seoul's defense ministry said.",
    ),
    (
        "B-52H joins trilateral air drill off Jeju",
        "A US B-52H strategic bomber flew with South Korean KF-16 and Japanese F-2 fighters in a trilateral air drill"
        " near Jeju on Friday, the Joint Chiefs of Staff in Seoul said.",
    ),
    (
        "Seoul, Tokyo and Washington stage air drill near Jeju as bomber returns",
        "The air forces of South Korea, Japan and the United States staged a trilateral drill near Jeju on Friday. A"
        " B-52H bomber, KF-16 and F-2 fighters took part, the defense ministry in Seoul said.",
    ),
)
FRIGATE = (
    (
        "Brazil launches frigate Tamandare at Itajai yard",
        "The Brazilian Navy launched the frigate Tamandare on Friday at the Itajai shipyard of Aguas Azuis, the first"
        " of four MEKO A-100 ships that Thyssenkrupp Marine Systems designed.",
    ),
    (
        "First Tamandare-class frigate takes to the water in Itajai",
        "Brazil's first Tamandare-class frigate, a MEKO A-100 by Thyssenkrupp Marine Systems and Embraer, was launched"
        " on Friday at the Aguas Azuis shipyard in Itajai, the Brazilian Navy said.",
    ),
)


def reports(texts: Sequence[tuple[str, str]], first: int = 1, at: datetime = AT) -> list[Article]:
    """Reports of an event by outlets of their own, an hour after each other."""
    return [
        make.article(n, title=title, text=text, published_at=at + timedelta(hours=n))
        for n, (title, text) in enumerate(texts, start=first)
    ]


async def put(store: Store, articles: Sequence[Article], verdict: Verdict | None = None) -> list[int]:
    """Store articles; returns their ids."""
    feed = make.feed(int(articles[0].url.rpartition("/")[2]))
    await fill(store, articles, [verdict or make.tagged()] * len(articles), feed=feed)
    found = [await store.provenance.find_article(article.canonical_url) for article in articles]
    return [key for key in found if key is not None]


async def is_sound(store: Store) -> bool:
    return await violations(store.db) == [0] * len(INVARIANTS)


async def homes(store: Store) -> dict[int, int]:
    """The story of each article."""
    async with store.db.read() as c:
        rows = await c.execute(select(story_members.c.article_id, story_members.c.story_id))
        return {row.article_id: row.story_id for row in rows}


async def test_reports_of_one_event_are_one_story_and_others_are_not(store: Store) -> None:
    ids = await put(store, [*reports(DRILL), *reports(FRIGATE, 11)])
    found = await homes(store)
    assert [found[key] for key in ids] == [ids[0], ids[0], ids[0], ids[3], ids[3]]
    drill, frigate = sorted(await store.stories.listing(StoriesAsked(), AT), key=lambda one: -one.size)
    assert (drill.id, drill.size, frigate.id, frigate.size) == (ids[0], 3, ids[3], 2)
    assert drill.central_id in ids[:3]
    assert (drill.first_at, drill.last_at) == (AT + timedelta(hours=1), AT + timedelta(hours=3))
    assert str(drill.corroboration).startswith("reported by 3 outlets of 3 families")


async def test_reports_that_are_stored_together_find_each_other(store: Store) -> None:
    run = await a_run(store)
    new = reports(DRILL)
    await polled(store, run, *(make.entry(n) for n in range(1, 4)))
    works = sorted(await store.work.claim(run.id, AT, 10), key=lambda work: work.lead.entry.id)
    batch = [Ending(w, AT, Outcome.STORED, a, make.tagged()) for w, a in zip(works, new, strict=True)]
    settled = await store.endings._write(batch)
    assert set((await homes(store)).values()) == {settled[0].article_id}


async def test_the_drill_of_three_weeks_before_is_another_story(store: Store) -> None:
    ids = await put(store, [*reports(DRILL[:1], at=AT - timedelta(days=21)), *reports(DRILL[1:], 2)])
    found = await homes(store)
    assert [found[key] for key in ids] == [ids[0], ids[1], ids[1]]


async def test_what_is_not_about_defense_is_in_no_story_until_a_person_says_that_it_is(store: Store) -> None:
    ids = await put(store, reports(DRILL))
    text = "A B-52H bomber and KF-16 fighters were over Jeju on Friday for the drill of Seoul, Tokyo and Washington."
    (other,) = await put(store, [make.article(8, title="Bomber over Jeju in air drill", text=text)], make.other())
    assert other not in await homes(store)
    await store.labels.add(ids[1], Said.NO, "me", AT)
    await store.labels.add(other, Said.YES, "me", AT)
    assert set(await homes(store)) == {ids[0], ids[2], other}
    (story,) = await store.stories.listing(StoriesAsked(), AT)
    assert story.size == 3


async def test_another_verdict_takes_an_article_out_of_its_story(store: Store) -> None:
    ids = await put(store, reports(DRILL))
    standing = (await store.verdicts.page(Query(), None, 10))[-1]
    judgement = Judgement(standing.article_id, make.other(), standing.text_hash, AT, None)
    await store.verdicts.put([(standing, judgement)])
    assert set(await homes(store)) == {*ids} - {standing.article_id}
    async with store.db.read() as c:
        kept = (await c.execute(select(story_keys.c.article_id).distinct())).scalars().all()
    assert standing.article_id not in kept


async def revised(store: Store, hour: int, article: Article, country: str) -> None:
    """Store what an article says an hour later."""
    run = await a_run(store)
    later = AT + timedelta(hours=hour)
    await polled(store, run, make.entry(id=article.url, url=article.url, updated_at=later))
    (work,) = await store.work.claim(run.id, AT + timedelta(days=9), 10)
    ended = await store.endings.put(Ending(work, AT, Outcome.STORED, article, make.tagged(countries=(country,))))
    assert ended.reason == "revised"


async def test_a_revision_stays_in_its_story_as_long_as_it_fits(store: Store) -> None:
    given = reports(DRILL)
    ids = await put(store, given)
    await revised(store, 1, replace(given[1], text=f"{given[1].text} The drill lasted two hours."), "KR")
    assert set((await homes(store)).values()) == {ids[0]}
    await revised(store, 2, replace(given[1], title=FRIGATE[0][0], text=FRIGATE[0][1]), "BR")
    assert await homes(store) == {ids[0]: ids[0], ids[1]: ids[1], ids[2]: ids[0]}
    assert await is_sound(store)


async def test_a_person_splits_and_the_machine_does_not_join_again(store: Store) -> None:
    ids = await put(store, reports(DRILL[:2]))
    new = await store.stories.split(ids[0], [ids[1]], AT)
    assert new == ids[1]
    assert await store.stories.listing(StoriesAsked(), AT) == ()
    (third,) = await put(store, reports(DRILL[2:], 3))
    found = await homes(store)
    assert found[ids[0]] != found[ids[1]]
    assert found[third] in (ids[0], ids[1])
    async with store.db.read() as c:
        (event,) = (await c.execute(select(events).where(events.c.kind == "story-split"))).all()
    assert (event.article_id, event.detail) == (ids[1], {"from": ids[0], "to": ids[1]})


@pytest.mark.parametrize("is_kept", [True, False], ids=["split", "never split"])
async def test_what_a_report_shows_to_be_one_stays_two_only_where_a_person_has_split_it(
    store: Store, is_kept: bool
) -> None:
    ids = await put(store, reports(DRILL[:2]))
    await store.stories.split(ids[0], [ids[1]], AT)
    async with store.db.write() as c:
        await c.execute(story_members.update().values(is_pinned=is_kept).where(story_members.c.is_pinned.is_(true())))
    await put(store, reports(DRILL[2:], 3))
    assert len({*(await homes(store)).values()}) == (2 if is_kept else 1)
    assert await is_sound(store)


async def test_the_report_that_opened_a_story_leaves_it_under_another_id(store: Store) -> None:
    ids = await put(store, reports(DRILL))
    assert await store.stories.split(ids[0], [ids[0]], AT) == ids[0] + 1
    (story,) = await store.stories.listing(StoriesAsked(), AT)
    assert (story.id, story.size) == (ids[0], 2)


async def test_a_person_merges_and_the_smallest_id_stays(store: Store) -> None:
    ids = await put(store, [*reports(DRILL), *reports(FRIGATE, 11)])
    assert await store.stories.merge([ids[3], ids[0]], AT) == ids[0]
    (story,) = await store.stories.listing(StoriesAsked(), AT)
    assert (story.id, story.size) == (ids[0], 5)
    assert await is_sound(store)
    assert [one.is_pinned for one in await store.stories.reports(ids[0])] == [False, False, False, True, True]


async def test_what_cannot_be_split_or_merged_is_refused(store: Store) -> None:
    ids = await put(store, reports(DRILL))
    for some in (ids, [], [1]):
        with pytest.raises(UsageError, match="name some of them"):
            await store.stories.split(ids[0], some, AT)
    with pytest.raises(UsageError, match="two stories"):
        await store.stories.merge([ids[0]], AT)
    with pytest.raises(UsageError, match="no story 1"):
        await store.stories.merge([ids[0], 1], AT)


async def test_stories_are_listed_page_by_page_in_each_order(store: Store) -> None:
    ids = await put(store, [*reports(DRILL), *reports(FRIGATE, 11)])
    now = AT + timedelta(hours=26)
    first = {StorySort.NEWEST: ids[3], StorySort.SIZE: ids[0], StorySort.GROWTH: ids[3]}
    for sort in StorySort:
        (one,) = await store.stories.listing(StoriesAsked(sort=sort, limit=1), now)
        (two,) = await store.stories.listing(StoriesAsked(sort=sort, limit=1, cursor=one.cursor), now)
        assert (one.id, {one.id, two.id}) == (first[sort], {ids[0], ids[3]})
        assert await store.stories.listing(StoriesAsked(sort=sort, cursor=two.cursor), now) == ()
    for cursor in ("x_1", "2025-07-01T00:00:00_1"):
        with pytest.raises(UsageError, match="--cursor"):
            await store.stories.listing(StoriesAsked(cursor=cursor), now)
    with pytest.raises(UsageError, match="cannot be asked"):
        await store.stories.get(1 << 63, now)


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        (StoriesAsked(min_outlets=3), 1),
        (StoriesAsked(countries=("KR",)), 2),
        (StoriesAsked(countries=("BR",)), 0),
        (StoriesAsked(topics=("policy",)), 2),
        (StoriesAsked(since=AT + timedelta(hours=4)), 1),
        (StoriesAsked(until=AT + timedelta(hours=2)), 1),
    ],
)
async def test_stories_are_narrowed(store: Store, asked: StoriesAsked, count: int) -> None:
    await put(store, [*reports(DRILL), *reports(FRIGATE, 11)])
    assert len(await store.stories.listing(asked, AT)) == count


async def test_articles_know_their_story_and_stories_their_articles(store: Store) -> None:
    ids = await put(store, [*reports(DRILL), *reports(FRIGATE[:1], 11)])
    found = await store.stories.of(ids, AT)
    assert {key: story.id for key, story in found.items()} == dict.fromkeys(ids[:3], ids[0])
    assert await store.stories.get(ids[0], AT) == found[ids[0]]
    assert await store.stories.get(ids[3], AT) is None
    hits = await store.search.find(Query(filters=Filters(stories=(ids[0],))))
    assert {hit.id for hit in hits} == {*ids[:3]}


async def test_a_search_shows_the_newest_match_of_each_story(store: Store) -> None:
    ids = await put(store, [*reports(DRILL), *reports(FRIGATE, 11)])
    (other,) = await put(store, [make.article(8, published_at=AT)], make.other())
    heads = await store.stories.heads(Query(limit=2))
    assert [(head.article_id, head.story_id, head.more) for head in heads] == [(ids[4], ids[3], 1), (ids[2], ids[0], 2)]
    (rest,) = await store.stories.heads(Query(limit=9, cursor=str(heads[-1].article_id)))
    assert (rest.article_id, rest.story_id, rest.more) == (other, None, 0)
    (head,) = await store.stories.heads(Query(parse("strategic", AT)))
    assert (head.article_id, head.more) == (ids[1], 0)


async def test_articles_of_an_older_schema_find_their_stories_batch_by_batch(store: Store) -> None:
    ids = await put(store, reports(DRILL))
    async with store.db.write() as c:
        for table in (stories, story_members, story_keys):
            await c.execute(table.delete())
    after, found = 0, []
    while batch := await store.stories.find(after, 2):
        found.append(batch)
        after = batch[-1]
    assert found == [(ids[0], ids[1]), (ids[2],)]
    (story,) = await store.stories.listing(StoriesAsked(), AT)
    assert story.size == 3


async def test_a_key_is_kept_for_a_few_reports_only(store: Store) -> None:
    several = [(f"{DRILL[0][0]} {n}", f"{DRILL[0][1]} {make.text(n)}") for n in range(MOST_OF_KEY + 6)]
    await put(store, reports(several))
    async with store.db.read() as c:
        held = (await c.execute(select(func.count()).select_from(story_keys).group_by(story_keys.c.key))).scalars()
        stored = (await c.execute(select(func.count()).select_from(article_rows))).scalar_one()
        assert stored > MOST_OF_KEY >= max(held)
