"""What the daemon serves: the pages, and the probes /healthz and /readyz."""

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.entrypoints import pages
from pipeline.entrypoints.output import plain
from pipeline.errors import StoreError
from pipeline.ingest import Engine

SLOWEST_TICK_S = 60.0  # older: the daemon hangs


def application(engine: Engine, health: Callable[[], dict[str, Any]]) -> Starlette:
    """The pages and the probes."""

    async def healthz(_request: Request) -> Response:
        state = health()
        is_well = state["tick_age_s"] < SLOWEST_TICK_S
        return JSONResponse({"ok": is_well, **state}, status_code=200 if is_well else 503)

    async def readyz(_request: Request) -> Response:
        stats = await engine.store.stats.read(engine.clock.now())
        return JSONResponse({"ok": True, **plain(stats)})

    async def no_database(request: Request, error: Exception) -> Response:
        if request.url.path == "/":
            return pages.no_database()
        return JSONResponse({"ok": False, "error": str(error)}, 503)

    probes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    return Starlette(routes=[*pages.routes(engine, health), *probes], exception_handlers={StoreError: no_database})
