"""The second reader: puts uncertain articles to a language model that the user runs or rents (OpenAI's protocol).

Its address is the user's own setting, so it may be a loopback one. Everything else is as strict as for the web: no
redirects, one deadline, a bounded answer. Whatever goes wrong, the article keeps its first verdict.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import structlog

from pipeline.clock import Clock
from pipeline.errors import RereadError, StageError, UsageError, WebError
from pipeline.model import Article, Verdict
from pipeline.stages import reread
from pipeline.web.decode import Body
from pipeline.web.exchange import parse
from pipeline.web.failure import Failed, Reason
from pipeline.web.guard import ANYWHERE, AddressPolicy, GuardedBackend
from pipeline.web.http import OneShotTransport, httpx

Given = Callable[[str, datetime], Awaitable[int]]  # how many verdicts of a classifier are stored since a moment

ANSWER_BYTES = 65_536  # an answer of the kind that we ask for has some 500
AT_ONCE = 4  # a model on the user's machine answers few at a time; the others' time would run out in its queue
_OK = 200
_MAX_RATIO = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is, and what it may cost."""

    url: str  # base, as http://127.0.0.1:11434/v1
    model: str
    api_key: str | None = field(default=None, repr=False)
    timeout: timedelta = timedelta(seconds=20)  # for which an article is held up at most
    budget_a_day: int = 200  # requests; a day begins at midnight UTC
    max_characters: int = 2000  # of an article


class SecondReader:
    """Asks the model, as long as there is budget."""

    def __init__(self, endpoint: Endpoint, given: Given, clock: Clock, *, tls: ssl.SSLContext | None = None) -> None:
        """Set up; nothing is sent yet.

        Raises:
            UsageError: the URL cannot be understood.
        """
        try:
            self._url = parse(f"{endpoint.url.rstrip('/')}/chat/completions")
        except Failed as e:
            raise UsageError(f"second_reader.url: {e.detail}") from e
        self._endpoint = endpoint
        self._budget = _Budget(reread.name(endpoint.model), endpoint.budget_a_day, given, clock)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._guard = GuardedBackend(AddressPolicy(ANYWHERE))
        self._transport = OneShotTransport(self._guard, tls, proxy=None)

    async def read(self, article: Article, first: Verdict) -> Verdict | None:
        """Another verdict on an article; None when there is none to be had.

        The reason is logged; that the day's budget is spent only when it is noticed, not for each article after that.
        """
        endpoint = self._endpoint
        if self._budget.today.is_spent:
            return None
        try:
            body = reread.question(article, endpoint.model, endpoint.max_characters)
            second = reread.read(await self._answer(body), article, first, endpoint.model)
        except StageError as e:
            log.warning("no second reading", url=article.canonical_url, reason=e.reason, detail=e.detail or None)
            return None
        self._budget.today.answered += 1
        return second

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self._transport.aclose()
        self._guard.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _answer(self, body: bytes) -> bytes:
        """The model's answer; the time that it may take includes waiting for a place."""
        seconds = self._endpoint.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds), self._places:
                await self._budget.spend()
                return await self._post(body)
        except TimeoutError as e:
            raise WebError(str(self._url), Reason.TIMEOUT.value, detail=f"over {seconds:g} s") from e
        except Failed as e:
            raise WebError(str(self._url), e.reason.value, detail=e.detail) from e

    async def _post(self, body: bytes) -> bytes:
        headers = {"User-Agent": "defnews", "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {"Content-Type": "application/json", "Connection": "close"}
        if self._endpoint.api_key:
            headers["Authorization"] = f"Bearer {self._endpoint.api_key}"
        request = httpx.Request("POST", self._url, headers=headers, content=body)
        async with self._transport.asking(request) as reply:
            if reply.status_code != _OK:  # a redirect too: the key is for this address alone
                raise WebError(str(self._url), f"http-{reply.status_code}")
            answer = Body(reply.headers.get("content-encoding", ""), ANSWER_BYTES, _MAX_RATIO)
            answer.expect(reply.headers.get("content-length"))
            async for chunk in reply.aiter_raw():
                answer.feed(chunk)
            return answer.end()


@dataclass(slots=True)
class _Day:
    """What is known of one day's requests."""

    midnight: datetime
    asked: int = 0  # by us
    answered: int = 0  # of them; each is a verdict that is stored, or soon will be
    others: int = 0  # by other processes, as far as their verdicts tell
    is_spent: bool = False


class _Budget:
    """So many requests a day: all of ours, failed ones too, and those of other processes that led to a verdict."""

    def __init__(self, classifier: str, most: int, given: Given, clock: Clock) -> None:
        self._classifier, self._most, self._given, self._clock = classifier, most, given, clock
        self._last = _Day(datetime.min.replace(tzinfo=UTC))

    @property
    def today(self) -> _Day:
        """The day that it is."""
        midnight = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        if midnight != self._last.midnight:
            self._last = _Day(midnight)
        return self._last

    async def spend(self) -> None:
        """Spend one request.

        Raises:
            RereadError: there is none left (`budget-spent`).
        """
        today = self.today
        stored = await self._given(self._classifier, today.midnight)
        today.others = max(today.others, stored - today.answered)
        if today.asked + today.others >= self._most:
            today.is_spent = True
            raise RereadError(self._classifier, "budget-spent", detail=f"{self._most} requests a day")
        today.asked += 1
