"""/healthz and /readyz: whether the daemon works, and whether its database answers and takes what is written."""

from collections.abc import Callable
from typing import Any

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.engine import Engine
from pipeline.entrypoints.api.guard import guard_of
from pipeline.entrypoints.output import plain
from pipeline.errors import StoreError

SLOWEST_TICK_S = 60.0  # older: the daemon hangs
log = structlog.get_logger()


class Probes:
    """What machines ask."""

    def __init__(self, engine: Engine, health: Callable[[], dict[str, Any]]) -> None:
        self._engine, self._health = engine, health

    async def healthz(self, _request: Request) -> Response:
        """Whether the daemon ticks."""
        state = self._health()
        is_well = state["tick_age_s"] < SLOWEST_TICK_S
        return JSONResponse({"ok": is_well, **state}, status_code=200 if is_well else 503)

    async def readyz(self, request: Request) -> Response:
        """Whether the database answers and takes the daemon's heartbeats; with counts for who may read."""
        now = self._engine.clock.now()
        try:
            is_silent = await self._engine.store.runs.is_daemon_silent(now)  # the counts may be those of a moment ago
            stats = await self._engine.store.stats.recent(now)
        except StoreError as error:
            log.warning("not ready", error=str(error))
            return JSONResponse({"ok": False, "error": "the database is out of reach"}, 503)
        if is_silent:
            return JSONResponse({"ok": False, "error": "nothing can be written to the database; the log says why"}, 503)
        counts = plain(stats) if guard_of(request).is_reader(request) else {}
        return JSONResponse({"ok": True, **counts})


def routes(engine: Engine, health: Callable[[], dict[str, Any]]) -> list[Route]:
    """Where the probes are found."""
    probes = Probes(engine, health)
    return [Route("/healthz", probes.healthz), Route("/readyz", probes.readyz)]
