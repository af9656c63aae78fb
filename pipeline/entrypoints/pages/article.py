"""/articles/ID: one article with its evidence, and what people say of it; /review: the queue of those to be judged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.engine import Engine
from pipeline.entrypoints import reading
from pipeline.entrypoints.api.guard import form
from pipeline.entrypoints.judging import varied
from pipeline.entrypoints.pages.screen import Screen, back, number, number_in
from pipeline.query import Query
from pipeline.store import Said

WHO = "page"  # whose word it is that is said on the page
LATELY = 12  # answers that are shown, to be given again
QUEUE = 60  # of the most uncertain articles, among which the next one is chosen
Piece = tuple[str, str, float]  # words, the term that they are evidence of, its weight


class Articles:
    """Single articles."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._store, self._clock, self._screen = engine.store, engine.clock, screen

    async def article(self, request: Request) -> Response:
        """One article, readable, with all that is known of it."""
        key = number_in(request)
        shown = await self._shown(key)
        story = (await self._store.stories.of([key], self._clock.now())).get(key)
        reports = await self._store.stories.reports(story.id) if story else ()
        others = [report for report in reports if report.article_id != key]
        return await self._screen.page(request, "article.html", story=story, reports=others, **shown)

    async def label(self, request: Request) -> Response:
        """Store what a person says of an article."""
        await self._label(number_in(request), given := await form(request))
        return back(given, request.url.path)

    async def review(self, request: Request) -> Response:
        """The next article of the queue, or the one that was judged last, to be judged again."""
        again, last = (number(request.query_params.get(name, "")) for name in ("again", "last"))
        waiting = varied(await self._store.labels.doubtful(Query(), QUEUE))
        key = waiting[0].id if again is None and waiting else again
        lately = await self._store.labels.lately(WHO, LATELY)
        earlier = lately[1 + next((n for n, one in enumerate(lately) if one.article_id == again), -1) :]
        shown = await self._shown(key) if key is not None else {}
        return await self._screen.page(
            request,
            "review.html",
            last=next((one for one in lately if one.article_id == last), None),
            before=next(iter(earlier), None),
            lately=lately,
            is_again=again is not None,
            **shown,
        )

    async def judge(self, request: Request) -> Response:
        """Store what a person says of an article of the queue, and go on to the next."""
        given = await form(request)
        key = number(given.get("id", ""))
        if key is None:
            raise HTTPException(422, "id: it is none")
        await self._label(key, given)
        return RedirectResponse(f"/review?last={key}", 303)

    async def _label(self, key: int, given: Mapping[str, str]) -> None:
        if given.get("said") not in list(Said):
            raise HTTPException(422, f"said: expected {', '.join(Said)}")
        if await self._store.provenance.find_article(str(key)) is None:
            raise HTTPException(404, f"no article {key}")
        await self._store.labels.add(key, Said(given["said"]), WHO, self._clock.now())

    async def _shown(self, key: int) -> dict[str, Any]:
        known = await self._store.provenance.of_article(key)
        if known is None:
            raise HTTPException(404, f"no article {key}")
        verdict = known.verdicts[0]
        has_text = known.article["purged_at"] is None
        is_current = has_text and verdict["text_hash"] == known.article["text_hash"]
        evidence = verdict["evidence"] if is_current else ()
        facts = reading.describe(known)
        return {
            "article": known.found,
            "facts": facts,
            "said": {key: facts["person_label"]},
            "verdict": verdict,
            "is_current": is_current,
            "title": pieces(known.found.title, [term for term in evidence if term["field"] == "title"]),
            "paragraphs": paragraphs(known.found.text, [term for term in evidence if term["field"] == "text"]),
            "legend": legend(verdict["evidence"]),
        }


def pieces(text: str, evidence: Sequence[Mapping[str, Any]], offset: int = 0) -> list[Piece]:
    """A text cut where evidence begins and ends; of evidence that overlaps, the one that begins first."""
    found: list[Piece] = []
    at = 0
    for term in sorted(evidence, key=lambda term: (term["start"], -term["end"])):
        start, end = term["start"] - offset, min(term["end"] - offset, len(text))
        if at <= start < end:
            found += [(text[at:start], "", 0.0), (text[start:end], term["term"], term["weight"])]
            at = end
    return [piece for piece in (*found, (text[at:], "", 0.0)) if piece[0]]


def paragraphs(text: str, evidence: Sequence[Mapping[str, Any]]) -> list[list[Piece]]:
    """A text's paragraphs as pieces."""
    found, at = [], 0
    for line in text.split("\n"):
        inside = [term for term in evidence if at <= term["start"] < at + len(line)]
        found.append(pieces(line, inside, at))
        at += len(line) + 1
    return [paragraph for paragraph in found if paragraph]


def legend(evidence: Sequence[Mapping[str, Any]]) -> list[tuple[str, float, int]]:
    """Each term with the weight of all its places and their number, the strongest first."""
    weights: Counter[str] = Counter()
    places: Counter[str] = Counter()
    for term in evidence:
        weights[term["term"]] += term["weight"]
        places[term["term"]] += 1
    return [(name, weights[name], places[name]) for name in sorted(weights, key=lambda name: -abs(weights[name]))]
