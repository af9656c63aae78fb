"""What the archives of a backfill list: walked document by document, put in line block by block, resumable at each."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict
from datetime import datetime
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import Any, TextIO

import structlog

from pipeline import archives
from pipeline.archives import ARCHIVES, Found, Places, Reached, Span, Step, Wanted, ccnews, jsonl
from pipeline.archives import urls as url_list
from pipeline.archives.warc import Sought
from pipeline.engine import Engine
from pipeline.entrypoints import packed
from pipeline.entrypoints.counted import Counted
from pipeline.entrypoints.warc import WarcFiles
from pipeline.errors import ArchiveError, StageError
from pipeline.model import Entry, Feed
from pipeline.store import Candidates, Run, found_by

BLOCK = 500  # candidates a transaction
AT_ONCE = 8  # feeds whose archives are read at the same time
TRIES = 3  # for a document of an archive
MOST_DOCUMENTS = 20_000  # of one archive of one feed: a chain of documents may have no end
MOST_WAITING = 2_000  # entries in line while files are read: their pages wait with them
FROM_FILES = ("urls", "jsonl", "warc", "ccnews")  # archives that are files
log = structlog.get_logger()


class Discovery:
    """Walks the archives of a plan; what it found and where it stands is committed together."""

    def __init__(self, engine: Engine, run: Run | None, plan: Mapping[str, Any]) -> None:
        self._engine = engine
        self._run = run  # None: a dry run
        self._plan = plan
        self._span = _span(plan)
        self._places = Places(**plan["places"])
        self._at = run.started_at if run else engine.clock.now()
        self._maximum: int | None = plan["asked"]["maximum"]
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._walks: dict[str, asyncio.Task[None]] = {}
        self._taken: set[tuple[str, str]] = set()  # documents that a walk reads, or has read
        self._lasting: dict[str, Any] = {}  # documents that an earlier run has read, and where they led
        keys = ("todo", "lines", "missed", "reached", "read", "found", "tried")
        self._cursor: dict[str, Any] = {key: {} for key in keys} | dict(run.cursor if run else {})
        self._sites: dict[str, tuple[Feed, ...]] = {}
        self._counted: Counted | None = None  # in a dry run
        self._missed: defaultdict[str, dict[str, str]] = defaultdict(dict)  # by archive: documents, and why
        self._committing = asyncio.Lock()
        self.counts: Counter[str] = Counter()

    async def run(self) -> None:
        """Put everything in line that the archives list and nobody knows."""
        if self._run is not None:
            self.counts["new"] = await self._engine.store.work.count(found_by(self._run.id))  # of a resumed run
        self._sites = await self._engine.store.feeds.sites()
        self._lasting = _lasting(await self._engine.store.runs.listing("backfill"), self._span)
        if (via := self._plan["asked"]["via"]) in FROM_FILES:
            await self._read_files(via, self._plan["asked"]["inputs"])
        feeds = {row.feed.id: row.feed for row in await self._engine.store.feeds.listing()}
        await asyncio.gather(*(self._past(feeds[i]) for i in self._plan["feeds"] if i in feeds))

    async def estimate(self, host_delay_s: float) -> list[dict[str, Any]]:
        """How much there would be to do, by archive; stores nothing."""
        with closing(Counted()) as counted:
            self._counted = counted
            await self.run()
            rows = []
            for via, found in self._cursor["found"].items():
                hosts = counted.hosts(via)
                takes_s = max(hosts, default=0) * host_delay_s
                missed = {"missed_documents": dict(self._missed[via])}
                rows.append({"via": via, **found, "hosts": len(hosts), "takes_at_least_s": takes_s, **missed})
        return rows

    async def _past(self, feed: Feed) -> None:
        """Read the archives of a feed; of several only until one goes back to the start of the range."""
        for name in self._plan["archives"]:
            steps = ARCHIVES[name].start(Wanted(feed, self._span, self._at, self._places))
            key = " ".join((name, *(step.url for step in steps)))
            if key not in self._walks:  # feeds of one site may share an archive
                self._walks[key] = asyncio.create_task(self._walk(name, key, steps))
            await self._walks[key]
            if self.is_full():
                return
            said = self._cursor["reached"].get(key)
            why = "reaches back" if said else "does not reach back" if said is None else "documents missed"
            log.info("archive read", feed=feed.url, via=name, result=why)
            self._cursor["tried"].setdefault(feed.url, {})[name] = why
            await self.commit(name, ())
            if said:
                return

    async def _walk(self, name: str, key: str, steps: Sequence[Step]) -> None:
        """All documents of one archive; one that another walk has taken is left to it."""
        self._begin(name)
        todo: dict[str, list[dict[str, Any]]] = self._cursor["todo"]
        todo.setdefault(key, [asdict(step) for step in steps])
        async with self._turns:
            for _ in range(MOST_DOCUMENTS):
                if not todo[key] or self.is_full():
                    return
                step = Step(**todo[key][0])
                found: Sequence[Found] = ()
                if (name, step.url) not in self._taken:
                    self._taken.add((name, step.url))
                    found = await self._document(name, key, step)
                entries = [item for item in found if isinstance(item, Entry)]
                for start in range(0, len(entries), BLOCK):
                    await self.commit(name, entries[start : start + BLOCK])
                    if self.is_full():
                        return  # the document counts as unread
                await self._advance(name, key, found)
            self._miss(name, key, step, ArchiveError(step.url, "too-many-documents", detail=f"over {MOST_DOCUMENTS}"))

    async def _advance(self, name: str, key: str, found: Sequence[Found]) -> None:
        """The first document of a walk is done, and led to further ones."""
        further = [asdict(item) for item in found if isinstance(item, Step)]
        is_back = any(isinstance(item, Reached) for item in found)
        async with self._committing:
            step, *rest = self._cursor["todo"][key]
            self._cursor["todo"][key] = [*rest, *further]
            if is_back:
                self._cursor["reached"].setdefault(key, True)
            if step["is_lasting"] and step["url"] not in self._cursor["missed"]:
                self._cursor["read"][step["url"]] = {"further": further, "is_back": is_back}
            await self._put(name, ())

    async def _document(self, name: str, key: str, step: Step) -> Sequence[Found]:
        """What a document holds; one that is not to be had, or broken, is counted and named."""
        if step.is_lasting and step.url in self._lasting:
            led = self._lasting[step.url]
            return [*(Step(**further) for further in led["further"]), *([Reached()] if led["is_back"] else [])]
        self.count(name, {"documents": 1})
        found, error = await self._ask(name, step)
        if error is None:
            return found
        instead = None if found else ARCHIVES[name].instead(step, error)
        if instead is None:
            self._miss(name, key, step, error)
        return instead or found

    async def _ask(self, name: str, step: Step) -> tuple[Sequence[Found], StageError | None]:
        try:
            body = await self._fetch(step)
            return await self._engine.compute(archives.read_whole, name, step, body, self._span)
        except StageError as error:
            return (), error

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

    def _miss(self, name: str, key: str, step: Step, error: StageError) -> None:
        self.miss(name, step.url, error.reason, "missed")
        self._cursor["reached"][key] = False
        log.warning("archive document missed", url=step.url, reason=error.reason, detail=error.detail or None)

    async def _read_files(self, via: str, names: Sequence[str]) -> None:
        self._begin(via)
        if via in ("urls", "jsonl"):
            for name in names:
                await self._read_lines(via, name)
        else:
            files = WarcFiles(self._engine, self, self._sought(via))
            await (files.read_all(names) if via == "warc" else files.read_ccnews(next(iter(names), ccnews.BASE)))
        await self.commit(via, ())  # the counts of the last block, which was stored before it was counted

    def _sought(self, via: str) -> Sought:
        """The pages of a WARC that are wanted: those of the sites of the plan's feeds."""
        if self._plan["asked"]["is_all_sites"]:
            return Sought(via, None, self._span, self._at)
        wanted = set(self._plan["feeds"])
        sites = (site for site, feeds in self._sites.items() if any(feed.id in wanted for feed in feeds))
        return Sought(via, frozenset(sites), self._span, self._at)

    async def _read_lines(self, via: str, name: str) -> None:
        done = self.place_in(name)
        block: list[Entry] = []
        try:
            for number, item in enumerate(self._items(via, name), 1):
                if number <= done:
                    continue
                if isinstance(item, Entry):
                    block.append(item)
                else:
                    self.count(via, {"bad_lines": 1})
                    log.warning("line passed over", where=item.subject, reason=item.reason, text=item.detail)
                if len(block) == BLOCK:
                    await self.commit(via, block, {name: number})
                    block = []
                if self.is_full():
                    return
        except packed.DAMAGES as e:
            self.count(via, {"failed_files": 1})
            log.warning("archive file", file=name, reason="unreadable-file", detail=packed.why(e))
        await self.commit(via, block)

    def _items(self, via: str, name: str) -> Iterator[Entry | ArchiveError]:
        sent: Mapping[str, str] = self._plan.get("uploads", {})  # never the name of a file of ours
        with nullcontext(StringIO(sent[name])) if name in sent else _lines_of(Path(name)) as lines:
            yield from jsonl.read(name, lines, self._at) if via == "jsonl" else url_list.read(name, lines)

    def place_in(self, name: str) -> int:
        """Where a file is to be read on: how many of its lines, or bytes, are done."""
        return int(self._cursor["lines"].get(name, 0))

    async def wait_for_room(self) -> None:
        """Until the line is short enough for more."""
        work = self._engine.store.work
        while self._run is not None and await work.count_waiting(found_by(self._run.id)) > MOST_WAITING:
            await self._engine.clock.sleep(0.2)

    def is_full(self) -> bool:
        """Whether as many are new as were asked for."""
        return self._maximum is not None and self.counts["new"] >= self._maximum

    def count(self, via: str, found: Mapping[str, int]) -> None:
        """Add to what is said of an archive in the end."""
        self.counts.update(found)
        said = self._cursor["found"][via]
        said.update({name: said.get(name, 0) + count for name, count in found.items()})

    def miss(self, via: str, name: str, reason: str, counted_as: str) -> None:
        """Count a document or file that could not be had, and remember which and why.

        What is missed again by a run that goes on counts once in the run; a file may be damaged in several places.
        """
        if counted_as == "damaged" or self._cursor["missed"].get(name) != reason:
            self.count(via, {counted_as: 1})
        else:
            self.counts[counted_as] += 1
        self._missed[via][name] = self._cursor["missed"][name] = reason

    async def commit(self, via: str, entries: Sequence[Entry], places: Mapping[str, int] | None = None) -> None:
        """Put a block in line; with it, where each file is to be read on."""
        async with self._committing:
            self._cursor["lines"].update(places or {})
            await self._put(via, entries)

    def _begin(self, via: str) -> None:
        self._cursor["found"].setdefault(via, dict.fromkeys(("documents", "candidates", "known", "new", "missed"), 0))

    async def _put(self, via: str, entries: Sequence[Entry]) -> None:
        limit = None if self._maximum is None else max(self._maximum - self.counts["new"], 0)
        block = Candidates(tuple(entries), self._cursor, self._span.since, self._span.until, limit)
        if self._counted is not None:
            unknown = await self._engine.store.candidates.unknown(block)
            taken = unknown[:limit]
            new = self._counted.add(via, taken)
            known = len(entries) - len(unknown) + len(taken) - new
        elif self._run is not None:
            now = self._engine.clock.now()
            new, known = await self._engine.store.candidates.add(self._run.id, block, self._sites, now)
        self.count(via, {"candidates": len(entries), "new": new, "known": known})


@contextmanager
def _lines_of(path: Path) -> Iterator[TextIO]:
    with packed.opened(path) as file:
        yield TextIOWrapper(file, encoding="utf-8", errors="replace")


def _lasting(runs: Sequence[Run], span: Span) -> dict[str, Any]:
    """The documents that never change and were read before, for a range around this one: where each of them led."""
    covering = [run for run in runs if _span(run.plan).covers(span)]
    return {url: led for run in covering for url, led in run.cursor.get("read", {}).items()}


def _span(plan: Mapping[str, Any]) -> Span:
    since, until = (plan.get(name) for name in ("since", "until"))
    return Span(since and datetime.fromisoformat(since), until and datetime.fromisoformat(until))
