"""What the daemon serves: pages, the API under /api/v1, searches as feeds, probes; and who may ask (`guard.py`)."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from pipeline.engine import Engine
from pipeline.entrypoints import pages
from pipeline.entrypoints.api import examples, feeds_out, metrics, probes, signing, v1, websub
from pipeline.entrypoints.api.conditional import Conditional
from pipeline.entrypoints.api.guard import Gate, Guard
from pipeline.entrypoints.api.problems import HANDLERS
from pipeline.entrypoints.filling import Fillings
from pipeline.settings import Settings

PACKED_FROM = 500  # bytes


class _Described(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """What is served, as OpenAPI describes it."""
        return self.openapi_schema or examples.put_back(super().openapi(), self.routes)


def application(
    engine: Engine, settings: Settings, health: Callable[[], dict[str, Any]], fillings: Fillings
) -> ASGIApp:
    """Everything that is served over HTTP."""
    guard, counts = Guard(settings.api, engine.clock), metrics.Metrics(engine, health)
    app = _Described(
        title="defnews",
        version=version("defnews"),
        description="News and whether they are defense-related, with the evidence.",
        openapi_url="/api/openapi.json",
        docs_url=None,  # it would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=dict(HANDLERS),
        middleware=[
            Middleware(GZipMiddleware, minimum_size=PACKED_FROM, compresslevel=5),
            Middleware(Conditional),
        ],
    )
    app.state.guard = guard
    app.include_router(v1.router(engine))
    app.include_router(feeds_out.router(engine))
    app.router.routes += [*pages.routes(engine, health, fillings), *signing.routes()]
    app.router.routes += [*probes.routes(engine, health), *metrics.routes(counts), *websub.routes(engine)]
    return metrics.Counted(Gate(app, guard), counts)  # around all of it, so that errors of ours have its headers too
