"""/countries: how many articles of a search involve each country, on a map and as a list."""

from functools import cache
from importlib import resources
from math import ceil, log1p

from starlette.requests import Request
from starlette.responses import Response

from pipeline.engine import Engine
from pipeline.entrypoints import reading
from pipeline.entrypoints.pages.screen import Screen
from pipeline.entrypoints.pages.wanted import Wanted
from pipeline.errors import CommandError, UsageError
from pipeline.query.countries import COUNTRIES

LATELY = (("label", "defense"), ("since", "30d"))  # what is shown where nothing else is asked for
SHADES = 5


class World:
    """The map."""

    def __init__(self, engine: Engine, screen: Screen) -> None:
        self._store, self._clock, self._screen = engine.store, engine.clock, screen

    async def countries(self, request: Request) -> Response:
        """The countries of a search, or of the defense articles of 30 days."""
        given = Wanted.of(request.query_params.multi_items())
        wanted = given if given.pairs else Wanted(LATELY)
        counted: dict[str, int] = {}
        error: str | None = None
        try:
            query = await reading.to_query(self._store, wanted.asked(1), self._clock.now())
            counted = dict((await self._store.search.facets(query, len(COUNTRIES))).countries)
        except (UsageError, CommandError) as e:
            error = str(e).removeprefix("--")
        return await self._screen.page(
            request,
            "countries.html",
            status=422 if error else 200,
            error=error,
            wanted=wanted,
            is_usual=wanted.pairs == LATELY,
            counted=counted,
            shades=shades(counted),
            outlines=outlines(),
        )


def shades(counted: dict[str, int]) -> dict[str, int]:
    """How dark each country is, from 1 to `SHADES`, by the logarithm of its number."""
    most = log1p(max(counted.values(), default=1))
    return {code: ceil(SHADES * log1p(number) / most) for code, number in counted.items()}


@cache
def outlines() -> dict[str, str]:
    """The outline of each country that is large enough, as an SVG path."""
    lines = (resources.files("pipeline") / "ui/world.tsv").read_text().splitlines()
    return dict(line.split("\t", 1) for line in lines if not line.startswith("#"))
