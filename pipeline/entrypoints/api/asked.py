"""What is asked of the API: the words and filters of `defnews search`, as parameters of a URL."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.entrypoints.reading import Asked, Many

MOST_VALUES = 50  # of one filter
Name = Annotated[str, Field(min_length=1, max_length=500, pattern="^[^\x00]*$")]
Label = Literal["defense", "other", "review"]
StoryId = Annotated[int, Field(ge=0, lt=2**63)]
Sort = Literal["newest", "relevance"]


def _some(about: str, *examples: str) -> list[Name]:
    given: list[Name] = Field(default=[], max_length=MOST_VALUES, description=about, examples=[list(examples)])
    return given


class Filtered(BaseModel):
    """Words and filters; the values of one filter are alternatives, filters add up."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field(
        default="", max_length=1_000, pattern="^[^\x00]*$", description='Words, "phrases", OR, -not, prefix*.',
        examples=['"air drills" OR exercise*'],
    )  # fmt: skip
    label: list[Label] = Field(default=[], description="Of an article: a person's, else the classifier's.")
    topic: list[Name] = _some("A topic's code.", "nuclear")
    country: list[Name] = _some("A country that is involved: its ISO 3166-1 alpha-2 code.", "KR")
    entity: list[Name] = _some("A weapon, unit, exercise or organisation by name.", "B-52H")
    feed: list[Name] = _some("A feed's id, URL or title.", "Defense News")
    kind: list[Name] = _some("Of a feed: trade, official, wire, general or thinktank.", "official")
    site: list[Name] = _some("A registered domain.", "yna.co.kr")
    lang: list[Name] = _some("A language.", "en")
    story: list[StoryId] = Field(default=[], max_length=MOST_VALUES, description="A story's id.")
    since: Name | None = Field(default=None, description="A date (UTC), RFC 3339 time, or age.", examples=["36h"])
    until: Name | None = Field(default=None, description="The same; a date includes that day.", examples=["2025-07-11"])
    min_score: float | None = Field(default=None, ge=0, le=1, description="The least score.")
    teaser: bool | None = Field(default=None, description="Only texts that are just a beginning; false: none of them.")

    def asked(self, sort: Sort, limit: int, cursor: str | None = None) -> Asked:
        """The same, as the command line has it."""
        label = tuple(map(str, self.label))
        names = (self.topic, self.country, self.entity, self.feed, self.kind, self.site, self.lang)
        many = Many(label, *(tuple(given) for given in names), story=tuple(self.story))
        return Asked(self.q, many, self.since, self.until, self.min_score, self.teaser, sort, limit, cursor)


class Paged(Filtered):
    """One page of a result."""

    sort: Sort = Field(default="newest", description="newest first, or by relevance to the words.")
    limit: int = Field(default=20, ge=1, le=200, description="Articles of a page.")
    cursor: Name | None = Field(default=None, description="Go on after the page that said it was the next.")
    text: bool = Field(default=False, description="Whether whole texts are wanted.")


class Fed(Filtered):
    """The newest of a result."""

    limit: int = Field(default=50, ge=1, le=200, description="Articles of the feed.")
