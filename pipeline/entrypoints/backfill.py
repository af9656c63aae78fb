"""`defnews backfill`: archives list what a range held; the daemon's own flow ingests it. Resumable after any end."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from pipeline import archives, urls
from pipeline.archives import ARCHIVES, Span, Step, ccnews, jsonl
from pipeline.archives import urls as url_list
from pipeline.archives.warc import Sought
from pipeline.entrypoints import moments, progress, wiring
from pipeline.entrypoints.options import Options
from pipeline.entrypoints.warc import WarcFiles
from pipeline.errors import ArchiveError, CommandError, StageError, UsageError
from pipeline.ingest import Engine, IngestDuty
from pipeline.model import Entry, Feed
from pipeline.queue.lane import Lane
from pipeline.settings import Settings
from pipeline.store import Candidates, Run, found_by, open_store

BLOCK = 500  # candidates a transaction
AT_ONCE = 8  # feeds whose archives are read at the same time
TRIES = 3  # for a document of an archive
MOST_DOCUMENTS = 20_000  # of one archive of one feed: a chain of sitemaps may have no end
FROM_FILES = ("urls", "jsonl", "warc", "ccnews")  # archives that are files
VIAS = ("auto", *ARCHIVES, *FROM_FILES)
WARC_NAMES = (".warc", ".warc.gz", ".warc.zst", ".wacz")
MOST_WAITING = 2_000  # entries in line while files are read: their pages wait with them
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line: the same one again resumes the run."""

    feeds: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None
    via: str = "auto"
    inputs: tuple[str, ...] = ()
    maximum: int | None = None
    is_all_sites: bool = False  # of WARC files; else those of the feeds


async def backfill(options: Options, asked: Asked, resume: int | None, *, is_dry: bool) -> dict[str, Any]:
    """Ingest a past range, or resume doing so; returns the run's counts.

    Raises:
        UsageError: the options do not fit together.
        CommandError: a file, feed or run does not exist.
    """
    _check(asked, resume)
    settings = options.settings()
    async with wiring.open_engine(settings) as engine:
        await wiring.add_new_feeds(engine.store, options, engine.clock)
        if is_dry:
            return await _Discovery(engine, None, await _plan(engine, asked)).estimate(settings.web.host_delay_s)
        return await backfill_with(engine, settings, asked, resume)


async def backfill_with(engine: Engine, settings: Settings, asked: Asked, resume: int | None) -> dict[str, Any]:
    """The same with parts that are there already."""
    run = await _run(engine, await _plan(engine, asked), resume)
    async with wiring.alive(engine.store, run, engine.clock) as counts:
        counts.update(await _work(engine, run, settings))
        return {"run": run.id, **counts}


async def listing(options: Options, run_id: int | None = None) -> list[dict[str, Any]]:
    """The backfills, newest first, or one.

    Raises:
        CommandError: there is none of that number.
    """
    async with await open_store(options.settings().database_url) as store:
        if run_id is None:
            return [_shown(run) for run in await store.runs.listing("backfill")]
        run = await store.runs.get(run_id)
        if run is None or run.kind != "backfill":
            raise CommandError(f"there is no backfill {run_id}")
        return [_shown(run) | {"now": await store.work.tally(found_by(run_id)), "cursor": run.cursor}]


def _shown(run: Run) -> dict[str, Any]:
    asked = {name: value for name, value in run.plan.get("asked", {}).items() if value}
    return {
        "id": run.id,
        "state": run.state,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        **asked,
        **run.counts,
    }


def via_of(inputs: Sequence[str]) -> str:
    """The archive that files belong to by their names."""
    return "warc" if all(name.endswith(WARC_NAMES) for name in inputs) else "urls"


def _check(asked: Asked, resume: int | None) -> None:
    if asked.via not in VIAS:
        raise UsageError(f"--via: {asked.via!r}: expected {', '.join(VIAS)}")
    if resume is None and asked.since is None and not asked.inputs:
        raise UsageError("--since is needed (or --input FILE with --via urls)")
    if asked.via != "ccnews" and (asked.via in FROM_FILES) != bool(asked.inputs):
        raise UsageError(f"--input goes with --via {', '.join(FROM_FILES)}, and they with it")
    if asked.via == "ccnews" and (asked.since is None or len(asked.inputs) > 1):
        raise UsageError("--via ccnews needs --since, and takes one --input: where the crawl is instead")


async def _plan(engine: Engine, asked: Asked) -> dict[str, Any]:
    now = engine.clock.now()
    rows = await (engine.store.feeds.named(asked.feeds) if asked.feeds else engine.store.feeds.listing())
    since, until = moments.since(asked.since, now), moments.until(asked.until, now)
    if since and until and since >= until:
        raise UsageError(f"--since {asked.since} is not before --until {asked.until}")
    names = ARCHIVES if asked.via == "auto" else () if asked.via in FROM_FILES else (asked.via,)
    return {
        "asked": asdict(asked) | {"feeds": list(asked.feeds), "inputs": list(asked.inputs)},
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
        "feeds": [row.feed.id for row in rows if row.is_enabled or asked.feeds],
        "archives": list(names),
    }


async def _run(engine: Engine, plan: Mapping[str, Any], resume: int | None) -> Run:
    """A new run, the one named by --resume, or an unfinished one of the same command."""
    now = engine.clock.now()
    if resume is None:
        earlier = await engine.store.runs.listing("backfill")
        same = (run.id for run in earlier if run.state != "done" and run.plan.get("asked") == plan["asked"])
        resume = next(same, None)
    if resume is None:
        return await engine.store.runs.start("backfill", now, plan)
    run = await engine.store.runs.resume(resume, now)
    if run.kind != "backfill":
        raise CommandError(f"run {resume} is no backfill")
    log.info("resumed", run=run.id)
    return run


async def _work(engine: Engine, run: Run, settings: Settings) -> dict[str, int]:
    """Discover and ingest at the same time."""
    discovery = _Discovery(engine, run, run.plan)
    duty = IngestDuty(engine, run.id, found_by(run.id))
    bar = progress.shown(lambda: (discovery.counts["new"], duty.counts))
    async with bar, Lane(duty, settings.ingest.concurrency, engine.clock) as lane:
        finding = asyncio.create_task(discovery.run())
        try:
            while not finding.done():
                await lane.run_dry()
                await asyncio.wait({finding}, timeout=0.5)
            await finding
            await lane.run_dry_with(lambda: engine.store.work.claimed_elsewhere(run.id, found_by(run.id)))
        finally:
            finding.cancel()
            await asyncio.gather(finding, return_exceptions=True)
    found = {name: discovery.counts[name] for name in ("candidates", "known", "new", "missed", "bad_lines")}
    found |= {name: count for name, count in discovery.counts.items() if name not in found}
    return found | await engine.store.work.tally(found_by(run.id))


class _Discovery:
    """Walks the archives of a plan; what it found and where it stands is committed together."""

    def __init__(self, engine: Engine, run: Run | None, plan: Mapping[str, Any]) -> None:
        self._engine = engine
        self._run = run
        self._plan = plan
        self._span = Span(_moment(plan["since"]), _moment(plan["until"]))
        self._maximum: int | None = plan["asked"]["maximum"]
        self._taken: set[str] = set()  # documents that a walk reads, or has read
        self._cursor: dict[str, Any] = {"todo": {}, "lines": {}, "missed": {}} | dict(run.cursor if run else {})
        self._sites: dict[str, tuple[Feed, ...]] = {}
        self._unknown: Counter[str] = Counter()  # by host, in a dry run
        self._committing = asyncio.Lock()
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Put everything in line that the archives list and nobody knows."""
        if self._run is not None:
            self.counts["new"] = await self._engine.store.work.count(found_by(self._run.id))  # of a resumed run
        self._sites = await self._engine.store.feeds.sites()
        via, inputs = self._plan["asked"]["via"], self._plan["asked"]["inputs"]
        if via in ("warc", "ccnews"):
            files = WarcFiles(self._engine, self, await self._sought(via))
            await (files.read_all(inputs) if via == "warc" else files.read_ccnews(next(iter(inputs), ccnews.BASE)))
            return
        for name in inputs:
            await self._read_file(name)
        places = asyncio.Semaphore(AT_ONCE)
        feeds = {row.feed.id: row.feed for row in await self._engine.store.feeds.listing()}
        walks = [(archive, feeds[i]) for archive in self._plan["archives"] for i in self._plan["feeds"] if i in feeds]
        await asyncio.gather(*(self._walk(places, archive, feed) for archive, feed in walks))

    async def estimate(self, host_delay_s: float) -> dict[str, Any]:
        """How much there would be to do; stores nothing."""
        await self.run()
        longest = max(self._unknown.values(), default=0)
        return {**self.counts, "hosts": len(self._unknown), "takes_at_least_s": longest * host_delay_s}

    async def _sought(self, via: str) -> Sought:
        """The pages of a WARC that are wanted: those of the sites of the plan's feeds."""
        if self._plan["asked"]["is_all_sites"]:
            return Sought(via, None, self._span)
        wanted = set(self._plan["feeds"])
        sites = (site for site, feeds in self._sites.items() if any(feed.id in wanted for feed in feeds))
        return Sought(via, frozenset(sites), self._span)

    async def _walk(self, places: asyncio.Semaphore, name: str, feed: Feed) -> None:
        """All documents of one archive of one feed; one that another feed's walk has taken is left to it."""
        key = f"{name} {feed.id}"
        todo: dict[str, list[dict[str, str]]] = self._cursor["todo"]
        todo.setdefault(key, [asdict(step) for step in ARCHIVES[name].start(feed)])
        async with places:
            for _ in range(MOST_DOCUMENTS):
                if not self._cursor["todo"][key] or self.is_full():
                    return
                step = Step(**self._cursor["todo"][key][0])
                further: list[Step] = []
                if step.url not in self._taken:
                    self._taken.add(step.url)
                    found = await self._read(name, step)
                    further = [item for item in found if isinstance(item, Step)]
                    entries = [item for item in found if isinstance(item, Entry)]
                    for start in range(0, len(entries), BLOCK):
                        await self.commit(entries[start : start + BLOCK])
                        if self.is_full():
                            return  # the document counts as unread
                await self._advance(key, further)
            self._miss(step, ArchiveError(step.url, "too-many-documents", detail=f"over {MOST_DOCUMENTS}"))

    async def _advance(self, key: str, further: Sequence[Step]) -> None:
        """The first document of a walk is done, and led to further ones."""
        async with self._committing:
            rest = [*self._cursor["todo"][key][1:], *map(asdict, further)]
            self._cursor = {**self._cursor, "todo": {**self._cursor["todo"], key: rest}}
            await self._put(())

    async def _read(self, name: str, step: Step) -> Sequence[Entry | Step]:
        """What a document holds; a document that is not to be had, or broken, is counted and named."""
        try:
            body = await self._fetch(step)
        except StageError as error:
            self._miss(step, error)
            return ARCHIVES[name].missing(step) if not error.retryable else ()
        try:
            found, broken = await self._engine.compute(archives.read_whole, name, step, body, self._span)
        except StageError as error:
            found, broken = (), ArchiveError(step.url, error.reason, detail=error.detail)
        if broken is not None:
            self._miss(step, broken)
        return found

    async def _fetch(self, step: Step) -> bytes:
        for attempt in range(1, TRIES + 1):
            try:
                response = await self._engine.web.send(archives.request_for(step))
                return archives.body_of(step, response)
            except StageError as error:
                if not error.retryable or error.retry_at is not None or attempt == TRIES:
                    raise
                log.info("archive: trying again", url=step.url, reason=error.reason)
                await self._engine.clock.sleep(2**attempt)
        raise AssertionError("unreachable")

    def _miss(self, step: Step, error: StageError) -> None:
        if step.kind != "robots" or error.retryable:
            self.counts["missed"] += 1
            self._cursor["missed"][step.url] = error.reason
            log.warning("archive document missed", url=step.url, reason=error.reason, detail=error.detail or None)

    async def _read_file(self, name: str) -> None:
        done = self.place_in(name)
        block: list[Entry] = []
        for number, item in enumerate(self._items(name), 1):
            if number <= done:
                continue
            if isinstance(item, Entry):
                block.append(item)
            else:
                self.counts["bad_lines"] += 1
                log.warning("line passed over", where=item.subject, reason=item.reason, text=item.detail)
            if len(block) == BLOCK:
                await self.commit(block, {name: number})
                block = []
            if self.is_full():
                return
        await self.commit(block)

    def place_in(self, name: str) -> int:
        """Where a file is to be read on: how many of its lines, or bytes, are done."""
        return int(self._cursor["lines"].get(name, 0))

    async def wait_for_room(self) -> None:
        """Until the line is short enough for more."""
        work = self._engine.store.work
        while self._run is not None and await work.count_waiting(found_by(self._run.id)) > MOST_WAITING:
            await self._engine.clock.sleep(0.2)

    def _items(self, name: str) -> Iterator[Entry | ArchiveError]:
        """What the lines of a file are."""
        try:
            with Path(name).open(encoding="utf-8", errors="replace") as lines:
                if self._plan["asked"]["via"] == "jsonl":
                    yield from jsonl.read(name, lines, self._engine.clock.now())
                else:
                    yield from url_list.read(name, lines)
        except OSError as e:
            self.counts["failed_files"] += 1
            log.warning("archive file", file=name, reason="unreadable-file", detail=e.strerror)

    def is_full(self) -> bool:
        """Whether as many are new as were asked for."""
        return self._maximum is not None and self.counts["new"] >= self._maximum

    async def commit(self, entries: Sequence[Entry], places: Mapping[str, int] | None = None) -> None:
        """Put a block in line; with it, where each file is to be read on."""
        async with self._committing:
            if places:
                self._cursor = {**self._cursor, "lines": {**self._cursor["lines"], **places}}
            await self._put(entries)

    async def _put(self, entries: Sequence[Entry]) -> None:
        limit = None if self._maximum is None else max(self._maximum - self.counts["new"], 0)
        block = Candidates(tuple(entries), self._cursor, self._span.since, self._span.until, limit)
        self.counts["candidates"] += len(entries)
        if self._run is None:
            unknown = await self._engine.store.candidates.unknown(block)
            self._unknown.update(urls.host_key(entry.url or "") for entry in unknown)
            new, known = len(unknown), len(entries) - len(unknown)
        else:
            now = self._engine.clock.now()
            new, known = await self._engine.store.candidates.add(self._run.id, block, self._sites, now)
        self.counts["new"] += new
        self.counts["known"] += known


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
