"""/feeds: how the feeds do; /feeds/ID: one of them; and what can be done with them."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.engine import Engine
from pipeline.entrypoints.api.guard import form
from pipeline.entrypoints.asking import add_with, new_feed
from pipeline.entrypoints.feeds import pushed_by, state_of
from pipeline.entrypoints.pages.screen import HEADERS, Screen, back, number, number_in
from pipeline.entrypoints.pages.uploads import sent
from pipeline.entrypoints.reading import became
from pipeline.errors import CommandError, ParseError, UsageError
from pipeline.model import FeedKind
from pipeline.stages import opml
from pipeline.store import FeedLine, FeedRow, Range

DAY = timedelta(days=1)
DAYS = 14  # that the small charts show
ENTRIES = 40
ROWS = 200  # feeds of a page
WORST_FIRST = ("failing", "gone", "resting", "moved", "quiet", "new", "active", "disabled")


class Feeds:
    """The feeds and their health."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._engine, self._store, self._clock, self._screen = engine, engine.store, engine.clock, screen

    async def feeds(self, request: Request) -> Response:
        """The feeds in which all the words stand that are looked for, those that need somebody first."""
        return await self._all(request)

    async def add(self, request: Request) -> Response:
        """Add a feed by its URL or that of its site."""
        given = await form(request)
        try:
            kind = FeedKind(given.get("kind", FeedKind.GENERAL))
            added = await add_with(self._engine, new_feed(given.get("url", "").strip(), None, kind, None, None))
        except (UsageError, CommandError, ValueError) as e:
            return await self._all(request, error=str(e), url=given.get("url", ""))
        return RedirectResponse(f"/feeds/{added['id']}", 303)

    async def give_out(self, _request: Request) -> Response:
        """All feeds as OPML, for feed readers."""
        written = opml.write(row.feed for row in await self._store.feeds.listing())
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="defnews.opml"'}
        return Response(written, headers=headers, media_type="text/x-opml")

    async def take_in(self, request: Request) -> Response:
        """Add the feeds of an OPML file."""
        given = await sent(request)
        try:
            if not given.files:
                raise UsageError("choose a file: an OPML list of feeds")
            wanted = opml.read(given.files[0][1], given.files[0][0])
        except (UsageError, ParseError) as e:
            return await self._all(request, error=str(e))
        new = await self._store.feeds.add(wanted, self._clock.now())
        return RedirectResponse(f"/feeds?listed={len(wanted)}&new={len(new)}", 303)

    async def feed(self, request: Request) -> Response:
        """One feed: its state, what it brought, what it missed, what happened to it."""
        row = await self._row(number_in(request))
        key = row.feed.id
        days = Range.of(self._clock.now(), DAY, 60)
        return await self._screen.page(
            request,
            "feed.html",
            row=row,
            state=state_of(row),
            push=pushed_by(await self._store.subscriptions.of_feed(key)),
            counts=(await self._store.timelines.of_feeds([key], days))[key],
            starts=days.starts,
            entries=[(became(entry), entry.lang) for entry in await self._store.provenance.of_feed(key, ENTRIES)],
            gaps=await self._store.gaps.of_feeds([key]),
            history=await self._store.feeds.history(key),
        )

    async def change(self, request: Request) -> Response:
        """Pause a feed, take it up again, or poll it as soon as its host allows."""
        row, given = await self._row(number_in(request)), await form(request)
        to, now = given.get("to"), self._clock.now()
        if to in ("pause", "resume"):
            await self._store.feeds.set_enabled(row.feed.id, to == "resume", now)
        elif to == "poll":
            await self._store.feeds.poll_soon(row.feed.id, now)
        else:
            raise HTTPException(422, "to: expected pause, resume or poll")
        return back(given, request.url.path)

    async def _row(self, key: int) -> FeedRow:
        rows = await self._store.feeds.listing(named=(str(key),), with_removed=True)
        for row in rows:
            if row.feed.id == key:  # a title may be a number too
                return row
        raise HTTPException(404, f"no feed {key}")

    async def _all(self, request: Request, error: str | None = None, url: str = "") -> Response:
        words, first = request.query_params.get("q", ""), number(request.query_params.get("from", "")) or 0
        lines = await self._store.feeds.lines()
        meant = [line for line in lines if _has(line, words.casefold().split())]
        meant.sort(key=lambda line: WORST_FIRST.index(state_of(line)))
        shown = await self._store.feeds.of([line.id for line in meant[first : first + ROWS]])
        days = Range.of(self._clock.now(), DAY, DAYS)
        return await self._screen.page(
            request,
            "feeds.html",
            status=422 if error else 200,
            feeds=[(row, state_of(row)) for row in shown],
            counts=await self._store.timelines.of_feeds([row.feed.id for row in shown], days),
            states=sorted(Counter(map(state_of, lines)).items(), key=lambda pair: WORST_FIRST.index(pair[0])),
            words=words,
            further=first + ROWS if first + ROWS < len(meant) else None,
            meant=len(meant),
            error=error,
            url=url,
            kinds=list(FeedKind),
            taken_in=[
                value for value in map(request.query_params.get, ("listed", "new")) if value and value.isdecimal()
            ],
        )


def _has(line: FeedLine, words: Sequence[str]) -> bool:
    """Whether all these words stand in what is said of a feed."""
    told = (line.title, line.url, line.kind, line.country or "", line.lang or "", state_of(line), *line.tags)
    said = " ".join(told).casefold()
    return all(word in said for word in words)
