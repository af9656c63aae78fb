"""What all pages share: how they are rendered, what stands at their top, and the files that they load."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup, escape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pipeline.engine import Engine
from pipeline.entrypoints.api.guard import guard_of, place_of
from pipeline.entrypoints.output import rfc3339
from pipeline.query.countries import COUNTRIES
from pipeline.stages.tag import entities
from pipeline.stages.tag.countries import ENGLISH
from pipeline.stages.tag.tables import lines
from pipeline.store import Count

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
FILES = {
    "page.css": "text/css",
    "times.js": "text/javascript",
    "keys.js": "text/javascript",
    "answers.js": "text/javascript",
    "vendor/htmx.min.js": "text/javascript",
}
HIT = ("\x02", "\x03")  # around a word that was searched for
_HIT = re.compile(f"{HIT[0]}([^{HIT[0]}{HIT[1]}]*){HIT[1]}")
_EDIT = re.compile(r"\[-(.*?)-\]|\{\+(.*?)\+\}", re.DOTALL)
_OUR_PATH = re.compile(r"/(?![/\\])[!-~]*")  # not //elsewhere
_ID = re.compile("[0-9]{1,19}")
RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "syr", "ug", "ur", "yi"})
UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


class Screen:
    """Renders templates."""

    def __init__(self, engine: Engine, health: Callable[[], dict[str, Any]]) -> None:
        self._engine, self._health = engine, health
        folder = resources.files("pipeline") / "ui/static"
        self._files = {name: folder.joinpath(name).read_bytes() for name in FILES}

    async def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page."""
        guard, now = guard_of(request), self._engine.clock.now()
        shared = {
            "path": request.url.path,
            "here": place_of(request),
            "is_writer": guard.is_writer(request),
            "has_signed_in": guard.has_signed_in(request),
            "pulse": await self._engine.store.stats.pulse(),
            "tick_age_s": self._health()["tick_age_s"],
            "now": now,
        }
        return HTMLResponse(_templates().get_template(template).render(shared | values), status, HEADERS)

    async def file(self, request: Request) -> Response:
        """A style sheet or a script."""
        name = request.path_params.get("name", "page.css")
        if name not in FILES:
            raise HTTPException(404, f"no file {name}")
        return Response(self._files[name], headers={**HEADERS, "Cache-Control": "no-cache"}, media_type=FILES[name])


def back(given: Mapping[str, str], otherwise: str) -> Response:
    """To where a form says that it should lead."""
    way_on = given.get("next", "")
    return RedirectResponse(way_on if _OUR_PATH.fullmatch(way_on) else otherwise, 303)


def number_in(request: Request) -> int:
    """The id in a page's path.

    Raises:
        HTTPException: it is none.
    """
    found = number(request.path_params["key"])
    if found is None:
        raise HTTPException(404, f"no such page: {request.url.path}")
    return found


def number(given: str) -> int | None:
    """The id that was given; None: it is none."""
    return int(given) if _ID.fullmatch(given) and int(given) < 2**63 else None


def hits(text: str) -> Markup:
    """A snippet, with what was searched for marked."""
    return Markup(_HIT.sub(r"<mark>\1</mark>", str(escape(text))))  # noqa: S704 - escaped before


def redlined(text: str) -> list[tuple[str, str]]:
    """An edited paragraph as pieces: what stayed (""), what went ("del"), what came ("ins")."""
    pieces, at = [], 0
    for edit in _EDIT.finditer(text):
        pieces += [("", text[at : edit.start()]), ("del", edit[1]) if edit[1] is not None else ("ins", edit[2])]
        at = edit.end()
    return [(kind, words) for kind, words in (*pieces, ("", text[at:])) if words]


@cache
def countries() -> dict[str, str]:
    """The English name of each country, by its code."""
    longest: dict[str, str] = {}  # a country has one line with its names, and shorter ones for places that are its own
    for code, forms in lines("countries", ENGLISH):
        if code in COUNTRIES:
            longest[code] = max(longest.get(code, ""), forms, key=len)
    return {code: forms.split("|")[0].lstrip("?!") for code, forms in longest.items()}


def country_name(code: str) -> str:
    """A country's English name; of an unknown code, the code."""
    return countries().get(code, code)


@cache
def _entities() -> dict[str, str]:
    return {entity.name.casefold(): entity.name for _, entity in entities.forms()}


def entity_name(folded: str) -> str:
    """An entity's name as it is written; of one that no table lists, as it is given."""
    return _entities().get(folded.casefold(), folded)


def span(length: timedelta | float | None) -> str:
    """A length of time in its largest unit: 3 h."""
    if length is None:
        return "-"
    seconds = length.total_seconds() if isinstance(length, timedelta) else length
    for unit_s, name in UNITS:
        if seconds >= unit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return "0 s"


def counted(count: Count) -> str:
    """A number that may be the least: 1,000+."""
    return f"{count.number:,}{'+' if count.is_least else ''}"


def direction(lang: str | None) -> str:
    """Which way a text runs: by its language, as it may begin with a foreign name; else by its first letter."""
    return "rtl" if (lang or "").split("-")[0] in RIGHT_TO_LEFT else "auto"


FILTERS: Mapping[str, Callable[..., Any]] = {
    "rfc3339": rfc3339,
    "hits": hits,
    "redlined": redlined,
    "country": country_name,
    "entity": entity_name,
    "span": span,
    "counted": counted,
    "direction": direction,
}


@cache
def _templates() -> Environment:
    """The templates, each compiled once in a process."""
    found = Environment(
        loader=PackageLoader("pipeline", "ui/templates"),
        autoescape=select_autoescape(default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(FILTERS)
    return found
