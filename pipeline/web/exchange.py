"""One send on its way through redirects: where it is, what it carries on, how much time it has left."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pipeline.urls import host_key
from pipeline.web.failure import Failed, Reason
from pipeline.web.http import httpx

# What another host may see of a request; the rest (Authorization, Cookie, keys) is the first host's alone.
_HARMLESS = frozenset(
    {"accept", "accept-language", "user-agent", "if-none-match", "if-modified-since", "a-im", "range", "if-range"}
)

_KEEP_FORM = frozenset({307, 308})  # redirects after which a POST stays one


@dataclass(frozen=True, slots=True)
class Budget:
    """What one exchange may cost."""

    seconds: float  # for all hops together
    max_redirects: int
    max_bytes: int
    cut: bool = False  # a longer body is cut, not an error


class Exchange:
    """A request between its first hop and its last."""

    def __init__(
        self, url: httpx.URL, headers: tuple[tuple[str, str], ...], budget: Budget, form: bytes | None = None
    ) -> None:
        self.url = url
        self.form = form  # None: a GET
        self.host = host_key(str(url))
        self.budget = budget
        self.headers = headers
        self.hops: tuple[tuple[str, int], ...] = ()
        self._seconds_left = budget.seconds

    def redirect(self, status: int, location: str) -> None:
        """Go on to where a response points, leaving what is not meant for another host.

        Raises:
            Failed: it points nowhere, in a circle, or once too often; or a form would have to become a GET.
        """
        self.hops += ((str(self.url), status),)
        if len(self.hops) > self.budget.max_redirects:
            raise Failed(Reason.TOO_MANY_REDIRECTS, f"over {self.budget.max_redirects}")
        if self.form is not None and status not in _KEEP_FORM:
            raise Failed(Reason.BAD_REDIRECT, f"{status} after a POST")
        try:
            self.url = parse(str(self.url.join(location)))
        except (Failed, httpx.InvalidURL, ValueError) as e:
            raise Failed(Reason.BAD_REDIRECT, f"to {location[:200]!r}") from e
        if any(url == str(self.url) for url, _ in self.hops):
            raise Failed(Reason.REDIRECT_LOOP, f"back to {self.url}")
        left, self.host = self.host, host_key(str(self.url))
        if self.host != left:
            self.headers = tuple((name, value) for name, value in self.headers if name.lower() in _HARMLESS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Spend from the time that all hops share.

        Raises:
            Failed: it is spent (`timeout`).
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(self._seconds_left):
                yield
        except TimeoutError as e:
            raise Failed(Reason.TIMEOUT, f"over {self.budget.seconds:g} s") from e
        finally:
            self._seconds_left -= loop.time() - started


def parse(url: str) -> httpx.URL:
    """A URL as it is sent: http or https with a host, without fragment and user name.

    Raises:
        Failed: it is nothing of that kind (`bad-url`).
    """
    try:
        parsed = httpx.URL(url.strip())
        if str(parsed) != url or "#" in url or "@" in url:  # a copy is parsed anew, and most URLs need none
            parsed = parsed.copy_with(fragment=None, username=None, password=None)
        host_key(str(parsed))
    except (httpx.InvalidURL, ValueError) as e:
        raise Failed(Reason.BAD_URL, str(e)) from e
    return parsed
