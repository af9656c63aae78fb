"""/: what happened; /status: how the pipeline does; /topics, /countries and /entities: what is said of one of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipeline.engine import Engine
from pipeline.entrypoints.pages.screen import Screen, country_name, entity_name
from pipeline.query import Filters, Query
from pipeline.query.countries import COUNTRIES
from pipeline.store import Found, Range, Story

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
ROWS = 40
SHOWN: Mapping[str, Callable[[str], str]] = {"topic": str, "country": country_name, "entity": entity_name}
KINDS = {"topics": "topic", "countries": "country", "entities": "entity"}


class Front:
    """The pages that sum up."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._store, self._clock, self._screen = engine.store, engine.clock, screen

    async def front(self, request: Request) -> Response:
        """The newest defense articles beside the day in charts."""
        now, lines = self._clock.now(), self._store.timelines
        day, days = Range.of(now, HOUR, 24), Range.of(now, DAY, 7)
        lately = Filters(labels=("defense",), since=days.since, until=days.until)
        week = await self._store.search.facets(Query(filters=lately))
        rows = await self._newest(now)
        return await self._screen.page(
            request,
            "front.html",
            rows=rows,
            said=await self._store.labels.said_of([article.id for article, _ in rows]),
            starts=day.starts,
            volume=await lines.volume(day),
            topics=week.topics[:10],
            countries=week.countries[:12],
            entities=week.entities[:10],
        )

    async def _newest(self, now: datetime) -> tuple[tuple[Found, Story | None], ...]:
        """The newest defense articles, one for each story; with the story, if it has others."""
        found = await self._store.search.find(Query(filters=Filters(labels=("defense",)), limit=2 * ROWS))
        stories = await self._store.stories.of([article.id for article in found], now)
        rows = {getattr(stories.get(one.id), "id", one.id): (one, stories.get(one.id)) for one in reversed(found)}
        return tuple(sorted(rows.values(), key=lambda row: row[0].id, reverse=True)[:ROWS])

    async def status(self, request: Request) -> Response:
        """Counts, lag and health."""
        now = self._clock.now()
        days = Range.of(now, DAY, 30)
        return await self._screen.page(
            request,
            "status.html",
            stats=await self._store.stats.recent(now),
            size_bytes=await self._store.stats.size_bytes(),
            starts=days.starts,
            volume=await self._store.timelines.volume(days),
        )

    async def tag(self, request: Request) -> Response:
        """One topic, country or entity: articles a week, what it stands with, the newest.

        Raises:
            HTTPException: there is no such country.
        """
        many = request.url.path.split("/")[1]
        kind, name = KINDS[many], request.path_params["name"]
        if kind == "country" and name not in COUNTRIES:
            raise HTTPException(404, f"no country {name}")
        weeks = Range.of(self._clock.now(), WEEK, 26)
        filters: dict[str, Any] = {many: (name,)}
        query = Query(filters=Filters(**filters), limit=ROWS)
        lately = await self._store.search.facets(
            Query(filters=Filters(since=weeks.since, until=weeks.until, **filters))
        )
        rows = await self._store.search.find(query)
        return await self._screen.page(
            request,
            "tag.html",
            kind=kind,
            name=name,
            shown=SHOWN[kind](name),
            rows=rows,
            said=await self._store.labels.said_of([article.id for article in rows]),
            starts=weeks.starts,
            counts=await self._store.timelines.of_matches(query, weeks),
            beside={one: _others(getattr(lately, every), name) for every, one in KINDS.items()},
        )


def _others(counted: Sequence[tuple[str, int]], name: str) -> tuple[tuple[str, int], ...]:
    """What stands with one, without itself."""
    return tuple((other, number) for other, number in counted if other.casefold() != name.casefold())[:10]
