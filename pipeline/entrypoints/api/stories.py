"""/api/v1/stories: the reports of one event, and who tells of it."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from pipeline.engine import Engine
from pipeline.entrypoints import reading
from pipeline.entrypoints.api import examples
from pipeline.entrypoints.api.answers import Answer
from pipeline.entrypoints.api.asked import Name
from pipeline.entrypoints.api.links import set_links
from pipeline.query import moments
from pipeline.store import StoriesAsked, Story, StoryReport, StorySort


class AskedStories(BaseModel):
    """Which stories are wanted; the values of one filter are alternatives, filters add up."""

    model_config = ConfigDict(extra="forbid")

    since: Name | None = Field(default=None, description="Of the newest report: a date (UTC), RFC 3339 time, or age.")
    until: Name | None = Field(default=None, description="Of the first report; a date includes that day.")
    country: list[Name] = Field(default=[], max_length=50, description="Of any report.", examples=[["KR"]])
    topic: list[Name] = Field(default=[], max_length=50, description="Of any report.", examples=[["nuclear"]])
    min_outlets: int = Field(default=1, ge=1, le=1_000, description="Sites that tell of it.")
    sort: StorySort = Field(
        default=StorySort.NEWEST, description="By the newest report, by size, or those that grew in the last 24 hours."
    )
    limit: int = Field(default=20, ge=1, le=200, description="Stories of a page.")
    cursor: Name | None = Field(default=None, description="Go on after the page that said it was the next.")

    def at(self, now: datetime) -> StoriesAsked:
        """The same, as the store takes it; one more than the page holds."""
        return StoriesAsked(
            since=moments.since(self.since, now),
            until=moments.until(self.until, now),
            countries=reading.countries(self.country),
            topics=tuple(self.topic),
            min_outlets=self.min_outlets,
            sort=self.sort,
            limit=self.limit + 1,
            cursor=self.cursor,
        )


class ToldStory(BaseModel):
    """An event, by its reports."""

    id: int = Field(examples=[1836213600391168])
    title: str = Field(description="Of the most central report.")
    first_at: datetime
    last_at: datetime
    size: int
    growth: int = Field(description="Reports published in the last 24 hours.")
    outlets: list[str]
    families: list[str] = Field(description="Publishers that are independent of each other.")
    countries: list[str] = Field(description="Of who wrote.")
    corroboration: str = Field(examples=["reported by 5 outlets of 3 families, first by yna.co.kr"])


class Stories(BaseModel):
    """A page of stories."""

    stories: list[ToldStory]
    next: str | None = Field(description="The cursor of the page that follows; null: this is the last.")


class Report(Answer):
    """An article, as a report of an event."""

    article_id: int
    title: str
    url: str
    site: str
    agency: str | None
    published_at: datetime
    lang: str | None
    is_pinned: bool = Field(description="A person put it there.")


class WholeStory(ToldStory):
    """A story with its reports."""

    reports: list[Report] = Field(description="The oldest first.")


def router(engine: Engine) -> APIRouter:
    """Where each operation is found."""
    rows, found = engine.store.stories, APIRouter()

    async def listing(request: Request, response: Response, asked: Annotated[AskedStories, Query()]) -> Stories:
        """Stories of two reports or more; the Link header names the next page."""
        now = engine.clock.now()
        told = await rows.listing(asked.at(now), now)
        page = told[: asked.limit]
        following = page[-1].cursor if len(told) > len(page) else None
        set_links(request, response, following)
        return Stories(stories=[_told(story) for story in page], next=following)

    async def one(key: Annotated[int, Path(description="A story's id.")]) -> WholeStory:
        """One story with its reports."""
        story = await rows.get(key, engine.clock.now()) if 0 <= key < 1 << 63 else None
        if story is None:
            raise HTTPException(404, f"no story {key}")
        return _whole(story, await rows.reports(key))

    found.add_api_route("/stories", listing, summary="Stories", responses=examples.of(examples.STORIES))
    found.add_api_route("/stories/{key}", one, summary="One story", responses=examples.of(examples.STORY))
    return found


def _told(story: Story) -> ToldStory:
    known = story.corroboration
    return ToldStory(
        id=story.id,
        title=story.title,
        first_at=story.first_at,
        last_at=story.last_at,
        size=story.size,
        growth=story.growth,
        outlets=list(known.outlets),
        families=list(known.families),
        countries=list(known.countries),
        corroboration=str(known),
    )


def _whole(story: Story, reports: tuple[StoryReport, ...]) -> WholeStory:
    told = [Report.model_validate(asdict(report)) for report in reports]
    return WholeStory(**_told(story).model_dump(), reports=told)
