"""Commands that start at once: a process that has imported the package forks them from itself.

A command of its own process takes over a second to import what it needs, another to read its models, and as much again
in each process that computes for it; the tests start hundreds of them. Each one still has its own process, environment,
directory and pipes, and runs `python -m pipeline` to its end; the processes that compute are its own too, forked for it
by one server that has all loaded.
"""

import asyncio
import atexit
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from asyncio import StreamReader
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

LONGEST_OUTPUT = 2**30  # bytes
LOADED = "tests.loaded"
_LEFT_OUT = (  # programs, and what loads scikit-learn
    "pipeline.__main__", "pipeline.newsroom.__main__", "pipeline.store.migrations", "pipeline.entrypoints.training",
)  # fmt: skip


class Command:
    """A command that runs: what `asyncio.subprocess.Process` offers, as far as the tests use it."""

    def __init__(self, pid: int, ended: Coroutine[None, None, int], out: StreamReader, err: StreamReader) -> None:
        self.pid = pid
        self.stdout, self.stderr = out, err
        self._ended = asyncio.ensure_future(ended)

    @property
    def returncode(self) -> int | None:
        """How it ended; minus the signal that ended it."""
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        """Wait for its end."""
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        """Wait for its end; all that it wrote."""
        out, err = await asyncio.gather(self.stdout.read(), self.stderr.read())
        await self.wait()
        return out, err

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


async def start(words: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Command:
    """Start `defnews` with these words."""
    order = json.dumps({"words": list(words), "directory": str(directory), "environment": dict(environment)}).encode()
    pipe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    pipe.connect(_forker())
    (out, theirs_out), (err, theirs_err) = os.pipe(), os.pipe()
    socket.send_fds(pipe, [len(order).to_bytes(4, "big")], [theirs_out, theirs_err])
    pipe.sendall(order)
    os.close(theirs_out)
    os.close(theirs_err)
    answers, writer = await asyncio.open_connection(sock=pipe)
    pid = int(await answers.readline())
    pipes = await _Pipe.open(out), await _Pipe.open(err)
    return Command(pid, _end(answers, writer, pipes), pipes[0].reader, pipes[1].reader)


async def _end(answers: StreamReader, writer: asyncio.StreamWriter, pipes: Sequence["_Pipe"]) -> int:
    """How the command ended, once all is read that it wrote and its pipes are closed.

    What is left of one that was killed may hold its pipes open, so they are not waited for.
    """
    try:
        code = int(await answers.readline())
        for pipe in pipes:
            await pipe.close(at_once=code == -signal.SIGKILL)
        return code
    finally:
        writer.close()
        await writer.wait_closed()


class _Pipe(asyncio.StreamReaderProtocol):
    """A pipe that is read to its end, whether somebody asks for what it brings or not."""

    def __init__(self) -> None:
        self.reader = StreamReader(limit=LONGEST_OUTPUT)
        super().__init__(self.reader)
        self._read_out = asyncio.Event()
        self._open_pipe: asyncio.BaseTransport | None = None

    @classmethod
    async def open(cls, descriptor: int) -> "_Pipe":
        _, pipe = await asyncio.get_running_loop().connect_read_pipe(cls, os.fdopen(descriptor, "rb"))
        return pipe

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._open_pipe = transport

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._read_out.set()

    async def close(self, *, at_once: bool) -> None:
        assert self._open_pipe
        with suppress(TimeoutError):
            await asyncio.wait_for(self._read_out.wait(), 0 if at_once else 5)
        self._open_pipe.close()
        await self._read_out.wait()


@cache
def _forker() -> str:
    """The address of this process's forker, which ends with it."""
    address = f"{tempfile.mkdtemp(prefix='defnews-')}/forker"
    command = (sys.executable, "-W", "ignore::ResourceWarning", __file__, address)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    with process.stdout as said:
        assert said.readline() == b"ready\n"
    atexit.register(process.communicate)  # the end of its input ends it
    return address


class Forker:
    """Forks a command for each order, and says how it ended."""

    def __init__(self, address: str) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(address)
        self._listener.listen(64)
        self._running: dict[int, socket.socket] = {}
        self._woken, self._wakes = socket.socketpair()
        self._wakes.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakes.fileno())

    def serve(self) -> bool:
        """Fork until the tests end; whether this is a command that was forked."""
        while True:
            ready, _, _ = select.select([self._listener, self._woken, sys.stdin], [], [])
            if sys.stdin in ready:
                return False
            if self._woken in ready:
                self._woken.recv(4096)
                self._reap()
            if self._listener in ready and self._fork():
                return True

    def _fork(self) -> bool:
        pipe, _ = self._listener.accept()
        head, (out, err), _, _ = socket.recv_fds(pipe, 4, 2)
        with pipe.makefile("rb") as reader:
            order = json.loads(reader.read(int.from_bytes(head, "big")))
        pid = os.fork()
        if pid == 0:
            self._become(order, out, err)
            pipe.close()
            return True
        os.close(out)
        os.close(err)
        pipe.sendall(b"%d\n" % pid)
        self._running[pid] = pipe
        return False

    def _become(self, order: dict[str, Any], out: int, err: int) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in (self._listener, self._woken, self._wakes, *self._running.values()):
            other.close()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for ours, theirs in ((nothing, 0), (out, 1), (err, 2)):
            os.dup2(ours, theirs)
            os.close(ours)
        os.chdir(order["directory"])
        os.environ.clear()
        os.environ.update(order["environment"])
        sys.argv[1:] = order["words"]

    def _reap(self) -> None:
        while self._running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            with self._running.pop(pid) as pipe, suppress(OSError):
                pipe.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _preload() -> None:
    """Import what commands import, and load what they load; start the server of their computing processes."""
    import pipeline
    from pipeline.entrypoints.wiring import PRELOADED

    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.startswith(_LEFT_OUT):
            import_module(module.name)
    import_module(LOADED)
    gc.freeze()
    forkserver.set_forkserver_preload([*PRELOADED, LOADED])
    forkserver.ensure_running()
    # Commands inherit it: they need start none, nor may they wait for what is not their child.
    forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]


def _run() -> None:
    """Run the command, and end it as the interpreter does.

    The interpreter takes itself apart then; here that would copy all that is shared with the forker.
    """
    try:
        runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
    except SystemExit as e:
        if not isinstance(e.code, int):
            raise
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        if not sys.stderr.closed:
            sys.stderr.flush()
        os._exit(e.code)


if __name__ == "__main__":
    _preload()
    forker = Forker(sys.argv[1])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if forker.serve():
        _run()
