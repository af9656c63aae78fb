"""/search: the articles that match words and filters, as a page that can be passed on, saved and taken away."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from importlib.util import find_spec
from typing import Any

from sqlalchemy import Row
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from pipeline.engine import Engine
from pipeline.entrypoints import exporting, reading, saved
from pipeline.entrypoints.api.guard import form
from pipeline.entrypoints.pages import panel
from pipeline.entrypoints.pages.screen import HEADERS, HIT, Screen, back, countries, number_in
from pipeline.entrypoints.pages.wanted import Wanted, ways
from pipeline.errors import CommandError, UsageError
from pipeline.query import snippet
from pipeline.query.fields import LABELS
from pipeline.stages.reread import TOPICS
from pipeline.store import Count

ROWS = 40
USUAL = ("sort", "newest")  # order, which the form always sends
MEDIA = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
LONGEST_NAME = 80  # characters, of a saved search


class Searching:
    """The form and what it finds."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._engine, self._store, self._screen = engine, engine.store, screen
        self._exports = tuple(form for form in MEDIA if form != "parquet" or find_spec("pyarrow"))

    async def search(self, request: Request) -> Response:
        """Results with the pieces that show why; words that are no query are said to be so.

        What a form sends is written into the words; the page stands at the address that says no more than they.
        """
        given, feeds = request.query_params, await self._store.feeds.titles()
        wanted = Wanted.of(given.multi_items())
        if is_form := panel.WAS in given:
            wanted = wanted.saying(panel.written(given, _options(feeds)))
        wanted = wanted.in_words()
        address = f"/search?{wanted.less(USUAL).address}"
        if is_form and "hx-request" not in request.headers:
            return RedirectResponse(address, 303)
        page = await self._shown(request, wanted, feeds)
        page.headers["HX-Replace-Url"] = address
        return page

    async def export(self, request: Request) -> Response:
        """All results as a file, streaming.

        Raises:
            HTTPException: the format is none that we can write.
            UsageError: the words are no query.
            CommandError: a feed is named that does not exist.
        """
        kind, now = request.path_params["form"], self._engine.clock.now()
        if kind not in self._exports:
            raise HTTPException(404, f"no export as {kind}: expected {', '.join(self._exports)}")
        asked = Wanted.of(request.query_params.multi_items()).asked(ROWS)
        query = replace(await reading.to_query(self._store, asked, now), limit=2**62)
        headers = {**HEADERS, "Content-Disposition": f'attachment; filename="defnews-{now:%Y%m%d-%H%M}.{kind}"'}
        rows = exporting.pieces(self._store.search.stream(query), f".{kind}")
        return StreamingResponse(rows, 200, headers, MEDIA[kind])

    async def save(self, request: Request) -> Response:
        """Save the search that the page shows."""
        given = await form(request)
        wanted = Wanted.in_address(given.get("search", ""))
        try:
            if not (name := " ".join(given.get("name", "").split())) or len(name) > LONGEST_NAME:
                raise UsageError(f"a saved search has a name of at most {LONGEST_NAME} characters")
            await saved.add_with(self._store, name, wanted.asked(ROWS), {}, self._engine.clock.now())
        except (UsageError, CommandError) as e:
            return await self._shown(request, wanted, await self._store.feeds.titles(), str(e).removeprefix("--"))
        return RedirectResponse(f"/search?{wanted.address}", 303)

    async def change(self, request: Request) -> Response:
        """Pause a saved search, take it up again, or delete it.

        Raises:
            HTTPException: none of these.
        """
        given, key, now = await form(request), number_in(request), self._engine.clock.now()
        if given.get("to") == "pause":
            await self._store.saved.pause(key, now)
        elif given.get("to") == "resume":
            await self._store.saved.resume(key, now)
        elif given.get("to") == "delete":
            await self._store.saved.remove(key)
        else:
            raise HTTPException(422, "to: expected pause, resume or delete")
        return back(given, "/search")

    async def _shown(
        self, request: Request, wanted: Wanted, feeds: Sequence[Row[Any, Any]], error: str | None = None
    ) -> Response:
        given = request.query_params
        found: dict[str, Any] = {"rows": (), "count": Count(0, is_least=False), "facets": {}, "more": None}
        try:
            found = await self._find(wanted, request.query_params.get("cursor"), {f.title: f.id for f in feeds})
        except (UsageError, CommandError) as e:
            error = error or str(e).removeprefix("--")
        return await self._screen.page(
            request,
            "search.html",
            status=422 if error else 200,
            error=error,
            wanted=wanted,
            panel=panel.shown(wanted.words, _options(feeds)),
            is_rewritten=panel.WAS in given and wanted.words != given.get("q"),
            is_retyped=panel.WAS in given and given.get("q") != given[panel.WAS],
            follow=wanted.without("sort").address,
            exports=self._exports,
            saved=[
                (Wanted.of_saved(one), {"id": one.id, **saved.about(one), **asdict(sendings)})
                for one, sendings in await self._store.saved.listing()
            ],
            feeds=feeds,
            topics=[(topic, topic) for topic in TOPICS],
            all_countries=[
                (code, f"{name} ({code})") for code, name in sorted(countries().items(), key=lambda pair: pair[1])
            ],
            **found,
        )

    async def _find(self, wanted: Wanted, cursor: str | None, feeds: Mapping[str, int]) -> dict[str, Any]:
        asked = wanted.asked(ROWS + 1, cursor or None)
        query = await reading.to_query(self._store, asked, self._engine.clock.now())
        found = await self._store.search.find(query)
        rows = [(row, snippet(row.text, query.asked.terms, mark=HIT)) for row in found[:ROWS]]
        return {
            "rows": rows,
            "said": await self._store.labels.said_of([row.id for row, _ in rows]),
            "count": await self._store.search.count(query),
            "facets": ways(wanted, await self._store.search.facets(query), feeds),
            "more": rows[-1][0].cursor if len(found) > ROWS else None,
        }


def _options(feeds: Sequence[Row[Any, Any]]) -> panel.Options:
    return {
        "label": LABELS,
        "topic": TOPICS,
        "country": countries(),
        "feed": [str(feed.id) for feed in feeds],
    }
