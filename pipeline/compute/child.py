"""The worker process's side of the pool: reads a task, performs it, sends what came of it, until the pipe ends."""

import pickle
import signal
import socket
import struct
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from pipeline.errors import ComputeError, StageError

HEADER = struct.Struct("!Q")  # bytes of the pickle that follows
BUSY_MACHINE = 3  # by the clock a task may take so many times what it may take of a processor
GRACE = timedelta(seconds=2)  # how much longer than its parent a child waits before it ends itself
OVERTIME = signal.SIGPROF  # what ends a child whose task took all its time of the processor
PICKLE_ERRORS = (
    pickle.PickleError,
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    RuntimeError,  # and so RecursionError
    TypeError,
    ValueError,
)

Task = tuple[Callable[..., object], tuple[object, ...], dict[str, object]]


def serve(pipe: socket.socket, deadline: timedelta) -> None:
    """Perform tasks until the parent closes the pipe or dies.

    A task that used up its deadline ends with the process, by the system's own timer: code in C that never returns
    stops for nothing else. So does one that outlives its parent and its time by the clock: nobody else would end it.
    """
    by_clock = (deadline * BUSY_MACHINE + GRACE).total_seconds()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    for ending in (signal.SIGALRM, OVERTIME):
        signal.signal(ending, signal.SIG_DFL)
    with pipe, pipe.makefile("rb") as tasks, suppress(ConnectionError):
        while len(header := tasks.read(HEADER.size)) == HEADER.size:
            task = tasks.read(HEADER.unpack(header)[0])
            signal.setitimer(signal.ITIMER_REAL, by_clock)
            signal.setitimer(signal.ITIMER_PROF, deadline.total_seconds())
            answer = perform(task)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            pipe.sendall(HEADER.pack(len(answer)))
            pipe.sendall(answer)


def perform(task: bytes) -> bytes:
    """Do a pickled Task.

    Returns:
        A pickled pair: whether it went well, and the result or the exception.
    """
    try:
        fn, args, kwargs = pickle.loads(task)  # noqa: S301 - written by our parent
        result = fn(*args, **kwargs)
    except Exception as e:  # noqa: BLE001 - the border of the process: whatever a task raises travels back
        if not isinstance(e, StageError):
            e.add_note(traceback.format_exc())
        return _pickled_error(e)
    try:
        return pickle.dumps((True, result), pickle.HIGHEST_PROTOCOL)
    except PICKLE_ERRORS as e:
        return _pickled_error(
            ComputeError(name_of(fn), "unpicklable", detail=f"result of type {type(result).__name__}: {e}")
        )


def name_of(fn: Callable[..., object]) -> str:
    """A function's name for people."""
    return getattr(fn, "__qualname__", None) or repr(fn)


def _pickled_error(error: Exception) -> bytes:
    try:
        pickled = pickle.dumps((False, error), pickle.HIGHEST_PROTOCOL)
        pickle.loads(pickled)  # noqa: S301 - many exceptions can be written but not read
    except PICKLE_ERRORS:
        substitute = ComputeError(type(error).__qualname__, "unpicklable", detail=str(error))
        return pickle.dumps((False, substitute), pickle.HIGHEST_PROTOCOL)
    return pickled
