"""/api/v1: articles, stories, feeds, labels and counts as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response, Security
from fastapi.security import HTTPBearer

from pipeline.engine import Engine
from pipeline.entrypoints import reading
from pipeline.entrypoints.api import answers, examples, stories
from pipeline.entrypoints.api.asked import Paged
from pipeline.entrypoints.api.links import set_links
from pipeline.query import Filters, snippet
from pipeline.query import Query as SearchQuery
from pipeline.store import Range

PREFIX = "/api/v1"
STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
MOST_STEPS = 100
MOST_TAGS = 20
Key = Annotated[int, Path(ge=0, lt=2**63, description="An article's id.", examples=[1836213600391168])]


class V1:
    """The operations."""

    def __init__(self, engine: Engine) -> None:
        self._store, self._clock = engine.store, engine.clock

    async def articles(
        self, request: Request, response: Response, asked: Annotated[Paged, Query()]
    ) -> answers.Articles:
        """Articles by words and filters; the Link header names the next page."""
        query = await reading.to_query(
            self._store, asked.asked(asked.sort, asked.limit + 1, asked.cursor), self._clock.now()
        )
        found = await self._store.search.find(query)
        page = found[: asked.limit]
        rows = [answers.article(row, snippet(row.text, query.asked.terms), with_text=asked.text) for row in page]
        following = page[-1].cursor if len(found) > len(page) else None
        set_links(request, response, following)
        return answers.Articles(articles=rows, next=following)

    async def article(self, key: Key) -> answers.WholeArticle:
        """One article with verdicts, evidence, labels, revisions, appearances and audit trail."""
        known = await self._store.provenance.of_article(key)
        if known is None:
            raise HTTPException(404, f"no article {key}")
        return answers.WholeArticle.model_validate(reading.describe(known))

    async def feeds(self) -> answers.Feeds:
        """All feeds and how they do."""
        pushed = await self._store.subscriptions.wanted()
        rows = await self._store.feeds.listing()
        return answers.Feeds(feeds=[answers.feed(row, pushed.get(row.feed.id)) for row in rows])

    async def label(self, given: answers.GivenLabel) -> answers.StoredLabel:
        """A person's label: it counts until a person gives another."""
        if await self._store.provenance.find_article(str(given.article_id)) is None:
            raise HTTPException(404, f"no article {given.article_id}")
        stored = await self._store.labels.add(given.article_id, given.label, given.who, self._clock.now())
        return answers.StoredLabel.model_validate(stored)

    async def stats(
        self,
        step: Annotated[Literal["hour", "day"], Query(description="What the volume is counted by.")] = "hour",
        steps: Annotated[int, Query(ge=1, le=MOST_STEPS, description="How many hours or days.")] = 24,
    ) -> answers.Statistics:
        """Counts, lag and health; how much was published lately, and on what."""
        now = self._clock.now()
        span = Range.of(now, STEPS[step], steps)
        counts, volume = await self._store.stats.recent(now), await self._store.timelines.volume(span)
        lately = Filters(labels=("defense",), since=span.since, until=span.until)
        facets = await self._store.search.facets(SearchQuery(filters=lately))
        parts = zip(span.starts, volume["defense"], volume["other"], strict=True)
        return answers.Statistics(
            **asdict(counts),
            volume=[answers.Volume(since=since, defense=defense, other=other) for since, defense, other in parts],
            topics=_counts(facets.topics),
            countries=_counts(facets.countries),
        )


async def _only_json(request: Request) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, "expected application/json", {"Accept": "application/json"})


def _counts(counted: Sequence[tuple[str, int]]) -> list[answers.Count]:
    return [answers.Count(name=name, articles=number) for name, number in counted[:MOST_TAGS]]


def router(engine: Engine) -> APIRouter:
    """Where each operation is found."""
    v1 = V1(engine)
    found = APIRouter(prefix=PREFIX, responses=answers.PROBLEMS)
    found.add_api_route("/articles", v1.articles, summary="Search", responses=examples.of(examples.ARTICLES))
    found.add_api_route("/articles/{key}", v1.article, summary="One article", responses=examples.of(examples.ARTICLE))
    found.include_router(stories.router(engine))
    found.add_api_route("/feeds", v1.feeds, summary="Feeds", responses=examples.of(examples.FEEDS))
    found.add_api_route("/stats", v1.stats, summary="Counts", responses=examples.of(examples.STATISTICS))
    token = Security(HTTPBearer(auto_error=False, description="[api] token; not needed on the machine itself."))
    found.add_api_route(
        "/labels",
        v1.label,
        methods=["POST"],
        status_code=201,
        summary="Label an article",
        responses=examples.of(examples.LABEL, 201),
        dependencies=[token, Depends(_only_json)],
    )
    return found
