"""/backfill: past ranges: looked at first, started, watched, paused and taken up again."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.archives import ARCHIVES
from pipeline.engine import Engine
from pipeline.entrypoints.api.guard import form
from pipeline.entrypoints.backfill import Asked, listed, pace
from pipeline.entrypoints.filling import Fillings
from pipeline.entrypoints.pages.screen import Screen, number_in
from pipeline.entrypoints.pages.uploads import Sent, sent
from pipeline.entrypoints.warc_reading import is_url
from pipeline.errors import CommandError, ParseError, UsageError
from pipeline.stages import opml

LISTS = ("urls", "jsonl", "opml")  # that can be sent
LONGEST_NAME = 100  # characters, of a file


class Backfills:
    """The backfills; those that are started here run in the daemon."""

    def __init__(self, engine: Engine, screen: Screen, fillings: Fillings) -> None:
        self._store, self._clock, self._screen, self._fillings = engine.store, engine.clock, screen, fillings

    async def backfills(self, request: Request) -> Response:
        """The form, and all runs."""
        return await self._all(request, Sent(request.query_params.multi_items(), ()))

    async def look(self, request: Request) -> Response:
        """Count first what there would be to do."""
        given = await sent(request)
        try:
            asked, uploads = await self._asked(given)
            look = self._fillings.look(asked, uploads)
        except (UsageError, CommandError, ParseError) as e:
            return await self._all(request, given, str(e).replace("--", ""))
        return RedirectResponse(f"/backfill/look/{look.id}", 303)

    async def counted(self, request: Request) -> Response:
        """What was counted so far, and whether it is worth it.

        Raises:
            HTTPException: it is not remembered.
        """
        try:
            look = self._fillings.found(number_in(request))
        except CommandError as e:
            raise HTTPException(404, str(e)) from e
        return await self._screen.page(request, "look.html", look=look, is_busy=not look.task.done())

    async def start(self, request: Request) -> Response:
        """Start what was counted, or forget it."""
        key, given = number_in(request), await form(request)
        if given.get("to") == "start":
            return RedirectResponse(f"/backfill/{await self._fillings.start(key)}", 303)
        if given.get("to") != "forget":
            raise HTTPException(422, "to: expected start or forget")
        self._fillings.forget(key)
        return RedirectResponse("/backfill", 303)

    async def backfill(self, request: Request) -> Response:
        """One run, as far as it is."""
        key = number_in(request)
        run = await self._store.runs.get(key)
        if run is None or run.kind != "backfill":
            raise HTTPException(404, f"no backfill {key}")
        about = await listed(self._store, run)
        found, ended = run.cursor.get("found", {}), (await pace(self._store, key))["archives"]
        rows = [{"archive": via, **found.get(via, {}), **ended.get(via, {})} for via in dict.fromkeys((*found, *ended))]
        is_here = self._fillings.is_at_work(key)
        return await self._screen.page(
            request, "backfill.html", run=run, about=about, rows=rows, is_here=is_here,
            is_busy=is_here or run.state == "running",
            missed=run.cursor.get("missed", {}),
        )  # fmt: skip

    async def change(self, request: Request) -> Response:
        """Pause a run, or take it up again."""
        key, given = number_in(request), await form(request)
        if given.get("to") == "pause":
            await self._fillings.pause(key)
        elif given.get("to") == "resume":
            await self._fillings.resume(key)
        else:
            raise HTTPException(422, "to: expected pause or resume")
        return RedirectResponse(f"/backfill/{key}", 303)

    async def _asked(self, given: Sent) -> tuple[Asked, Mapping[str, str]]:
        """What the form asks for, with the texts that came with it; the feeds of a list are added."""
        via, most, feeds = given.first("via") or "auto", given.first("maximum"), given.all("feed")
        if most and not (most.isascii() and most.isdecimal() and len(most) < 10):
            raise UsageError(f"maximum: {most!r} is no number")
        if via not in ("auto", *ARCHIVES, *LISTS):
            raise UsageError(f"via: {via!r}: expected auto, {', '.join((*ARCHIVES, *LISTS))}")
        if given.files and via == "auto":
            via = _kind_of(given.files[0][0])
        uploads: dict[str, str] = {}
        if addresses := _addresses(given):
            via = "warc"
        elif via == "opml":
            feeds, via = await self._added(given), "auto"
        else:
            uploads = {name[:LONGEST_NAME]: _text(content) for name, content in given.files}
        since, until = given.first("since") or None, given.first("until") or None
        asked = Asked(feeds, since, until, via, addresses or tuple(uploads), int(most) if most else None)
        return asked, uploads

    async def _added(self, given: Sent) -> tuple[str, ...]:
        if not given.files:
            raise UsageError("choose a file: an OPML list of feeds")
        feeds = opml.read(given.files[0][1], given.files[0][0])
        await self._store.feeds.add(feeds, self._clock.now())
        return tuple(feed.url for feed in feeds)

    async def _all(self, request: Request, given: Sent, error: str | None = None) -> Response:
        shown: dict[str, Any] = {name: given.first(name) for name in ("since", "until", "via", "maximum", "warc")}
        return await self._screen.page(
            request,
            "backfills.html",
            status=422 if error else 200,
            error=error,
            given=shown,
            chosen=given.all("feed"),
            feeds=await self._store.feeds.titles(),
            vias=("auto", *ARCHIVES, *LISTS),
            looks=self._fillings.looks,
            runs=[await listed(self._store, run) for run in await self._store.runs.listing("backfill", 30)],
        )


def _addresses(given: Sent) -> tuple[str, ...]:
    """Where WARC files are on the web; they are asked like pages, so that no path of ours and no private host is.

    Raises:
        UsageError: one is no address, or there is a file too.
    """
    found = tuple(dict.fromkeys(given.first("warc").split()))
    if wrong := next((name for name in found if not is_url(name)), None):
        raise UsageError(f"warc: {wrong!r}: expected the https address of a WARC file")
    if found and given.files:
        raise UsageError("choose a file or name WARC files, not both at once")
    return found


def _kind_of(name: str) -> str:
    """What a file holds by its name; URLs where it says nothing."""
    return {"opml": "opml", "xml": "opml", "jsonl": "jsonl"}.get(name.lower().rpartition(".")[2], "urls")


def _text(content: bytes) -> str:
    return content.decode(errors="replace").replace("\x00", "")
