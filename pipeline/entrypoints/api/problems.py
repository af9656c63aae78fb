"""Errors as the API says them: problem+json for programs, a short page for people.

Source:
    RFC 9457, "Problem Details for HTTP APIs". The type of all of ours is about:blank: the status says what it is.
"""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pipeline.errors import CommandError, StoreError, UsageError

AGAIN_S = 10  # seconds after which a database that is out of reach is worth another try
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - defnews</title>
<link rel="stylesheet" href="/page.css">
<link rel="icon" href="data:,">
</head>
<body class="alone">
<main>
<h1>{title}</h1>
<p>{detail}</p>
<p class="counted"><a href="/">What happened</a> <a href="/search">Search</a> <a href="/status">Status</a></p>
</main>
</body>
</html>
"""
POLICY = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
BARE = {404: "nothing is at {path}", 405: "{method} is not answered at {path}"}
log = structlog.get_logger()


def answer(
    request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> Response:
    """A problem, in the form that suits who asks."""
    title = HTTPStatus(status).phrase
    if is_for_people(request):
        page = PAGE.format(title=title, detail=escape(detail))
        return HTMLResponse(page, status, {"Content-Security-Policy": POLICY, **(headers or {})})
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return JSONResponse(problem, status, headers, "application/problem+json")


def is_for_people(request: Request) -> bool:
    """Whether a browser shows the answer as a page."""
    is_page = not request.url.path.startswith(("/api/", "/feed."))
    return is_page and "text/html" in request.headers.get("accept", "")


def of_http(request: Request, error: HTTPException) -> Response:
    """404, 405, and what is raised as such."""
    headers = dict(error.headers or {})
    allowed = headers.get("Allow", "").split(", ")
    if "GET" in allowed and "HEAD" not in allowed:  # which the gate answers wherever there is a GET
        headers["Allow"] = ", ".join((*allowed, "HEAD"))
    asked = {"method": request.method, "path": request.url.path}
    is_bare = error.detail == HTTPStatus(error.status_code).phrase  # nobody said more than the status
    detail = BARE.get(error.status_code, error.detail).format(**asked) if is_bare else error.detail
    return answer(request, error.status_code, detail, headers)


def of_parameters(request: Request, error: RequestValidationError) -> Response:
    """422: says of each parameter what is wrong with it."""
    wrong = [{"where": ".".join(map(str, e["loc"])), "detail": e["msg"]} for e in error.errors()]
    return answer(request, 422, "; ".join(f"{e['where']}: {e['detail']}" for e in wrong), errors=wrong)


def of_usage(request: Request, error: UsageError | CommandError) -> Response:
    """422: a value that cannot be."""
    return answer(request, 422, str(error).removeprefix("--"))


def of_store(request: Request, error: StoreError) -> Response:
    """503: the database is out of reach."""
    log.warning("no answer", path=request.url.path, error=str(error))
    return answer(request, 503, "the database is out of reach", {"Retry-After": str(AGAIN_S)})


def of_leaver(request: Request, _error: ClientDisconnect) -> Response:
    """400: nobody is there any more to read it."""
    return answer(request, 400, "the request ended early")


def of_bug(request: Request, error: Exception) -> Response:
    """500: ours; the log says more, the answer does not."""
    log.error("request failed", path=request.url.path, error=f"{type(error).__name__}: {error}")
    return answer(request, 500, "an error of defnews; its log says more")


HANDLERS: Mapping[Any, Any] = {
    HTTPException: of_http,
    RequestValidationError: of_parameters,
    UsageError: of_usage,
    CommandError: of_usage,
    StoreError: of_store,
    ClientDisconnect: of_leaver,
    Exception: of_bug,
}
