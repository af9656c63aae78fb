"""How what runs until it is told ends: signals set an event, work under way gets its time, nothing waits for ever."""

import asyncio
import os
import signal
import threading

import structlog

DRAIN_S = 18.0  # for work under way
STOP_S = 28.0  # for the whole stop
log = structlog.get_logger()


def stop_event() -> asyncio.Event:
    """Set by SIGINT and SIGTERM; from then on the process ends in time, even if the database hangs."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def begin() -> None:
        if not stop.is_set():
            stop.set()
            last_resort = threading.Timer(STOP_S, _leave)
            last_resort.daemon = True
            last_resort.start()

    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, begin)
    return stop


def _leave() -> None:
    log.error("something hangs, and is left behind; claims are free after 30 s")
    os._exit(0)
