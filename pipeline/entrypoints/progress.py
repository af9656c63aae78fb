"""The progress bar of long commands: on a terminal only, on stderr."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

REFRESH_S = 0.5
State = Callable[[], tuple[int, Mapping[str, int]]]  # how many there are, and how many ended how


@asynccontextmanager
async def shown(state: State) -> AsyncIterator[None]:
    """Show how far the work is while the body runs."""
    if not sys.stderr.isatty():
        yield
        return
    drawing = asyncio.create_task(_draw(state))
    try:
        yield
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError):
            await drawing


async def _draw(state: State) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns: tuple[Any, ...] = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        while True:
            total, ended = state()
            done = sum(ended[name] for name in ("stored", "duplicate", "dropped", "waiting") if name in ended)
            words = " ".join(f"{name} {count}" for name, count in ended.items())
            bar.update(task, total=total or None, completed=done, description=words)
            await asyncio.sleep(REFRESH_S)
