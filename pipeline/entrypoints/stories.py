"""`defnews stories`: the reports of one event, who tells of it and why they belong together; what people change."""

import sys
from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from pipeline.clock import SystemClock
from pipeline.entrypoints import output, progress, reading
from pipeline.entrypoints.options import Options
from pipeline.errors import CommandError, UsageError
from pipeline.query import moments
from pipeline.store import Found, StoriesAsked, Story, StorySort, open_store

BATCH = 200  # articles of a transaction; a daemon that waits for it hardly notices
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which stories are asked for on the command line."""

    since: str | None = None
    until: str | None = None
    country: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    min_outlets: int = 1
    sort: str = "newest"
    limit: int = 20
    cursor: str | None = None


async def listing(options: Options, wanted: Wanted) -> list[Row]:
    """A page of stories.

    Raises:
        UsageError: an option has a value that cannot be.
    """
    if wanted.sort not in list(StorySort):
        raise UsageError(f"--sort: {wanted.sort!r}: expected {', '.join(StorySort)}")
    now = SystemClock().now()
    asked = StoriesAsked(
        since=moments.since(wanted.since, now),
        until=moments.until(wanted.until, now),
        countries=reading.countries(wanted.country),
        topics=wanted.topic,
        min_outlets=wanted.min_outlets,
        sort=StorySort(wanted.sort),
        limit=wanted.limit,
        cursor=wanted.cursor,
    )
    async with await open_store(options.settings().database_url) as store:
        return [_row(story) | {"cursor": story.cursor} for story in await store.stories.listing(asked, now)]


def _row(story: Story) -> Row:
    known = story.corroboration
    return {
        "id": story.id,
        "title": story.title,
        "first_at": story.first_at,
        "last_at": story.last_at,
        "size": story.size,
        "growth": story.growth,
        "outlets": len(known.outlets),
        "families": len(known.families),
        "countries": known.countries,
    }


def narrow(rows: list[Row], chosen: output.Format | None) -> list[Row]:
    """What of a listing fits into a table; all of it elsewhere."""
    is_table = (chosen or output.suited(sys.stdout)) is output.Format.TABLE
    return [{name: row[name] for name in row if name != "cursor"} for row in rows] if is_table else rows


async def show(options: Options, story_id: int) -> Row:
    """A story with its reports in the order of time, and what each shares with those before it.

    Raises:
        CommandError: there is none.
    """
    async with await open_store(options.settings().database_url) as store:
        story = await store.stories.get(story_id, SystemClock().now())
        if story is None:
            raise CommandError(f"no story {story_id}: `defnews stories` lists those of two reports or more")
        reports = await store.stories.reports(story_id)
        found = await store.search.many([report.article_id for report in reports])
    because = _because(story_id, [found[report.article_id] for report in reports])
    return {
        **_row(story),
        "corroboration": str(story.corroboration),
        "reports": [reading.report(report) | shared for report, shared in zip(reports, because, strict=True)],
    }


def _because(story_id: int, found: Collection[Found]) -> list[Row]:
    """What each report shares with those before it; nothing for the first."""
    from pipeline.stages import story  # loads numpy

    shared, before = list[Row](), list[story.Member]()
    for one in found:
        sketch = story.sketch(one.title, one.text, one.lang, one.countries, one.published_at)
        because = story.join(sketch, before).because
        before.append(story.Member(one.id, story_id, sketch))
        days = [day.isoformat() for day in because.days]
        names = {"names": because.names, "terms": because.terms, "days": days, "countries": because.countries}
        shared.append({"score": round(because.score, 3), **names})
    return shared


def print_story(story: Row, chosen: output.Format | None) -> None:
    """A story for a person to read, as JSON, or its reports as CSV."""
    chosen = chosen or output.suited(sys.stdout)
    if chosen in (output.Format.JSON, output.Format.JSONL):
        output.show([story], chosen)
        return
    if chosen is output.Format.TABLE:
        sys.stdout.write(output.printable(f"{story['title']}\n{story['corroboration']}\n\n"))
    output.show(story["reports"], chosen)


async def heads(options: Options, asked: reading.Asked, group: str) -> list[Row]:
    """A page of results with one row for each story: the newest article that matches, and how many more do.

    Raises:
        UsageError: results cannot be grouped by that, or not in that order.
    """
    if group != "story":
        raise UsageError(f"--group: {group!r}: expected story")
    if asked.sort != "newest":
        raise UsageError("--group story: stories come newest first: leave out --sort")
    async with await open_store(options.settings().database_url) as store:
        query = await reading.to_query(store, asked, SystemClock().now())
        found = await store.stories.heads(query)
        articles = await store.search.many([head.article_id for head in found])
    return [
        reading.hit(articles[head.article_id], query) | {"story": head.story_id, "more": head.more} for head in found
    ]


async def split(options: Options, story_id: int, article_ids: Collection[int]) -> Row:
    """Take articles out of a story, for good."""
    async with await open_store(options.settings().database_url) as store:
        new = await store.stories.split(story_id, article_ids, SystemClock().now())
    return {"story": new, "from": story_id, "articles": sorted({*article_ids})}


async def merge(options: Options, story_ids: Collection[int]) -> Row:
    """Make one story of several, for good."""
    async with await open_store(options.settings().database_url) as store:
        into = await store.stories.merge(story_ids, SystemClock().now())
    return {"story": into, "merged": sorted({*story_ids} - {into})}


async def find(options: Options) -> Row:
    """Let articles that are in no story find theirs; the same command again goes on where one was ended."""
    found, after = {"sketched": 0}, 0
    async with AsyncExitStack() as around:
        store = await around.enter_async_context(await open_store(options.settings().database_url))
        await around.enter_async_context(progress.shown(lambda: found))
        while ids := await store.stories.find(after, BATCH):
            found["sketched"] += len(ids)
            after = ids[-1]
    return dict(found)
