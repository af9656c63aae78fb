"""robots.txt -> what a host lets us ask for, and how often (RFC 9309); asked for once a day."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urljoin
from weakref import WeakValueDictionary

from protego import Protego

from pipeline.clock import Clock
from pipeline.model import Response, Robots
from pipeline.urls import host_key
from pipeline.web.failure import Failed, Reason
from pipeline.web.politeness import Politeness

MAX_BYTES = 500 * 1024  # RFC 9309 section 2.5: the least that must be read; we read no more
FRESH_FOR = timedelta(hours=24)  # RFC 9309 section 2.4
LONGEST_CRAWL_DELAY = timedelta(minutes=1)

_SUCCESS = range(200, 300)
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_NO_WAY_THERE = {Reason.TOO_MANY_REDIRECTS, Reason.REDIRECT_LOOP, Reason.BAD_REDIRECT}
_SAYS_MORE = {  # than "unreachable": of the host, or of our own network
    Reason.ADDRESS_REFUSED,
    Reason.HOST_RESTING,
    Reason.DNS,
    Reason.CONNECT,
    Reason.PROXY,
}


class Rules:
    """What one robots.txt says to us."""

    def __init__(self, text: str, agent: str) -> None:
        self._rules = Protego.parse(text)
        self._agent = agent

    def allow(self, url: str) -> bool:
        """Whether the URL may be asked for."""
        return self._rules.can_fetch(url, self._agent)

    @property
    def crawl_delay(self) -> timedelta | None:
        """The time it wants between two requests, a minute at most."""
        seconds = self._rules.crawl_delay(self._agent)
        return None if seconds is None else timedelta(seconds=min(seconds, LONGEST_CRAWL_DELAY.total_seconds()))


class _Question:
    """A robots.txt being asked for: whoever waits for the answer shares it, also when there is none."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.failed: Failed | None = None  # the last time


class RobotsFiles:
    """The robots.txt of every host, kept with its pace."""

    def __init__(
        self, politeness: Politeness, clock: Clock, agent: str, ask: Callable[[str], Awaitable[Response]]
    ) -> None:
        self._politeness = politeness
        self._clock = clock
        self._agent = agent  # the product token by which robots.txt addresses us
        self._ask = ask
        self._questions: WeakValueDictionary[str, _Question] = WeakValueDictionary()  # gone with their last asker

    async def rules(self, url: str) -> Rules:
        """The rules for a URL, at most a day old; older ones while the file cannot be had.

        Raises:
            Failed: the file cannot be had and never could (`robots-unreachable`), or the host may not be asked at all.
        """
        host = host_key(url)
        question = self._questions.setdefault(host, _Question())
        failed_before = question.failed
        async with question.lock:
            if question.failed is not None and question.failed is not failed_before:
                raise question.failed
            kept = await self._politeness.robots(host)
            if kept is None or self._clock.now() - kept.fetched_at >= FRESH_FOR:
                try:
                    kept = await self._renewed(host, urljoin(url, "/robots.txt"), kept)
                except Failed as e:
                    question.failed = e
                    raise
        return Rules(kept.text, self._agent)

    async def _renewed(self, host: str, url: str, old: Robots | None) -> Robots:
        try:
            text = await self._text(url)
        except Failed as e:
            if old is None or e.reason in (Reason.ADDRESS_REFUSED, Reason.HOST_RESTING):
                raise
            return old
        robots = Robots(text, self._clock.now(), Rules(text, self._agent).crawl_delay)
        await self._politeness.keep(host, robots)
        return robots

    async def _text(self, url: str) -> str:
        """What the site says; empty when it has no robots.txt.

        Source:
            RFC 9309 section 2.3.1. 429 asks for patience and grants nothing: it counts as a server error.
        """
        try:
            response = await self._ask(url)
        except Failed as e:
            if e.reason in _NO_WAY_THERE:
                return ""
            if e.reason in _SAYS_MORE:
                raise
            raise Failed(Reason.ROBOTS_UNREACHABLE, str(e)) from e
        if response.status >= _SERVER_ERROR or response.status == _TOO_MANY_REQUESTS:
            raise Failed(Reason.ROBOTS_UNREACHABLE, f"http-{response.status}")
        text = response.body.decode("utf-8-sig", errors="replace") if response.status in _SUCCESS else ""
        return text.replace("\0", "")
