"""The pages that the daemon serves to people."""

from collections.abc import Callable
from typing import Any

from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from pipeline.entrypoints.pages.newest import HEADERS, Newest
from pipeline.ingest import Engine


def routes(engine: Engine, health: Callable[[], dict[str, Any]]) -> list[Route]:
    """Where each page is found."""
    page = Newest(engine, health)
    return [Route("/", page.newest), Route("/page.css", page.style)]


def no_database() -> Response:
    """What is shown while the database is out of reach."""
    return HTMLResponse("<!doctype html><title>defnews</title><p>The database is out of reach.", 503, HEADERS)
