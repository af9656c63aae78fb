"""WARC files of a backfill: read in worker processes, several at once; those that are far away in blocks."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

import structlog

from pipeline.archives import ccnews
from pipeline.archives.warc import Sought, Stretch
from pipeline.engine import Engine
from pipeline.entrypoints.warc_reading import is_url, members_of, read_block, read_file, read_list
from pipeline.errors import ArchiveError, StageError
from pipeline.model import Entry

ENDED = -1  # where a file that is read to its end goes on
BLOCK_BYTES = 32_000_000  # of a file that is far away, where pages of some sites are wanted
DENSE_BLOCK_BYTES = 4_000_000  # where all are: a block then holds about one stretch
TRIES = 3  # for a block; each asks for a quarter of the one before
MOST_DAMAGES = 1_000  # in a row without a record between them
log = structlog.get_logger()


class Discovery(Protocol):
    """Where the entries go, with the place to go on from."""

    def is_full(self) -> bool:
        """Whether no more are wanted."""
        ...

    def place_in(self, name: str) -> int:
        """Where a file is to be read on: 0 at first."""
        ...

    def count(self, via: str, found: Mapping[str, int]) -> None:
        """Add to what is said of an archive in the end."""
        ...

    def miss(self, via: str, name: str, reason: str, counted_as: str) -> None:
        """Count a file that could not be had, and remember which and why."""
        ...

    async def commit(self, via: str, entries: Sequence[Entry], places: Mapping[str, int] | None = None) -> None:
        """Put entries in line, and remember where the files go on."""
        ...

    async def wait_for_room(self) -> None:
        """Until the line is short enough for more."""
        ...


class WarcFiles:
    """Reads WARC files into a discovery."""

    def __init__(self, engine: Engine, discovery: Discovery, sought: Sought) -> None:
        self._engine, self._discovery, self._sought = engine, discovery, sought
        self._places = asyncio.Semaphore(engine.compute.workers)

    async def read_all(self, names: Sequence[str]) -> None:
        """Read local files and URLs; those that cannot be read are named and counted as `failed_files`."""
        await asyncio.gather(*(self._read_named(name) for name in names))

    async def read_ccnews(self, base: str) -> None:
        """Read the files of Common Crawl's news crawl below a URL or a directory that can hold the range."""
        base = base if base.endswith("/") else f"{base}/"
        for listed in ccnews.lists(self._sought.span, self._engine.clock.now()):
            found: list[str] = []
            try:
                for item in ccnews.files(base + listed, await self._list(base + listed), self._sought.span):
                    if isinstance(item, ArchiveError):
                        self._miss(item, "bad_lines")
                    else:
                        found.append(base + item)
            except StageError as error:
                self._miss(error, "missed")
            await asyncio.gather(*(self._read(name) for name in found))

    async def _read_named(self, name: str) -> None:
        try:
            members = await self._engine.compute(members_of, name)
        except StageError as error:
            self._miss(error, "failed_files")
            return
        read = await asyncio.gather(*(self._read(member) for member in members))
        if not all(read):
            self._count({"failed_files": 1})

    async def _read(self, name: str) -> bool:
        """Read one file from where it goes on; whether that was possible."""
        async with self._places:
            at, records, damages = self._discovery.place_in(name), 0, 0
            is_resumed = at != 0
            while at != ENDED and not self._discovery.is_full():
                try:
                    stretch = await self._stretch(name, at)
                except StageError as error:  # of the file, or of the process that read it
                    self._miss(error, "missed")
                    return is_resumed or records > 0
                records += stretch.counts["records"]
                is_same_damage = damages > 0 and not stretch.counts["records"]
                damages = damages + 1 if is_same_damage else int(stretch.error is not None)
                if stretch.error is not None and not is_same_damage:
                    self._miss(stretch.error, "damaged")
                at = ENDED if stretch.next is None or damages > MOST_DAMAGES else stretch.next
                await self._take(name, stretch, at)
            return is_resumed or records > 0 or damages == 0

    async def _take(self, name: str, stretch: Stretch, at: int) -> None:
        await self._discovery.wait_for_room()
        self._count({**stretch.counts, "documents": int(at == ENDED)})
        await self._discovery.commit(self._sought.archive, stretch.entries, {name: at})

    def _count(self, found: Mapping[str, int]) -> None:
        self._discovery.count(self._sought.archive, found)

    async def _stretch(self, name: str, at: int) -> Stretch:
        if not is_url(name):
            return await self._engine.compute(read_file, name, at, self._sought)
        block, is_last = await self._block(name, at)
        return await self._engine.compute(read_block, name, block, at, is_last, self._sought)

    async def _block(self, url: str, at: int) -> tuple[bytes, bool]:
        size = DENSE_BLOCK_BYTES if self._sought.sites is None else BLOCK_BYTES
        for attempt in range(TRIES):
            try:
                response = await self._engine.web.send(ccnews.request_for(url, at, size >> 2 * attempt))
                return ccnews.block_of(url, at, response)
            except StageError as error:
                if not error.retryable or attempt == TRIES - 1:
                    raise
                log.info("archive: trying again", url=url, reason=error.reason)
        raise AssertionError("unreachable")

    async def _list(self, name: str) -> bytes:
        if not is_url(name):
            return await self._engine.compute(read_list, name)
        return ccnews.block_of(name, 0, await self._engine.web.send(ccnews.request_for(name)))[0]

    def _miss(self, error: StageError, counted_as: str) -> None:
        self._discovery.miss(self._sought.archive, error.subject, error.reason, counted_as)
        log.warning("archive file", file=error.subject, reason=error.reason, detail=error.detail or None)
