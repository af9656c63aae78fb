"""Who may ask what: host names, tokens, cookies, cross-site requests, pace and size of writes.

`Gate` stands before every route and asks the `Guard`: a page or an answer of the API that writes has to do nothing
itself. It takes any method but GET and HEAD for it, and whatever arrives there was sent by a writer, from our own pages
or by a program, within the limits. Pages may ask `guard_of(request)`: `.is_writer(request)` says whether buttons
that write are worth showing (else show a link to /sign-in?next=PATH), `.has_signed_in(request)` whether one to sign out
is. `await form(request)` reads a form.

- Loopback only (the listen address, the Host, nothing forwarded) and no token set: everybody who gets here is a writer.
- Otherwise a writer shows [api] token: `Authorization: Bearer TOKEN`, or the cookie that /sign-in gave for it.
- With [api] read_token set, reading needs that one or the other, but for the probes, the style and the signing in.
- Below /websub/ the path is the proof: it passes under any name and without a token, within the limit of size.
- Whoever shows many wrong tokens is refused for a while, even with the right one; cookies stay good.
- Browsers that were refused are led to /sign-in, and back to where they were.
"""

import hmac
import re
from dataclasses import dataclass, field
from ipaddress import ip_address
from math import ceil
from urllib.parse import parse_qsl, quote

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.clock import Clock
from pipeline.entrypoints.api import problems
from pipeline.entrypoints.api.pace import WRITES, Bucket, Guesses
from pipeline.settings.sections import CALLBACKS, ApiSettings

COOKIE = "defnews"
COOKIE_LASTS_S = 30 * 86_400
LARGEST_BODY = 1 << 20  # bytes
READING = ("GET", "HEAD")
ROLES = ("writer", "reader")
SIGNING = ("/sign-in", "/sign-out")
OPEN = ("/healthz", "/readyz", "/page.css", *SIGNING)  # for readers without a token
OPEN_BELOW = "/static/"
FORWARDING = (  # how headers begin by which proxies say that they are there
    "forwarded", "via", "x-forwarded", "x-real-ip", "x-original-", "x-client-ip", "cf-", "cdn-", "true-client-ip",
)  # fmt: skip
MOST_FIELDS = 100  # of a form
HEADERS = {  # of every answer that does not say otherwise
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "private, no-cache",
}
_CAME_FROM = re.compile(r"https?://[^/?#]*(?P<place>/[^#]*)")
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Guard:
    """What the settings allow."""

    settings: ApiSettings
    clock: Clock
    writes: Bucket = field(init=False)
    guesses: Guesses = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "writes", Bucket(self.clock, WRITES))
        object.__setattr__(self, "guesses", Guesses(self.clock))

    def check(self, request: Request) -> None:
        """Let the request pass.

        Raises:
            HTTPException: it may not; says what would help.
        """
        length = request.headers.get("content-length", "0")
        if not length.isdecimal() or int(length[:20]) > LARGEST_BODY:
            raise _too_large()
        if request.url.path.startswith(CALLBACKS):  # what follows is a secret, and all that a hub can show (websub.py)
            return
        self._check_host(request)
        if shown := _shown(request):
            self._known(request, shown)
        if request.method in READING:
            self._check_reader(request)
        else:
            self._check_writer(request)

    def is_writer(self, request: Request) -> bool:
        """Whether writes of whoever asks are accepted."""
        if self.settings.token is None:
            return self._is_local(request)
        return self._shows("writer", request)

    def is_reader(self, request: Request) -> bool:
        """Whether they may read."""
        return self.settings.read_token is None or self._shows("reader", request) or self._shows("writer", request)

    def has_signed_in(self, request: Request) -> bool:
        """Whether they have a cookie that is good."""
        return any(self._is_cookie_of(role, request) for role in ROLES)

    def cookie_for(self, request: Request, token: str) -> str | None:
        """What is set for a token; None: the token is wrong.

        Raises:
            HTTPException: too many were.
        """
        until = int(self.clock.now().timestamp()) + COOKIE_LASTS_S
        role = self._known(request, token)
        return role and self._cookie(role, until)

    def _known(self, request: Request, token: str) -> str | None:
        """Whose token it is; one that is nobody's counts as a guess of whoever sent it.

        Raises:
            HTTPException: they guessed too often, so that nothing is said of this one.
        """
        address = request.client.host if request.client else ""
        if wait_s := self.guesses.wait_s(address):
            raise _too_many("wrong tokens", wait_s)
        for role in ROLES:
            if _is_same(token, self._token(role)):
                return role
        if any(map(self._token, ROLES)):
            self.guesses.count(address)
        return None

    def _check_host(self, request: Request) -> None:
        """Names that are not ours are refused: a page elsewhere could make its own name point to us.

        An address is nobody's name, and so always good.
        """
        host = _host(request)
        listen = self.settings.address[0]
        if host is None or not (_is_address(host) or _is_loopback(host) or host in (listen, *self.settings.hosts)):
            raise HTTPException(421, f"not served under the name {host}: set [api] hosts (DEFNEWS_API__HOSTS)")

    def _check_reader(self, request: Request) -> None:
        path = request.scope["path"]
        if not (path in OPEN or path.startswith(OPEN_BELOW) or self.is_reader(request)):
            raise _unauthorized("reading needs a token")

    def _check_writer(self, request: Request) -> None:
        if _is_cross_site(request):
            raise HTTPException(403, "sent by a page of another site")
        if request.scope["path"] in SIGNING:
            return
        if not self.is_writer(request):
            if self.settings.token is None:
                raise HTTPException(403, "writes from elsewhere than this machine need a token: set DEFNEWS_API__TOKEN")
            raise _unauthorized("writing needs the token")
        if wait_s := self.writes.take():
            raise _too_many("writes", wait_s)

    def _is_local(self, request: Request) -> bool:
        """Whether it came from this machine, and through nothing that may have come from elsewhere."""
        host = _host(request)
        is_local = _is_loopback(self.settings.address[0]) and host is not None and _is_loopback(host)
        return is_local and not _is_forwarded(request)

    def _shows(self, role: str, request: Request) -> bool:
        return _is_same(_shown(request), self._token(role)) or self._is_cookie_of(role, request)

    def _token(self, role: str) -> str | None:
        secret = self.settings.token if role == "writer" else self.settings.read_token
        return secret.get_secret_value() if secret else None

    def _cookie(self, role: str, until: int) -> str:
        """Holds until a time, or until the token is another; says nothing of the token."""
        said = f"{role}.{until}"
        return f"{said}.{hmac.digest((self._token(role) or '').encode(), said.encode(), 'sha256').hex()}"

    def _is_cookie_of(self, role: str, request: Request) -> bool:
        given = request.cookies.get(COOKIE, "")
        until = given.split(".")[1] if given.count(".") == 2 else ""
        if self._token(role) is None or not re.fullmatch("[0-9]{1,12}", until):
            return False
        return _is_same(given, self._cookie(role, int(until))) and int(until) > self.clock.now().timestamp()


class Gate:
    """Stands before the application: asks the guard, limits bodies, answers HEAD, and adds the headers."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app, self._guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or say why not."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        is_head = request.method == "HEAD"
        outward = _with_headers(send, is_head=is_head)
        try:
            self._guard.check(request)
        except HTTPException as refusal:
            await _refused(request, refusal)(scope, receive, outward)
        else:
            await self._app({**scope, "method": "GET"} if is_head else scope, _limited(receive), outward)


def guard_of(request: Request) -> Guard:
    """The guard that let this request pass."""
    guard: Guard = request.app.state.guard
    return guard


def place_of(request: Request) -> str:
    """The path and query that were asked for, as they were sent."""
    query: bytes = request.scope["query_string"]
    path: bytes = request.scope["raw_path"]
    return (path + (b"?" + query if query else b"")).decode("latin-1")


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; of several of one name the last.

    Raises:
        HTTPException: they are too many.
    """
    sent = (await request.body()).decode(errors="replace")
    try:
        return dict(parse_qsl(sent, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as e:
        raise HTTPException(422, f"a form may have {MOST_FIELDS} fields") from e


def _refused(request: Request, refusal: HTTPException) -> Response:
    """The problem; a browser that needs a token is led to where it can show it."""
    if refusal.status_code == 401 and problems.is_for_people(request):
        return RedirectResponse(f"/sign-in?next={quote(_way_back(request))}", 303)
    return problems.of_http(request, refusal)


def _way_back(request: Request) -> str:
    """The page that was asked for, or that held the form."""
    if request.method in READING:
        return place_of(request)
    came_from = _CAME_FROM.match(request.headers.get("referer", ""))
    return came_from["place"] if came_from else "/"


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, f"{detail}: Authorization: Bearer TOKEN", {"WWW-Authenticate": 'Bearer realm="defnews"'})


def _shown(request: Request) -> str:
    """The token that a program shows."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def _too_many(what: str, wait_s: float) -> HTTPException:
    return HTTPException(429, f"too many {what}", {"Retry-After": str(ceil(wait_s))})


def _too_large() -> HTTPException:
    return HTTPException(413, f"a body may have {LARGEST_BODY} bytes")


def _host(request: Request) -> str | None:
    """The name or address that was asked, without its port; None: it is none."""
    found = _HOST.fullmatch(request.headers.get("host", "").lower())
    return found and (found["six"] or found["name"].rstrip("."))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_forwarded(request: Request) -> bool:
    """Whether a proxy sent it, by its headers or by a version that only proxies and old tools speak."""
    return request.scope["http_version"] == "1.0" or any(name.startswith(FORWARDING) for name in request.headers)


def _is_cross_site(request: Request) -> bool:
    """Whether a browser sent it for a page that is not ours; programs say neither."""
    origin = request.headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2].lower() != request.headers.get("host", "").lower()
    return request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none")


def _is_same(given: str, secret: str | None) -> bool:
    return secret is not None and hmac.compare_digest(given.encode(), secret.encode())


def _with_headers(send: Send, *, is_head: bool) -> Send:
    async def outward(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        elif is_head:
            message = {**message, "body": b""}
        await send(message)

    return outward


def _limited(receive: Receive) -> Receive:
    """A body that does not say how long it is ends in a refusal when it is too long."""
    taken = 0

    async def inward() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > LARGEST_BODY:
            raise _too_large()
        return message

    return inward
