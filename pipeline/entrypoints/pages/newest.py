"""The page of the newest articles with their verdicts."""

from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from pipeline.entrypoints.output import rfc3339
from pipeline.entrypoints.reading import countries
from pipeline.errors import UsageError
from pipeline.ingest import Engine
from pipeline.query import Filters, Query, parse, snippet
from pipeline.store import Found

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
LABELS = ("defense", "other", "review")
TAGS = ("topic", "country", "entity")  # that the page can be narrowed to, one of each
ROWS = 50


class Newest:
    """The newest articles."""

    def __init__(self, engine: Engine, health: Callable[[], dict[str, Any]]) -> None:
        self._engine = engine
        self._health = health
        loader = PackageLoader("pipeline", "ui/templates")
        templates = Environment(loader=loader, autoescape=select_autoescape(default=True))
        templates.filters["rfc3339"] = rfc3339
        self._template = templates.get_template("newest.html")
        self._style = (resources.files("pipeline") / "ui/static/page.css").read_text(encoding="utf-8")

    async def style(self, _request: Request) -> Response:
        """The style sheet."""
        return Response(self._style, media_type="text/css", headers=HEADERS)

    async def newest(self, request: Request) -> Response:
        """The page; words that are no query are said to be so."""
        asked = request.query_params
        label, words = asked.get("label", "defense"), asked.get("q", "")
        only = {name: asked[name] for name in TAGS if asked.get(name)}
        error: str | None = None
        rows: tuple[tuple[Found, str], ...] = ()
        try:
            rows = await self._rows(words, _filters(label, only), asked.get("cursor"))
        except UsageError as e:
            error = str(e)
        stats = await self._engine.store.stats.read(self._engine.clock.now())
        more = rows[-1][0].cursor if len(rows) == ROWS else None
        kept = {"q": words, "label": label}
        values = {"rows": rows, "stats": stats, "kept": kept, "only": only, "error": error, "more": more}
        return HTMLResponse(self._template.render(**values), status_code=400 if error else 200, headers=HEADERS)

    async def _rows(self, words: str, filters: Filters, cursor: str | None) -> tuple[tuple[Found, str], ...]:
        asked = parse(words, self._engine.clock.now())
        found = await self._engine.store.search.find(Query(asked, filters, limit=ROWS, cursor=cursor or None))
        return tuple((article, snippet(article.text, asked.terms, mark=("", ""))) for article in found)


def _filters(label: str, only: Mapping[str, str]) -> Filters:
    topics, given, entities = ((only[name],) if name in only else () for name in TAGS)
    return Filters((label,) if label in LABELS else (), topics, countries(given), entities)
