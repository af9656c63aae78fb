"""A lane: claims work from the store and does it, so much at a time, until there is none or it is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Generic, Protocol, Self, TypeVar

import structlog

from pipeline.clock import Clock
from pipeline.errors import DefnewsError, StoreError

log = structlog.get_logger()
Piece = TypeVar("Piece")
LOOK_AGAIN_S = 0.5  # at the latest, while something runs: what is claimable changes with the time
LONGEST_WAIT_S = 5.0
CANCEL_S = 3.0  # for what is cancelled to clean up
PAUSE_S = 0.05  # after a claim that found nothing, before the end of a piece claims again
FRACTION = 4  # of the places must be free before the end of a piece claims more: a claim is a transaction


class Duty(Protocol[Piece]):
    """Where a lane's work comes from and who does it."""

    name: str

    async def claim(self, limit: int, busy: Collection[str]) -> Sequence[Piece]:
        """Take work whose host is not among the busy ones."""
        ...

    async def next_claim_at(self) -> datetime | None:
        """When work that is due already can be claimed; None: there is none."""
        ...

    def host(self, piece: Piece) -> str:
        """The host that the work asks; "" for none."""
        ...

    async def do(self, piece: Piece) -> None:
        """Do it; every expected failure is recorded there."""
        ...

    async def give_back(self, piece: Piece, error: Exception) -> None:
        """Free the work after an error that nobody expected."""
        ...


class Lane(Generic[Piece]):
    """Does one duty's work, at most `size` pieces at once, one a host."""

    def __init__(self, duty: Duty[Piece], size: int, clock: Clock) -> None:
        self._duty = duty
        self._size = size
        self._clock = clock
        self._running: dict[asyncio.Task[None], str] = {}
        self._claiming = asyncio.Lock()
        self._is_open = True
        self._next: asyncio.Task[None] | None = None  # the nudge that the end of a piece gives
        self._stuck: list[tuple[Piece, Exception]] = []  # claimed, and could not be given back
        self._pause_until = 0.0  # on the event loop's clock
        self.errors = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """After a normal end nothing runs any more; after an error or a signal, what runs is cancelled."""
        await self.drain(0)

    async def nudge(self) -> int:
        """Claim what is claimable now and start it; returns how much that was."""
        async with self._claiming:
            await self._free_stuck()
            free = self._size - len(self._running)
            if free <= 0 or not self._is_open:
                return 0
            pieces = await self._duty.claim(free, {host for host in self._running.values() if host})
            if not pieces:
                self._pause_until = asyncio.get_running_loop().time() + PAUSE_S
            for piece in pieces:
                task = asyncio.create_task(self._do(piece), name=f"{self._duty.name}:{self._duty.host(piece)}")
                self._running[task] = self._duty.host(piece)
                task.add_done_callback(self._ended)
            return len(pieces)

    async def has_room(self) -> None:
        """Wait until it is worth claiming more, or until nothing more is started."""
        while self._is_open and not self._is_worth_it():
            await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)

    async def run_dry(self) -> None:
        """Work until nothing is due: waits for the pace of hosts, not for what is due later."""
        while True:
            started = await self.nudge()
            if self._running:
                await asyncio.wait(self._running, timeout=LOOK_AGAIN_S)
            elif not started:
                at = await self._duty.next_claim_at()
                if self._under_way() or self._stuck:
                    continue  # the end of a piece claimed what was due
                if at is None:
                    return
                wait = (at - self._clock.now()).total_seconds()
                await self._clock.sleep(min(max(wait, 0.01), LONGEST_WAIT_S))

    async def run_dry_with(self, others: Callable[[], Awaitable[frozenset[int]]], patience_s: int = 60) -> None:
        """Work until nothing is due, and until what other runs hold now has ended or become free."""
        await self.run_dry()
        held = await others()
        for _ in range(patience_s):
            if not held:
                return
            await self._clock.sleep(1)
            await self.run_dry()
            held &= await others()

    async def drain(self, within_s: float) -> None:
        """Start nothing more; let what runs end, cancel what does not in time, and never wait for long after that."""
        self._is_open = False
        clock = asyncio.get_running_loop().time
        until = clock() + within_s
        while self._under_way() and clock() < until:  # a claim under way may still start something
            await asyncio.wait(self._under_way(), timeout=until - clock())
        if late := self._under_way():
            for task in late:
                task.cancel()
            await asyncio.wait(late, timeout=CANCEL_S)
        try:
            async with asyncio.timeout(CANCEL_S), self._claiming:
                await self._free_stuck()
        except (DefnewsError, TimeoutError) as error:  # the end of the run frees them
            log.error("work could not be given back", duty=self._duty.name, error=str(error))

    def _under_way(self) -> set[asyncio.Task[None]]:
        claiming = {self._next} if self._next is not None and not self._next.done() else set()
        return {*self._running, *claiming}

    async def _do(self, piece: Piece) -> None:
        try:
            await self._duty.do(piece)
        except StoreError as error:
            log.error("the database failed", duty=self._duty.name, error=str(error))
            self._stuck.append((piece, error))
        except Exception as error:
            self.errors += 1
            log.exception("unexpected error", duty=self._duty.name)
            self._stuck.append((piece, error))

    async def _free_stuck(self) -> None:
        """Give back what failed; if that fails too (the disk is full), it is tried again with the next nudge."""
        while self._stuck:
            await self._duty.give_back(*self._stuck[0])
            del self._stuck[0]

    async def _nudge_again(self) -> None:
        try:
            await self.nudge()
        except DefnewsError as error:  # the next tick tries again, and counts it
            log.error("cannot claim work", duty=self._duty.name, error=str(error))

    def _is_worth_it(self) -> bool:
        return len(self._running) <= self._size - max(self._size // FRACTION, 1)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        is_worth_it = self._is_worth_it() and task.get_loop().time() >= self._pause_until
        if self._is_open and is_worth_it and (self._next is None or self._next.done()):
            self._next = asyncio.create_task(self._nudge_again())
