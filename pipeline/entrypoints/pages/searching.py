"""/search: the articles that match words and filters, as a page whose address can be passed on."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from pipeline.entrypoints import reading
from pipeline.entrypoints.pages.screen import HIT, Screen, countries
from pipeline.errors import CommandError, UsageError
from pipeline.ingest import Engine
from pipeline.query import snippet
from pipeline.stages.reread import TOPICS
from pipeline.store import Count, Found

ROWS = 40
FIELDS = ("q", "label", "topic", "country", "entity", "feed", "lang", "since", "until", "sort")


class Searching:
    """The form and what it finds."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._engine, self._screen = engine, screen

    async def search(self, request: Request) -> Response:
        """Results with the pieces that show why; words that are no query are said to be so."""
        asked = request.query_params
        kept = {name: asked[name] for name in FIELDS if asked.get(name)}
        error: str | None = None
        rows: tuple[tuple[Found, str], ...] = ()
        count = Count(0, is_least=False)
        try:
            rows, count = await self._find(kept, asked.get("cursor"))
        except (UsageError, CommandError) as e:
            error = str(e).removeprefix("--")
        wanted = {name: value for name, value in kept.items() if name != "sort"}
        return await self._screen.page(
            request,
            "search.html",
            status=422 if error else 200,
            rows=rows[:ROWS],
            count=count,
            error=error,
            kept=kept,
            follow=urlencode(wanted),
            more=urlencode({**kept, "cursor": rows[ROWS - 1][0].cursor}) if len(rows) > ROWS else None,
            **await self._choices(),
        )

    async def _find(self, kept: dict[str, str], cursor: str | None) -> tuple[tuple[tuple[Found, str], ...], Count]:
        asked = reading.Asked(
            words=kept.get("q"),
            many=_many(kept),
            since=kept.get("since"),
            until=kept.get("until"),
            sort=kept.get("sort", "newest"),
            limit=ROWS + 1,
            cursor=cursor or None,
        )
        store = self._engine.store
        query = await reading.to_query(store, asked, self._engine.clock.now())
        found = await store.search.find(query)
        rows = tuple((row, snippet(row.text, query.asked.terms, mark=HIT)) for row in found)
        return rows, await store.search.count(query)

    async def _choices(self) -> dict[str, Any]:
        """What the filters offer."""
        store = self._engine.store
        return {
            "feeds": [row.feed for row in await store.feeds.listing()],
            "topics": tuple(TOPICS),
            "all_countries": sorted(countries().items(), key=lambda pair: pair[1]),
        }


def _many(kept: Mapping[str, str]) -> reading.Many:
    """The filters of the form, of which each is one value or none."""
    names = ("label", "topic", "country", "entity", "feed", "lang")
    label, topic, country, entity, feed, lang = ((kept[name],) if name in kept else () for name in names)
    return reading.Many(label, topic, country, entity, feed, lang=lang)
