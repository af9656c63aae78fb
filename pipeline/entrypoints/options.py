"""What every command starts with: the options before its name, its settings, its logs, and the signals that end it."""

import asyncio
import io
import logging
import signal
import sys
from collections.abc import Coroutine, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from pipeline.settings import Settings, load

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Options:
    """What stands before the command's name."""

    config: Path | None = None
    verbosity: int = 0  # -q is negative

    def settings(self) -> Settings:
        """The settings, with logs set up by them.

        Raises:
            UsageError: they are wrong.
        """
        settings = load(self.config)
        set_up_logs(settings, self.verbosity)
        return settings


class Interrupted(Exception):  # noqa: N818 - not an error
    """A signal ended the command."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.exit_code = 128 + signum


def run_async(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a command; SIGINT and SIGTERM cancel it, so that it cleans up.

    Raises:
        Interrupted: a signal came.
    """
    return asyncio.run(_until_signal(main))


async def _until_signal(main: Coroutine[Any, Any, Result]) -> Result:
    task = asyncio.ensure_future(main)
    caught: list[int] = []

    def stop(signum: int) -> None:
        caught.append(signum)
        task.cancel()

    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stop, signum)
    try:
        return await task
    except asyncio.CancelledError:
        if caught:
            raise Interrupted(caught[0]) from None
        raise


class _Stderr(io.StringIO):
    """Whatever stderr is now: while progress bars are drawn, log lines go above them."""

    def write(self, text: str) -> int:
        """Write to it."""
        return sys.stderr.write(text)

    def flush(self) -> None:
        """Flush it."""
        sys.stderr.flush()


def set_up_logs(settings: Settings, verbosity: int = 0) -> None:
    """Logs go to stderr: text on a terminal, JSON lines elsewhere unless the settings say otherwise."""
    levels = ("debug", "info", "warning", "error")
    index = min(max(levels.index(settings.log.level) - verbosity, 0), len(levels) - 1)
    is_text = settings.log.format == "text" or (settings.log.format == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_text
        else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _without_controls,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, levels[index].upper())),
        logger_factory=structlog.PrintLoggerFactory(_Stderr()),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for noisy in ("trafilatura", "htmldate", "apscheduler", "httpx", "procrastinate", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)


def _without_controls(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Foreign text cannot steer a terminal, and empty fields are left out."""
    clean = {k: _printable(v) if isinstance(v, str) else v for k, v in event.items()}
    return {k: v for k, v in clean.items() if v is not None}


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
