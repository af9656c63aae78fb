"""How far long commands are, on stderr: bars on a terminal, or lines of JSON for machines that ask for them."""

import asyncio
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from pipeline.entrypoints import output
from pipeline.errors import StoreError

BARS_EVERY_S = 0.5
LINES_EVERY_S = 5.0
SHARE = 20  # looking at how far it is takes no more than this part of the time
WINDOW_S = 60.0  # that a rate is taken over
Counts = Mapping[str, int]
State = Callable[[], Awaitable[Mapping[str, Counts]]]  # how many ended how, by archive; those that wait are the rest
_ENDED = ("stored", "duplicate", "dropped")


@dataclass(slots=True)
class Track:
    """One archive's way: what it comes to, and how fast."""

    name: str
    counts: Counts = field(default_factory=dict)
    seen: deque[tuple[float, int]] = field(default_factory=deque)  # (second, done)

    def take(self, counts: Counts, at: float) -> None:
        """How far it is at a moment (in seconds of any clock)."""
        self.counts = counts
        self.seen.append((at, self.done))
        while self.seen[0][0] < at - WINDOW_S:
            self.seen.popleft()

    @property
    def done(self) -> int:
        """How many came to an end."""
        return sum(self.counts.get(name, 0) for name in _ENDED)

    @property
    def found(self) -> int:
        """How many there are so far."""
        return self.done + self.counts.get("waiting", 0)

    @property
    def a_second(self) -> float:
        """How many came to an end a second, lately."""
        (first_at, first), (last_at, last) = self.seen[0], self.seen[-1]
        return (last - first) / (last_at - first_at) if last_at > first_at else 0.0

    @property
    def left_s(self) -> int | None:
        """How long it would take to the end of what is found so far; None: nothing moves."""
        rate = self.a_second
        return round((self.found - self.done) / rate) if rate else None

    @property
    def defense_share(self) -> float | None:
        """Of the stored."""
        stored = self.counts.get("stored", 0)
        return round(self.counts.get("defense", 0) / stored, 3) if stored else None

    def line(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "progress": self.name,
            "found": self.found,
            **self.counts,
            "a_second": round(self.a_second, 2),
            "left_s": self.left_s,
            "defense_share": self.defense_share,
        }

    def words(self) -> str:
        """What stands behind the bar."""
        share = "" if self.defense_share is None else f"defense {self.defense_share:.0%}"
        left = "" if self.left_s is None else f"{self.left_s // 3600}:{self.left_s // 60 % 60:02}:{self.left_s % 60:02}"
        return f"{self.a_second:.1f}/s  {left}  {share}"


@asynccontextmanager
async def by_archive(state: State, *, as_lines: bool) -> AsyncIterator[None]:
    """Show how far each archive is while the body runs: in lines if asked for, else in bars on a terminal."""
    if not as_lines and not sys.stderr.isatty():
        yield
        return
    async with _meanwhile(_lines(state) if as_lines else _bars(state)):
        yield


@asynccontextmanager
async def shown(counts: Callable[[], Counts]) -> AsyncIterator[None]:
    """Show on a terminal how many ended how while the body runs, where nobody knows how many there are."""
    if not sys.stderr.isatty():
        yield
        return
    async with _meanwhile(_counted(counts)):
        yield


@asynccontextmanager
async def _meanwhile(showing: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(showing)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def follow(state: State, every_s: float, show: Callable[[Track], None]) -> None:
    """Look again and again how far it is: the seldomer, the longer a look takes."""
    tracks: dict[str, Track] = {}
    while True:
        begun = time.monotonic()
        found: Mapping[str, Counts] = {}
        with suppress(StoreError):  # it looks again later; the work itself says what is wrong with the database
            found = await state()
        for name, counts in found.items():
            tracks.setdefault(name, Track(name or "feeds")).take(counts, begun)
            show(tracks[name])
        await asyncio.sleep(max(every_s, SHARE * (time.monotonic() - begun)))


async def _lines(state: State) -> None:
    await follow(state, LINES_EVERY_S, lambda track: print(output.line(track.line()), file=sys.stderr, flush=True))


async def _bars(state: State) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[words]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def show(track: Track) -> None:
            if track.name not in tasks:
                tasks[track.name] = progress.add_task(track.name, words="")
            progress.update(tasks[track.name], total=track.found, completed=track.done, words=track.words())

        await follow(state, BARS_EVERY_S, show)


async def _counted(counts: Callable[[], Counts]) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    with Progress(BarColumn(), TextColumn("{task.description}"), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        while True:
            bar.update(task, description=" ".join(f"{name} {count}" for name, count in counts().items()))
            await asyncio.sleep(BARS_EVERY_S)
