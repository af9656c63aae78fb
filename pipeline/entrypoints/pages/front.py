"""/: what happened; /status: how the pipeline does; /topics, /countries and /entities: what is said of one of them."""

from dataclasses import replace
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipeline.entrypoints.pages.screen import Screen, country_name
from pipeline.ingest import Engine
from pipeline.query import Filters, Query
from pipeline.query.countries import COUNTRIES
from pipeline.store import Range

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
ROWS = 40
KINDS = {"topics": "topic", "countries": "country", "entities": "entity"}


class Front:
    """The pages that sum up."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._store, self._clock, self._screen = engine.store, engine.clock, screen

    async def front(self, request: Request) -> Response:
        """The newest defense articles beside the day in charts."""
        now, lines = self._clock.now(), self._store.timelines
        day, days = Range.of(now, HOUR, 24), Range.of(now, DAY, 7)
        return await self._screen.page(
            request,
            "front.html",
            rows=await self._store.search.find(Query(filters=Filters(labels=("defense",)), limit=ROWS)),
            starts=day.starts,
            volume=await lines.volume(day),
            topics=await lines.most("topic", days, 10),
            countries=await lines.most("country", days, 12),
            entities=await lines.most("entity", days, 10),
        )

    async def status(self, request: Request) -> Response:
        """Counts, lag and health."""
        now = self._clock.now()
        days = Range.of(now, DAY, 30)
        return await self._screen.page(
            request,
            "status.html",
            stats=await self._store.stats.read(now),
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
        stored = name.casefold() if kind == "entity" else name
        weeks, lines = Range.of(self._clock.now(), WEEK, 26), self._store.timelines
        filters = replace(Filters(), **{many: (name,)})
        rows = await self._store.search.find(Query(filters=filters, limit=ROWS))
        written = next((n for row in rows for n, _ in row.entities if n.casefold() == stored), name)
        return await self._screen.page(
            request,
            "tag.html",
            kind=kind,
            name=name,
            shown=country_name(name) if kind == "country" else written,
            rows=rows,
            starts=weeks.starts,
            counts=await lines.of_tag(kind, stored, weeks),
            beside={other: await lines.beside(kind, stored, other, weeks, 10) for other in KINDS.values()},
        )
