"""/feed.rss, /feed.atom, /feed.json: any search as a feed, for readers and other programs."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from pipeline.engine import Engine
from pipeline.entrypoints import reading
from pipeline.entrypoints.api.answers import PROBLEMS
from pipeline.entrypoints.api.asked import Fed
from pipeline.entrypoints.api.feed_formats import FORMATS, Document, Format, Item
from pipeline.query import snippet

SETTLED = timedelta(seconds=1)  # HTTP's dates have no parts of a second: within one, more may come
NO_NEWS = datetime(1970, 1, 1, tzinfo=UTC)
Answers = Callable[[Request, Annotated[Fed, Query()]], Awaitable[Response]]


class FeedsOut:
    """Searches as feeds."""

    def __init__(self, engine: Engine) -> None:
        self._store, self._clock = engine.store, engine.clock

    def of_format(self, name: str) -> Answers:
        """What answers in this format."""

        async def feed(request: Request, asked: Annotated[Fed, Query()]) -> Response:
            return await self._answer(request, asked, FORMATS[name])

        return feed

    async def _answer(self, request: Request, asked: Fed, kind: Format) -> Response:
        now = self._clock.now()
        changed_at = (await self._store.stats.changed_at()) or NO_NEWS
        headers = {}
        if now - changed_at >= SETTLED:
            headers["Last-Modified"] = format_datetime(changed_at, usegmt=True)
            if _has_since(request, changed_at):
                return Response(status_code=304, headers=headers)
        query = await reading.to_query(self._store, asked.asked("newest", asked.limit), now)
        found = await self._store.search.find(query)
        items = tuple(Item(row, snippet(row.text, query.asked.terms, mark=("", ""))) for row in found)
        newest = max((item.changed_at for item in items), default=NO_NEWS)
        document = Document(_title(asked), str(request.url), str(request.base_url), newest, items)
        return Response(kind.write(document), headers=headers, media_type=kind.media_type)


def router(engine: Engine) -> APIRouter:
    """Where each format is found."""
    feeds = FeedsOut(engine)
    found = APIRouter(responses=PROBLEMS)
    for name, kind in FORMATS.items():
        empty = kind.write(Document("defnews: missile", f"/feed.{name}?q=missile", "/", NO_NEWS, ())).decode()
        described: dict[int | str, dict[str, Any]] = {
            200: {"description": "The feed", "content": {kind.media_type: {"example": empty}}}
        }
        found.add_api_route(
            f"/feed.{name}", feeds.of_format(name), summary=f"A search as a feed ({name})", responses=described,
            response_class=Response, operation_id=f"feed_{name}",
        )  # fmt: skip
    return found


def _title(asked: Fed) -> str:
    """The words and filters, for people."""
    filters = asked.model_dump(exclude={"q", "limit"}, exclude_defaults=True)
    many = {name: value if isinstance(value, list) else [value] for name, value in filters.items()}
    parts = [f"{name} {', '.join(map(str, values))}" for name, values in many.items()]
    return ": ".join(filter(None, ("defnews", "; ".join(filter(None, (asked.q, *parts))))))


def _has_since(request: Request, changed_at: datetime) -> bool:
    """Whether they have what is newest by its date; an ETag that they have says more, and is asked first."""
    if "if-none-match" in request.headers:
        return False
    try:
        then = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    return then.replace(tzinfo=then.tzinfo or UTC) >= changed_at.replace(microsecond=0)
