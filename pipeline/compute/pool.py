"""A pool of long-lived worker processes that outlives what its tasks do to it.

Theory of operation. Each child has a socket pair of its own and one task at a time; the parent's ends are asyncio
streams, so that neither a large page nor a slow answer holds up the event loop. A child is used again only after it
gave a whole answer. In every other case (deadline, cancelled caller, dead child) it is killed and a fresh one starts
when it is needed, so that no answer can reach the wrong caller and no child disturbs another. A child ends by itself
when its pipe ends, also when the parent was killed.

Not `ProcessPoolExecutor`: there one killed child breaks the pool, a hanging task cannot be ended, and recycling
deadlocks (`max_tasks_per_child`, CPython issue 115634).
A deadline is time of a processor, which a busy machine does not use up; thrice that by the clock, for what waits.
Memory is not capped here: RLIMIT_AS counts address space, of which numerical libraries reserve far more than they use.
The stages cap what they read instead, children are replaced now and then, and one killed for its memory is a
`worker-died` like any other.
"""

import asyncio
import multiprocessing
import pickle
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar, cast

from pipeline.compute.child import BUSY_MACHINE, HEADER, OVERTIME, PICKLE_ERRORS, name_of, serve
from pipeline.errors import ComputeError

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

TRIES = 2  # a child may be killed for no fault of its task; a task that kills twice is to blame

_LIFECYCLE = threading.Lock()  # `multiprocessing` keeps its list of children for one thread at a time

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class _Child:
    """A worker process, and our end of its pipe."""

    process: BaseProcess
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tasks: int = 0
    end: asyncio.Task[bool] | None = None  # once it is discarded: whether it had overrun its time

    @property
    def is_usable(self) -> bool:
        """Whether the pipe still stands."""
        return not (self.reader.at_eof() or self.writer.is_closing())

    async def ask(self, task: bytes) -> bytes:
        """Hand over a task and wait for the answer.

        Raises:
            EOFError, OSError: the child died.
        """
        self.tasks += 1
        self.writer.write(HEADER.pack(len(task)))
        self.writer.write(task)
        await self.writer.drain()
        (length,) = HEADER.unpack(await self.reader.readexactly(HEADER.size))
        return await self.reader.readexactly(length)

    async def ended(self) -> bool:
        """Wait until a killed process and its pipe are gone; returns whether its task had overrun its time."""
        code = await asyncio.to_thread(_reap, self.process)
        with suppress(OSError):
            await self.writer.wait_closed()
        return code == -OVERTIME


class Compute:
    """Runs plain functions in worker processes: `await compute(fn, *args)`.

    Functions, arguments and results must be picklable. It belongs to one event loop. Children start when they are
    first needed; the `preload` modules are imported once, by the server that forks them.
    """

    def __init__(
        self, workers: int, deadline: timedelta, recycle_after: int = 2000, preload: tuple[str, ...] = ()
    ) -> None:
        self._context: ForkServerContext | SpawnContext = multiprocessing.get_context("spawn")
        if "forkserver" in multiprocessing.get_all_start_methods():
            self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(list(preload))
        self._deadline = deadline
        self._recycle_after = recycle_after
        self.workers = workers
        self._free = asyncio.Semaphore(workers)
        self._children: set[_Child] = set()
        self._idle: list[_Child] = []
        self._chores: set[asyncio.Task[Any]] = set()  # starts and ends of children; no cancelled caller stops them
        self._is_closed = False

    async def __call__(self, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a worker process; what it raises is raised here.

        Raises:
            ComputeError: `compute-timeout` when it exceeds the deadline; `worker-died` when its process died over it
                twice; `unpicklable` when its arguments, result or exception cannot cross; `pool-closed` and `no-worker`
                (no process could be started), both retryable.
        """
        subject = name_of(fn)
        try:
            task = pickle.dumps((fn, args, kwargs), pickle.HIGHEST_PROTOCOL)
        except PICKLE_ERRORS as e:
            raise ComputeError(subject, "unpicklable", detail=f"arguments: {e}") from e
        async with self._free:
            answer = await self._answer(subject, task)
        try:
            is_result, value = pickle.loads(answer)  # noqa: S301 - written by our own child
        except PICKLE_ERRORS as e:
            raise ComputeError(subject, "unpicklable", detail=f"result: {e}") from e
        if is_result:
            return cast("T", value)
        raise value

    async def close(self) -> None:
        """End all children; calls that still wait fail with `pool-closed`. Idempotent."""
        self._is_closed = True
        self._idle.clear()
        for child in tuple(self._children):
            self._discard(child)
        while self._chores:
            await asyncio.wait(tuple(self._chores))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _answer(self, subject: str, task: bytes) -> bytes:
        for _ in range(TRIES):
            child = await self._taken(subject)
            try:
                return await self._ask(child, task)
            except TimeoutError as e:
                raise self._timeout(subject) from e
            except (EOFError, OSError) as e:
                if child.end is not None and await asyncio.shield(child.end):
                    raise self._timeout(subject) from e
                self._require_open(subject)
        raise ComputeError(subject, "worker-died", detail=f"{TRIES} times over the same task")

    async def _ask(self, child: _Child, task: bytes) -> bytes:
        """Let a child perform a task; only one that gave a whole answer is used again."""
        try:
            async with asyncio.timeout((self._deadline * BUSY_MACHINE).total_seconds()):
                answer = await child.ask(task)
        except BaseException:
            self._discard(child)
            raise
        if child.tasks < self._recycle_after and not self._is_closed:
            self._idle.append(child)
        else:
            self._discard(child)
        return answer

    def _timeout(self, subject: str) -> ComputeError:
        return ComputeError(subject, "compute-timeout", detail=f"over {self._deadline.total_seconds():g} s")

    async def _taken(self, subject: str) -> _Child:
        while True:
            self._require_open(subject)
            while self._idle:
                child = self._idle.pop()
                if child.is_usable:
                    return child
                self._discard(child)
            try:
                await asyncio.shield(self._begin(self._start()))  # a cancelled caller leaves its child to the next one
            except (EOFError, OSError) as e:
                raise ComputeError(subject, "no-worker", detail=str(e), retryable=True) from e

    def _require_open(self, subject: str) -> None:
        if self._is_closed:
            raise ComputeError(subject, "pool-closed", retryable=True)

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        process = self._context.Process(target=serve, args=(theirs, self._deadline), name="compute", daemon=True)
        try:
            await asyncio.to_thread(_start_alone, process)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        child = _Child(process, *await asyncio.open_unix_connection(sock=ours))
        self._children.add(child)
        if self._is_closed or len(self._children) > self.workers:
            self._discard(child)
        else:
            self._idle.append(child)

    def _discard(self, child: _Child) -> None:
        if child in self._children:
            self._children.remove(child)
            child.process.kill()
            child.writer.transport.abort()
            child.end = self._begin(child.ended())

    def _begin(self, chore: Coroutine[None, None, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._finish)
        return task

    def _finish(self, task: asyncio.Task[Any]) -> None:
        self._chores.discard(task)
        if not task.cancelled():
            task.exception()  # who waits for it gets it; nobody may be waiting


def _start_alone(process: BaseProcess) -> None:
    with _LIFECYCLE:
        process.start()


def _reap(process: BaseProcess) -> int | None:
    with _LIFECYCLE:
        process.join()
        code = process.exitcode
        process.close()
    return code
