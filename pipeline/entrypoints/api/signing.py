"""/sign-in, /sign-out: the page swaps the token for a cookie that no script can read and no other site can send."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, Template, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pipeline.entrypoints.api.guard import COOKIE, COOKIE_LASTS_S, form, guard_of

_OUR_PATH = re.compile(r"/(?![/\\])[!-~]*")  # not //elsewhere
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}


class Signing:
    """The form, and what it sends."""

    async def ask(self, request: Request) -> Response:
        """The form."""
        return self._page(_way_on(request.query_params.get("next", "")))

    async def sign_in(self, request: Request) -> Response:
        """Set the cookie and go where they wanted to."""
        given = await form(request)
        way_on = _way_on(given.get("next", ""))
        cookie = guard_of(request).cookie_for(request, given.get("token", ""))
        if cookie is None:
            return self._page(way_on, is_wrong=True)
        answer = RedirectResponse(way_on, 303)
        is_secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, cookie, COOKIE_LASTS_S, httponly=True, samesite="strict", secure=is_secure)
        return answer

    async def sign_out(self, _request: Request) -> Response:
        """Take the cookie away."""
        answer = RedirectResponse("/", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    def _page(self, way_on: str, *, is_wrong: bool = False) -> Response:
        page = _template().render(way_on=way_on, is_wrong=is_wrong)
        return HTMLResponse(page, 403 if is_wrong else 200, HEADERS)


def routes() -> list[Route]:
    """Where one signs in and out."""
    signing = Signing()
    return [
        Route("/sign-in", signing.ask, methods=["GET"]),
        Route("/sign-in", signing.sign_in, methods=["POST"]),
        Route("/sign-out", signing.sign_out, methods=["POST"]),
    ]


def _way_on(given: str) -> str:
    return given if _OUR_PATH.fullmatch(given) else "/"


@cache
def _template() -> Template:
    pages = Environment(loader=PackageLoader("pipeline", "ui/templates"), autoescape=select_autoescape(default=True))
    return pages.get_template("sign_in.html")
